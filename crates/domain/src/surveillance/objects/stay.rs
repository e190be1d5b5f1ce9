//! Rules about how long and how objects are in an area.

use std::time::Duration;

use super::memory::{Change, Memory};
use super::visits::Visit;
use crate::behaviour::ObjectClass;
use crate::surveillance::tracker::{Track, TrackId};
use crate::time::Timestamp;

/// How long a lost object may be found again, milliseconds.
const PATIENCE_MILLIS: i64 = 3_000;
/// The same for objects that stand still and may be hidden by passing ones.
const STILL_PATIENCE_MILLIS: i64 = 30_000;
/// Minimum duration of a stay: a shorter one may be a false detection.
const PRESENT: Duration = Duration::from_millis(600);

/// The rule `loitering`: a person has been in the area for the trigger time.
pub(super) fn loitering(memory: &mut Memory, tracks: &[Track<ObjectClass>], at: Timestamp) -> Option<Change> {
    memory.follow(tracks, at, PATIENCE_MILLIS);
    let after = memory.settings.options.after;
    situation_of(memory, at, |visit| visit.has_stayed(after))
}

/// The rule `parking`: a vehicle or cycle has stood still in the area for the trigger time.
pub(super) fn parking(memory: &mut Memory, tracks: &[Track<ObjectClass>], at: Timestamp) -> Option<Change> {
    memory.follow(tracks, at, STILL_PATIENCE_MILLIS);
    let after = memory.settings.options.after;
    situation_of(memory, at, |visit| visit.has_stood(after.max(PRESENT)))
}

/// The rule `presence`: an object that is not allowed there is in the area.
pub(super) fn presence(memory: &mut Memory, tracks: &[Track<ObjectClass>], at: Timestamp) -> Option<Change> {
    memory.follow(tracks, at, PATIENCE_MILLIS);
    situation_of(memory, at, |visit| visit.has_stayed(PRESENT))
}

/// The rule `fast`: a person in the area moves fast.
pub(super) fn fast(memory: &mut Memory, tracks: &[Track<ObjectClass>], at: Timestamp) -> Option<Change> {
    memory.follow(tracks, at, 0);
    let least = fast_from(memory.settings.options.sensitivity);
    situation_of(memory, at, |visit| visit.pace().is_some_and(|pace| pace >= least))
}

/// Updates the situation that consists of the objects inside for which `is_part` is true.
fn situation_of(memory: &mut Memory, at: Timestamp, is_part: impl Fn(&Visit) -> bool) -> Option<Change> {
    let part: Vec<TrackId> = memory.visits.inside().filter(|visit| is_part(visit)).map(|visit| visit.track).collect();
    memory.update_situation(!part.is_empty(), part, at, Duration::ZERO)
}

/// Minimum speed of a fast movement at this sensitivity, 1..=100; heights of the object per second. People walk at about
/// 0.8 and run at 1.5 or more.
fn fast_from(sensitivity: u8) -> f32 {
    3.1 - 0.02 * f32::from(sensitivity)
}

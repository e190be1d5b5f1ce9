//! Rules about how long and how objects are in an area.

use std::time::Duration;

use super::memory::{Change, Memory};
use super::visits::Visit;
use crate::behaviour::ObjectClass;
use crate::surveillance::tracker::{Track, TrackId};
use crate::time::Timestamp;

/// Somebody who was lost is found again for so long.
const PATIENCE_MILLIS: i64 = 3_000;
/// So is what stands still and may be hidden by what passes.
const STILL_PATIENCE_MILLIS: i64 = 30_000;
/// What is seen for a shorter time may be a false detection.
const PRESENT: Duration = Duration::from_millis(600);

/// The rule `loitering`: somebody has been in the area for the trigger time.
pub(super) fn loitering(memory: &mut Memory, tracks: &[Track<ObjectClass>], at: Timestamp) -> Option<Change> {
    memory.follow(tracks, at, PATIENCE_MILLIS);
    let after = memory.settings.options.after;
    go_on(memory, at, |visit| visit.has_stayed(after))
}

/// The rule `parking`: a vehicle or cycle has stood still in the area for the trigger time.
pub(super) fn parking(memory: &mut Memory, tracks: &[Track<ObjectClass>], at: Timestamp) -> Option<Change> {
    memory.follow(tracks, at, STILL_PATIENCE_MILLIS);
    let after = memory.settings.options.after;
    go_on(memory, at, |visit| visit.has_stood(after.max(PRESENT)))
}

/// The rule `presence`: an object that is not allowed there is in the area.
pub(super) fn presence(memory: &mut Memory, tracks: &[Track<ObjectClass>], at: Timestamp) -> Option<Change> {
    memory.follow(tracks, at, PATIENCE_MILLIS);
    go_on(memory, at, |visit| visit.has_stayed(PRESENT))
}

/// The rule `fast`: somebody in the area moves fast.
pub(super) fn fast(memory: &mut Memory, tracks: &[Track<ObjectClass>], at: Timestamp) -> Option<Change> {
    memory.follow(tracks, at, 0);
    let least = fast_from(memory.settings.options.sensitivity);
    go_on(memory, at, |visit| visit.pace().is_some_and(|pace| pace >= least))
}

/// Goes on with the situation of the objects inside of which this is true.
fn go_on(memory: &mut Memory, at: Timestamp, is_part: impl Fn(&Visit) -> bool) -> Option<Change> {
    let part: Vec<TrackId> = memory.visits.inside().filter(|visit| is_part(visit)).map(|visit| visit.track).collect();
    memory.go_on(!part.is_empty(), part, at, Duration::ZERO)
}

/// From which speed on a movement is fast at this sensitivity, 1..=100: heights of the object per second. People walk at
/// about 0.8, and run at 1.5 and more.
fn fast_from(sensitivity: u8) -> f32 {
    3.1 - 0.02 * f32::from(sensitivity)
}

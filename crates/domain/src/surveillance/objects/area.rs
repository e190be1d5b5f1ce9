//! Rules about each object that is in an area, enters or leaves it.

use super::memory::{Change, Memory};
use super::visits::Passage;
use crate::behaviour::ObjectClass;
use crate::surveillance::tracker::{Track, TrackId};
use crate::time::Timestamp;

/// How long a lost object may be found again, milliseconds.
const PATIENCE_MILLIS: i64 = 3_000;

/// The rule `area`: an object is in the area. It fires for each object, and again when one comes back; it recovers when
/// all have left.
pub(super) fn inside(memory: &mut Memory, tracks: &[Track<ObjectClass>], at: Timestamp) -> Option<Change> {
    let was_active = memory.visits.is_any_reported();
    memory.follow(tracks, at, PATIENCE_MILLIS);
    let new = memory.visits.report();
    if !new.is_empty() {
        return Some(memory.fire(new));
    }
    let is_over = was_active && !memory.visits.is_any_reported();
    is_over.then(|| memory.recover(Vec::new()))
}

/// The rule `enter`: an object entered the area.
pub(super) fn enter(memory: &mut Memory, tracks: &[Track<ObjectClass>], at: Timestamp) -> Option<Change> {
    passing(memory, tracks, at, &[Passage::Entered])
}

/// The rule `leave`: an object left the area.
pub(super) fn leave(memory: &mut Memory, tracks: &[Track<ObjectClass>], at: Timestamp) -> Option<Change> {
    passing(memory, tracks, at, &[Passage::Left])
}

/// The rule `border`: an object entered the area or left it.
pub(super) fn border(memory: &mut Memory, tracks: &[Track<ObjectClass>], at: Timestamp) -> Option<Change> {
    passing(memory, tracks, at, &[Passage::Entered, Passage::Left])
}

/// Fires for each passage, and recovers when all objects that passed have passed back or left the picture.
fn passing(memory: &mut Memory, tracks: &[Track<ObjectClass>], at: Timestamp, wanted: &[Passage]) -> Option<Change> {
    let passed = memory.follow(tracks, at, PATIENCE_MILLIS);
    let fired_for: Vec<TrackId> = passed.iter().filter(|(_, way)| wanted.contains(way)).map(|(id, _)| *id).collect();
    let was_active = !memory.active.is_empty();
    memory.active.retain(|id| {
        let is_gone = !tracks.iter().any(|track| track.id == *id);
        !is_gone && !passed.iter().any(|(passed, _)| passed == id)
    });
    if !fired_for.is_empty() {
        memory.active.extend(&fired_for);
        return Some(memory.fire(fired_for));
    }
    (was_active && memory.active.is_empty()).then(|| memory.recover(Vec::new()))
}

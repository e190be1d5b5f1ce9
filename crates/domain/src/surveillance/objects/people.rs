//! Rules about how many people are in an area.

use std::time::Duration;

use super::memory::{Change, Memory};
use super::situation::passed;
use crate::behaviour::ObjectClass;
use crate::surveillance::tracker::{Track, TrackId};
use crate::time::Timestamp;

/// A number of people is believed when it has lasted for so long.
const SETTLED: Duration = Duration::from_secs(1);

/// The rule `area count`: another number of people is in the area than was reported last. It never recovers.
pub(super) fn count(memory: &mut Memory, tracks: &[Track<ObjectClass>], at: Timestamp) -> Option<Change> {
    let people = people(memory, tracks, at);
    if people.len() as u32 == memory.count {
        memory.differs_since = None;
        return None;
    }
    let differs_since = *memory.differs_since.get_or_insert(at);
    let is_due = memory.fired.is_none_or(|fired| passed(fired, at, memory.settings.options.every));
    if !is_due || !passed(differs_since, at, SETTLED) {
        return None;
    }
    (memory.differs_since, memory.fired) = (None, Some(at));
    memory.count = people.len() as u32;
    Some(Change { fired: true, targets: people, count: memory.count, passages: (0, 0) })
}

/// The rule `crowd`: more people than the limit.
pub(super) fn crowd(memory: &mut Memory, tracks: &[Track<ObjectClass>], at: Timestamp) -> Option<Change> {
    let limit = memory.settings.options.people;
    go_on(memory, tracks, at, |count, _| count > limit)
}

/// The rule `gathering`: as many people as the limit, or more; at least one. It lasts while no more people have left than
/// are tolerated.
pub(super) fn gathering(memory: &mut Memory, tracks: &[Track<ObjectClass>], at: Timestamp) -> Option<Change> {
    let options = memory.settings.options;
    let limit = options.people.max(1);
    let still = limit.saturating_sub(options.tolerance).max(1);
    go_on(memory, tracks, at, |count, lasts| count >= if lasts { still } else { limit })
}

/// The rule `absence`: fewer people than the limit, which is at least one.
pub(super) fn absence(memory: &mut Memory, tracks: &[Track<ObjectClass>], at: Timestamp) -> Option<Change> {
    let limit = memory.settings.options.people.max(1);
    go_on(memory, tracks, at, |count, _| count < limit)
}

/// The rule `alone`: somebody, but fewer people than the limit, which is at least two.
pub(super) fn alone(memory: &mut Memory, tracks: &[Track<ObjectClass>], at: Timestamp) -> Option<Change> {
    let limit = memory.settings.options.people.max(2);
    go_on(memory, tracks, at, |count, _| (1..limit).contains(&count))
}

/// Goes on with a situation that is seen at this number of people; the other argument is whether it was reported.
fn go_on(
    memory: &mut Memory,
    tracks: &[Track<ObjectClass>],
    at: Timestamp,
    is_seen: impl Fn(u32, bool) -> bool,
) -> Option<Change> {
    let people = people(memory, tracks, at);
    let is_seen = is_seen(people.len() as u32, memory.situation.is_reported());
    let after = memory.settings.options.after.max(SETTLED);
    memory.go_on(is_seen, people, at, after)
}

/// Those in the area.
fn people(memory: &mut Memory, tracks: &[Track<ObjectClass>], at: Timestamp) -> Vec<TrackId> {
    // Somebody who is found again is counted again, and nobody who has left is.
    memory.follow(tracks, at, 0);
    memory.visits.inside().map(|visit| visit.track).collect()
}

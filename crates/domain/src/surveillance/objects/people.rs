//! Rules about how many people are in an area.

use std::time::Duration;

use super::memory::{Change, Memory};
use super::situation::passed;
use crate::behaviour::ObjectClass;
use crate::surveillance::tracker::{Track, TrackId};
use crate::time::Timestamp;

/// Minimum duration of a number of people.
const SETTLED: Duration = Duration::from_secs(1);

/// The rule `area count`: the number of people in the area differs from the last one reported. It never recovers.
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
    situation_at(memory, tracks, at, |count, _| count > limit)
}

/// The rule `gathering`: as many people as the limit, or more; at least one. It lasts until the number falls below the
/// limit by more than the tolerance.
pub(super) fn gathering(memory: &mut Memory, tracks: &[Track<ObjectClass>], at: Timestamp) -> Option<Change> {
    let options = memory.settings.options;
    let limit = options.people.max(1);
    let still = limit.saturating_sub(options.tolerance).max(1);
    situation_at(memory, tracks, at, |count, lasts| count >= if lasts { still } else { limit })
}

/// The rule `absence`: fewer people than the limit, which is at least one.
pub(super) fn absence(memory: &mut Memory, tracks: &[Track<ObjectClass>], at: Timestamp) -> Option<Change> {
    let limit = memory.settings.options.people.max(1);
    situation_at(memory, tracks, at, |count, _| count < limit)
}

/// The rule `alone`: at least one person, but fewer people than the limit, which is at least two.
pub(super) fn alone(memory: &mut Memory, tracks: &[Track<ObjectClass>], at: Timestamp) -> Option<Change> {
    let limit = memory.settings.options.people.max(2);
    situation_at(memory, tracks, at, |count, _| (1..limit).contains(&count))
}

/// Updates a situation that depends on the number of people; the second argument of `is_seen` is whether it was reported.
fn situation_at(
    memory: &mut Memory,
    tracks: &[Track<ObjectClass>],
    at: Timestamp,
    is_seen: impl Fn(u32, bool) -> bool,
) -> Option<Change> {
    let people = people(memory, tracks, at);
    let is_seen = is_seen(people.len() as u32, memory.situation.is_reported());
    let after = memory.settings.options.after.max(SETTLED);
    memory.update_situation(is_seen, people, at, after)
}

/// The people in the area.
fn people(memory: &mut Memory, tracks: &[Track<ObjectClass>], at: Timestamp) -> Vec<TrackId> {
    // Without patience: people who have left are not counted.
    memory.follow(tracks, at, 0);
    memory.visits.inside().map(|visit| visit.track).collect()
}

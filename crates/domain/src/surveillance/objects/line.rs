//! The rules `line` and `line count`: an object crosses a line.
//!
//! An object is where it stands: at the middle of its lower edge. It has crossed when it went through the line and is
//! clear of it on the other side, so that one that stands on the line does not cross it again and again. `line` fires at
//! every crossing in the direction asked for, and recovers when all objects that crossed have moved on or left the
//! picture. `line count` fires at every crossing, counts it as in or out, and never recovers.

use super::memory::{Change, Memory};
use super::visits::Counting;
use super::zone::{Line, Side, Zone};
use crate::behaviour::{Crossing, ObjectClass};
use crate::geometry::Point;
use crate::surveillance::tracker::{Track, TrackId};
use crate::time::Timestamp;

/// An object is clear of the line from this distance on, as a share of its height: boxes tremble.
const CLEAR: f32 = 0.1;
/// It has moved on from this distance on, as a share of its height.
const MOVED_ON: f32 = 1.0;

/// What an object has done since it was first seen.
#[derive(Debug, Clone, Copy)]
pub(super) struct Trace {
    /// Where it was.
    at: Point,
    /// The side that it was last clear on, or first seen on.
    side: Side,
    /// Whether it has gone through the line since.
    through: bool,
}

/// What the tracks of a frame change for `line`.
pub(super) fn step(memory: &mut Memory, tracks: &[Track<ObjectClass>], _: Timestamp) -> Option<Change> {
    let wanted = memory.settings.direction;
    let crossed: Vec<TrackId> =
        crossings(memory, tracks).into_iter().filter(|(_, way)| counts(wanted, *way)).map(|(id, _)| id).collect();
    if crossed.is_empty() {
        return recover(memory, tracks);
    }
    memory.active.retain(|id| !crossed.contains(id));
    memory.active.extend(&crossed);
    Some(memory.fire(crossed))
}

/// What the tracks of a frame change for `line count`.
pub(super) fn count(memory: &mut Memory, tracks: &[Track<ObjectClass>], _: Timestamp) -> Option<Change> {
    let crossed = crossings(memory, tracks);
    if crossed.is_empty() {
        return None;
    }
    let inwards = crossed.iter().filter(|(_, way)| *way == memory.settings.direction).count() as u32;
    let passages = (inwards, crossed.len() as u32 - inwards);
    let targets = crossed.into_iter().map(|(id, _)| id).collect();
    Some(Change { passages, ..memory.fire(targets) })
}

/// The objects that crossed the line in this frame, and their directions.
fn crossings(memory: &mut Memory, tracks: &[Track<ObjectClass>]) -> Vec<(TrackId, Crossing)> {
    let counting = memory.counting();
    let Zone::Line(line) = &memory.zone else { return Vec::new() };
    memory.traces.retain(|id, _| tracks.iter().any(|track| track.id == *id));
    let mut crossed = Vec::new();
    for track in tracks.iter().filter(|track| track.kind == memory.settings.object) {
        let at = foot(track);
        let fresh = Trace { at, side: line.side(at), through: false };
        let trace = memory.traces.entry(track.id).or_insert(fresh);
        let way = trace.go_to(at, line, CLEAR * track.place.height());
        let counted = way.filter(|_| counting.is_certain(track) && counting.fits(track));
        crossed.extend(counted.map(|way| (track.id, way)));
    }
    crossed
}

fn recover(memory: &mut Memory, tracks: &[Track<ObjectClass>]) -> Option<Change> {
    let Zone::Line(line) = &memory.zone else { return None };
    let was_active = !memory.active.is_empty();
    let mut gone = Vec::new();
    memory.active.retain(|id| {
        let Some(track) = tracks.iter().find(|track| track.id == *id) else { return false };
        let moved_on = line.distance(foot(track)) >= MOVED_ON * track.place.height();
        gone.extend(moved_on.then_some(*id));
        !moved_on
    });
    let over = was_active && memory.active.is_empty();
    over.then(|| memory.recover(gone))
}

/// Where an object stands.
fn foot(track: &Track<ObjectClass>) -> Point {
    Point { x: track.place.center().x, y: track.place.bottom }
}

fn counts(wanted: Crossing, way: Crossing) -> bool {
    wanted == Crossing::Both || wanted == way
}

impl Trace {
    /// Goes on to another place; which way it has crossed the line by that. Clear of the line is what is farther from it
    /// than `clear`, pixels.
    fn go_to(&mut self, to: Point, line: &Line, clear: f32) -> Option<Crossing> {
        self.through ^= line.is_crossed(self.at, to);
        self.at = to;
        if line.offset(to).abs() < clear {
            return None;
        }
        let (from, side) = (self.side, line.side(to));
        let through = std::mem::take(&mut self.through);
        self.side = side;
        let way = if side == Side::B { Crossing::AToB } else { Crossing::BToA };
        (through && from != side).then_some(way)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::behaviour::{BehaviourKind, DetectedObject, RuleOptions, RuleSettings};
    use crate::geometry::Rect;
    use crate::surveillance::tracker::{Step, Tracker};

    /// Across the middle of a picture of 1000 pixels, from the left to the right: side A is above it.
    fn memory(direction: Crossing) -> Memory {
        let points = [(0.2, 0.5), (0.8, 0.5)].map(|(x, y)| Point { x, y }).to_vec();
        let (name, kind, object) = ("line".to_owned(), BehaviourKind::Line, ObjectClass::Person);
        let options = RuleOptions::default();
        Memory::new(&RuleSettings { name, kind, object, points, direction, options }, (1000, 1000))
    }

    /// What changes while people go from place to place, a step in 200 ms: what fired (`+`) or recovered (`-`), for how
    /// many, and the count.
    fn walk(memory: &mut Memory, class: ObjectClass, ways: &[&[(f32, f32)]]) -> Vec<(char, usize, u32)> {
        let (mut tracker, mut step_taken, mut changes) = (Tracker::default(), Step::default(), Vec::new());
        for time in 0..ways.iter().map(|way| way.len()).max().unwrap() + 8 {
            let feet = ways.iter().filter_map(|way| way.get(time));
            let person = |(x, y): &(f32, f32)| DetectedObject {
                class,
                place: Rect::new(x - 50.0, y - 200.0, x + 50.0, *y),
                score: 0.9,
            };
            let found: Vec<_> = feet.map(person).collect();
            let at = Timestamp::from_millis(time as i64 * 200);
            tracker.update(at, &found, &mut step_taken);
            let change = step(memory, tracker.tracks(), at);
            changes.extend(change.map(|c| (if c.fired { '+' } else { '-' }, c.targets.len(), c.count)));
        }
        changes
    }

    fn person(direction: Crossing, way: &[(f32, f32)]) -> Vec<(char, usize, u32)> {
        walk(&mut memory(direction), ObjectClass::Person, &[way])
    }

    const DOWN: [(f32, f32); 6] =
        [(500.0, 280.0), (500.0, 400.0), (500.0, 490.0), (500.0, 560.0), (500.0, 640.0), (500.0, 720.0)];

    fn up() -> Vec<(f32, f32)> {
        DOWN.iter().rev().copied().collect()
    }

    #[test]
    fn a_crossing_fires_once_and_recovers_when_the_object_has_moved_on() {
        assert_eq!(person(Crossing::Both, &DOWN), [('+', 1, 1), ('-', 1, 1)]);
        assert_eq!(person(Crossing::Both, &up()), [('+', 1, 1), ('-', 1, 1)]);
    }

    #[test]
    fn only_the_way_asked_for_counts() {
        assert_eq!(person(Crossing::AToB, &DOWN).len(), 2);
        assert_eq!(person(Crossing::AToB, &up()), []);
        assert_eq!(person(Crossing::BToA, &DOWN), []);
        assert_eq!(person(Crossing::BToA, &up()).len(), 2);
    }

    #[test]
    fn an_object_that_leaves_the_picture_behind_the_line_recovers_the_rule() {
        assert_eq!(person(Crossing::Both, &DOWN[..4]), [('+', 1, 1), ('-', 0, 1)]);
    }

    #[test]
    fn an_object_that_trembles_on_the_line_crosses_it_once() {
        let standing = [490.0, 505.0, 495.0, 512.0, 488.0, 507.0, 493.0].map(|y| (500.0, y));
        let way = [&DOWN[..2], &standing, &standing, &DOWN[3..]].concat();
        assert_eq!(person(Crossing::Both, &way), [('+', 1, 1), ('-', 1, 1)]);
        let back = [&DOWN[..2], &standing, &up()[4..]].concat();
        assert_eq!(person(Crossing::Both, &back), [], "it went back");
    }

    #[test]
    fn who_turns_back_behind_the_line_crosses_it_again() {
        let back = [540.0, 500.0, 450.0, 390.0, 320.0, 250.0].map(|y| (500.0, y));
        let way = [&DOWN[..4], &back].concat();
        assert_eq!(person(Crossing::Both, &way), [('+', 1, 1), ('+', 1, 2), ('-', 1, 2)]);
    }

    #[test]
    fn a_way_past_the_end_of_the_line_does_not_cross_it() {
        let around = DOWN.map(|(_, y)| (900.0, y));
        assert_eq!(person(Crossing::Both, &around), []);
        // Past the end, and back through the line.
        let back: Vec<_> = [(700.0, 700.0), (600.0, 640.0)].into_iter().chain(up()).collect();
        assert_eq!(person(Crossing::Both, &[&around[..], &[(800.0, 720.0)], &back].concat()).len(), 2);
    }

    #[test]
    fn two_who_cross_together_are_two() {
        let left = DOWN.map(|(_, y)| (300.0, y));
        let right = DOWN.map(|(_, y)| (700.0, y));
        let changes = walk(&mut memory(Crossing::Both), ObjectClass::Person, &[&left, &right]);
        assert_eq!(changes, [('+', 2, 2), ('-', 2, 2)]);
    }

    #[test]
    fn things_of_another_class_do_not_count() {
        assert_eq!(walk(&mut memory(Crossing::Both), ObjectClass::Vehicle, &[&DOWN]), []);
    }

    #[test]
    fn a_line_that_leans_has_the_same_sides() {
        // From the lower left to the upper right: side A is the upper left.
        let mut memory = memory(Crossing::AToB);
        memory.zone = Zone::of(&[Point { x: 200.0, y: 800.0 }, Point { x: 800.0, y: 200.0 }]);
        let way: Vec<_> = (0..8).map(|i| (400.0 + i as f32 * 40.0, 400.0 + i as f32 * 40.0)).collect();
        assert_eq!(walk(&mut memory, ObjectClass::Person, &[&way])[0], ('+', 1, 1));
    }

    #[test]
    fn a_counting_line_counts_both_ways_and_never_recovers() {
        let mut memory = memory(Crossing::BToA);
        let (mut tracker, mut step_taken, mut passages) = (Tracker::default(), Step::default(), Vec::new());
        // One walks down, two walk up beside, a little later.
        for time in 0..12 {
            let down = DOWN.get(time).map(|(_, y)| (200.0, *y));
            let back = time.checked_sub(4).and_then(|time| up().get(time).copied());
            let up = [500.0, 780.0].map(|x| back.map(|(_, y)| (x, y)));
            let person = |(x, y): (f32, f32)| DetectedObject {
                class: ObjectClass::Person,
                place: Rect::new(x - 50.0, y - 200.0, x + 50.0, y),
                score: 0.9,
            };
            let found: Vec<_> = up.into_iter().chain([down]).flatten().map(person).collect();
            let at = Timestamp::from_millis(time as i64 * 200);
            tracker.update(at, &found, &mut step_taken);
            passages.extend(count(&mut memory, tracker.tracks(), at).map(|change| (change.passages, change.count)));
        }
        assert_eq!(passages, [((0, 1), 1), ((2, 0), 3)]);
    }

    #[test]
    fn an_uncertain_object_does_not_count() {
        let mut memory = memory(Crossing::Both);
        memory.settings.options.sensitivity = 1;
        assert_eq!(walk(&mut memory, ObjectClass::Person, &[&DOWN]).len(), 2, "0.9 is certain enough");
        let mut tracker = Tracker::default();
        for (time, (x, y)) in DOWN.into_iter().enumerate() {
            let place = Rect::new(x - 50.0, y - 200.0, x + 50.0, y);
            let found = DetectedObject { class: ObjectClass::Person, place, score: 0.79 };
            tracker.update(Timestamp::from_millis(time as i64 * 200), &[found], &mut Step::default());
            assert_eq!(step(&mut memory, tracker.tracks(), Timestamp::from_millis(0)), None);
        }
    }
}

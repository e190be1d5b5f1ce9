//! Every kind of rule on scenes that are made up: who is where at which time.

mod areas;
mod checks;
mod lines;
mod people;
mod stays;

use super::memory::Memory;
use super::rules;
use crate::behaviour::{BehaviourKind, Crossing, DetectedObject, ObjectClass, RuleOptions, RuleSettings};
use crate::geometry::{Point, Rect};
use crate::surveillance::tracker::{Step, Tracker};
use crate::time::Timestamp;

/// Time between two frames, milliseconds.
const EVERY_MILLIS: i64 = 200;

/// A square in the middle of the picture.
const MIDDLE: [(f32, f32); 4] = [(0.25, 0.25), (0.75, 0.25), (0.75, 0.75), (0.25, 0.75)];

/// A rule about people in the middle of the picture.
fn rule(kind: BehaviourKind) -> RuleSettings {
    RuleSettings {
        name: "middle".into(),
        kind,
        object: ObjectClass::Person,
        points: MIDDLE.map(|(x, y)| Point { x, y }).to_vec(),
        direction: Crossing::Both,
        options: RuleOptions::default(),
    }
}

fn secs(secs: f64) -> std::time::Duration {
    std::time::Duration::from_secs_f64(secs)
}

/// An object as a detector finds it: 80 pixels wide and 200 high on a picture of 1000, standing at this place.
fn object(class: ObjectClass, x: f32, y: f32) -> DetectedObject {
    sized(class, (x, y), (80.0, 200.0))
}

fn person(x: f32, y: f32) -> DetectedObject {
    object(ObjectClass::Person, x, y)
}

fn sized(class: ObjectClass, (x, y): (f32, f32), (width, height): (f32, f32)) -> DetectedObject {
    // An area takes an object to stand a tenth of its height above the lower edge.
    let bottom = y + 0.1 * height;
    let place = Rect::new(x - width / 2.0, bottom - height, x + width / 2.0, bottom);
    DetectedObject { class, place, score: 0.9 }
}

/// The object in a box that trembles by up to a few pixels.
fn trembling(object: DetectedObject, time: f32) -> DetectedObject {
    let noise = |seed: u64| {
        let mixed = ((time * 1_000.0) as u64 + seed).wrapping_mul(6_364_136_223_846_793_005) >> 33;
        (mixed % 17) as f32 - 8.0
    };
    let Rect { left, top, right, bottom } = object.place;
    let place = Rect::new(left + noise(1), top + noise(2), right + noise(3), bottom + noise(4));
    DetectedObject { place, ..object }
}

/// What a rule does in a scene: at which second it fires (`+`) or recovers (`-`), and its count.
fn play(rule: &RuleSettings, seconds: f32, scene: impl Fn(f32) -> Vec<DetectedObject>) -> Vec<(f32, char, u32)> {
    rules::check(rule).unwrap();
    let kind = rules::kind(rule.kind).unwrap();
    let mut memory = Memory::new(rule, (1_000, 1_000));
    let (mut tracker, mut step, mut changes) = (Tracker::default(), Step::default(), Vec::new());
    for millis in (0..(seconds * 1_000.0) as i64).step_by(EVERY_MILLIS as usize) {
        let (at, time) = (Timestamp::from_millis(millis), millis as f32 / 1_000.0);
        tracker.update(at, &scene(time), &mut step);
        let change = (kind.step)(&mut memory, tracker.tracks(), at);
        changes.extend(change.map(|change| (time, if change.fired { '+' } else { '-' }, change.count)));
    }
    changes
}

/// Only whether it fires or recovers.
fn turns(changes: &[(f32, char, u32)]) -> String {
    changes.iter().map(|(_, turn, _)| turn).collect()
}

/// From one place to another between two times, and there before and after.
fn walk(time: f32, (start, from): (f32, (f32, f32)), (end, to): (f32, (f32, f32))) -> DetectedObject {
    let share = ((time - start) / (end - start)).clamp(0.0, 1.0);
    person(from.0 + (to.0 - from.0) * share, from.1 + (to.1 - from.1) * share)
}

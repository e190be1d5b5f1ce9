//! People who walk about before a building, for 79 seconds.
//!
//! What is true was counted by eye, in frames of every 200 ms.

use domain::geometry::Point;
use domain::{BehaviourKind, Crossing, ObjectClass, RuleOptions, RuleSettings};

use crate::device::{Told, watch};
use crate::film::{Film, SIZE, detector, pictures, street};

/// When somebody walks across the line from the left to the right, seconds.
const RIGHTWARDS: [f64; 12] = [1.2, 9.6, 30.5, 32.4, 33.8, 34.2, 45.4, 67.0, 69.0, 73.6, 77.5, 78.2];
/// And from the right to the left.
const LEFTWARDS: [f64; 15] =
    [6.5, 16.4, 18.5, 22.6, 26.2, 28.5, 29.7, 37.1, 49.7, 57.3, 64.8, 69.4, 71.4, 75.7, 77.7];

/// People on the path to the left of the line, at every other second from 10 s on.
const ON_THE_LEFT: [u32; 31] =
    [0, 0, 0, 0, 1, 2, 2, 2, 2, 3, 4, 3, 1, 0, 1, 1, 1, 1, 0, 0, 1, 1, 1, 1, 1, 1, 2, 2, 3, 2, 2];

fn rule(name: &str, kind: BehaviourKind, pixels: &[(f32, f32)]) -> RuleSettings {
    let point = |&(x, y): &(f32, f32)| Point { x: x / SIZE.0 as f32, y: y / SIZE.1 as f32 };
    RuleSettings {
        name: name.into(),
        kind,
        object: ObjectClass::Person,
        points: pixels.iter().map(point).collect(),
        direction: Crossing::BToA,
        options: RuleOptions::default(),
    }
}

fn of<'t>(told: &'t [Told], rule: &str) -> impl Iterator<Item = &'t Told> {
    told.iter().filter(move |(_, behaviour)| behaviour.rule == rule)
}

#[tokio::test]
async fn probe() {
    let film = Film::of(&detector(), pictures(&street())).await;
    assert_eq!(film.found.len(), 398);
    tokio::time::pause();
    let line = rule("line", BehaviourKind::LineCount, &[(340.0, 110.0), (340.0, 400.0)]);
    let left = [(0.0, 110.0), (340.0, 110.0), (340.0, 330.0), (170.0, 275.0), (0.0, 250.0)];
    let area = rule("left", BehaviourKind::AreaCount, &left);
    let told = watch(film, [line, area]).await;
    for (at, seen) in of(&told, "line") {
        println!("{at} in {} out {}", seen.inwards, seen.outwards);
    }
    for (at, seen) in of(&told, "left") {
        println!("{at} {}", seen.count);
    }
    println!("{RIGHTWARDS:?} {LEFTWARDS:?} {ON_THE_LEFT:?}");
}

//! People who walk about before a building, for 79 seconds. What is true was counted by eye, in frames of every 200 ms.

use std::ops::Range;
use std::time::Duration;

use domain::{BehaviourKind, Crossing, ObjectClass, RuleOptions, RuleSettings};

use crate::device::{Told, of, watch};
use crate::film::{Film, detector, pictures, rule, street};

/// Across the path.
const LINE: [(f32, f32); 2] = [(340.0, 110.0), (340.0, 400.0)];
/// When somebody walks across it from the left to the right, seconds,
const RIGHTWARDS: [f64; 12] = [1.2, 9.6, 30.5, 32.4, 33.8, 34.2, 45.4, 67.0, 69.0, 73.6, 77.5, 78.2];
/// and from the right to the left.
const LEFTWARDS: [f64; 15] = [6.5, 16.4, 18.5, 22.6, 26.2, 28.5, 29.7, 37.1, 49.7, 57.3, 64.8, 69.4, 71.4, 75.7, 77.7];

/// The path to the left of the line.
const LEFT: [(f32, f32); 5] = [(0.0, 110.0), (340.0, 110.0), (340.0, 330.0), (170.0, 275.0), (0.0, 250.0)];
/// People on it, at every other second from 10 s on.
const ON_THE_LEFT: [u32; 31] =
    [0, 0, 0, 0, 1, 2, 2, 2, 2, 3, 4, 3, 1, 0, 1, 1, 1, 1, 0, 0, 1, 1, 1, 1, 1, 1, 2, 2, 3, 2, 2];

/// Where people meet on the path.
const MEETING: [(f32, f32); 4] = [(340.0, 110.0), (520.0, 110.0), (520.0, 330.0), (340.0, 330.0)];
/// When four or more are there for a second.
const GATHERINGS: [Range<f64>; 3] = [6.0..9.0, 34.5..37.0, 70.4..72.0];
/// When they are for hardly a second.
const PERHAPS: Range<f64> = 15.5..17.5;

const EVERYWHERE: [(f32, f32); 4] = [(4.0, 3.0), (764.0, 3.0), (764.0, 573.0), (4.0, 573.0)];
/// Where a van and a car are parked.
const CAR_PARK: [(f32, f32); 4] = [(600.0, 20.0), (767.0, 20.0), (767.0, 130.0), (600.0, 130.0)];

fn with(options: RuleOptions, rule: RuleSettings) -> RuleSettings {
    RuleSettings { options, ..rule }
}

fn after(seconds: u64) -> RuleOptions {
    RuleOptions { after: Duration::from_secs(seconds), ..RuleOptions::default() }
}

fn about(object: ObjectClass, rule: RuleSettings) -> RuleSettings {
    RuleSettings { object, ..rule }
}

fn rules() -> [RuleSettings; 9] {
    let four = RuleOptions { people: 4, ..after(1) };
    [
        RuleSettings { direction: Crossing::BToA, ..rule("line", BehaviourKind::LineCount, &LINE) },
        rule("left", BehaviourKind::AreaCount, &LEFT),
        with(four, rule("gathering", BehaviourKind::Gathering, &MEETING)),
        with(after(8), rule("loitering", BehaviourKind::Loitering, &MEETING)),
        with(after(10), rule("absence", BehaviourKind::Absence, &MEETING)),
        rule("fast", BehaviourKind::Fast, &EVERYWHERE),
        about(ObjectClass::Dog, rule("dog", BehaviourKind::Presence, &EVERYWHERE)),
        about(ObjectClass::Cycle, rule("cycle", BehaviourKind::Presence, &EVERYWHERE)),
        with(after(20), about(ObjectClass::Vehicle, rule("parking", BehaviourKind::Parking, &CAR_PARK))),
    ]
}

/// When a rule fired, seconds.
fn fired(told: &[Told], rule: &str) -> Vec<f64> {
    of(told, rule).filter(|(_, behaviour)| behaviour.fired).map(|(at, _)| *at).collect()
}

#[tokio::test]
async fn rules_over_a_street_see_what_people_see() {
    let film = Film::of(&detector(), pictures(&street())).await;
    assert_eq!(film.found.len(), 398);
    tokio::time::pause();
    let told = watch(film, rules()).await;
    people_who_cross_the_line_are_counted(&told);
    people_on_the_path_are_counted(&told);
    those_who_meet_gather_and_stay(&told);
    for nothing in ["fast", "dog", "cycle"] {
        assert!(fired(&told, nothing).is_empty(), "{nothing}");
    }
    let parked: Vec<_> = of(&told, "parking").map(|(at, seen)| (*at as u32, seen.fired, seen.count)).collect();
    assert_eq!(parked[..1], [(20, true, 2)], "they stand there from the beginning");
    assert!(parked.len() == 2 && parked[1].0 > 80, "{parked:?}");
}

fn people_who_cross_the_line_are_counted(told: &[Told]) {
    let crossings = |inwards: fn(&Told) -> u32| {
        of(told, "line").flat_map(|one| vec![one.0; inwards(one) as usize]).collect::<Vec<f64>>()
    };
    let (right, left) = (crossings(|(_, seen)| seen.inwards), crossings(|(_, seen)| seen.outwards));
    let (missed_right, extra_right) = compared(&RIGHTWARDS, right);
    let (missed_left, extra_left) = compared(&LEFTWARDS, left);
    let errors = [missed_right, extra_right, missed_left, extra_left].concat();
    println!("line: {} of 27 missed or too many: {errors:?}", errors.len());
    assert!(errors.len() <= 1, "{errors:?}");
}

/// Crossings that were not counted, and those that were counted but did not happen; one is counted within a second.
fn compared(truth: &[f64], mut counted: Vec<f64>) -> (Vec<f64>, Vec<f64>) {
    let mut missed = Vec::new();
    for time in truth {
        match counted.iter().position(|at| (0.0..1.0).contains(&(at - time))) {
            Some(index) => drop(counted.remove(index)),
            None => missed.push(*time),
        }
    }
    (missed, counted)
}

fn people_on_the_path_are_counted(told: &[Told]) {
    // A number is reported when it has lasted for a second.
    let counted = |time: f64| of(told, "left").take_while(|(at, _)| *at <= time + 1.0).last();
    let counted = |time: f64| counted(time).map_or(0, |(_, seen)| seen.count);
    let times = (0..).map(|n| 10.0 + 2.0 * f64::from(n));
    let errors: u32 = times.zip(ON_THE_LEFT).map(|(time, truth)| counted(time).abs_diff(truth)).sum();
    println!("area: wrong by {:.2} people in the mean", f64::from(errors) / ON_THE_LEFT.len() as f64);
    assert!(errors <= 15, "{errors} in {} counts", ON_THE_LEFT.len());
}

fn those_who_meet_gather_and_stay(told: &[Told]) {
    let gathered: Vec<f64> = fired(told, "gathering").into_iter().filter(|at| !PERHAPS.contains(at)).collect();
    assert_eq!(gathered.len(), GATHERINGS.len(), "{gathered:?}");
    assert!(gathered.iter().zip(GATHERINGS).all(|(at, gathering)| gathering.contains(at)), "{gathered:?}");
    // One is there from 1.4 s on, and stays until 16 s; nobody else stays for so long.
    let stayed = fired(told, "loitering");
    assert!(stayed.len() == 1 && (9.2..11.0).contains(&stayed[0]), "{stayed:?}");
    // Nobody is there for six seconds at most, until the film ends.
    assert!(fired(told, "absence").iter().all(|at| *at > 87.0));
}

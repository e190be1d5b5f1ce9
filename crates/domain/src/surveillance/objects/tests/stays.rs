//! Loitering, parking, what may not be there, and what moves fast.

use super::*;

fn loitering(after: f64) -> RuleSettings {
    let mut rule = rule(BehaviourKind::Loitering);
    rule.options.after = secs(after);
    rule
}

fn vehicle(x: f32) -> DetectedObject {
    sized(ObjectClass::Vehicle, (x, 500.0), (300.0, 150.0))
}

fn parking(after: f64) -> RuleSettings {
    let mut rule = RuleSettings { object: ObjectClass::Vehicle, ..rule(BehaviourKind::Parking) };
    rule.options.after = secs(after);
    rule
}

/// Somebody strolls around in the middle, in a box that trembles.
fn strolling(time: f32) -> Vec<DetectedObject> {
    vec![trembling(person(500.0 + 100.0 * (time / 2.0).sin(), 500.0 + 80.0 * (time / 3.0).cos()), time)]
}

#[test]
fn somebody_who_stays_loiters_until_they_are_gone() {
    let changes = play(&loitering(10.0), 25.0, |time| if time < 15.0 { strolling(time) } else { vec![] });
    assert_eq!(turns(&changes), "+-");
    assert!((10.0..10.5).contains(&changes[0].0), "{changes:?}");
    assert_eq!(turns(&play(&loitering(16.0), 25.0, |time| if time < 15.0 { strolling(time) } else { vec![] })), "");
}

#[test]
fn time_outside_does_not_count_as_a_stay() {
    let outside = |time: f32| vec![walk(time, (20.0, (900.0, 500.0)), (22.0, (500.0, 500.0)))];
    let changes = play(&loitering(10.0), 40.0, outside);
    assert_eq!(turns(&changes), "+");
    assert!((31.0..32.0).contains(&changes[0].0), "{changes:?}");
    // Inside for 5 s, away for 5 s, and back for 8 s.
    let to_and_fro = |time: f32| match time {
        0.0..5.0 => vec![person(700.0, 500.0)],
        5.0..10.0 => vec![walk(time, (5.0, (700.0, 500.0)), (6.0, (900.0, 500.0)))],
        _ => vec![walk(time, (10.0, (900.0, 500.0)), (11.0, (700.0, 500.0)))],
    };
    assert_eq!(turns(&play(&loitering(10.0), 18.0, to_and_fro)), "");
}

#[test]
fn a_stay_goes_on_when_somebody_is_hidden_for_a_moment() {
    // Hidden for two seconds in every six.
    let hidden = |time: f32| if time % 6.0 > 4.0 { vec![] } else { strolling(time) };
    let changes = play(&loitering(15.0), 25.0, hidden);
    assert_eq!(turns(&changes), "+");
    assert!(changes[0].0 < 17.0, "{changes:?}");
}

#[test]
fn loitering_is_reported_again_in_every_interval() {
    let mut rule = loitering(4.0);
    assert_eq!(turns(&play(&rule, 20.0, strolling)), "+");
    rule.options.every = secs(5.0);
    let changes = play(&rule, 20.0, strolling);
    assert_eq!(turns(&changes), "++++");
    assert!(changes.windows(2).all(|two| (5.0..5.3).contains(&(two[1].0 - two[0].0))), "{changes:?}");
}

#[test]
fn a_vehicle_that_stands_still_parks_and_one_that_drives_on_does_not() {
    let stops = |time: f32| {
        let drive = walk(time, (0.0, (0.0, 0.0)), (5.0, (500.0, 0.0))).place.center().x;
        let away = walk(time, (20.0, (0.0, 0.0)), (23.0, (600.0, 0.0))).place.center().x;
        vec![trembling(vehicle(drive + away), time)]
    };
    let changes = play(&parking(10.0), 30.0, stops);
    assert_eq!(turns(&changes), "+-");
    // It stands from 5 s on; it had come within a quarter of its length of that place a little earlier.
    assert!((14.0..16.5).contains(&changes[0].0) && changes[1].0 > 20.0, "{changes:?}");
    let slowly = |time: f32| vec![vehicle(260.0 + 20.0 * time)];
    assert_eq!(turns(&play(&parking(10.0), 24.0, slowly)), "");
}

#[test]
fn a_parked_vehicle_that_something_hides_goes_on_parking() {
    // A lorry stands before it for ten seconds.
    let hidden = |time: f32| if (6.0..16.0).contains(&time) { vec![] } else { vec![trembling(vehicle(500.0), time)] };
    let changes = play(&parking(20.0), 30.0, hidden);
    assert_eq!(turns(&changes), "+");
    assert!((20.0..20.5).contains(&changes[0].0), "{changes:?}");
    // People who pass change its box.
    let passed = |time: f32| {
        let mut found = vehicle(500.0);
        found.place.right -= if (time + 2.5) % 5.0 < 0.5 { 160.0 } else { 0.0 };
        vec![found]
    };
    let changes = play(&parking(20.0), 30.0, passed);
    assert!(turns(&changes) == "+" && (20.0..20.5).contains(&changes[0].0), "{changes:?}");
}

#[test]
fn cycles_park_as_vehicles_do() {
    let mut rule = RuleSettings { object: ObjectClass::Cycle, ..parking(10.0) };
    rule.options.every = secs(6.0);
    let changes = play(&rule, 25.0, |time| vec![trembling(object(ObjectClass::Cycle, 400.0, 600.0), time)]);
    assert_eq!(turns(&changes), "+++");
}

#[test]
fn what_may_not_be_there_is_reported_and_its_end_too() {
    for class in [ObjectClass::Cycle, ObjectClass::Dog] {
        let lift = RuleSettings { object: class, ..rule(BehaviourKind::Presence) };
        // It is not found in every frame.
        let seen = |time: f32| match time {
            2.0..9.0 if time % 1.5 < 1.0 => vec![object(class, 500.0, 600.0)],
            _ => vec![person(500.0, 600.0)],
        };
        let changes = play(&lift, 15.0, seen);
        assert_eq!(turns(&changes), "+-", "{class:?}");
        assert!((2.4..3.2).contains(&changes[0].0), "{changes:?}");
        let flash = |time: f32| if (2.0..2.5).contains(&time) { vec![object(class, 500.0, 600.0)] } else { vec![] };
        assert_eq!(turns(&play(&lift, 15.0, flash)), "", "{class:?} for half a second");
    }
}

#[test]
fn running_is_fast_and_walking_is_not() {
    // In heights, of 200 pixels, per second.
    let going = |speed: f32| {
        move |time: f32| {
            let x = 250.0 + 200.0 * speed * time;
            if x < 740.0 { vec![trembling(person(x, 500.0), time)] } else { vec![] }
        }
    };
    let fast = rule(BehaviourKind::Fast);
    assert_eq!(turns(&play(&fast, 8.0, going(0.8))), "", "walking");
    assert_eq!(turns(&play(&fast, 8.0, going(1.9))), "+-", "running");
    let mut eager = fast.clone();
    eager.options.sensitivity = 100;
    assert_eq!(turns(&play(&eager, 8.0, going(1.4))), "+-");
    let mut calm = fast;
    calm.options.sensitivity = 40;
    assert_eq!(turns(&play(&calm, 8.0, going(1.9))), "");
}

#[test]
fn a_track_that_jumps_to_somebody_else_is_not_fast() {
    // One disappears while another appears beside: the tracker takes them for the same.
    let swapped = |time: f32| vec![person(if time < 3.0 { 400.0 } else { 560.0 }, 500.0)];
    assert_eq!(turns(&play(&rule(BehaviourKind::Fast), 8.0, swapped)), "");
}

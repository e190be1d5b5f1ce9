//! Rules that make no sense are refused, and what becomes of those that run when nobody looks any more.

use super::*;
use crate::behaviour::SizeLimits;
use crate::error::Error;

fn refused(rule: &RuleSettings) -> Option<&'static str> {
    match rules::check(rule) {
        Ok(()) => None,
        Err(Error::Invalid { field, .. }) => Some(field),
        Err(error) => panic!("{error}"),
    }
}

#[test]
fn each_kind_has_its_classes_and_its_zone() {
    use BehaviourKind::*;
    let line = [(0.1, 0.5), (0.9, 0.5)].map(|(x, y)| Point { x, y }).to_vec();
    let (person, vehicle) = (ObjectClass::Person, ObjectClass::Vehicle);
    let (cycle, dog) = (ObjectClass::Cycle, ObjectClass::Dog);
    let table: [(BehaviourKind, &[ObjectClass]); 15] = [
        (Line, &[person, vehicle, cycle]),
        (LineCount, &[person]),
        (Area, &[person, vehicle, cycle]),
        (Enter, &[person, vehicle, cycle]),
        (Leave, &[person, vehicle, cycle]),
        (Border, &[person, vehicle, cycle]),
        (AreaCount, &[person]),
        (Crowd, &[person]),
        (Gathering, &[person]),
        (Loitering, &[person]),
        (Absence, &[person]),
        (Alone, &[person]),
        (Fast, &[person]),
        (Parking, &[vehicle, cycle]),
        (Presence, &[cycle, dog]),
    ];
    for (kind, classes) in table {
        let is_line = matches!(kind, Line | LineCount);
        for class in ObjectClass::ALL {
            let area = RuleSettings { object: class, direction: Crossing::AToB, ..rule(kind) };
            let line = RuleSettings { points: line.clone(), ..area.clone() };
            let (right, wrong) = if is_line { (line, area) } else { (area, line) };
            let expected = (!classes.contains(&class)).then_some("rule object");
            assert_eq!(refused(&right), expected, "{kind:?} {class:?}");
            assert_eq!(refused(&wrong), expected.or(Some("rule points")), "{kind:?} {class:?}");
        }
    }
}

#[test]
fn options_out_of_their_range_are_refused() {
    let with = |change: fn(&mut RuleOptions)| {
        let mut rule = rule(BehaviourKind::Crowd);
        change(&mut rule.options);
        refused(&rule)
    };
    assert_eq!(with(|options| options.sensitivity = 0), Some("rule sensitivity"));
    assert_eq!(with(|options| options.sensitivity = 101), Some("rule sensitivity"));
    assert_eq!(with(|options| options.reset_hour = Some(24)), Some("rule reset hour"));
    assert_eq!(with(|options| options.after = std::time::Duration::MAX), None);
    let sizes = |min_width, max_width, min_height, max_height| {
        let mut rule = rule(BehaviourKind::Crowd);
        rule.options.sizes = SizeLimits { min_width, min_height, max_width, max_height };
        refused(&rule)
    };
    assert_eq!(sizes(0.1, 0.1, 0.2, 0.2), None);
    assert_eq!(sizes(0.2, 0.1, 0.0, 1.0), Some("rule sizes"));
    assert_eq!(sizes(0.0, 1.0, 0.2, 0.1), Some("rule sizes"));
    assert_eq!(sizes(-0.1, 1.0, 0.0, 1.0), Some("rule sizes"));
    assert_eq!(sizes(0.0, 1.0, 0.0, 1.1), Some("rule sizes"));
    assert_eq!(sizes(f32::NAN, 1.0, 0.0, 1.0), Some("rule sizes"));
}

#[test]
fn a_counting_line_has_one_way_in() {
    let points = [(0.1, 0.5), (0.9, 0.5)].map(|(x, y)| Point { x, y }).to_vec();
    let line = |direction| RuleSettings { points: points.clone(), direction, ..rule(BehaviourKind::LineCount) };
    assert_eq!(refused(&line(Crossing::Both)), Some("rule direction"));
    assert_eq!(refused(&line(Crossing::AToB)), None);
}

#[test]
fn an_arrow_tells_the_way_across_a_line() {
    let point = |(x, y): (f32, f32)| Point { x, y };
    // From the left to the right: side A is above it.
    let line = [(0.1, 0.5), (0.9, 0.5)].map(point);
    let back = [line[1], line[0]];
    let down = [(0.3, 0.2), (0.6, 0.9)].map(point);
    let up = [down[1], down[0]];
    assert_eq!(Crossing::along(line, down), Some(Crossing::AToB));
    assert_eq!(Crossing::along(line, up), Some(Crossing::BToA));
    assert_eq!(Crossing::along(back, down), Some(Crossing::BToA));
    assert_eq!(Crossing::along(line, line), None);
}

#[test]
fn a_rule_that_has_fired_recovers_when_the_camera_is_lost_and_starts_again_later() {
    let mut crowd = rule(BehaviourKind::Crowd);
    crowd.options.after = secs(2.0);
    let kind = rules::kind(crowd.kind).unwrap();
    let mut memory = Memory::new(&crowd, (1_000, 1_000));
    let (mut tracker, mut step) = (Tracker::default(), Step::default());
    let mut look = |memory: &mut Memory, millis: i64| {
        let at = Timestamp::from_millis(millis);
        tracker.update(at, &[person(500.0, 500.0)], &mut step);
        (kind.step)(memory, tracker.tracks(), at).map(|change| change.fired)
    };
    let fired: Vec<_> = (0..3_000).step_by(200).filter_map(|at| look(&mut memory, at)).collect();
    assert_eq!(fired, [true]);
    assert_eq!(memory.end().map(|change| (change.fired, change.targets)), Some((false, vec![])));
    assert_eq!(memory.end(), None);
    // The camera is back after an hour, which does not count as a stay.
    let fired: Vec<_> = (3_600_000..3_602_000).step_by(200).filter_map(|at| look(&mut memory, at)).collect();
    assert!(fired.is_empty(), "{fired:?}");
}

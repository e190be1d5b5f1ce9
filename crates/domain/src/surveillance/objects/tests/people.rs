//! How many people are in an area.

use super::*;

/// So many people side by side in the middle, in boxes that tremble.
fn people(count: usize, time: f32) -> Vec<DetectedObject> {
    let person = |index: usize| {
        let (column, row) = (index % 5, index / 5);
        trembling(person(300.0 + 100.0 * column as f32, 450.0 + 250.0 * row as f32), time + index as f32)
    };
    (0..count).map(person).collect()
}

fn limit(kind: BehaviourKind, people: u32, after: f64) -> RuleSettings {
    let mut rule = rule(kind);
    (rule.options.people, rule.options.after) = (people, secs(after));
    rule
}

#[test]
fn a_crowd_is_more_people_than_the_limit_for_the_trigger_time() {
    let crowd = limit(BehaviourKind::Crowd, 3, 5.0);
    let comes_and_goes = |time: f32| people(if (4.0..14.0).contains(&time) { 4 } else { 3 }, time);
    let changes = play(&crowd, 22.0, comes_and_goes);
    assert_eq!(turns(&changes), "+-");
    assert!((9.0..9.8).contains(&changes[0].0) && changes[0].2 == 4, "{changes:?}");
    assert_eq!(changes[1].2, 3);
    assert_eq!(turns(&play(&limit(BehaviourKind::Crowd, 4, 5.0), 22.0, comes_and_goes)), "");
    assert_eq!(turns(&play(&limit(BehaviourKind::Crowd, 3, 12.0), 22.0, comes_and_goes)), "", "too short");
}

#[test]
fn a_crowd_of_whom_one_is_hidden_now_and_then_is_still_one() {
    let crowd = limit(BehaviourKind::Crowd, 3, 5.0);
    let flickering = |time: f32| people(if time % 4.0 > 2.4 { 3 } else { 4 }, time);
    assert_eq!(turns(&play(&crowd, 20.0, flickering)), "+");
}

#[test]
fn a_crowd_is_reported_again_in_every_interval() {
    let mut crowd = limit(BehaviourKind::Crowd, 3, 2.0);
    crowd.options.every = secs(6.0);
    assert_eq!(turns(&play(&crowd, 21.0, |time| people(4, time))), "++++");
}

#[test]
fn people_outside_do_not_count() {
    let scene = |time: f32| [people(3, time), vec![person(100.0, 500.0), person(900.0, 500.0)]].concat();
    assert_eq!(turns(&play(&limit(BehaviourKind::Crowd, 3, 0.0), 10.0, scene)), "");
    assert_eq!(turns(&play(&limit(BehaviourKind::Crowd, 2, 0.0), 10.0, scene)), "+");
}

#[test]
fn a_gathering_lasts_while_no_more_have_left_than_are_tolerated() {
    let leaving = |time: f32| {
        people(
            if time < 8.0 {
                4
            } else if time < 16.0 {
                3
            } else {
                2
            },
            time,
        )
    };
    let mut gathering = limit(BehaviourKind::Gathering, 4, 3.0);
    let over = |rule: &RuleSettings| {
        let changes = play(rule, 24.0, leaving);
        assert_eq!(turns(&changes), "+-");
        assert!((3.0..3.8).contains(&changes[0].0), "{changes:?}");
        changes[1].0
    };
    assert!((8.0..13.0).contains(&over(&gathering)));
    gathering.options.tolerance = 1;
    assert!((16.0..21.0).contains(&over(&gathering)));
    assert_eq!(turns(&play(&limit(BehaviourKind::Gathering, 5, 3.0), 24.0, leaving)), "");
}

#[test]
fn an_unattended_post_is_reported_and_its_return() {
    let away = |time: f32| if (5.0..20.0).contains(&time) { vec![] } else { people(1, time) };
    let changes = play(&limit(BehaviourKind::Absence, 0, 10.0), 26.0, away);
    assert_eq!(turns(&changes), "+-");
    assert!((15.0..16.6).contains(&changes[0].0) && changes[1].0 > 20.0, "{changes:?}");
    assert_eq!(turns(&play(&limit(BehaviourKind::Absence, 1, 18.0), 26.0, away)), "", "away for 15 seconds");
}

#[test]
fn a_single_false_detection_does_not_start_the_absence_again() {
    let ghost = |time: f32| if (7.0..7.1).contains(&time) { people(1, time) } else { vec![] };
    let changes = play(&limit(BehaviourKind::Absence, 1, 10.0), 14.0, ghost);
    assert!(turns(&changes) == "+" && (10.0..10.4).contains(&changes[0].0), "{changes:?}");
}

#[test]
fn a_post_for_two_is_unattended_when_one_is_there() {
    let post = limit(BehaviourKind::Absence, 2, 5.0);
    assert_eq!(turns(&play(&post, 12.0, |time| people(1, time))), "+");
    assert_eq!(turns(&play(&post, 12.0, |time| people(2, time))), "");
}

#[test]
fn one_who_works_alone_is_reported_and_an_empty_place_is_not() {
    let alone = limit(BehaviourKind::Alone, 2, 5.0);
    let scene = |time: f32| {
        people(
            if time < 8.0 {
                0
            } else if time < 20.0 {
                1
            } else {
                2
            },
            time,
        )
    };
    let changes = play(&alone, 28.0, scene);
    assert_eq!(turns(&changes), "+-");
    assert!((13.0..13.8).contains(&changes[0].0) && changes[1].0 > 20.0, "{changes:?}");
    assert_eq!(turns(&play(&limit(BehaviourKind::Alone, 3, 2.0), 12.0, |time| people(2, time))), "+");
    assert_eq!(turns(&play(&limit(BehaviourKind::Alone, 0, 2.0), 12.0, |time| people(2, time))), "");
}

#[test]
fn a_count_is_reported_whenever_it_has_changed_and_settled() {
    let scene = |time: f32| {
        people(
            if time < 4.0 {
                0
            } else if time < 10.0 {
                2
            } else {
                1
            },
            time,
        )
    };
    let changes = play(&rule(BehaviourKind::AreaCount), 20.0, scene);
    assert_eq!(changes.iter().map(|(_, turn, count)| (*turn, *count)).collect::<Vec<_>>(), [('+', 2), ('+', 1)]);
    assert!((5.0..5.8).contains(&changes[0].0) && (11.0..12.8).contains(&changes[1].0), "{changes:?}");
    let empty = play(&rule(BehaviourKind::AreaCount), 20.0, |time| people(usize::from(time < 10.0), time));
    assert_eq!(empty.last().map(|(_, turn, count)| (*turn, *count)), Some(('+', 0)));
}

#[test]
fn a_count_flickers_no_more_often_than_its_interval() {
    let mut count = rule(BehaviourKind::AreaCount);
    let busy = |time: f32| people(2 + (time / 3.0) as usize % 2, time);
    assert!(play(&count, 30.0, busy).len() > 5);
    count.options.every = secs(12.0);
    let changes = play(&count, 30.0, busy);
    assert!((2..=3).contains(&changes.len()), "{changes:?}");
}

//! Objects in an area, entering and leaving it.

use super::*;

/// Somebody walks through the middle from the left to the right, in ten seconds; inside from 2.5 to 7.5 s.
fn across(time: f32) -> Vec<DetectedObject> {
    vec![walk(time, (0.0, (0.0, 500.0)), (10.0, (1_000.0, 500.0)))]
}

fn trembling_across(time: f32) -> Vec<DetectedObject> {
    across(time).into_iter().map(|object| trembling(object, time)).collect()
}

#[test]
fn an_area_fires_once_for_each_object_and_recovers_when_all_have_left() {
    let area = rule(BehaviourKind::Area);
    let changes = play(&area, 12.0, across);
    assert_eq!(turns(&changes), "+-");
    assert!((2.5..3.0).contains(&changes[0].0) && (7.5..8.0).contains(&changes[1].0), "{changes:?}");
    let two = play(&area, 14.0, |time| [across(time), across((time - 3.0).max(0.0))].concat());
    assert_eq!(turns(&two), "++-");
    assert_eq!(two.last().unwrap().2, 2);
}

#[test]
fn one_who_comes_back_fires_again() {
    let to_and_fro = |time: f32| vec![walk((time % 12.0 - 6.0).abs(), (0.0, (500.0, 500.0)), (6.0, (1_000.0, 500.0)))];
    assert_eq!(turns(&play(&rule(BehaviourKind::Area), 24.0, to_and_fro)), "+-+-");
}

#[test]
fn an_object_that_trembles_on_the_edge_fires_once() {
    let standing = |time: f32| vec![trembling(person(250.0, 500.0), time)];
    for kind in [BehaviourKind::Enter, BehaviourKind::Leave, BehaviourKind::Border] {
        let changes = play(&rule(kind), 30.0, standing);
        assert!(changes.len() <= 1, "{kind:?}: {changes:?}");
    }
    for (kind, expected) in [(BehaviourKind::Area, "+-"), (BehaviourKind::Enter, "+-"), (BehaviourKind::Border, "++-")]
    {
        let changes = play(&rule(kind), 14.0, |time| if time < 11.0 { trembling_across(time) } else { vec![] });
        assert_eq!(turns(&changes), expected, "{kind:?}");
    }
}

#[test]
fn an_object_that_is_hidden_for_a_while_is_the_same_one() {
    // The track ends after a second; a new one begins where the object comes out again.
    for hidden in [0.8, 2.4] {
        let behind_a_pillar = |time: f32| if (4.0..4.0 + hidden).contains(&time) { vec![] } else { across(time) };
        assert_eq!(turns(&play(&rule(BehaviourKind::Area), 12.0, behind_a_pillar)), "+-", "hidden for {hidden} s");
    }
    let standing = |time: f32| if (4.0..9.0).contains(&time) { vec![] } else { vec![person(500.0, 500.0)] };
    assert_eq!(turns(&play(&rule(BehaviourKind::Area), 12.0, standing)), "+-+", "gone for five seconds");
}

#[test]
fn an_object_that_is_lost_outside_and_found_inside_has_entered() {
    let at_the_gate = |time: f32| if (2.2..3.6).contains(&time) { vec![] } else { across(time) };
    assert_eq!(turns(&play(&rule(BehaviourKind::Enter), 6.0, at_the_gate)), "+");
}

#[test]
fn entering_and_leaving_are_told_apart() {
    let fired = |kind| {
        let changes = play(&rule(kind), 12.0, across);
        changes.into_iter().filter(|(_, turn, _)| *turn == '+').map(|(time, ..)| time).collect::<Vec<_>>()
    };
    let (entered, left) = (fired(BehaviourKind::Enter), fired(BehaviourKind::Leave));
    assert!(entered.len() == 1 && (2.5..3.2).contains(&entered[0]), "{entered:?}");
    assert!(left.len() == 1 && (7.5..8.2).contains(&left[0]), "{left:?}");
    assert_eq!(fired(BehaviourKind::Border), [entered, left].concat());
}

#[test]
fn one_who_appears_inside_has_not_entered() {
    let out_of_a_door = |time: f32| vec![walk(time, (0.0, (500.0, 500.0)), (5.0, (1_000.0, 500.0)))];
    assert_eq!(turns(&play(&rule(BehaviourKind::Enter), 8.0, out_of_a_door)), "");
    assert_eq!(turns(&play(&rule(BehaviourKind::Leave), 8.0, out_of_a_door)), "+");
}

#[test]
fn an_area_narrower_than_what_counts_as_clear_of_its_edge_is_entered_all_the_same() {
    let mut strip = rule(BehaviourKind::Enter);
    strip.points = [(0.0, 0.49), (1.0, 0.49), (1.0, 0.51), (0.0, 0.51)].map(|(x, y)| Point { x, y }).to_vec();
    let stops_in_it = |time: f32| vec![walk(time, (0.0, (500.0, 300.0)), (2.0, (500.0, 500.0)))];
    assert_eq!(turns(&play(&strip, 6.0, stops_in_it)), "+");
}

#[test]
fn one_who_is_cut_off_by_the_edge_of_the_picture_is_inside_an_area_of_the_whole_picture() {
    let mut whole = rule(BehaviourKind::Area);
    whole.points =
        [(0.005, 0.005), (0.995, 0.005), (0.995, 0.995), (0.005, 0.995)].map(|(x, y)| Point { x, y }).to_vec();
    let near = |_| vec![sized(ObjectClass::Person, (500.0, 940.0), (300.0, 600.0))];
    assert_eq!(turns(&play(&whole, 2.0, near)), "+");
}

#[test]
fn only_objects_of_the_class_and_size_asked_for_count() {
    let vehicles = RuleSettings { object: ObjectClass::Vehicle, ..rule(BehaviourKind::Area) };
    assert_eq!(turns(&play(&vehicles, 12.0, across)), "");
    let driving = |time: f32| across(time).into_iter().map(|o| DetectedObject { class: ObjectClass::Vehicle, ..o });
    assert_eq!(turns(&play(&vehicles, 12.0, |time| driving(time).collect())), "+-");
    // 80 pixels wide and 200 high.
    for (limits, expected) in [
        ((0.05, 0.15, 0.1, 0.25), "+-"),
        ((0.0, 0.25, 1.0, 1.0), ""),
        ((0.1, 0.0, 1.0, 1.0), ""),
        ((0.0, 0.0, 1.0, 0.19), ""),
        ((0.0, 0.0, 0.07, 1.0), ""),
    ] {
        let mut area = rule(BehaviourKind::Area);
        let (min_width, min_height, max_width, max_height) = limits;
        area.options.sizes = crate::behaviour::SizeLimits { min_width, min_height, max_width, max_height };
        assert_eq!(turns(&play(&area, 12.0, across)), expected, "{limits:?}");
    }
}

#[test]
fn the_more_sensitive_a_rule_is_the_less_certain_objects_may_be() {
    let vague = |time| across(time).into_iter().map(|o| DetectedObject { score: 0.35, ..o }).collect();
    for (sensitivity, expected) in [(100, "+-"), (80, ""), (1, "")] {
        let mut area = rule(BehaviourKind::Area);
        area.options.sensitivity = sensitivity;
        assert_eq!(turns(&play(&area, 12.0, vague)), expected, "{sensitivity}");
    }
}

#[test]
fn what_is_seen_in_one_frame_only_does_not_count() {
    let flash = |time: f32| if (3.0..3.1).contains(&time) { vec![person(500.0, 500.0)] } else { vec![] };
    assert_eq!(turns(&play(&rule(BehaviourKind::Area), 6.0, flash)), "");
}

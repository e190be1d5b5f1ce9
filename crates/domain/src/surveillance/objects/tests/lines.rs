//! Objects that cross a line, seen badly.

use super::*;

/// Down the middle of the picture, for people who come from the left: side B is on their side.
fn middle(kind: BehaviourKind) -> RuleSettings {
    let points = [(0.5, 0.1), (0.5, 0.9)].map(|(x, y)| Point { x, y }).to_vec();
    RuleSettings { points, direction: Crossing::BToA, ..rule(kind) }
}

/// Somebody walks from the left to the right in ten seconds; on the line at 5 s.
fn across(time: f32) -> Vec<DetectedObject> {
    vec![trembling(walk(time, (0.0, (0.0, 500.0)), (10.0, (1_000.0, 500.0))), time)]
}

#[test]
fn one_who_is_hidden_while_crossing_is_counted_once() {
    for kind in [BehaviourKind::Line, BehaviourKind::LineCount] {
        for (hidden, expected) in [(0.0, 1), (0.8, 1)] {
            let post = |time: f32| if (4.6..4.6 + hidden).contains(&time) { vec![] } else { across(time) };
            let fired = turns(&play(&middle(kind), 12.0, post)).matches('+').count();
            assert_eq!(fired, expected, "{kind:?}, hidden for {hidden} s");
        }
    }
}

#[test]
fn one_who_is_missed_in_every_other_frame_is_counted_once() {
    let flickering = |time: f32| if (time * 5.0).round() as i32 % 2 == 0 { across(time) } else { vec![] };
    assert_eq!(turns(&play(&middle(BehaviourKind::LineCount), 12.0, flickering)), "+");
}

#[test]
fn of_one_who_is_lost_before_the_line_and_found_behind_it_no_crossing_is_known() {
    let tunnel = |time: f32| if (4.0..6.5).contains(&time) { vec![] } else { across(time) };
    assert_eq!(turns(&play(&middle(BehaviourKind::LineCount), 12.0, tunnel)), "");
}

#[test]
fn one_who_stands_on_the_line_is_not_counted_again_and_again() {
    let waits = |time: f32| across(if time < 5.0 { time } else { (time - 20.0).max(5.0) });
    assert_eq!(turns(&play(&middle(BehaviourKind::LineCount), 32.0, waits)), "+");
}

#[test]
fn what_moves_along_the_line_or_is_only_seen_once_is_not_counted() {
    let along = |time: f32| vec![trembling(walk(time, (0.0, (500.0, 200.0)), (10.0, (500.0, 900.0))), time)];
    assert!(play(&middle(BehaviourKind::LineCount), 12.0, along).len() <= 1);
    let flash = |time: f32| if (3.0..3.1).contains(&time) { vec![person(520.0, 500.0)] } else { vec![] };
    assert_eq!(turns(&play(&middle(BehaviourKind::LineCount), 6.0, flash)), "");
}

//! Tracks of faces and objects over frames.

use super::*;
use crate::face::Quality;

fn sized(x: f32, y: f32, width: f32) -> Detection {
    let face_box = Rect::new(x, y, x + width, y + width * 1.2);
    Detection { face_box, landmarks: Default::default(), score: 0.9, quality: Quality::default() }
}

fn face(x: f32, y: f32) -> Detection {
    sized(x, y, 100.0)
}

fn at(millis: i64) -> Timestamp {
    Timestamp::from_millis(millis)
}

fn update(tracker: &mut Tracker, millis: i64, detections: &[Detection]) -> Step {
    let mut step = Step::default();
    tracker.update(at(millis), detections, &mut step);
    step
}

#[test]
fn a_walking_face_stays_one_track() {
    let mut tracker = Tracker::default();
    for step in 0..20 {
        update(&mut tracker, step * 200, &[face(step as f32 * 60.0, 50.0)]);
    }
    assert_eq!(tracker.tracks().len(), 1);
    assert_eq!(tracker.tracks()[0].sightings, 20);
}

#[test]
fn a_person_who_hurries_across_stays_one_track() {
    let mut tracker = Tracker::default();
    for step in 0..6 {
        // Two face widths from one frame to the next.
        update(&mut tracker, step * 200, &[face(step as f32 * 200.0, 50.0)]);
    }
    assert_eq!(tracker.tracks().len(), 1);
}

#[test]
fn a_person_who_walks_towards_the_camera_stays_one_track() {
    let mut tracker = Tracker::default();
    for step in 0..10 {
        let width = 40.0 * 1.3_f32.powi(step);
        let millis = i64::from(step) * 400;
        update(&mut tracker, millis, &[sized(600.0 - width / 2.0, 300.0 - width / 2.0, width)]);
    }
    assert_eq!(tracker.tracks().len(), 1);
}

#[test]
fn a_short_occlusion_does_not_split_a_visit() {
    let mut tracker = Tracker::default();
    for step in [0, 1, 2, 3, /* hidden */ 7, 8] {
        update(&mut tracker, step * 200, &[face(step as f32 * 60.0, 50.0)]);
    }
    assert_eq!(tracker.tracks().len(), 1);
}

#[test]
fn a_face_out_of_sight_for_long_ends_its_track() {
    let mut tracker = Tracker::default();
    update(&mut tracker, 0, &[face(0.0, 0.0)]);
    assert!(update(&mut tracker, 900, &[]).ended.is_empty());
    let ended = update(&mut tracker, 1_100, &[]).ended;
    assert_eq!(ended.len(), 1);
    assert!(tracker.tracks().is_empty());
}

#[test]
fn two_faces_that_cross_keep_their_tracks_and_are_doubtful_until_verified() {
    let mut tracker = Tracker::default();
    let (mut left, mut right) = (TrackId(0), TrackId(0));
    for step in 0..11 {
        let x = step as f32 * 80.0;
        let seen = update(&mut tracker, step * 200, &[face(x, 0.0), face(800.0 - x, 30.0)]).seen;
        let of = |index| seen.iter().find(|(_, d)| *d == index).unwrap().0;
        if step == 0 {
            (left, right) = (of(0), of(1));
        }
        assert_eq!((of(0), of(1)), (left, right), "step {step}");
        assert_eq!(tracker.doubtful(left), step >= 6, "step {step}");
    }
    tracker.verify(left);
    assert_eq!((tracker.doubtful(left), tracker.doubtful(right)), (false, true));
}

#[test]
fn objects_of_different_classes_are_never_one_track() {
    let (mut tracker, mut step) = (Tracker::default(), Step::default());
    for (millis, class) in [(0, ObjectClass::Person), (200, ObjectClass::Vehicle), (400, ObjectClass::Person)] {
        let place = Rect::new(0.0, 0.0, 100.0, 200.0);
        tracker.update(at(millis), &[DetectedObject { class, place, score: 0.9 }], &mut step);
    }
    let seen: Vec<_> = tracker.tracks().iter().map(|track| (track.kind, track.sightings)).collect();
    assert_eq!(seen, [(ObjectClass::Person, 2), (ObjectClass::Vehicle, 1)]);
}

#[test]
fn a_face_elsewhere_is_another_track() {
    let mut tracker = Tracker::default();
    update(&mut tracker, 0, &[face(0.0, 0.0)]);
    update(&mut tracker, 200, &[face(600.0, 0.0)]);
    assert_eq!(tracker.tracks().len(), 2);
}

#[test]
fn a_face_of_another_size_is_another_track() {
    let mut tracker = Tracker::default();
    update(&mut tracker, 0, &[face(0.0, 0.0)]);
    update(&mut tracker, 200, &[sized(0.0, 0.0, 220.0)]);
    assert_eq!(tracker.tracks().len(), 2);
}

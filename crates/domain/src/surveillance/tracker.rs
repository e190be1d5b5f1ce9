//! Joins detections of successive frames into tracks: one visit of one face.
//!
//! Every track predicts its box by constant velocity; detections are given to the nearest prediction, best
//! pair first. A track without a detection lives on for [`MAX_LOST_MILLIS`], so a short occlusion does not
//! split a visit in two.

use crate::geometry::{Point, Rect};
use crate::{Detection, Timestamp};

/// How long a face may be hidden before its track ends.
pub(super) const MAX_LOST_MILLIS: i64 = 1_000;
/// Farther from its prediction than this many face widths a detection is somebody else.
const MAX_DISTANCE_WIDTHS: f32 = 1.0;
/// A face does not grow or shrink more than this between two frames.
const MAX_SIZE_RATIO: f32 = 1.8;
/// How much of a newly measured velocity enters the estimate.
const VELOCITY_GAIN: f32 = 0.5;

/// A track's number, unique in its camera since it was opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct TrackId(pub(super) u64);

/// One visit of one face.
#[derive(Debug, Clone)]
pub(super) struct Track {
    pub(super) id: TrackId,
    pub(super) first_seen: Timestamp,
    pub(super) last_seen: Timestamp,
    /// Frames in which the face was found.
    pub(super) sightings: u32,
    face_box: Rect,
    /// Pixels per millisecond.
    velocity: Point,
}

/// What one frame did to the tracks.
#[derive(Debug, Default)]
pub(super) struct Step {
    /// Tracks seen in this frame, with the index of their detection.
    pub(super) seen: Vec<(TrackId, usize)>,
    /// Tracks that ended.
    pub(super) ended: Vec<Track>,
}

/// The live tracks of one camera.
#[derive(Debug, Default)]
pub(super) struct Tracker {
    tracks: Vec<Track>,
    next: u64,
}

impl Tracker {
    /// The live tracks, those hidden for a moment included.
    pub(super) fn tracks(&self) -> &[Track] {
        &self.tracks
    }

    /// A live track.
    pub(super) fn track(&self, id: TrackId) -> Option<&Track> {
        self.tracks.iter().find(|track| track.id == id)
    }

    /// Takes the detections of one frame; frames come in order of time.
    pub(super) fn update(&mut self, at: Timestamp, detections: &[Detection]) -> Step {
        let mut step = Step::default();
        let mut free = vec![true; detections.len()];
        let mut waiting: Vec<bool> = vec![true; self.tracks.len()];
        for (track, detection) in self.pairs(at, detections) {
            if waiting[track] && free[detection] {
                waiting[track] = false;
                free[detection] = false;
                self.tracks[track].see(at, detections[detection].face_box);
                step.seen.push((self.tracks[track].id, detection));
            }
        }
        for (index, detection) in detections.iter().enumerate().filter(|(index, _)| free[*index]) {
            step.seen.push((self.start(at, detection.face_box), index));
        }
        step.ended = self.take_lost(at);
        step
    }

    /// Ends all tracks.
    pub(super) fn finish(&mut self) -> Vec<Track> {
        std::mem::take(&mut self.tracks)
    }

    /// Possible (track, detection) pairs, the nearest first.
    fn pairs(&self, at: Timestamp, detections: &[Detection]) -> Vec<(usize, usize)> {
        let mut pairs = Vec::new();
        for (t, track) in self.tracks.iter().enumerate() {
            let predicted = track.predicted(at);
            for (d, detection) in detections.iter().enumerate() {
                if let Some(distance) = distance(&predicted, &detection.face_box) {
                    pairs.push((distance, t, d));
                }
            }
        }
        pairs.sort_by(|a, b| a.0.total_cmp(&b.0));
        pairs.into_iter().map(|(_, t, d)| (t, d)).collect()
    }

    fn start(&mut self, at: Timestamp, face_box: Rect) -> TrackId {
        let id = TrackId(self.next);
        self.next += 1;
        let velocity = Point::default();
        self.tracks.push(Track { id, first_seen: at, last_seen: at, sightings: 1, face_box, velocity });
        id
    }

    fn take_lost(&mut self, at: Timestamp) -> Vec<Track> {
        let lost = |track: &mut Track| at.millis_since(track.last_seen) > MAX_LOST_MILLIS;
        self.tracks.extract_if(.., lost).collect()
    }
}

impl Track {
    fn predicted(&self, at: Timestamp) -> Rect {
        let elapsed = at.millis_since(self.last_seen) as f32;
        self.face_box.shifted(self.velocity.x * elapsed, self.velocity.y * elapsed)
    }

    fn see(&mut self, at: Timestamp, face_box: Rect) {
        let elapsed = at.millis_since(self.last_seen).max(1) as f32;
        let (from, to) = (self.face_box.center(), face_box.center());
        let measured = Point { x: (to.x - from.x) / elapsed, y: (to.y - from.y) / elapsed };
        self.velocity.x += VELOCITY_GAIN * (measured.x - self.velocity.x);
        self.velocity.y += VELOCITY_GAIN * (measured.y - self.velocity.y);
        self.face_box = face_box;
        self.last_seen = at;
        self.sightings += 1;
    }
}

/// How far apart two boxes are, in face widths; `None` when they cannot be the same face.
fn distance(predicted: &Rect, found: &Rect) -> Option<f32> {
    let (a, b) = (predicted.center(), found.center());
    let width = predicted.width().max(found.width()).max(1.0);
    let apart = (a.x - b.x).hypot(a.y - b.y) / width;
    let ratio = (predicted.area().max(1.0) / found.area().max(1.0)).sqrt();
    let same_size = (1.0 / MAX_SIZE_RATIO..=MAX_SIZE_RATIO).contains(&ratio);
    (same_size && apart <= MAX_DISTANCE_WIDTHS).then(|| apart - predicted.overlap(found))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Quality;

    fn face(x: f32, y: f32) -> Detection {
        let face_box = Rect::new(x, y, x + 100.0, y + 120.0);
        Detection { face_box, landmarks: Default::default(), score: 0.9, quality: Quality::default() }
    }

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millis(millis)
    }

    #[test]
    fn a_walking_face_stays_one_track() {
        let mut tracker = Tracker::default();
        for step in 0..20 {
            tracker.update(at(step * 200), &[face(step as f32 * 60.0, 50.0)]);
        }
        assert_eq!(tracker.tracks().len(), 1);
        assert_eq!(tracker.tracks()[0].sightings, 20);
    }

    #[test]
    fn a_short_occlusion_does_not_split_a_visit() {
        let mut tracker = Tracker::default();
        for step in [0, 1, 2, 3, /* hidden */ 7, 8] {
            tracker.update(at(step * 200), &[face(step as f32 * 60.0, 50.0)]);
        }
        assert_eq!(tracker.tracks().len(), 1);
    }

    #[test]
    fn a_face_that_is_gone_for_long_ends_its_track() {
        let mut tracker = Tracker::default();
        tracker.update(at(0), &[face(0.0, 0.0)]);
        assert!(tracker.update(at(900), &[]).ended.is_empty());
        let ended = tracker.update(at(1_100), &[]).ended;
        assert_eq!(ended.len(), 1);
        assert!(tracker.tracks().is_empty());
    }

    #[test]
    fn two_faces_that_cross_keep_their_tracks() {
        let mut tracker = Tracker::default();
        let (mut left, mut right) = (TrackId(0), TrackId(0));
        for step in 0..11 {
            let x = step as f32 * 80.0;
            let seen = tracker.update(at(step * 200), &[face(x, 0.0), face(800.0 - x, 30.0)]).seen;
            let of = |index| seen.iter().find(|(_, d)| *d == index).unwrap().0;
            if step == 0 {
                (left, right) = (of(0), of(1));
            }
            assert_eq!((of(0), of(1)), (left, right), "step {step}");
        }
    }

    #[test]
    fn a_face_elsewhere_is_somebody_else() {
        let mut tracker = Tracker::default();
        tracker.update(at(0), &[face(0.0, 0.0)]);
        tracker.update(at(200), &[face(600.0, 0.0)]);
        assert_eq!(tracker.tracks().len(), 2);
    }
}

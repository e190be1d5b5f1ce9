//! Which frame of a track becomes its capture, and when.

use crate::frame::Frame;
use crate::{Detection, SnapMode, Timestamp};

/// In best-shot mode a track is decided after this time even while the face stays.
const DEADLINE_MILLIS: i64 = 3_000;
/// While the best shot is poor the deadline waits for a better one, up to this time.
const POOR_DEADLINE_MILLIS: i64 = 9_000;
/// In timed mode, one capture in this time.
const TIMED_MILLIS: i64 = 5_000;
/// A shot of this quality is good enough to decide upon.
const GOOD_QUALITY: u8 = 50;
/// A worse shot is no proof of anything and is not recorded.
const MIN_QUALITY: u8 = 15;
/// A shot replaces the best so far only when it is so much better: keeping a frame costs a copy.
const QUALITY_GAIN: u8 = 3;
/// A detector's single mistake is not a visit.
const MIN_SIGHTINGS: u32 = 2;

/// One look at a face.
#[derive(Debug, Clone)]
pub(super) struct Shot {
    pub(super) frame: Frame,
    pub(super) detection: Detection,
}

/// The best shot of a track so far, and how often it was captured.
#[derive(Debug)]
pub(super) struct BestShot {
    mode: SnapMode,
    since: Timestamp,
    sightings: u32,
    shot: Option<Shot>,
    captures: u32,
}

impl BestShot {
    pub(super) fn new(mode: SnapMode, since: Timestamp) -> Self {
        Self { mode, since, sightings: 0, shot: None, captures: 0 }
    }

    /// Takes a look into account; the frame is copied only when it is the best so far.
    pub(super) fn see(&mut self, frame: &Frame, detection: &Detection) {
        self.sightings += 1;
        let best = self.shot.as_ref().map(|shot| shot.detection.quality.overall);
        let better = best.is_none_or(|best| detection.quality.overall >= best.saturating_add(QUALITY_GAIN));
        if better && self.wants_more() {
            self.shot = Some(Shot { frame: frame.detached(), detection: detection.clone() });
        }
    }

    /// The shot to be captured now, while the face is still in view.
    pub(super) fn due(&mut self, now: Timestamp) -> Option<Shot> {
        let quality = self.shot.as_ref()?.detection.quality.overall;
        let waited = now.millis_since(self.since);
        let good = quality >= GOOD_QUALITY;
        let due = match self.mode {
            SnapMode::First => good || waited >= DEADLINE_MILLIS,
            SnapMode::Best => waited >= if good { DEADLINE_MILLIS } else { POOR_DEADLINE_MILLIS },
            SnapMode::Timed if self.captures == 0 => good || waited >= DEADLINE_MILLIS,
            SnapMode::Timed => waited >= TIMED_MILLIS,
        };
        if due { self.take(now) } else { None }
    }

    /// The shot to be captured when the track ends without ever having been captured.
    pub(super) fn last(&mut self, now: Timestamp) -> Option<Shot> {
        if self.captures == 0 { self.take(now) } else { None }
    }

    fn take(&mut self, now: Timestamp) -> Option<Shot> {
        let usable = |shot: &mut Shot| shot.detection.quality.overall >= MIN_QUALITY;
        if self.sightings < MIN_SIGHTINGS {
            return None;
        }
        let shot = self.shot.take_if(usable)?;
        self.captures += 1;
        self.since = now;
        Some(shot)
    }

    /// Whether another shot could still be captured of this track.
    fn wants_more(&self) -> bool {
        self.captures == 0 || self.mode == SnapMode::Timed
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Quality;
    use crate::frame::{PixelFormat, Plane};
    use bytes::Bytes;

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millis(millis)
    }

    fn look(best: &mut BestShot, millis: i64, overall: u8) -> Option<i64> {
        let plane = Plane { data: Bytes::from(vec![0; 12]), stride: 6 };
        let frame = Frame::new(at(millis), 2, 2, PixelFormat::Rgb8, vec![plane]).unwrap();
        let quality = Quality { overall, ..Quality::default() };
        let detection = Detection { face_box: Default::default(), landmarks: Default::default(), score: 0.9, quality };
        best.see(&frame, &detection);
        best.due(at(millis)).map(|shot| shot.frame.at().as_millis())
    }

    #[test]
    fn best_mode_takes_the_best_frame_at_the_deadline() {
        let mut best = BestShot::new(SnapMode::Best, at(0));
        assert_eq!(look(&mut best, 0, 55), None);
        assert_eq!(look(&mut best, 1_000, 80), None);
        assert_eq!(look(&mut best, 2_000, 60), None);
        assert_eq!(look(&mut best, 3_000, 60), Some(1_000));
        assert_eq!(look(&mut best, 9_000, 99), None, "a decided track is final");
        assert!(best.last(at(9_100)).is_none());
    }

    #[test]
    fn best_mode_waits_longer_while_the_face_is_poor() {
        let mut best = BestShot::new(SnapMode::Best, at(0));
        assert_eq!(look(&mut best, 0, 20), None);
        assert_eq!(look(&mut best, 3_200, 25), None);
        assert_eq!(look(&mut best, 5_000, 70), Some(5_000));
    }

    #[test]
    fn first_mode_takes_the_first_good_frame() {
        let mut best = BestShot::new(SnapMode::First, at(0));
        assert_eq!(look(&mut best, 0, 60), None, "one sighting may be a mistake");
        assert_eq!(look(&mut best, 200, 61), Some(0));
        assert_eq!(look(&mut best, 400, 99), None);
    }

    #[test]
    fn timed_mode_takes_one_capture_in_every_interval() {
        let mut best = BestShot::new(SnapMode::Timed, at(0));
        let taken: Vec<_> = (0..60).filter_map(|i| look(&mut best, i * 200, 70)).collect();
        assert_eq!(taken.len(), 3, "{taken:?}");
    }

    #[test]
    fn a_short_visit_is_captured_at_its_end() {
        let mut best = BestShot::new(SnapMode::Best, at(0));
        look(&mut best, 0, 30);
        look(&mut best, 200, 40);
        assert_eq!(best.last(at(1_500)).unwrap().frame.at(), at(200));
    }

    #[test]
    fn a_single_sighting_and_a_smear_are_not_captured() {
        let mut once = BestShot::new(SnapMode::Best, at(0));
        look(&mut once, 0, 90);
        assert!(once.last(at(1_500)).is_none());
        let mut smear = BestShot::new(SnapMode::First, at(0));
        (0..30).for_each(|i| assert_eq!(look(&mut smear, i * 200, 10), None));
        assert!(smear.last(at(9_000)).is_none());
    }
}

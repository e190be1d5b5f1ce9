//! Selects the frames of a visit that are described, and determines when the visit is decided.
//!
//! Detecting a face is cheap and is done in every frame; describing it costs more inference, so it is done for at most
//! [`MAX_LOOKS`] frames of a visit. A described frame is a look. All looks vote together: while the visit is unsure, it
//! gets further looks at other moments, until it is sure, [`MAX_LOOKS`] is reached or the deadline has passed. A
//! decision is final.
//!
//! Where somebody waits for the decision, at a door or in snap mode *first*, the visit is early: its first good shot is
//! described at once, after one sighting if the detector is certain of it, and a look that is certain decides at once.

use super::passing::{Passing, Shot};
use crate::camera::SnapMode;
use crate::face::Detection;
use crate::time::Timestamp;

/// In best-shot mode a visit is decided after this time even while the face stays in view; in the other modes it is
/// decided then at the latest.
const DEADLINE_MILLIS: i64 = 3_000;
/// In best-shot mode an unsure visit is decided after this time.
const UNSURE_DEADLINE_MILLIS: i64 = 6_000;
/// In best-shot mode a visit whose best shot is poor is decided after this time.
const POOR_DEADLINE_MILLIS: i64 = 9_000;
/// In timed mode, the interval between captures.
const TIMED_MILLIS: i64 = 5_000;
/// Lowest quality of a shot that is good enough for a decision.
const GOOD_QUALITY: u8 = 50;
/// Lowest quality of a shot that is described; a worse one is not recorded.
pub(in crate::surveillance) const MIN_QUALITY: u8 = 15;
/// How much better a shot has to be to replace the best so far: a shot costs a copy, and its frame is encoded.
const QUALITY_GAIN: u8 = 3;
/// How much better than all described shots the best one has to be to be described before the decision.
const PICTURE_GAIN: u8 = 10;
/// Fewer sightings may be a false detection.
const MIN_SIGHTINGS: u32 = 2;
/// Detections at least this certain are described after one sighting when the visit is early. Boxes around no face are
/// rarely as certain, and one costs an embedding: it is not recorded unless it is taken for a person.
const CERTAIN_FACE: f32 = 0.6;
/// Maximum number of looks at one visit, or per interval in timed mode.
const MAX_LOOKS: u32 = 4;
/// Additional looks to distinguish faces that came close.
const DOUBT_LOOKS: u32 = 2;
/// Minimum interval between two looks: adjacent frames show the same.
const LOOK_INTERVAL_MILLIS: i64 = 500;

/// Result of the vote of all looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    /// Not looked at yet, or no candidate is certain.
    Unsure,
    /// One candidate is certain.
    Sure,
    /// There are no candidates: the watches have no people.
    Nobody,
}

/// The best shot of a visit so far, and the numbers of its looks and captures.
#[derive(Debug)]
pub(super) struct BestShot {
    mode: SnapMode,
    since: Timestamp,
    sightings: u32,
    /// The best shot that was not described.
    shot: Option<Shot>,
    /// Best quality of the described shots.
    looked_quality: u8,
    looked_at: Timestamp,
    looks: u32,
    captures: u32,
}

impl BestShot {
    pub(super) fn new(mode: SnapMode, since: Timestamp) -> Self {
        Self { mode, since, sightings: 0, shot: None, looked_quality: 0, looked_at: since, looks: 0, captures: 0 }
    }

    /// Adds a frame; a shot is taken only when it is the best so far or another look is wanted now.
    pub(super) fn see(&mut self, frame: &mut Passing<'_>, detection: &Detection, standing: Standing, another: bool) {
        self.sightings += 1;
        let first = self.looks == 0 && self.shot.is_none();
        let better = detection.quality.overall >= self.wanted_quality(standing);
        if another && self.shot.is_none() || self.wants_more() && (better || first) {
            self.shot = Some(frame.shoot(detection));
        }
    }

    /// Lowest quality of a shot that replaces the best so far. Once only the last look is left, a shot that would not be
    /// described then is not taken.
    fn wanted_quality(&self, standing: Standing) -> u8 {
        let best = self.shot.as_ref().map_or(self.looked_quality, Shot::quality);
        let better = best.saturating_add(QUALITY_GAIN);
        let settled = self.looks > 0 && (standing != Standing::Unsure || self.looks >= MAX_LOOKS);
        if settled { better.max(self.looked_quality.saturating_add(PICTURE_GAIN)) } else { better }
    }

    /// Whether it is real, not a false detection.
    pub(super) fn confirmed(&self) -> bool {
        self.sightings >= MIN_SIGHTINGS
    }

    /// Adds the sightings of another part of the visit.
    pub(super) fn join(&mut self, part: &Self) {
        self.sightings += part.sightings;
    }

    /// Accepts the face as real after a single sighting.
    pub(super) fn trust(&mut self) {
        self.sightings = self.sightings.max(MIN_SIGHTINGS);
    }

    /// Whether another look is wanted, even at a shot no better than those before.
    pub(super) fn wants_another(&self, now: Timestamp, standing: Standing, doubtful: bool) -> bool {
        let rested = now.millis_since(self.looked_at) >= LOOK_INTERVAL_MILLIS;
        let unsure = standing == Standing::Unsure && self.wants_more() && self.looks < MAX_LOOKS;
        self.looks > 0 && rested && (unsure || doubtful && !self.spent())
    }

    /// Takes the shot to be described now. `another`: also when the visit already has a look. `early`: the visit is.
    pub(super) fn look(&mut self, now: Timestamp, another: bool, early: bool) -> Option<Shot> {
        let shot = self.shot.as_ref()?;
        let good = shot.quality() >= GOOD_QUALITY;
        let due = if self.looks == 0 {
            good || now.millis_since(self.since) >= DEADLINE_MILLIS
        } else {
            another && shot.quality() >= GOOD_QUALITY.min(self.looked_quality)
        };
        let certain = early && good && shot.detection.score >= CERTAIN_FACE;
        if due { self.take(now, certain) } else { None }
    }

    /// Takes the shot to be described before the decision: the first, or one much better than those before.
    pub(super) fn last_look(&mut self, now: Timestamp) -> Option<Shot> {
        let better = self.shot.as_ref()?.quality() >= self.looked_quality.saturating_add(PICTURE_GAIN);
        let wanted = self.wants_more() && (self.looks == 0 || better);
        if wanted { self.take(now, false) } else { None }
    }

    /// Whether the visit is to be decided now, while the face is still in view.
    pub(super) fn due(&self, now: Timestamp, standing: Standing) -> bool {
        let waited = now.millis_since(self.since);
        let best = self.shot.as_ref().map_or(0, Shot::quality).max(self.looked_quality);
        let settled = standing != Standing::Unsure || self.looks >= MAX_LOOKS;
        let deadline = match self.mode {
            SnapMode::Timed if self.captures > 0 => TIMED_MILLIS,
            SnapMode::First | SnapMode::Timed if self.looks > 0 && settled => 0,
            SnapMode::First | SnapMode::Timed => DEADLINE_MILLIS,
            SnapMode::Best if standing == Standing::Sure || best >= GOOD_QUALITY && settled => DEADLINE_MILLIS,
            SnapMode::Best if best >= GOOD_QUALITY => UNSURE_DEADLINE_MILLIS,
            SnapMode::Best => POOR_DEADLINE_MILLIS,
        };
        self.wants_more() && waited >= deadline
    }

    /// Reports that the visit was decided.
    pub(super) fn decided(&mut self, now: Timestamp) {
        self.captures += 1;
        self.since = now;
        self.looks = 0;
        self.looked_quality = 0;
        self.shot = None;
    }

    /// Whether a decision is still to come: the first, or the next in timed mode.
    pub(super) fn wants_more(&self) -> bool {
        self.captures == 0 || self.mode == SnapMode::Timed
    }

    /// Whether it was never decided.
    pub(super) fn undecided(&self) -> bool {
        self.captures == 0
    }

    /// Whether the maximum number of looks is reached, including those for doubtful tracks.
    pub(super) fn spent(&self) -> bool {
        self.looks >= MAX_LOOKS + DOUBT_LOOKS
    }

    pub(super) fn mode(&self) -> SnapMode {
        self.mode
    }

    /// Drops a shot that may show another face.
    pub(super) fn drop_shot(&mut self) {
        self.shot = None;
    }

    fn take(&mut self, now: Timestamp, certain: bool) -> Option<Shot> {
        let usable = |shot: &mut Shot| shot.quality() >= MIN_QUALITY;
        if !certain && !self.confirmed() || self.spent() {
            return None;
        }
        let shot = self.shot.take_if(usable)?;
        self.looks += 1;
        self.looked_at = now;
        self.looked_quality = self.looked_quality.max(shot.quality());
        Some(shot)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::face::Quality;
    use crate::frame::{Frame, PixelFormat, Plane};
    use bytes::Bytes;

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millis(millis)
    }

    /// Does what a camera's task does with one frame. Returns the time of the shot taken, and whether a decision is
    /// due.
    fn see(best: &mut BestShot, millis: i64, overall: u8, standing: Standing) -> (Option<i64>, bool) {
        see_at(best, millis, (overall, 0.9), (standing, false))
    }

    /// As [`see`], with the detector's score; `early`: whether the visit is.
    fn see_at(
        best: &mut BestShot,
        millis: i64,
        (overall, score): (u8, f32),
        (standing, early): (Standing, bool),
    ) -> (Option<i64>, bool) {
        let plane = Plane { data: Bytes::from(vec![0; 12]), stride: 6 };
        let frame = Frame::new(at(millis), 2, 2, PixelFormat::Rgb8, vec![plane]).unwrap();
        let quality = Quality { overall, ..Quality::default() };
        let detection = Detection { face_box: Default::default(), landmarks: Default::default(), score, quality };
        let another = best.wants_another(at(millis), standing, false);
        best.see(&mut Passing::new(&frame, &|frame, _| frame.bounds()), &detection, standing, another);
        let mut look = best.look(at(millis), another, early);
        let due = best.due(at(millis), standing);
        if due && look.is_none() {
            look = best.last_look(at(millis));
        }
        (look.map(|shot| shot.at().as_millis()), due)
    }

    #[test]
    fn best_mode_decides_a_sure_visit_at_the_deadline_with_the_best_frame() {
        let mut best = BestShot::new(SnapMode::Best, at(0));
        assert_eq!(see(&mut best, 0, 55, Standing::Unsure), (None, false), "one sighting may be a mistake");
        assert_eq!(see(&mut best, 200, 55, Standing::Unsure), (Some(0), false));
        assert_eq!(see(&mut best, 1_000, 80, Standing::Sure), (None, false));
        assert_eq!(see(&mut best, 2_000, 60, Standing::Sure), (None, false));
        assert_eq!(see(&mut best, 3_000, 60, Standing::Sure), (Some(1_000), true));
        best.decided(at(3_000));
        assert_eq!(see(&mut best, 9_000, 99, Standing::Sure), (None, false), "a decided visit is final");
        assert!(best.last_look(at(9_100)).is_none());
    }

    #[test]
    fn a_sure_visit_takes_no_shot_that_its_last_look_would_not_describe() {
        let mut best = BestShot::new(SnapMode::Best, at(0));
        see(&mut best, 0, 60, Standing::Unsure);
        assert_eq!(see(&mut best, 200, 60, Standing::Unsure).0, Some(0));
        see(&mut best, 400, 69, Standing::Sure);
        assert!(best.shot.is_none());
        see(&mut best, 600, 70, Standing::Sure);
        see(&mut best, 800, 72, Standing::Sure);
        assert_eq!(best.last_look(at(1_000)).unwrap().at(), at(600));
    }

    #[test]
    fn an_unsure_visit_gets_further_looks_up_to_the_maximum() {
        let mut best = BestShot::new(SnapMode::Best, at(0));
        let seen: Vec<_> = (0..=30).map(|i| see(&mut best, i * 200, 60, Standing::Unsure)).collect();
        let looks = seen.iter().filter(|(look, _)| look.is_some()).count();
        assert_eq!(looks, 4);
        assert_eq!(seen.iter().position(|(_, due)| *due), Some(15), "the maximum is reached by the deadline");
    }

    #[test]
    fn best_mode_waits_longer_while_the_face_is_poor() {
        let mut best = BestShot::new(SnapMode::Best, at(0));
        assert!(!see(&mut best, 0, 20, Standing::Unsure).1);
        assert!(!see(&mut best, 3_200, 25, Standing::Unsure).1);
        assert!(!see(&mut best, 8_000, 25, Standing::Unsure).1);
        assert_eq!(see(&mut best, 8_200, 70, Standing::Sure), (Some(8_200), true));
        let mut poor = BestShot::new(SnapMode::Best, at(0));
        assert!((0..45).all(|i| !see(&mut poor, i * 200, 25, Standing::Unsure).1));
        assert!(see(&mut poor, 9_000, 25, Standing::Unsure).1);
    }

    #[test]
    fn first_mode_decides_at_the_first_look_that_is_sure() {
        let mut best = BestShot::new(SnapMode::First, at(0));
        assert_eq!(see(&mut best, 0, 60, Standing::Unsure), (None, false));
        assert_eq!(see(&mut best, 200, 61, Standing::Unsure), (Some(0), false));
        assert_eq!(see(&mut best, 400, 61, Standing::Unsure), (None, false));
        assert_eq!(see(&mut best, 800, 60, Standing::Unsure), (Some(800), false), "a second opinion");
        assert!(see(&mut best, 1_000, 60, Standing::Sure).1);
    }

    #[test]
    fn an_early_visit_is_looked_at_in_the_first_good_picture() {
        let first_look = |quality, score, early| {
            let mut best = BestShot::new(SnapMode::First, at(0));
            see_at(&mut best, 0, (quality, score), (Standing::Unsure, early)).0
        };
        assert_eq!(first_look(60, 0.7, true), Some(0));
        assert_eq!(first_look(60, 0.7, false), None, "one sighting may be a false detection");
        assert_eq!(first_look(60, 0.5, true), None, "the detector is not certain");
        assert_eq!(first_look(40, 0.9, true), None, "the shot is poor");
        let mut poor = BestShot::new(SnapMode::First, at(0));
        assert_eq!(see_at(&mut poor, 0, (40, 0.9), (Standing::Unsure, true)).0, None);
        assert_eq!(see_at(&mut poor, 200, (60, 0.5), (Standing::Unsure, true)).0, Some(200), "seen twice");
    }

    #[test]
    fn first_mode_decides_at_the_deadline_without_being_sure() {
        let mut best = BestShot::new(SnapMode::First, at(0));
        assert!((0..15).all(|i| !see(&mut best, i * 200, 30, Standing::Unsure).1));
        assert_eq!(see(&mut best, 3_000, 30, Standing::Unsure), (Some(0), true));
    }

    #[test]
    fn timed_mode_decides_once_in_every_interval() {
        let mut best = BestShot::new(SnapMode::Timed, at(0));
        let mut decided = 0;
        for i in 0..60 {
            if see(&mut best, i * 200, 70, Standing::Sure).1 {
                best.decided(at(i * 200));
                decided += 1;
            }
        }
        assert_eq!(decided, 3);
    }

    #[test]
    fn a_short_visit_is_described_when_it_ends() {
        let mut best = BestShot::new(SnapMode::Best, at(0));
        see(&mut best, 0, 30, Standing::Unsure);
        see(&mut best, 200, 40, Standing::Unsure);
        assert_eq!(best.last_look(at(1_500)).unwrap().at(), at(200));
    }

    #[test]
    fn a_single_sighting_and_a_smear_are_not_described() {
        let mut once = BestShot::new(SnapMode::Best, at(0));
        see(&mut once, 0, 90, Standing::Unsure);
        assert!(once.last_look(at(1_500)).is_none());
        let mut smear = BestShot::new(SnapMode::First, at(0));
        assert!((0..30).all(|i| see(&mut smear, i * 200, 10, Standing::Unsure).0.is_none()));
        assert!(smear.last_look(at(9_000)).is_none());
    }
}

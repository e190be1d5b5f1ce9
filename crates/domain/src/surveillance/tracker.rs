//! Joins detections of successive frames into tracks: one visit of one face, or one passage of one object.
//!
//! Every track predicts place and size by constant velocity and growth; detections of its kind are assigned to the
//! nearest prediction, best pair first. The distance allowed grows with the time since the face or object was last
//! seen, fastest while its velocity is unknown. A track without a detection stays live for [`MAX_LOST_MILLIS`], so a
//! short occlusion does not split it in two. Tracks of faces that come close to each other may be confused: they are
//! [`doubtful`](Tracker::doubtful) once apart, until their user has compared the faces.

use crate::behaviour::{DetectedObject, ObjectClass};
use crate::face::Detection;
use crate::geometry::{Point, Rect};
use crate::time::Timestamp;

/// How long a face or object may be hidden before its track ends.
pub(super) const MAX_LOST_MILLIS: i64 = 1_000;
/// How long a hidden face or object is predicted to keep moving.
const COASTING_MILLIS: i64 = 600;
/// Maximum distance of a detection from its prediction, in widths of the box, at the time it was last seen.
const MAX_DISTANCE_WIDTHS: f32 = 0.8;
/// Growth of that distance per second, in widths.
const DRIFT_WIDTHS: f32 = 1.5;
/// Growth per second while the velocity of the track is unknown: a person who walks across at arm's length.
const NEW_TRACK_DRIFT_WIDTHS: f32 = 10.0;
/// Upper limit of that distance, in widths.
const DISTANCE_LIMIT_WIDTHS: f32 = 2.8;
/// Maximum ratio of sizes between two frames.
const MAX_SIZE_RATIO: f32 = 1.8;
/// Weight of a new measurement in the estimated velocity.
const VELOCITY_GAIN: f32 = 0.5;
/// Weight of a new measurement in the estimated growth; lower because sizes are noisier than places.
const GROWTH_GAIN: f32 = 0.3;
/// Weight of a new score in the certainty: low, so that a thing mistaken for a person now and then does not become one.
const CERTAINTY_GAIN: f32 = 0.25;
/// Faces nearer to each other than this many widths may be confused.
const CLOSE_WIDTHS: f32 = 1.0;

/// A detection that can be joined to a track.
pub(super) trait Tracked {
    /// Detections of different kinds never belong to the same track.
    type Kind: Copy + PartialEq;

    fn kind(&self) -> Self::Kind;

    /// Bounding box, pixels.
    fn place(&self) -> Rect;

    /// Confidence of the detection, 0..=1.
    fn score(&self) -> f32;
}

impl Tracked for Detection {
    type Kind = ();

    fn kind(&self) {}

    fn place(&self) -> Rect {
        self.face_box
    }

    fn score(&self) -> f32 {
        self.score
    }
}

impl Tracked for DetectedObject {
    type Kind = ObjectClass;

    fn kind(&self) -> ObjectClass {
        self.class
    }

    fn place(&self) -> Rect {
        self.place
    }

    fn score(&self) -> f32 {
        self.score
    }
}

/// Number of a track, unique per camera since the camera was opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct TrackId(pub(super) u64);

/// One visit of one face, or one passage of one object; `K` is its kind.
#[derive(Debug, Clone)]
pub(super) struct Track<K = ()> {
    pub(super) id: TrackId,
    pub(super) kind: K,
    pub(super) last_seen: Timestamp,
    /// Number of frames with a detection.
    pub(super) sightings: u32,
    /// The last bounding box, pixels.
    pub(super) place: Rect,
    /// Moving average of the scores of its detections, 0..=1.
    pub(super) certainty: f32,
    /// Pixels per millisecond.
    velocity: Point,
    /// Relative growth of the size per millisecond: 0.001 is 0.1 %.
    growth: f32,
    closeness: Closeness,
}

/// Whether a track may have been confused with another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Closeness {
    Alone,
    Close,
    /// Apart again; the faces have not been compared since.
    Parted,
}

/// The result of one frame; reused to save allocations.
#[derive(Debug)]
pub(super) struct Step<K = ()> {
    /// Tracks seen in this frame, with the index of their detection.
    pub(super) seen: Vec<(TrackId, usize)>,
    /// Tracks that ended.
    pub(super) ended: Vec<Track<K>>,
    pairs: Vec<(f32, usize, usize)>,
    free: Vec<bool>,
    waiting: Vec<bool>,
}

impl<K> Default for Step<K> {
    fn default() -> Self {
        Self { seen: Vec::new(), ended: Vec::new(), pairs: Vec::new(), free: Vec::new(), waiting: Vec::new() }
    }
}

/// The live tracks of one camera.
#[derive(Debug)]
pub(super) struct Tracker<K = ()> {
    tracks: Vec<Track<K>>,
    next: u64,
}

impl<K> Default for Tracker<K> {
    fn default() -> Self {
        Self { tracks: Vec::new(), next: 0 }
    }
}

impl<K: Copy + PartialEq> Tracker<K> {
    /// The live tracks, including those without a detection in the newest frame.
    pub(super) fn tracks(&self) -> &[Track<K>] {
        &self.tracks
    }

    /// For each live track, a box around the last place and the one expected at this time.
    pub(super) fn expected(&self, at: Timestamp) -> impl Iterator<Item = Rect> {
        self.tracks.iter().map(move |track| track.place.joined(&track.predicted(at)))
    }

    /// A live track; `None` once it has ended.
    pub(super) fn track(&self, id: TrackId) -> Option<&Track<K>> {
        self.tracks.iter().find(|track| track.id == id)
    }

    /// Assigns the detections of one frame to tracks; frames come in order of time. Overwrites `step` with the result.
    pub(super) fn update(&mut self, at: Timestamp, detections: &[impl Tracked<Kind = K>], step: &mut Step<K>) {
        step.seen.clear();
        step.ended.clear();
        for (flags, count) in [(&mut step.free, detections.len()), (&mut step.waiting, self.tracks.len())] {
            flags.clear();
            flags.resize(count, true);
        }
        self.pair(at, detections, &mut step.pairs);
        for &(_, track, detection) in &step.pairs {
            if step.waiting[track] && step.free[detection] {
                (step.waiting[track], step.free[detection]) = (false, false);
                let track = &mut self.tracks[track];
                track.see(at, &detections[detection]);
                step.seen.push((track.id, detection));
            }
        }
        for (index, detection) in detections.iter().enumerate().filter(|(index, _)| step.free[*index]) {
            step.seen.push((self.start(at, detection), index));
        }
        let lost = |track: &mut Track<K>| at.millis_since(track.last_seen) > MAX_LOST_MILLIS;
        step.ended.extend(self.tracks.extract_if(.., lost));
        self.note_closeness(at);
    }

    /// Ends all tracks and returns them.
    pub(super) fn finish(&mut self) -> Vec<Track<K>> {
        std::mem::take(&mut self.tracks)
    }

    /// Whether the track came close to another, is apart again, and was not [verified](Self::verify) since.
    pub(super) fn doubtful(&self, id: TrackId) -> bool {
        self.track(id).is_some_and(|track| track.closeness == Closeness::Parted)
    }

    /// Reports that the face of the track has been compared.
    pub(super) fn verify(&mut self, id: TrackId) {
        let parted = self.tracks.iter_mut().find(|track| track.id == id && track.closeness == Closeness::Parted);
        parted.into_iter().for_each(|track| track.closeness = Closeness::Alone);
    }

    /// Fills `pairs` with the possible (distance, track, detection) triples, nearest first.
    fn pair(&self, at: Timestamp, detections: &[impl Tracked<Kind = K>], pairs: &mut Vec<(f32, usize, usize)>) {
        pairs.clear();
        for (t, track) in self.tracks.iter().enumerate() {
            let predicted = track.predicted(at);
            for (d, detection) in detections.iter().enumerate().filter(|(_, d)| d.kind() == track.kind) {
                let distance = distance(&predicted, &detection.place(), track.tolerance(at));
                pairs.extend(distance.map(|distance| (distance, t, d)));
            }
        }
        pairs.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
    }

    fn start(&mut self, at: Timestamp, detection: &impl Tracked<Kind = K>) -> TrackId {
        let id = TrackId(self.next);
        self.next += 1;
        self.tracks.push(Track {
            id,
            kind: detection.kind(),
            last_seen: at,
            sightings: 1,
            place: detection.place(),
            certainty: detection.score(),
            velocity: Point::default(),
            growth: 0.0,
            closeness: Closeness::Alone,
        });
        id
    }

    fn note_closeness(&mut self, at: Timestamp) {
        for index in 0..self.tracks.len() {
            let own = self.tracks[index].predicted(at);
            let others = self.tracks.iter().enumerate().filter(|(other, _)| *other != index);
            let close =
                others.map(|(_, other)| other.predicted(at)).any(|other| widths_apart(&own, &other) < CLOSE_WIDTHS);
            let track = &mut self.tracks[index];
            track.closeness = match track.closeness {
                _ if close => Closeness::Close,
                Closeness::Close => Closeness::Parted,
                kept @ (Closeness::Alone | Closeness::Parted) => kept,
            };
        }
    }
}

impl<K> Track<K> {
    fn predicted(&self, at: Timestamp) -> Rect {
        let elapsed = at.millis_since(self.last_seen).min(COASTING_MILLIS) as f32;
        let size = (1.0 + self.growth * elapsed).clamp(1.0 / MAX_SIZE_RATIO, MAX_SIZE_RATIO);
        self.place.shifted(self.velocity.x * elapsed, self.velocity.y * elapsed).scaled(size)
    }

    /// Maximum distance of a detection, in widths.
    fn tolerance(&self, at: Timestamp) -> f32 {
        let seconds = at.millis_since(self.last_seen) as f32 / 1_000.0;
        let drift = if self.sightings == 1 { NEW_TRACK_DRIFT_WIDTHS } else { DRIFT_WIDTHS };
        (MAX_DISTANCE_WIDTHS + drift * seconds).min(DISTANCE_LIMIT_WIDTHS)
    }

    fn see(&mut self, at: Timestamp, detection: &impl Tracked) {
        let place = detection.place();
        let elapsed = at.millis_since(self.last_seen).max(1) as f32;
        let (from, to) = (self.place.center(), place.center());
        let grown = (place.area().max(1.0) / self.place.area().max(1.0)).sqrt() - 1.0;
        // The first measurement is taken as it is.
        let gain = if self.sightings == 1 { 1.0 } else { VELOCITY_GAIN };
        self.velocity.x += gain * ((to.x - from.x) / elapsed - self.velocity.x);
        self.velocity.y += gain * ((to.y - from.y) / elapsed - self.velocity.y);
        self.growth += GROWTH_GAIN * (grown / elapsed - self.growth);
        self.place = place;
        self.certainty += CERTAINTY_GAIN * (detection.score() - self.certainty);
        self.last_seen = at;
        self.sightings += 1;
    }
}

/// Distance of two boxes in widths, reduced by their overlap and increased by their difference in size; `None` when
/// they cannot be the same face or object.
fn distance(predicted: &Rect, found: &Rect, tolerance: f32) -> Option<f32> {
    let apart = widths_apart(predicted, found);
    let ratio = (predicted.area().max(1.0) / found.area().max(1.0)).sqrt();
    let same_size = (1.0 / MAX_SIZE_RATIO..=MAX_SIZE_RATIO).contains(&ratio);
    (same_size && apart <= tolerance).then(|| apart - predicted.overlap(found) + ratio.ln().abs())
}

/// Distance of two centres, in widths of the wider box.
fn widths_apart(one: &Rect, other: &Rect) -> f32 {
    let (a, b) = (one.center(), other.center());
    (a.x - b.x).hypot(a.y - b.y) / one.width().max(other.width()).max(1.0)
}

#[cfg(test)]
mod tests;

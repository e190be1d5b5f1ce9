//! Visits to an area: objects followed for longer than their tracks.
//!
//! A track ends when its object was hidden for a second. A new track that begins near the place where an object was lost
//! continues the visit of that object, so that an occlusion or a missed detection neither restarts a stay nor counts an
//! object twice.

use std::collections::VecDeque;
use std::time::Duration;

use super::situation::passed;
use super::zone::Area;
use crate::behaviour::ObjectClass;
use crate::geometry::{Point, Rect};
use crate::surveillance::tracker::{Track, TrackId};
use crate::time::Timestamp;

/// Distance of the point where an object stands from the lower edge of its box, as a share of the height. An object cut
/// off by the lower edge of the picture is then still in an area that ends slightly above that edge.
const RAISED: f32 = 0.1;
/// Distance from the edge of an area at which an object has passed it, as a share of its height: boxes jitter.
const CLEAR: f32 = 0.1;
/// An object also has passed the edge after this time on the other side.
const SETTLED_MILLIS: i64 = 1_000;
/// Maximum distance between a lost and a found object, in longer sides of the lost one;
const REACH: f32 = 0.5;
/// its increase per second;
const REACH_PER_SECOND: f32 = 0.5;
/// and the time after which it no longer increases.
const WALKS_ON_MILLIS: i64 = 2_000;
/// Maximum ratio of the sizes of a lost and a found object.
const MAX_SIZE_RATIO: f32 = 1.8;
/// Distance at which an object has moved, as a share of its longer side,
const MOVED: f32 = 0.25;
/// if it stays away for this time: an object that passes in front changes its box.
const MOVED_MILLIS: i64 = 1_500;
/// Time over which speed is measured.
const PACE_MILLIS: i64 = 1_000;
/// Maximum number of places kept to measure it.
const PLACES: usize = 32;

/// One object in or near an area.
#[derive(Debug)]
pub(super) struct Visit {
    pub(super) track: TrackId,
    /// Where it was last found.
    place: Rect,
    /// When it was last found.
    found: Timestamp,
    is_inside: bool,
    /// Since when it is on the other side of the edge, though not clear of it.
    beyond_since: Option<Timestamp>,
    /// Since when it is inside or outside.
    since: Timestamp,
    /// Whether it was ever certain enough to count.
    is_certain: bool,
    /// Whether it is certain and has a size that counts.
    counts: bool,
    /// Whether the rule has fired for it during this stay inside.
    is_reported: bool,
    still: Still,
    /// Places of the last second.
    places: VecDeque<(Timestamp, Point)>,
}

/// Where an object stands still.
#[derive(Debug)]
struct Still {
    place: Rect,
    since: Timestamp,
    away_since: Option<Timestamp>,
}

/// An object passed the edge of the area.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Passage {
    Entered,
    Left,
}

/// Criteria by which objects count.
pub(super) trait Counting {
    /// Whether its detections are certain enough.
    fn is_certain(&self, track: &Track<ObjectClass>) -> bool;

    /// Whether it is of a size that counts.
    fn fits(&self, track: &Track<ObjectClass>) -> bool;
}

/// All objects of one class in or near an area.
#[derive(Debug, Default)]
pub(super) struct Visits {
    all: Vec<Visit>,
}

impl Visits {
    /// Processes the tracks of one frame, all of one class. A lost object may be found again for `patience` milliseconds.
    /// Returns the objects that count and passed the edge.
    pub(super) fn update(
        &mut self,
        area: &Area,
        tracks: &[&Track<ObjectClass>],
        counting: &impl Counting,
        (at, patience): (Timestamp, i64),
    ) -> Vec<(TrackId, Passage)> {
        let is_live = |visit: &Visit| tracks.iter().any(|track| track.id == visit.track);
        self.all.retain(|visit| is_live(visit) || at.millis_since(visit.found) <= patience);
        let mut passages = Vec::new();
        for track in tracks {
            let depth = area.depth(stands(&track.place));
            let index = self.index(track, is_live).unwrap_or_else(|| {
                self.all.push(Visit::new(track, depth >= 0.0));
                self.all.len() - 1
            });
            let visit = &mut self.all[index];
            visit.is_certain |= counting.is_certain(track);
            visit.counts = visit.is_certain && counting.fits(track);
            let passage = visit.update(track, depth, at).filter(|_| visit.counts);
            passages.extend(passage.map(|passage| (track.id, passage)));
        }
        passages
    }

    /// The visit of a track: its own, or that of the nearest lost object it may be.
    fn index(&self, track: &Track<ObjectClass>, is_live: impl Fn(&Visit) -> bool) -> Option<usize> {
        if let Some(own) = self.all.iter().position(|visit| visit.track == track.id) {
            return Some(own);
        }
        let lost = self.all.iter().enumerate().filter(|(_, visit)| !is_live(visit));
        let near = lost.filter_map(|(index, visit)| Some((visit.distance(track)?, index)));
        near.min_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, index)| index)
    }

    /// The visits inside that count.
    pub(super) fn inside(&self) -> impl Iterator<Item = &Visit> {
        self.all.iter().filter(|visit| visit.is_inside && visit.counts)
    }

    /// Marks the visits inside that count as reported; returns the tracks of those that were not.
    pub(super) fn report(&mut self) -> Vec<TrackId> {
        let new = self.all.iter_mut().filter(|visit| visit.is_inside && visit.counts && !visit.is_reported);
        new.map(|visit| {
            visit.is_reported = true;
            visit.track
        })
        .collect()
    }

    /// Whether a reported object is still inside.
    pub(super) fn is_any_reported(&self) -> bool {
        self.all.iter().any(|visit| visit.is_reported)
    }
}

impl Visit {
    fn new(track: &Track<ObjectClass>, is_inside: bool) -> Self {
        let (place, at) = (track.place, track.last_seen);
        Self {
            track: track.id,
            place,
            found: at,
            is_inside,
            beyond_since: None,
            since: at,
            is_certain: false,
            counts: false,
            is_reported: false,
            still: Still { place, since: at, away_since: None },
            places: VecDeque::new(),
        }
    }

    /// Updates the visit with the track in this frame.
    fn update(&mut self, track: &Track<ObjectClass>, depth: f32, at: Timestamp) -> Option<Passage> {
        if track.id != self.track {
            // Found again: its way in between is unknown.
            self.track = track.id;
            self.places.clear();
        }
        if track.last_seen < at {
            return None;
        }
        (self.place, self.found) = (track.place, at);
        self.still.update(track.place, at);
        self.places.push_back((at, stands(&track.place)));
        let is_old = |(then, _): &(Timestamp, Point)| at.millis_since(*then) > PACE_MILLIS;
        while self.places.len() > PLACES || self.places.front().is_some_and(is_old) {
            self.places.pop_front();
        }
        self.pass(depth, at)
    }

    fn pass(&mut self, depth: f32, at: Timestamp) -> Option<Passage> {
        if (depth >= 0.0) == self.is_inside {
            self.beyond_since = None;
            return None;
        }
        let beyond_since = *self.beyond_since.get_or_insert(at);
        let clear = depth.abs() >= CLEAR * self.place.height();
        if !clear && at.millis_since(beyond_since) < SETTLED_MILLIS {
            return None;
        }
        self.beyond_since = None;
        self.is_inside = !self.is_inside;
        self.since = at;
        self.is_reported = false;
        self.still.since = at;
        Some(if self.is_inside { Passage::Entered } else { Passage::Left })
    }

    /// How far the track is from where the object was lost; `None` when it cannot be the same.
    fn distance(&self, track: &Track<ObjectClass>) -> Option<f32> {
        let elapsed = track.last_seen.millis_since(self.found).clamp(0, WALKS_ON_MILLIS) as f32 / 1_000.0;
        let (a, b) = (self.place.center(), track.place.center());
        let apart = (a.x - b.x).hypot(a.y - b.y) / longer_side(&self.place);
        let ratio = (self.place.area().max(1.0) / track.place.area().max(1.0)).sqrt();
        let same_size = (1.0 / MAX_SIZE_RATIO..=MAX_SIZE_RATIO).contains(&ratio);
        (same_size && apart <= REACH + REACH_PER_SECOND * elapsed).then_some(apart)
    }

    /// Whether it had been inside for this time when it was last found.
    pub(super) fn has_stayed(&self, time: Duration) -> bool {
        self.is_inside && passed(self.since, self.found, time)
    }

    /// Whether it had stood still inside for this time when it was last found.
    pub(super) fn has_stood(&self, time: Duration) -> bool {
        self.is_inside && passed(self.still.since, self.found, time)
    }

    /// Its speed in its own heights per second: the lower one of both halves of the last second, because a track that
    /// jumps from one object to another is fast in one half only. `None` in the first second.
    pub(super) fn pace(&self) -> Option<f32> {
        let ((first, from), (last, to)) = (*self.places.front()?, *self.places.back()?);
        if last.millis_since(first) < PACE_MILLIS * 3 / 4 {
            return None;
        }
        let half = last.millis_since(first) / 2;
        let middle = *self.places.iter().find(|(at, _)| at.millis_since(first) >= half)?;
        let ways = [((first, from), middle), (middle, (last, to)), ((first, from), (last, to))];
        // A machine that searches once a second has no second half.
        let speeds = ways
            .into_iter()
            .filter(|((then, _), (now, _))| now > then)
            .map(|((then, a), (now, b))| (a.x - b.x).hypot(a.y - b.y) * 1_000.0 / now.millis_since(then) as f32);
        Some(speeds.fold(f32::INFINITY, f32::min) / self.place.height().max(1.0))
    }
}

impl Still {
    fn update(&mut self, place: Rect, at: Timestamp) {
        let (a, b) = (self.place.center(), place.center());
        if (a.x - b.x).hypot(a.y - b.y) <= MOVED * longer_side(&self.place) {
            self.away_since = None;
            return;
        }
        let away_since = *self.away_since.get_or_insert(at);
        if at.millis_since(away_since) >= MOVED_MILLIS {
            *self = Self { place, since: at, away_since: None };
        }
    }
}

/// Where an object stands.
fn stands(place: &Rect) -> Point {
    Point { x: place.center().x, y: place.bottom - RAISED * place.height() }
}

fn longer_side(place: &Rect) -> f32 {
    place.width().max(place.height()).max(1.0)
}

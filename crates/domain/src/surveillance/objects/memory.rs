//! What a rule remembers from frame to frame.

use std::collections::HashMap;
use std::time::Duration;

use super::line::Trace;
use super::situation::{Situation, Turn};
use super::visits::{Counting, Passage, Visits};
use super::zone::Zone;
use crate::behaviour::{ObjectClass, RuleSettings, SizeLimits};
use crate::geometry::Point;
use crate::surveillance::tracker::{Track, TrackId};
use crate::time::Timestamp;

/// Detections of an object before it counts: what is seen once may be nothing.
const SIGHTINGS: u32 = 2;

/// What a rule remembers.
#[derive(Debug)]
pub(super) struct Memory {
    pub(super) settings: RuleSettings,
    pub(super) zone: Zone,
    /// Of the picture, pixels.
    size: (f32, f32),
    /// Objects counted so far, or that are part of the situation.
    pub(super) count: u32,
    /// Where each object in view is, seen from a line.
    pub(super) traces: HashMap<TrackId, Trace>,
    /// Objects that crossed the line or passed the edge, and have neither moved on nor left the picture.
    pub(super) active: Vec<TrackId>,
    pub(super) visits: Visits,
    pub(super) situation: Situation,
    /// Since when the number of people differs from the one reported.
    pub(super) differs_since: Option<Timestamp>,
    /// When the rule fired last; only for rules without a situation that keep an interval.
    pub(super) fired: Option<Timestamp>,
}

/// A rule fires or recovers.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Change {
    /// False: what it fired for is over.
    pub(super) fired: bool,
    /// For which objects.
    pub(super) targets: Vec<TrackId>,
    /// Objects counted so far, these included, or that are part of the situation.
    pub(super) count: u32,
    /// People who crossed a counting line, in and out.
    pub(super) passages: (u32, u32),
}

impl Memory {
    /// Of a rule on pictures of this size, pixels.
    pub(super) fn new(settings: &RuleSettings, (width, height): (u32, u32)) -> Self {
        let size = (width as f32, height as f32);
        let pixels = |point: &Point| Point { x: point.x * size.0, y: point.y * size.1 };
        let points: Vec<Point> = settings.points.iter().map(pixels).collect();
        Self {
            settings: settings.clone(),
            zone: Zone::of(&points),
            size,
            count: 0,
            traces: HashMap::new(),
            active: Vec::new(),
            visits: Visits::default(),
            situation: Situation::default(),
            differs_since: None,
            fired: None,
        }
    }

    /// The criteria by which objects of its class count.
    pub(super) fn counting(&self) -> Scale {
        let Self { settings, size, .. } = self;
        Scale { certainty: certainty(settings.options.sensitivity), sizes: settings.options.sizes, size: *size }
    }

    /// Updates the visits to the area. A lost object may be found again for `patience` milliseconds. Returns the objects
    /// that count and entered or left.
    pub(super) fn follow(
        &mut self,
        tracks: &[Track<ObjectClass>],
        at: Timestamp,
        patience: i64,
    ) -> Vec<(TrackId, Passage)> {
        let (object, counting) = (self.settings.object, self.counting());
        let own: Vec<_> = tracks.iter().filter(|track| track.kind == object).collect();
        match &self.zone {
            Zone::Area(area) => self.visits.update(area, &own, &counting, (at, patience)),
            Zone::Line(_) | Zone::Nowhere => Vec::new(),
        }
    }

    /// Fires for what these objects have done.
    pub(super) fn fire(&mut self, targets: Vec<TrackId>) -> Change {
        self.count = self.count.saturating_add(targets.len() as u32);
        Change { fired: true, targets, count: self.count, passages: (0, 0) }
    }

    /// Recovers, with these objects still in view.
    pub(super) fn recover(&self, targets: Vec<TrackId>) -> Change {
        Change { fired: false, targets, count: self.count, passages: (0, 0) }
    }

    /// Updates the situation that these objects are part of; `is_seen`: whether it is seen now.
    pub(super) fn update_situation(
        &mut self,
        is_seen: bool,
        targets: Vec<TrackId>,
        at: Timestamp,
        after: Duration,
    ) -> Option<Change> {
        let turn = self.situation.update(is_seen, at, after, self.settings.options.every)?;
        self.count = targets.len() as u32;
        Some(Change { fired: turn == Turn::Fires, targets, count: self.count, passages: (0, 0) })
    }

    /// Forgets all objects, because the camera no longer delivers frames; recovers when the rule had fired.
    pub(super) fn end(&mut self) -> Option<Change> {
        let was_active = !self.active.is_empty() || self.visits.is_any_reported() || self.situation.is_reported();
        self.traces.clear();
        self.active.clear();
        (self.visits, self.situation, self.differs_since) = Default::default();
        was_active.then(|| self.recover(Vec::new()))
    }
}

/// The criteria by which objects count.
pub(super) struct Scale {
    certainty: f32,
    sizes: SizeLimits,
    /// Of the picture, pixels.
    size: (f32, f32),
}

impl Counting for Scale {
    fn is_certain(&self, track: &Track<ObjectClass>) -> bool {
        track.sightings >= SIGHTINGS && track.certainty >= self.certainty
    }

    fn fits(&self, track: &Track<ObjectClass>) -> bool {
        let (SizeLimits { min_width, min_height, max_width, max_height }, (width, height)) = (self.sizes, self.size);
        (min_width * width..=max_width * width).contains(&track.place.width())
            && (min_height * height..=max_height * height).contains(&track.place.height())
    }
}

/// How certain an object has to be at this sensitivity, 1..=100.
fn certainty(sensitivity: u8) -> f32 {
    0.8 - 0.005 * f32::from(sensitivity)
}

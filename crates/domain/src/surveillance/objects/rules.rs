//! The kinds of rules over moving objects, and what a rule remembers.

use std::collections::HashMap;

use super::line;
use crate::behaviour::{BehaviourKind, Crossing, ObjectClass, RuleSettings};
use crate::error::{Error, Result};
use crate::geometry::Point;
use crate::surveillance::tracker::{Track, TrackId};
use crate::time::Timestamp;

/// The longest name of a rule, characters.
const MAX_NAME: usize = 64;

/// A kind of rule.
pub(super) struct Kind {
    name: BehaviourKind,
    zone: ZoneKind,
    /// What a frame changes: a pure function of what the rule remembers, and of the tracks of all classes in view, those
    /// hidden for a moment included.
    pub(super) step: fn(&mut Memory, &[Track<ObjectClass>], Timestamp) -> Option<Change>,
}

/// All kinds of rules.
const KINDS: [Kind; 1] = [Kind { name: BehaviourKind::Line, zone: ZoneKind::Line, step: line::step }];

/// What is drawn on the picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ZoneKind {
    /// A straight line by its two ends.
    Line,
}

impl ZoneKind {
    fn check(self, points: &[Point]) -> Result<()> {
        match (self, points) {
            (Self::Line, [a, b]) if a != b => Ok(()),
            (Self::Line, _) => Err(Error::invalid("rule points", "a line has two different ends")),
        }
    }
}

/// The kind of a rule, when it is a known one.
pub(super) fn kind(name: BehaviourKind) -> Option<&'static Kind> {
    KINDS.iter().find(|kind| kind.name == name)
}

/// Refuses a rule that makes no sense: `Invalid`.
pub(crate) fn check(rule: &RuleSettings) -> Result<()> {
    if !(1..=MAX_NAME).contains(&rule.name.chars().count()) {
        return Err(Error::invalid("rule name", format!("not 1 to {MAX_NAME} characters")));
    }
    let inside = |point: &Point| (0.0..=1.0).contains(&point.x) && (0.0..=1.0).contains(&point.y);
    if !rule.points.iter().all(inside) {
        return Err(Error::invalid("rule points", "not all shares of the picture, 0 to 1"));
    }
    let kind = kind(rule.kind).ok_or(Error::NotSupported { what: "this kind of rule" })?;
    kind.zone.check(&rule.points)
}

/// What a rule remembers from frame to frame.
#[derive(Debug)]
pub(super) struct Memory {
    pub(super) object: ObjectClass,
    pub(super) direction: Crossing,
    /// Corners of the zone, pixels.
    pub(super) zone: Vec<Point>,
    /// Objects counted so far.
    pub(super) count: u32,
    /// What each object in view has done.
    pub(super) traces: HashMap<TrackId, line::Trace>,
    /// Those that the rule has fired for, as long as that is not over.
    pub(super) active: Vec<TrackId>,
}

impl Memory {
    /// Of a rule on pictures of this size, pixels.
    pub(super) fn new(rule: &RuleSettings, (width, height): (u32, u32)) -> Self {
        let pixels = |point: &Point| Point { x: point.x * width as f32, y: point.y * height as f32 };
        Self {
            object: rule.object,
            direction: rule.direction,
            zone: rule.points.iter().map(pixels).collect(),
            count: 0,
            traces: HashMap::new(),
            active: Vec::new(),
        }
    }
}

/// A rule fires or recovers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Change {
    /// False: what it fired for is over.
    pub(super) fired: bool,
    /// For which objects.
    pub(super) targets: Vec<TrackId>,
    /// Objects counted so far, these included.
    pub(super) count: u32,
}

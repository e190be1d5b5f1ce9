//! Rules over moving objects, and what they find.

use std::ops::RangeInclusive;

use crate::geometry::{Point, Rect};
use crate::{CameraId, CaptureId, NamedPerson, PictureId, RuleId, Timestamp};

/// A kind of thing that moves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ObjectClass {
    /// A person, whole or in part.
    Person,
    /// A vehicle.
    Vehicle,
}

/// The kinds of rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum BehaviourKind {
    /// An object crossed a line.
    Line,
}

/// A thing that was found in a frame.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DetectedObject {
    /// What it is.
    pub class: ObjectClass,
    /// Around it, pixels of the frame.
    pub place: Rect,
    /// How certain that is, 0..=1.
    pub score: f32,
}

/// A rule over the objects that one camera sees.
#[derive(Debug, Clone, PartialEq)]
pub struct Rule {
    /// Never reused.
    pub id: RuleId,
    /// The camera, with which it goes.
    pub camera: CameraId,
    /// What an operator configures.
    pub settings: RuleSettings,
}

/// What an operator configures of a rule.
#[derive(Debug, Clone, PartialEq)]
pub struct RuleSettings {
    /// Display name: 1 to 64 characters, unique among the rules of the camera.
    pub name: String,
    /// What it fires for.
    pub kind: BehaviourKind,
    /// What it is about.
    pub object: ObjectClass,
    /// Corners of its zone, as shares of the picture's width and height, 0..=1: the two ends of a line.
    pub points: Vec<Point>,
    /// Which way objects have to go.
    pub direction: Crossing,
}

/// Ways across a line. Seen along it, from its first end to its second, side A is on the left and side B on the right.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Crossing {
    /// From side A to side B.
    AToB,
    /// From side B to side A.
    BToA,
    /// Both.
    Both,
}

/// A rule that fired, or recovered.
#[derive(Debug, Clone, PartialEq)]
pub struct Behaviour {
    /// Unique in the world.
    pub id: CaptureId,
    /// The camera's name at that time.
    pub camera_name: String,
    /// The camera's position text at that time.
    pub camera_position: String,
    /// The kind of rule.
    pub kind: BehaviourKind,
    /// The rule's display name, which is that of its zone.
    pub rule: String,
    /// True when it fired, false when what it fired for is over.
    pub fired: bool,
    /// What it is about.
    pub object: ObjectClass,
    /// Where the objects were, pixels of the scene picture; the one that fired it first. Empty when it recovered because
    /// they had left the picture.
    pub targets: Vec<Rect>,
    /// How certain the first target is of that class, 0..=100; 0 without a target.
    pub quality: u8,
    /// Objects that the rule has counted so far, since the device was started or the rule was changed.
    pub count: u32,
    /// Who the first target is, where the rule asks for a face.
    pub person: Option<NamedPerson>,
    /// JPEG of the first target with some margin; [`PictureId::not_kept`] while captures are recorded without pictures,
    /// and when it recovered.
    pub crop: PictureId,
    /// JPEG of the whole scene, or as `crop`.
    pub scene: PictureId,
}

/// A stored [`Behaviour`], with when and where.
#[derive(Debug, Clone, PartialEq)]
pub struct ObjectCapture {
    /// When it happened.
    pub at: Timestamp,
    /// The camera's channel.
    pub camera: CameraId,
    /// What happened.
    pub behaviour: Behaviour,
}

/// Which of them to list; conditions are combined with AND, the newest comes first.
#[derive(Debug, Clone, PartialEq)]
pub struct BehaviourFilter {
    /// About this class.
    pub object: ObjectClass,
    /// Of this camera.
    pub camera: Option<CameraId>,
    /// In this time.
    pub captured: Option<RangeInclusive<Timestamp>>,
}

//! What rules over moving objects find.

use std::ops::RangeInclusive;

use crate::geometry::Rect;
use crate::{CameraId, CaptureId, NamedPerson, PictureId, Timestamp};

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
    /// Where the objects were, pixels of the scene picture; the one that fired it first.
    pub targets: Vec<Rect>,
    /// How certain the first target is of that class, 0..=100.
    pub quality: u8,
    /// Objects that the rule has counted so far.
    pub count: u32,
    /// Who the first target is, where the rule asks for a face.
    pub person: Option<NamedPerson>,
    /// JPEG of the first target with some margin; [`PictureId::not_kept`] while captures are recorded without pictures.
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

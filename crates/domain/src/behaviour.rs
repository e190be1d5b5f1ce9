//! Rules over moving objects, and what they find.

use std::ops::RangeInclusive;
use std::time::Duration;

use crate::geometry::{Point, Rect};
use crate::{Attributes, CameraId, Candidate, CaptureId, PictureId, RuleId, Seq, Similarity, Timestamp};

/// A kind of thing that moves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ObjectClass {
    /// A person, whole or in part.
    Person,
    /// A motor vehicle: car, bus, lorry.
    Vehicle,
    /// A two-wheeler, with a motor or without: bicycle, electric bicycle, motorcycle.
    Cycle,
    /// A dog.
    Dog,
}

impl ObjectClass {
    /// All classes.
    pub const ALL: [Self; 4] = [Self::Person, Self::Vehicle, Self::Cycle, Self::Dog];
}

/// The kinds of rules. `docs/behaviour.md` lists the classes, the zone and the options of each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum BehaviourKind {
    /// An object crossed a line.
    Line,
    /// People crossed a line; they are counted by direction.
    LineCount,
    /// An object is in an area: each object once, as long as it stays.
    Area,
    /// An object entered an area.
    Enter,
    /// An object left an area.
    Leave,
    /// An object entered or left an area.
    Border,
    /// The number of people in an area has changed.
    AreaCount,
    /// There are more people in an area than the limit.
    Crowd,
    /// There are at least as many people in an area as the limit.
    Gathering,
    /// An object has stayed in an area for the trigger time.
    Loitering,
    /// There have been fewer people in an area than the limit for the trigger time.
    Absence,
    /// There is at least one person in an area, but fewer people than the limit.
    Alone,
    /// An object in an area moves fast.
    Fast,
    /// A vehicle or cycle has stood still in an area for the trigger time.
    Parking,
    /// An object of a class that is not allowed there is in an area.
    Presence,
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
    /// Corners of its zone, as shares of the picture's width and height, 0..=1: the two ends of a line, or the 3 to 6
    /// corners of an area whose edges do not cross.
    pub points: Vec<Point>,
    /// Which way objects have to go across a line; the way in for one that counts.
    pub direction: Crossing,
    /// The rest.
    pub options: RuleOptions,
}

/// What else an operator configures of a rule. Options that a kind does not use have no effect.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RuleOptions {
    /// 1..=100: the higher, the less certain an object may be, and the slower one that moves fast.
    pub sensitivity: u8,
    /// Objects that are smaller or larger do not count.
    pub sizes: SizeLimits,
    /// Trigger time: how long a situation lasts before the rule fires.
    pub after: Duration,
    /// Report interval: how often the rule fires again while the situation lasts; zero: never.
    pub every: Duration,
    /// Limit of the number of people.
    pub people: u32,
    /// How far the number of people of a gathering may fall below the limit before it is over.
    pub tolerance: u32,
    /// The hour of the day, 0..=23 local time, at which a counting line starts again from zero.
    pub reset_hour: Option<u8>,
    /// Whether the faces of people who fire it are compared with the libraries of the camera's own watch.
    pub identify: bool,
    /// The video to store of each time it fires; `None`: none.
    pub clip: Option<ClipSpan>,
}

/// The time around a moment that a clip shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClipSpan {
    /// Before the moment, at most [`ClipSpan::LONGEST`].
    pub before: Duration,
    /// After the moment, at most [`ClipSpan::LONGEST`].
    pub after: Duration,
}

impl ClipSpan {
    /// The longest time before and after a moment.
    pub const LONGEST: Duration = Duration::from_secs(30);

    /// The duration of the clip.
    pub fn length(self) -> Duration {
        self.before.saturating_add(self.after)
    }
}

impl Default for RuleOptions {
    fn default() -> Self {
        Self {
            sensitivity: 80,
            sizes: SizeLimits::default(),
            after: Duration::ZERO,
            every: Duration::ZERO,
            people: 0,
            tolerance: 0,
            reset_hour: None,
            identify: false,
            clip: None,
        }
    }
}

/// Smallest and largest sizes of objects, as shares of the picture's width and height, 0..=1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SizeLimits {
    /// Smallest width.
    pub min_width: f32,
    /// Smallest height.
    pub min_height: f32,
    /// Largest width.
    pub max_width: f32,
    /// Largest height.
    pub max_height: f32,
}

impl Default for SizeLimits {
    /// No limits.
    fn default() -> Self {
        Self { min_width: 0.0, min_height: 0.0, max_width: 1.0, max_height: 1.0 }
    }
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

impl Crossing {
    /// The way in which an arrow from its first point to its second points across a line, whose ends are given as in
    /// [`RuleSettings::points`]. `None` when the arrow is parallel to the line.
    pub fn along(line: [Point; 2], arrow: [Point; 2]) -> Option<Self> {
        let way = |[from, to]: [Point; 2]| (to.x - from.x, to.y - from.y);
        let ((x, y), (to_x, to_y)) = (way(line), way(arrow));
        let aside = x * to_y - y * to_x;
        if aside > 0.0 { Some(Self::AToB) } else { (aside < 0.0).then_some(Self::BToA) }
    }
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
    /// Objects that the rule has counted so far, since the device was started, the rule was changed, or its reset hour.
    /// For a rule about a situation: the objects that are part of it now, or for rules about the number of people, the
    /// people in the area now.
    pub count: u32,
    /// People who crossed a counting line with this entry, on the way in.
    pub inwards: u32,
    /// The same on the way out.
    pub outwards: u32,
    /// For one that recovered: the entry with which the rule fired last.
    pub ends: Option<CaptureId>,
    /// The faces of targets that were compared, in the order of the targets; only when it fired and the rule asks for it.
    pub comparisons: Vec<Comparison>,
    /// Its video.
    pub clip: ClipState,
    /// JPEG of the first target with some margin; [`PictureId::not_kept`] while captures are recorded without pictures,
    /// and when it recovered.
    pub crop: PictureId,
    /// JPEG of the whole scene, or as `crop`.
    pub scene: PictureId,
}

/// A face of a target, compared with the libraries of the camera's own watch.
#[derive(Debug, Clone, PartialEq)]
pub struct Comparison {
    /// The target: its place in [`Behaviour::targets`].
    pub target: usize,
    /// Estimated attributes of the face.
    pub attributes: Attributes,
    /// The threshold at that time.
    pub threshold: Similarity,
    /// The most similar person.
    pub best: Candidate,
}

impl Comparison {
    /// The person, if similar enough.
    pub fn accepted(&self) -> Option<&Candidate> {
        Some(&self.best).filter(|best| best.similarity >= self.threshold)
    }
}

/// The video of a behaviour. It shows time after the behaviour, so it is stored later, and a [`Clip`](crate::Clip) in the
/// log says so.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum ClipState {
    /// Not asked for.
    #[default]
    None,
    /// Not stored yet.
    Awaited,
    /// Stored: an MP4 file.
    Stored(PictureId),
    /// Could not be stored, or was lost in a restart.
    Lost,
}

/// A stored [`Behaviour`], with when and where.
#[derive(Debug, Clone, PartialEq)]
pub struct ObjectCapture {
    /// Its place in the log.
    pub seq: Seq,
    /// When it happened.
    pub at: Timestamp,
    /// The camera's channel.
    pub camera: CameraId,
    /// What happened.
    pub behaviour: Behaviour,
}

/// Which of them to list; conditions are combined with AND, the newest comes first.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct BehaviourFilter {
    /// About this class.
    pub object: Option<ObjectClass>,
    /// Of this camera.
    pub camera: Option<CameraId>,
    /// In this time.
    pub captured: Option<RangeInclusive<Timestamp>>,
    /// Of any of these cameras; of every camera when there is none.
    pub cameras: Vec<CameraId>,
    /// Of any of these kinds about these classes; of every one when there is none.
    pub kinds: Vec<(BehaviourKind, ObjectClass)>,
    /// Only rules that fired.
    pub fired_only: bool,
    /// Only with a face that was compared as this says.
    pub compared: Option<ComparedFilter>,
}

/// Which comparison a behaviour must have; one of them has to meet all conditions.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ComparedFilter {
    /// Whether the person was similar enough; `None`: or not.
    pub accepted: Option<bool>,
    /// With this, letter for letter, in the person's name.
    pub name_part: Option<String>,
    /// With this, letter for letter, in the person's document number.
    pub document_number_part: Option<String>,
    /// As similar as this.
    pub similarity: Option<RangeInclusive<Similarity>>,
}

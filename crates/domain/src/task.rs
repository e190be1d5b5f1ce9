//! Tasks: named watches over several cameras, some on the way in and some on the way out.

use std::ops::RangeInclusive;

use crate::{
    CameraId, Candidate, Capture, LibraryId, Match, PersonId, SightingId, Similarity, TaskId, Timestamp, Verdict,
    WatchId, WatchSettings,
};

/// What a task records.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TaskKind {
    /// Every visitor, including strangers.
    Plain,
    /// As plain, and used for roll calls: who was seen on a day and who was not.
    RollCall,
    /// Known people only, once per day and direction.
    SignIn,
}

/// Direction of a camera.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Direction {
    /// At an entry: a person seen here has come in.
    Entry,
    /// At an exit: a person seen here has left.
    Exit,
}

/// A named watch over several cameras.
#[derive(Debug, Clone, PartialEq)]
pub struct Task {
    /// Never reused.
    pub id: TaskId,
    /// Its watch, which does not change.
    pub watch: WatchId,
    /// Settings of the operator.
    pub settings: TaskSettings,
    /// When it was created.
    pub created_at: Timestamp,
}

/// The settings of a task.
#[derive(Debug, Clone, PartialEq)]
pub struct TaskSettings {
    /// Unique on the device, 1..=64 characters.
    pub name: String,
    /// What it records.
    pub kind: TaskKind,
    /// Entry cameras, at least one.
    pub entries: Vec<CameraId>,
    /// Exit cameras.
    pub exits: Vec<CameraId>,
    /// Free text.
    pub remark: String,
    /// Settings of its watch; the task runs while this is enabled.
    pub watch: WatchSettings,
}

impl Task {
    /// Whether it has been started.
    pub fn is_running(&self) -> bool {
        self.settings.watch.enabled
    }

    /// Direction of a camera in this task; a camera that is both counts as an entry camera. `None` for a camera that is
    /// not part of the task.
    pub fn direction(&self, camera: CameraId) -> Option<Direction> {
        let TaskSettings { entries, exits, .. } = &self.settings;
        if entries.contains(&camera) {
            return Some(Direction::Entry);
        }
        exits.contains(&camera).then_some(Direction::Exit)
    }
}

/// The task of a match, as it was at that time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaskMark {
    /// The task.
    pub task: TaskId,
    /// Its name.
    pub name: String,
    /// Direction of the camera.
    pub direction: Direction,
}

/// A record as one task sees it.
#[derive(Debug, Clone, PartialEq)]
pub struct Sighting {
    /// Never reused.
    pub id: SightingId,
    /// The task.
    pub mark: TaskMark,
    /// The capture, which other tasks and the camera's own watch may share.
    pub capture: Capture,
    /// The task's match.
    pub answer: Match,
    /// The verdict of the record.
    pub verdict: Verdict,
}

impl Sighting {
    /// The person recognised by the task; `None` for a spoof.
    pub fn accepted(&self) -> Option<&Candidate> {
        self.answer.accepted().filter(|_| self.verdict != Verdict::Spoof)
    }
}

/// Which sightings to list; conditions are combined with AND, the newest capture comes first. Conditions on a person
/// apply to the recognised one.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct SightingFilter {
    /// Of this task.
    pub task: Option<TaskId>,
    /// Of this camera.
    pub camera: Option<CameraId>,
    /// Captured in this time.
    pub captured: Option<RangeInclusive<Timestamp>>,
    /// Whether a person was recognised.
    pub accepted: Option<bool>,
    /// Lowest similarity of the best candidate, recognised or not.
    pub similarity: Option<Similarity>,
    /// This person.
    pub person: Option<PersonId>,
    /// A person of this library.
    pub library: Option<LibraryId>,
    /// Part of the person's name, as [`names::holds`](crate::names::holds) compares.
    pub name_part: Option<String>,
    /// The person's document number.
    pub document_number: Option<String>,
    /// Direction of the camera.
    pub direction: Option<Direction>,
}

/// The people of a roll call.
#[derive(Debug, Clone, PartialEq)]
pub struct Roll {
    /// The task.
    pub task: TaskId,
    /// Its libraries.
    pub libraries: Vec<LibraryId>,
    /// The period.
    pub captured: RangeInclusive<Timestamp>,
    /// Only people seen in the period (`true`), or only people not seen (`false`).
    pub seen: Option<bool>,
}

/// A person of a roll call.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Attendance {
    /// The person.
    pub person: PersonId,
    /// When the person was seen; `None`: not seen.
    pub seen: Option<Presence>,
}

/// When a person was seen.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Presence {
    /// First sighting.
    pub first: Timestamp,
    /// Last sighting.
    pub last: Timestamp,
    /// Direction of the last sighting: with [`Direction::Entry`] the person is present.
    pub direction: Direction,
}

//! Tasks: named watches over several cameras, some on the way in and some on the way out.

use std::ops::RangeInclusive;

use crate::{
    CameraId, Candidate, Capture, LibraryId, Match, PersonId, SightingId, Similarity, TaskId, Timestamp, Verdict,
    WatchId, WatchSettings,
};

/// What is made of who is seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TaskKind {
    /// Everybody is recorded, strangers too.
    Plain,
    /// As plain; besides it is asked who has been seen on a day, and who has not.
    RollCall,
    /// A person is recorded once a day and direction; strangers are not.
    SignIn,
}

/// Which way a camera looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Direction {
    /// At the way in: who is seen is there.
    Entry,
    /// At the way out: who is seen has left.
    Exit,
}

/// A named watch over several cameras.
#[derive(Debug, Clone, PartialEq)]
pub struct Task {
    /// Never reused.
    pub id: TaskId,
    /// Its watch; its own all its life.
    pub watch: WatchId,
    /// What an operator configures.
    pub settings: TaskSettings,
    /// When it was made.
    pub created_at: Timestamp,
}

/// What an operator configures of a task.
#[derive(Debug, Clone, PartialEq)]
pub struct TaskSettings {
    /// Unique on the device, 1..=64 characters.
    pub name: String,
    /// What is made of who is seen.
    pub kind: TaskKind,
    /// Cameras on the way in, at least one.
    pub entries: Vec<CameraId>,
    /// Cameras on the way out.
    pub exits: Vec<CameraId>,
    /// Free text.
    pub remark: String,
    /// Whom it looks for and when; it runs while this is enabled.
    pub watch: WatchSettings,
}

impl Task {
    /// Whether it has been started.
    pub fn is_running(&self) -> bool {
        self.settings.watch.enabled
    }

    /// Which way a camera looks for this task; a camera on both ways counts as one on the way in. `None`: it takes no
    /// part.
    pub fn direction(&self, camera: CameraId) -> Option<Direction> {
        let TaskSettings { entries, exits, .. } = &self.settings;
        if entries.contains(&camera) {
            return Some(Direction::Entry);
        }
        exits.contains(&camera).then_some(Direction::Exit)
    }
}

/// What of a task a match keeps, as it was at that time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaskMark {
    /// The task.
    pub task: TaskId,
    /// Its name.
    pub name: String,
    /// Which way the camera looks.
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
    /// The task's answer.
    pub answer: Match,
    /// What the rules made of the record.
    pub verdict: Verdict,
}

impl Sighting {
    /// The person recognised by the task; nobody for a spoof.
    pub fn accepted(&self) -> Option<&Candidate> {
        self.answer.accepted().filter(|_| self.verdict != Verdict::Spoof)
    }
}

/// Which sightings to list; conditions are combined with AND, the newest capture comes first. Conditions on a person
/// ask for the one recognised.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct SightingFilter {
    /// Of this task.
    pub task: Option<TaskId>,
    /// Of this camera.
    pub camera: Option<CameraId>,
    /// Captured in this time.
    pub captured: Option<RangeInclusive<Timestamp>>,
    /// Whether somebody was recognised.
    pub accepted: Option<bool>,
    /// The best candidate is at least so similar, recognised or not.
    pub similarity: Option<Similarity>,
    /// This person.
    pub person: Option<PersonId>,
    /// A person of this library.
    pub library: Option<LibraryId>,
    /// Part of the person's name, as [`names::holds`](crate::names::holds) compares.
    pub name_part: Option<String>,
    /// The person's document number.
    pub document_number: Option<String>,
    /// Which way the camera looks.
    pub direction: Option<Direction>,
}

/// Whom a roll call asks for.
#[derive(Debug, Clone, PartialEq)]
pub struct Roll {
    /// The task.
    pub task: TaskId,
    /// Its libraries.
    pub libraries: Vec<LibraryId>,
    /// The time asked about.
    pub captured: RangeInclusive<Timestamp>,
    /// Only those who have been seen in it, or only those who have not.
    pub seen: Option<bool>,
}

/// A person on a roll.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Attendance {
    /// The person.
    pub person: PersonId,
    /// When the person was seen; `None`: not at all.
    pub seen: Option<Presence>,
}

/// When a person was seen.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Presence {
    /// First.
    pub first: Timestamp,
    /// Last.
    pub last: Timestamp,
    /// Which way the camera looked that saw the person last: who was seen on the way in is there.
    pub direction: Direction,
}

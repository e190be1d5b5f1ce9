//! The port to stored tasks and sightings.

use crate::{
    Attendance, Note, Page, Result, Roll, Seq, Sighting, SightingFilter, SightingId, Task, TaskId, TaskSettings,
    Timestamp, Window,
};

/// Tasks and their sightings, durable. A sighting is created and removed with its record.
pub trait TaskStore: Send + Sync {
    /// Tasks in ascending order of id.
    fn tasks(&self) -> Result<Vec<Task>>;

    /// Creates a task. `AlreadyExists(Task)` when the name is in use, `NotFound(Camera)`, `NotFound(Library)`.
    fn insert_task(&self, task: &TaskSettings, note: Option<&Note>, at: Timestamp) -> Result<Task>;

    /// Changes a task. `NotFound(Task)`, and as [`insert_task`](Self::insert_task).
    fn update_task(&self, id: TaskId, task: &TaskSettings, note: Option<&Note>) -> Result<Task>;

    /// Removes a task; its sightings stay. `NotFound(Task)`.
    fn remove_task(&self, id: TaskId) -> Result<()>;

    /// A page of sightings, newest capture first.
    fn sightings(&self, filter: &SightingFilter, window: Window) -> Result<Page<Sighting>>;

    /// The place of a sighting's record in the log. `NotFound(Record)`.
    fn record_of_sighting(&self, id: SightingId) -> Result<Seq>;

    /// A page of the people on a roll, in ascending order of id.
    fn attendance(&self, roll: &Roll, window: Window) -> Result<Page<Attendance>>;
}

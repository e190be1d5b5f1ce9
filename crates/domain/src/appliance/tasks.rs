//! Tasks and their sightings.

use std::collections::HashMap;
use std::sync::{MutexGuard, PoisonError};

use jiff::civil::Date;

use super::{Acts, Appliance};
use crate::{
    Act, Actor, Error, Note, Page, Person, PersonId, Presence, Removal, Result, Roll, Sighting, SightingFilter,
    SightingId, Task, TaskId, TaskSettings, Thing, Timestamp, Window,
};

/// A person of a task's libraries, and when the task saw the person on a day.
#[derive(Debug, Clone, PartialEq)]
pub struct RollEntry {
    /// The person.
    pub person: Person,
    /// `None`: not seen.
    pub seen: Option<Presence>,
}

impl Appliance {
    /// Tasks in ascending order of id.
    pub async fn tasks(&self) -> Result<Vec<Task>> {
        self.blocking(|a| a.ports().tasks.tasks()).await
    }

    /// One task. `NotFound(Task)`.
    pub async fn task(&self, id: TaskId) -> Result<Task> {
        self.blocking(move |a| a.find_task(id)).await
    }

    fn switch_task(&self, actor: &Actor, mut task: Task, on: bool) -> Result<()> {
        task.settings.watch.enabled = on;
        self.ports().tasks.update_task(task.id, &task.settings, None)?;
        self.audit(actor, if on { Act::TASK_START } else { Act::TASK_STOP }, &task.id);
        self.core.surveillance.note_change();
        Ok(())
    }

    fn find_task(&self, id: TaskId) -> Result<Task> {
        let found = self.ports().tasks.tasks()?.into_iter().find(|task| task.id == id);
        found.ok_or(Error::NotFound { what: Thing::Task })
    }

    fn stopped_task(&self, id: TaskId) -> Result<Task> {
        let task = self.find_task(id)?;
        if task.is_running() { Err(Error::InUse { by: Thing::Task }) } else { Ok(task) }
    }

    /// A page of sightings, newest capture first.
    pub async fn sightings(&self, filter: SightingFilter, window: Window) -> Result<Page<Sighting>> {
        self.blocking(move |a| a.ports().tasks.sightings(&filter, window)).await
    }

    /// The people of a task's libraries, with when the task saw them on a day (local time): a page, in ascending order
    /// of id. `seen` restricts it to those seen or not seen. `NotFound(Task)`.
    pub async fn roll_call(
        &self,
        task: TaskId,
        day: Date,
        seen: Option<bool>,
        window: Window,
    ) -> Result<Page<RollEntry>> {
        self.blocking(move |a| {
            let libraries = a.find_task(task)?.settings.watch.libraries.into_iter().collect();
            let captured = Timestamp::day_in(day, &a.time_zone());
            let page = a.ports().tasks.attendance(&Roll { task, libraries, captured, seen }, window)?;
            let ids: Vec<PersonId> = page.rows.iter().map(|row| row.person).collect();
            let people = a.ports().people.people_by_id(&ids)?;
            let mut by_id: HashMap<_, _> = people.into_iter().map(|person| (person.id, person)).collect();
            // A person removed since the roll was read is left out.
            let entry =
                |row: &crate::Attendance| Some(RollEntry { person: by_id.remove(&row.person)?, seen: row.seen });
            Ok(Page { rows: page.rows.iter().filter_map(entry).collect(), total: page.total })
        })
        .await
    }

    /// Held from the check whether a task runs until it is changed.
    fn task_order(&self) -> MutexGuard<'_, ()> {
        self.core.task_order.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Acts<'_> {
    /// Creates a task, stopped. `AlreadyExists(Task)`, `NotFound(Camera)`, `NotFound(Library)`, `LimitReached(Task)`,
    /// `Invalid`.
    pub async fn add_task(self, settings: TaskSettings, note: Option<Note>) -> Result<Task> {
        let actor = self.permit(Act::TASK_ADD)?;
        check(&settings)?;
        self.blocking(move |a| {
            let _order = a.task_order();
            if a.ports().tasks.tasks()?.len() as u64 >= a.options().limits.tasks {
                return Err(Error::LimitReached { what: Thing::Task });
            }
            let added = a.ports().tasks.insert_task(&stopped(settings), note.as_ref(), a.now())?;
            a.audit(&actor, Act::TASK_ADD, &added.id);
            Ok(added)
        })
        .await
    }

    /// Changes a task that is stopped: `change` receives its settings and returns the new ones. `NotFound(Task)`,
    /// `InUse(Task)` while it runs, and as [`add_task`](Self::add_task).
    pub async fn update_task(
        self,
        id: TaskId,
        note: Option<Note>,
        change: impl FnOnce(TaskSettings) -> TaskSettings + Send + 'static,
    ) -> Result<Task> {
        let actor = self.permit(Act::TASK_UPDATE)?;
        self.blocking(move |a| {
            let _order = a.task_order();
            let settings = change(a.stopped_task(id)?.settings);
            check(&settings)?;
            let changed = a.ports().tasks.update_task(id, &stopped(settings), note.as_ref())?;
            a.audit(&actor, Act::TASK_UPDATE, &id);
            Ok(changed)
        })
        .await
    }

    /// Removes a task that is stopped; its records stay. `NotFound(Task)`, `InUse(Task)` while it runs.
    pub async fn remove_task(self, id: TaskId) -> Result<()> {
        let actor = self.permit(Act::TASK_REMOVE)?;
        self.blocking(move |a| {
            let _order = a.task_order();
            a.stopped_task(id)?;
            a.ports().tasks.remove_task(id)?;
            a.audit(&actor, Act::TASK_REMOVE, &id);
            Ok(())
        })
        .await
    }

    /// Starts a task; it keeps running over a restart. `NotFound(Task)`, `InUse(Task)` when it runs already.
    pub async fn start_task(self, id: TaskId) -> Result<()> {
        let actor = self.permit(Act::TASK_START)?;
        self.blocking(move |a| {
            let _order = a.task_order();
            let task = a.stopped_task(id)?;
            a.switch_task(&actor, task, true)
        })
        .await
    }

    /// Stops a task; no effect on one that is stopped. `NotFound(Task)`.
    pub async fn stop_task(self, id: TaskId) -> Result<()> {
        let actor = self.permit(Act::TASK_STOP)?;
        self.blocking(move |a| {
            let _order = a.task_order();
            let task = a.find_task(id)?;
            if task.is_running() { a.switch_task(&actor, task, false) } else { Ok(()) }
        })
        .await
    }

    /// Removes the record of a sighting with its pictures, for every task and adapter. `NotFound(Record)`.
    pub async fn remove_sighting(self, id: SightingId) -> Result<()> {
        let actor = self.permit(Act::RECORD_REMOVE)?;
        self.blocking(move |a| {
            let seq = a.ports().tasks.record_of_sighting(id)?;
            if a.ports().log.remove_entries(Removal::One(seq), 1)? == 0 {
                return Err(Error::NotFound { what: Thing::Record });
            }
            a.audit(&actor, Act::RECORD_REMOVE, &seq);
            Ok(())
        })
        .await
    }
}

fn stopped(mut settings: TaskSettings) -> TaskSettings {
    settings.watch.enabled = false;
    settings
}

fn check(settings: &TaskSettings) -> Result<()> {
    if !(1..=64).contains(&settings.name.chars().count()) {
        return Err(Error::invalid("task name", "not 1 to 64 characters"));
    }
    if settings.entries.is_empty() {
        return Err(Error::invalid("task cameras", "at least one is needed on the way in"));
    }
    Ok(())
}

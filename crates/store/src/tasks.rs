//! Tasks: `TaskStore`.

use std::collections::HashMap;

use domain::ports::TaskStore;
use domain::{
    Attendance, CameraId, Direction, Error, Note, Page, Result, Roll, Seq, Sighting, SightingFilter, SightingId, Task,
    TaskId, TaskSettings, Thing, Timestamp, WatchId, Window,
};
use rusqlite::{Connection, params};

use crate::columns::{self, Columns, Reader, text, time, word};
use crate::error::Fault;
use crate::words::Word;
use crate::{Store, log, notes, watches};

impl TaskStore for Store {
    fn tasks(&self) -> Result<Vec<Task>> {
        self.database.read("reading tasks", |db| tasks(db))
    }

    fn insert_task(&self, task: &TaskSettings, note: Option<&Note>, at: Timestamp) -> Result<Task> {
        self.database.write("adding a task", |db| {
            let added = insert(db, task, at)?;
            notes::keep(db, added.id, note)?;
            Ok(added)
        })
    }

    fn update_task(&self, id: TaskId, task: &TaskSettings, note: Option<&Note>) -> Result<Task> {
        self.database.write("changing a task", |db| {
            let changed = update(db, id, task)?;
            notes::keep(db, id, note)?;
            Ok(changed)
        })
    }

    fn remove_task(&self, id: TaskId) -> Result<()> {
        self.database.write("removing a task", |db| {
            let watch = task(db, id)?.watch;
            db.prepare_cached("DELETE FROM task WHERE id = ?")?.execute([id.0])?;
            watches::remove(db, watch)
        })
    }

    fn sightings(&self, filter: &SightingFilter, window: Window) -> Result<Page<Sighting>> {
        self.database.read("reading a page of sightings", |db| log::sightings(db, filter, window))
    }

    fn record_of_sighting(&self, id: SightingId) -> Result<Seq> {
        self.database.read("reading a sighting", |db| log::record_of(db, id))
    }

    fn attendance(&self, roll: &Roll, window: Window) -> Result<Page<Attendance>> {
        self.database.read("reading a roll call", |db| log::attendance(db, roll, window))
    }
}

fn tasks(db: &Connection) -> Result<Vec<Task>, Fault> {
    let mut lists = watches::Lists::read(db)?;
    let mut cameras = cameras(db)?;
    let mut statement = db.prepare_cached(
        "SELECT task.id, created_at, name, kind, remark, watch.id, threshold, rearm_ms, enabled, unclear
         FROM task JOIN watch ON watch.id = task.watch ORDER BY task.id",
    )?;
    let mut tasks =
        statement.query_and_then([], |row| read(&mut Reader::new(row)))?.collect::<Result<Vec<Task>, Fault>>()?;
    for task in &mut tasks {
        lists.fill(task.watch, &mut task.settings.watch);
        let mut of = |direction: Direction| cameras.remove(&(task.id.0, direction.word())).unwrap_or_default();
        (task.settings.entries, task.settings.exits) = (of(Direction::Entry), of(Direction::Exit));
    }
    Ok(tasks)
}

fn read(row: &mut Reader<'_>) -> Result<Task, Fault> {
    let (id, created_at) = (TaskId(row.take()?), row.time()?);
    let (name, kind, remark) = (row.take()?, row.word()?, row.take()?);
    let watch = watches::read(row)?;
    let (entries, exits) = (Vec::new(), Vec::new());
    let settings = TaskSettings { name, kind, entries, exits, remark, watch: watch.settings };
    Ok(Task { id, watch: watch.id, settings, created_at })
}

/// The cameras of all tasks, by task and direction.
fn cameras(db: &Connection) -> Result<HashMap<(i64, &'static str), Vec<CameraId>>, Fault> {
    let mut statement =
        db.prepare_cached("SELECT task, direction, camera FROM task_camera ORDER BY task, direction, position")?;
    let mut rows = statement.query([])?;
    let mut cameras: HashMap<_, Vec<CameraId>> = HashMap::new();
    while let Some(row) = rows.next()? {
        let mut row = Reader::new(row);
        let (task, direction) = (row.take()?, row.word::<Direction>()?);
        cameras.entry((task, direction.word())).or_default().push(CameraId(row.take()?));
    }
    Ok(cameras)
}

fn task(db: &Connection, id: TaskId) -> Result<Task, Fault> {
    let found = tasks(db)?.into_iter().find(|task| task.id == id);
    found.ok_or(Fault::Refused(Error::NotFound { what: Thing::Task }))
}

fn insert(db: &Connection, new: &TaskSettings, at: Timestamp) -> Result<Task, Fault> {
    require_free_name(db, &new.name, None)?;
    let WatchId(watch) = watches::insert(db, Columns::new(), &new.watch)?;
    let mut columns = vec![("watch", watch.into()), ("created_at", time(at))];
    columns.extend(task_columns(new));
    let id = TaskId(columns::insert(db, "task", columns)?);
    insert_cameras(db, id, new)?;
    task(db, id)
}

fn update(db: &Connection, id: TaskId, settings: &TaskSettings) -> Result<Task, Fault> {
    let before = task(db, id)?;
    require_free_name(db, &settings.name, Some(id))?;
    watches::update(db, before.watch, &settings.watch)?;
    columns::update(db, "task", id.0, task_columns(settings))?;
    db.prepare_cached("DELETE FROM task_camera WHERE task = ?")?.execute([id.0])?;
    insert_cameras(db, id, settings)?;
    task(db, id)
}

fn task_columns(settings: &TaskSettings) -> Columns {
    vec![("name", text(&settings.name)), ("kind", word(&settings.kind)), ("remark", text(&settings.remark))]
}

fn insert_cameras(db: &Connection, id: TaskId, settings: &TaskSettings) -> Result<(), Fault> {
    let mut known = db.prepare_cached("SELECT 1 FROM camera WHERE id = ?")?;
    let mut insert =
        db.prepare_cached("INSERT INTO task_camera (task, direction, position, camera) VALUES (?, ?, ?, ?)")?;
    for (direction, cameras) in [(Direction::Entry, &settings.entries), (Direction::Exit, &settings.exits)] {
        for (position, camera) in (0..).zip(cameras) {
            if !known.exists([camera.0])? {
                return Err(Error::NotFound { what: Thing::Camera }.into());
            }
            insert.execute(params![id.0, word(&direction), position, camera.0])?;
        }
    }
    Ok(())
}

/// `AlreadyExists(Task)` when a task other than `but` has the name.
fn require_free_name(db: &Connection, name: &str, but: Option<TaskId>) -> Result<(), Fault> {
    let mut statement = db.prepare_cached("SELECT 1 FROM task WHERE name = ? AND id IS NOT ?")?;
    let taken = statement.exists(params![name, but.map(|id| id.0)])?;
    if taken { Err(Error::AlreadyExists { what: Thing::Task }.into()) } else { Ok(()) }
}

//! Watches of cameras and tasks.

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use domain::{DayWindow, LibraryId, Similarity, Watch, WatchId, WatchSettings, WeeklyPlan};
use jiff::civil::Weekday;
use rusqlite::{Connection, params};

use crate::columns::{self, Columns, Reader, real, whole, word};
use crate::error::Fault;
use crate::libraries;

/// Inserts a watch with its lists. `owner`: further columns of the row.
pub(crate) fn insert(db: &Connection, mut owner: Columns, settings: &WatchSettings) -> Result<WatchId, Fault> {
    owner.extend(watch_columns(settings));
    let id = WatchId(columns::insert(db, "watch", owner)?);
    insert_lists(db, id, settings)?;
    Ok(id)
}

/// Replaces all settings of a watch.
pub(crate) fn update(db: &Connection, id: WatchId, settings: &WatchSettings) -> Result<(), Fault> {
    columns::update(db, "watch", id.0, watch_columns(settings))?;
    db.prepare_cached("DELETE FROM watch_library WHERE watch = ?")?.execute([id.0])?;
    db.prepare_cached("DELETE FROM watch_window WHERE watch = ?")?.execute([id.0])?;
    insert_lists(db, id, settings)
}

/// Removes a watch.
pub(crate) fn remove(db: &Connection, id: WatchId) -> Result<(), Fault> {
    db.prepare_cached("DELETE FROM watch WHERE id = ?")?.execute([id.0])?;
    Ok(())
}

fn watch_columns(settings: &WatchSettings) -> Columns {
    vec![
        ("threshold", real(settings.threshold.value())),
        ("rearm_ms", whole(settings.rearm.as_millis())),
        ("enabled", settings.enabled.into()),
        ("unclear", word(&settings.unclear)),
    ]
}

fn insert_lists(db: &Connection, watch: WatchId, settings: &WatchSettings) -> Result<(), Fault> {
    let ids: Vec<LibraryId> = settings.libraries.iter().copied().collect();
    libraries::require_all(db, &ids)?;
    let mut library = db.prepare_cached("INSERT INTO watch_library (watch, library) VALUES (?, ?)")?;
    for id in ids {
        library.execute([watch.0, id.0])?;
    }
    let mut window = db
        .prepare_cached("INSERT INTO watch_window (watch, position, day, from_time, to_time) VALUES (?, ?, ?, ?, ?)")?;
    for (position, DayWindow { day, from, to }) in (0..).zip(settings.plan.windows()) {
        let row = params![watch.0, position, day.to_monday_one_offset(), from.to_string(), to.to_string()];
        window.execute(row)?;
    }
    Ok(())
}

/// The lists of all watches.
pub(crate) struct Lists {
    libraries: HashMap<i64, BTreeSet<LibraryId>>,
    windows: HashMap<i64, Vec<DayWindow>>,
}

impl Lists {
    pub(crate) fn read(db: &Connection) -> Result<Self, Fault> {
        Ok(Self { libraries: watch_libraries(db)?, windows: watch_windows(db)? })
    }

    /// Fills in the lists of a watch.
    pub(crate) fn fill(&mut self, watch: WatchId, settings: &mut WatchSettings) {
        settings.libraries = self.libraries.remove(&watch.0).unwrap_or_default();
        settings.plan = WeeklyPlan::within(self.windows.remove(&watch.0).unwrap_or_default());
    }
}

fn watch_libraries(db: &Connection) -> rusqlite::Result<HashMap<i64, BTreeSet<LibraryId>>> {
    let mut statement = db.prepare_cached("SELECT watch, library FROM watch_library")?;
    let mut rows = statement.query([])?;
    let mut libraries: HashMap<i64, BTreeSet<LibraryId>> = HashMap::new();
    while let Some(row) = rows.next()? {
        libraries.entry(row.get(0)?).or_default().insert(LibraryId(row.get(1)?));
    }
    Ok(libraries)
}

fn watch_windows(db: &Connection) -> Result<HashMap<i64, Vec<DayWindow>>, Fault> {
    let mut statement =
        db.prepare_cached("SELECT watch, day, from_time, to_time FROM watch_window ORDER BY watch, position")?;
    let mut rows = statement.query([])?;
    let mut windows: HashMap<i64, Vec<DayWindow>> = HashMap::new();
    while let Some(row) = rows.next()? {
        let mut row = Reader::new(row);
        windows.entry(row.take()?).or_default().push(read_window(&mut row)?);
    }
    Ok(windows)
}

fn read_window(row: &mut Reader<'_>) -> Result<DayWindow, Fault> {
    let day = Weekday::from_monday_one_offset(row.take()?).map_err(|_| Fault::Corrupt("day of the week"))?;
    Ok(DayWindow { day, from: row.parse("time of day")?, to: row.parse("time of day")? })
}

/// Five columns: id, threshold, rearm_ms, enabled, unclear. [`Lists::fill`] adds the lists.
pub(crate) fn read(row: &mut Reader<'_>) -> Result<Watch, Fault> {
    let id = WatchId(row.take()?);
    let settings = WatchSettings {
        libraries: BTreeSet::new(),
        threshold: Similarity::new(row.take()?),
        rearm: Duration::from_millis(row.take::<i64>()?.unsigned_abs()),
        plan: WeeklyPlan::always(),
        enabled: row.take()?,
        unclear: row.word()?,
    };
    Ok(Watch { id, settings })
}

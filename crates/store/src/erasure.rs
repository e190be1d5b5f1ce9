//! Erasure of people who were removed: from the log, the write-ahead log and the backups.
//!
//! The transaction that removes a person notes it in the table `erasure`. What the log says about the person is erased
//! in steps that follow, so that other writers wait only briefly; the records stay. Pages of the database are
//! overwritten (`secure_delete`), but the write-ahead log keeps their former content until a checkpoint truncates it.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use domain::{Error, PictureId, Result};
use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension, ToSql, params};

use crate::columns::picture;
use crate::error::Fault;
use crate::lists::json;
use crate::{Store, migrate, repair};

/// Number of rows of a person and table erased at a time.
const STEP: i64 = 500;
/// A transaction ends with at least this many rows,
const ROWS: usize = 500;
/// or after this many looks at a person.
const PEOPLE: usize = 1000;
/// Maximum wait for readers that keep the write-ahead log in use.
const PATIENCE: Duration = Duration::from_secs(20);
/// What is unavailable when the wait ended without success.
const WHAT: &str = "the erasure of what was removed";

/// Counts removals and how far they have been erased, so that concurrent removals share one erasure.
#[derive(Default)]
pub(crate) struct Erasures {
    pub(crate) removals: AtomicU64,
    erased: Mutex<u64>,
}

impl Erasures {
    /// Notes a committed removal.
    pub(crate) fn note_removal(&self) {
        self.removals.fetch_add(1, Ordering::SeqCst);
    }
}

impl Store {
    /// Erases what any file still says about people removed so far.
    pub(crate) fn erase_removed_people(&self) -> Result<()> {
        let wanted = self.erasures.removals.load(Ordering::SeqCst);
        let mut erased = self.erasures.erased.lock().unwrap_or_else(PoisonError::into_inner);
        if *erased >= wanted {
            return Ok(());
        }
        // Later removals up to here are erased along.
        let reached = self.erasures.removals.load(Ordering::SeqCst);
        let people = self.database.read("finding removed people", |db| Ok(all(db)?))?;
        let copied = self.erase_from_copies(&people);
        copied.map_err(|error| Fault::from(error).while_doing("erasing removed people from copies"))?;
        let damaged = repair::remove_damaged(&self.dir);
        damaged.map_err(|error| Fault::from(error).while_doing("removing damaged databases"))?;
        self.erase_from_log()?;
        let removed = migrate::remove_backups(&self.dir, Duration::ZERO);
        removed.map_err(|error| Fault::from(error).while_doing("removing backups"))?;
        self.truncate_write_ahead_log()?;
        *erased = reached;
        Ok(())
    }

    /// Goes on with an erasure that a crash or an error interrupted.
    pub(crate) fn resume_erasure(&self) -> Result<()> {
        if self.database.read("finding interrupted erasures", |db| Ok(first(db)?))?.is_some() {
            self.erasures.note_removal();
            self.erase_removed_people()?;
        }
        Ok(())
    }

    fn erase_from_log(&self) -> Result<()> {
        loop {
            let alone = self.ladders.change();
            let done = self.database.write("erasing removed people from the log", |db| erase_some(db))?;
            self.ladders.forget_people();
            self.database.forget_candidates();
            drop(alone);
            if done {
                return Ok(());
            }
        }
    }

    fn truncate_write_ahead_log(&self) -> Result<()> {
        let deadline = Instant::now() + PATIENCE;
        while !self.database.writer().truncate_log()? {
            if Instant::now() >= deadline {
                tracing::error!("failed to truncate the write-ahead log, readers keep it in use");
                return Err(Error::Unavailable { what: WHAT });
            }
            // The checkpoint itself has waited for the readers.
        }
        Ok(())
    }
}

/// Erases some rows of some people; returns whether nobody is left.
fn erase_some(db: &Connection) -> Result<bool, Fault> {
    let mut rows = 0;
    for _ in 0..PEOPLE {
        let Some(person) = first(db)? else { return Ok(true) };
        match step(db, person)? {
            0 => drop(db.prepare_cached("DELETE FROM erasure WHERE person = ?")?.execute([person])?),
            erased => rows += erased,
        }
        if rows >= ROWS {
            break;
        }
    }
    Ok(false)
}

fn first(db: &Connection) -> rusqlite::Result<Option<i64>> {
    db.prepare_cached("SELECT person FROM erasure LIMIT 1")?.query_row([], |row| row.get(0)).optional()
}

fn all(db: &Connection) -> rusqlite::Result<Vec<i64>> {
    db.prepare_cached("SELECT person FROM erasure")?.query_map([], |row| row.get(0))?.collect()
}

/// Erases a person who was removed from all entries.
pub(crate) fn erase_all_of(db: &Connection, person: i64) -> Result<(), Fault> {
    while step(db, person)? > 0 {}
    Ok(())
}

/// Erases a person from some entries of each kind; returns how many there were.
fn step(db: &Connection, person: i64) -> Result<usize, Fault> {
    let mut count = erase_records(db, person, &some(db, "record_match", "record", person)?)?;
    let behaviours = some(db, "behaviour_match", "behaviour", person)?;
    count += behaviours.len();
    erase_candidates(db, ("behaviour_match", "behaviour"), person, json(behaviours))?;
    for table in ["opening", "correction"] {
        let entries = some(db, table, "entry", person)?;
        count += entries.len();
        let erase = format!(
            "UPDATE {table} SET person = 0, sealed = NULL
             WHERE entry IN (SELECT value FROM json_each(?)) AND person = ?"
        );
        db.prepare_cached(&erase)?.execute(params![json(entries), person])?;
    }
    if count == 0 {
        // No entry refers to them any more.
        db.prepare_cached("DELETE FROM candidate WHERE person = ?")?.execute([person])?;
    }
    Ok(count)
}

fn some(db: &Connection, table: &str, key: &str, person: i64) -> rusqlite::Result<Vec<i64>> {
    let select =
        format!("SELECT {key} FROM {table} INDEXED BY {table}_by_person WHERE person = ? AND person > 0 LIMIT ?");
    db.prepare_cached(&select)?.query_map([person, STEP], |row| row.get(0))?.collect()
}

/// Verdict, similarity, library and time of the records stay.
fn erase_records(db: &Connection, person: i64, records: &[i64]) -> Result<usize, Fault> {
    let (listed, person) = (Value::from(json(records.iter().copied())), Value::from(person));
    db.prepare_cached(
        "UPDATE record SET best_person = 0 WHERE seq IN (SELECT value FROM json_each(?)) AND best_person = ?",
    )?
    .execute(params![listed, person])?;
    db.prepare_cached(
        "UPDATE sighting SET person = 0, candidate = NULL, document_key = NULL
         WHERE record IN (SELECT value FROM json_each(?)) AND person = ?",
    )?
    .execute(params![listed, person])?;
    erase_candidates(db, ("record_match", "record"), person, listed)?;
    Ok(records.len())
}

/// Erases a person from the candidates of entries, which `key` refers to. `listed`: the entries, as JSON.
fn erase_candidates(
    db: &Connection,
    (table, key): (&str, &str),
    person: impl ToSql,
    listed: impl ToSql,
) -> Result<(), Fault> {
    let erase = format!(
        "UPDATE {table} SET person = 0, candidate = NULL, gender = NULL, age = NULL, photo = ?3, enrolled_at = 0
         WHERE {key} IN (SELECT value FROM json_each(?1)) AND person = ?2"
    );
    db.prepare_cached(&erase)?.execute(params![listed, person, picture(&PictureId::not_kept())])?;
    Ok(())
}

/// Erases people who were removed before this entry about them was appended.
pub(crate) fn erase_late(db: &Connection, seq: i64) -> Result<(), Fault> {
    let mut statement = db.prepare_cached(
        "SELECT person FROM (
             SELECT person FROM record_match WHERE record = ?1 UNION SELECT person FROM opening WHERE entry = ?1
             UNION SELECT person FROM correction WHERE entry = ?1
             UNION SELECT person FROM behaviour_match WHERE behaviour = ?1)
         WHERE person > 0 AND person <= (SELECT seq FROM sqlite_sequence WHERE name = 'person')
             AND person NOT IN (SELECT id FROM person)",
    )?;
    let gone = statement.query_map([seq], |row| row.get(0))?.collect::<rusqlite::Result<Vec<i64>>>()?;
    gone.into_iter().try_for_each(|person| erase_all_of(db, person))
}

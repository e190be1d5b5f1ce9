//! The way of a database from the version it was written by to this one: forward only, one transaction per step.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::time::Duration;

use rusqlite::backup::Backup;
use rusqlite::{Connection, TransactionBehavior};

use crate::OpenError;
use crate::connection::FILE;

/// "PFce": tells our databases from others.
const APPLICATION_ID: i32 = 0x5046_6365;

/// Step number n leads from version n-1 to version n.
pub(crate) const STEPS: &[&str] = &[include_str!("../../../migrations/0001_initial.sql")];

/// Refuses a database that another program made.
pub(crate) fn identify(connection: &Connection) -> Result<(), OpenError> {
    let doing = OpenError::database("identifying the database");
    let ours = is_ours(connection).map_err(doing)?;
    if ours { Ok(()) } else { Err(OpenError::Foreign) }
}

fn is_ours(connection: &Connection) -> rusqlite::Result<bool> {
    let id: i32 = connection.pragma_query_value(None, "application_id", |row| row.get(0))?;
    let tables: i64 = connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    Ok(id == APPLICATION_ID || (id == 0 && tables == 0))
}

/// Brings the database in `dir` to the version after the last of `steps`; a database that holds something is
/// copied to `polyface.db.before-N` first, N being that version.
pub(crate) fn migrate(connection: &mut Connection, dir: &Path, steps: &[&str]) -> Result<(), OpenError> {
    let known = steps.len() as u32;
    let found = version(connection).map_err(OpenError::database("reading the database version"))?;
    if found > known {
        return Err(OpenError::Newer { found, known });
    }
    if found > 0 && found < known {
        back_up(connection, dir, known)?;
    }
    for (version, step) in (1..).zip(steps).skip(found as usize) {
        apply(connection, version, step).map_err(|source| OpenError::Migration { version, source })?;
        tracing::info!(store.version = version, "database migrated");
    }
    Ok(())
}

fn version(connection: &Connection) -> rusqlite::Result<u32> {
    connection.pragma_query_value(None, "user_version", |row| row.get(0))
}

fn apply(connection: &mut Connection, version: u32, step: &str) -> rusqlite::Result<()> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    transaction.execute_batch(step)?;
    transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
    transaction.pragma_update(None, "user_version", version)?;
    transaction.commit()
}

fn back_up(connection: &Connection, dir: &Path, version: u32) -> Result<(), OpenError> {
    let name = format!("{FILE}.before-{version}");
    let part = dir.join(format!("{FILE}.part"));
    let doing = "copying the database before its migration";
    start_copy(&part).map_err(OpenError::file(doing))?;
    copy(connection, &part).map_err(OpenError::database(doing))?;
    finish_copy(dir, &part, &name).map_err(OpenError::file(doing))?;
    tracing::info!(store.backup = name, "database copied before its migration");
    Ok(())
}

/// An empty file only this user may read, in place of what an interrupted copy left.
fn start_copy(part: &Path) -> io::Result<()> {
    remove_if_there(part)?;
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(part).map(drop)
}

fn copy(from: &Connection, part: &Path) -> rusqlite::Result<()> {
    let mut to = Connection::open(part)?;
    Backup::new(from, &mut to)?.run_to_completion(1024, Duration::ZERO, None)
}

/// Makes the copy durable under its name, then removes older ones.
fn finish_copy(dir: &Path, part: &Path, name: &str) -> io::Result<()> {
    File::open(part)?.sync_all()?;
    fs::rename(part, dir.join(name))?;
    File::open(dir)?.sync_all()?;
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        let is_older = entry.file_name().to_str().is_some_and(|n| n != name && n.starts_with("polyface.db.before-"));
        if is_older {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

fn remove_if_there(file: &Path) -> io::Result<()> {
    match fs::remove_file(file) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        done => done,
    }
}

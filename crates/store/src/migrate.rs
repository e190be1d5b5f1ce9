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

/// How the names of copies from before a migration begin.
const BACKUP: &str = "polyface.db.before-";

/// Step number n leads from version n-1 to version n.
pub(crate) const STEPS: &[&str] = &[
    include_str!("../../../migrations/0001_initial.sql"),
    include_str!("../../../migrations/0002_templates_by_model.sql"),
    include_str!("../../../migrations/0003_gallery_generation.sql"),
    include_str!("../../../migrations/0004_permission_groups_in_the_gallery.sql"),
    include_str!("../../../migrations/0005_capture_kinds.sql"),
    include_str!("../../../migrations/0006_relays.sql"),
    include_str!("../../../migrations/0007_annotations.sql"),
    include_str!("../../../migrations/0008_tasks.sql"),
    include_str!("../../../migrations/0009_jobs.sql"),
];

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
    let (found, known) = versions(connection, steps)?;
    if found > 0 && found < known {
        back_up(connection, dir, known)?;
    }
    for (version, step) in (1..).zip(steps).skip(found as usize) {
        apply(connection, version, step).map_err(|source| OpenError::Migration { version, source })?;
        tracing::info!(store.version = version, "database migrated");
    }
    Ok(())
}

/// Refuses a database that is not of the version after the last of `steps`.
pub(crate) fn require_current(connection: &Connection, steps: &[&str]) -> Result<(), OpenError> {
    let (found, known) = versions(connection, steps)?;
    if found < known { Err(OpenError::Older { found, known }) } else { Ok(()) }
}

/// The database's version, and the newest known one, which is not below it.
fn versions(connection: &Connection, steps: &[&str]) -> Result<(u32, u32), OpenError> {
    let known = steps.len() as u32;
    let found = version(connection).map_err(OpenError::database("reading the database version"))?;
    if found > known { Err(OpenError::Newer { found, known }) } else { Ok((found, known)) }
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
        let is_older = entry.file_name().to_str().is_some_and(|n| n != name && n.starts_with(BACKUP));
        if is_older {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

/// Removes copies from before a migration that are older than `keep`.
pub(crate) fn remove_backups(dir: &Path, keep: Duration) -> io::Result<()> {
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        let is_backup = entry.file_name().to_str().is_some_and(|name| name.starts_with(BACKUP));
        // A clock that was set back makes no file old.
        if is_backup && entry.metadata()?.modified()?.elapsed().is_ok_and(|age| age >= keep) {
            remove_if_there(&entry.path())?;
            tracing::info!("the copy from before the last migration was removed");
        }
    }
    Ok(())
}

pub(crate) fn remove_if_there(file: &Path) -> io::Result<()> {
    match fs::remove_file(file) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        done => done,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STEP_TWO: &str = "CREATE TABLE two (id INTEGER PRIMARY KEY) STRICT;";
    const STEP_THREE: &str = "ALTER TABLE two ADD COLUMN name TEXT;";

    fn open(dir: &Path) -> Connection {
        Connection::open(dir.join(FILE)).unwrap()
    }

    /// Everything in the schema, in words that do not depend on how it came about.
    fn schema(connection: &Connection) -> Vec<(String, String)> {
        let sql = "SELECT name, coalesce(sql, '') FROM sqlite_schema ORDER BY name";
        let mut statement = connection.prepare(sql).unwrap();
        statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap().collect::<Result<_, _>>().unwrap()
    }

    fn backups(dir: &Path) -> Vec<String> {
        let names = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
        names.filter(|name| name.contains(".before-") || name.ends_with(".part")).collect()
    }

    /// Checks the way from every version that `steps` lead through to the last.
    fn check_every_way(steps: &[&str]) {
        let fresh = tempfile::tempdir().unwrap();
        let mut expected = open(fresh.path());
        migrate(&mut expected, fresh.path(), steps).unwrap();
        assert!(backups(fresh.path()).is_empty(), "nothing to copy");
        for from in 1..steps.len() {
            let dir = tempfile::tempdir().unwrap();
            let mut connection = open(dir.path());
            migrate(&mut connection, dir.path(), &steps[..from]).unwrap();
            let before = schema(&connection);
            migrate(&mut connection, dir.path(), steps).unwrap();
            assert_eq!(schema(&connection), schema(&expected), "from version {from}");
            assert_eq!(version(&connection).unwrap() as usize, steps.len());
            let backup = format!("{FILE}.before-{}", steps.len());
            assert_eq!(backups(dir.path()), [backup.as_str()]);
            let backup = Connection::open(dir.path().join(backup)).unwrap();
            assert_eq!((version(&backup).unwrap() as usize, schema(&backup)), (from, before));
        }
    }

    #[test]
    fn every_version_becomes_the_current_one_after_a_backup() {
        check_every_way(STEPS);
        check_every_way(&[STEPS, &[STEP_TWO, STEP_THREE]].concat());
    }

    #[test]
    fn the_last_backup_replaces_the_one_before() {
        let dir = tempfile::tempdir().unwrap();
        let mut connection = open(dir.path());
        for known in 1..=3 {
            migrate(&mut connection, dir.path(), &["CREATE TABLE one (id)", STEP_TWO, STEP_THREE][..known]).unwrap();
        }
        assert_eq!(backups(dir.path()), ["polyface.db.before-3"]);
    }

    #[test]
    fn a_backup_goes_when_it_is_old() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("polyface.db.before-2"), "old people").unwrap();
        remove_backups(dir.path(), Duration::from_secs(60)).unwrap();
        assert_eq!(backups(dir.path()).len(), 1);
        remove_backups(dir.path(), Duration::ZERO).unwrap();
        assert!(backups(dir.path()).is_empty());
    }

    #[test]
    fn a_step_that_fails_leaves_the_version_before_it() {
        let dir = tempfile::tempdir().unwrap();
        let mut connection = open(dir.path());
        migrate(&mut connection, dir.path(), STEPS).unwrap();
        let before = schema(&connection);
        let broken = [STEPS, &["CREATE TABLE half (id); CREATE TABLE half (id);"]].concat();
        let failed = migrate(&mut connection, dir.path(), &broken);
        let version_after = STEPS.len() as u32 + 1;
        assert!(matches!(failed, Err(OpenError::Migration { version, .. }) if version == version_after));
        assert_eq!((schema(&connection), version(&connection).unwrap()), (before, version_after - 1));
        migrate(&mut connection, dir.path(), STEPS).unwrap();
    }
}

//! Migration of older databases to the current version: forward only, one transaction per step.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use domain::names::folded;
use rusqlite::backup::Backup;
use rusqlite::functions::FunctionFlags;
use rusqlite::{Connection, TransactionBehavior};

use crate::OpenError;
use crate::connection::{FILE, PART};
use crate::owner::create_private;
use crate::schema::stored_schema;
use crate::seal::{self, Keys};

/// "PFce", the SQLite application id of this program's databases.
const APPLICATION_ID: i32 = 0x5046_6365;

/// Name prefix of backups made before a migration.
pub(crate) const BACKUP: &str = "polyface.db.before-";

/// Step n migrates from version n-1 to version n.
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
    include_str!("../../../migrations/0010_folded_texts.sql"),
    include_str!("../../../migrations/0011_own_values_of_cameras.sql"),
    include_str!("../../../migrations/0012_log.sql"),
    include_str!("../../../migrations/0013_unclear_faces.sql"),
    include_str!("../../../migrations/0014_audit_actors.sql"),
    include_str!("../../../migrations/0015_rules.sql"),
    include_str!("../../../migrations/0016_enrolment.sql"),
    include_str!("../../../migrations/0017_notes.sql"),
    include_str!("../../../migrations/0018_rule_options.sql"),
    include_str!("../../../migrations/0019_digests_on_demand.sql"),
    include_str!("../../../migrations/0020_behaviours_by_time_alone.sql"),
    include_str!("../../../migrations/0021_clips.sql"),
    include_str!("../../../migrations/0022_permission_groups.sql"),
    include_str!("../../../migrations/0023_sessions_and_audit.sql"),
    include_str!("../../../migrations/0024_erasure.sql"),
    include_str!("../../../migrations/0025_sealed_values.sql"),
];

/// Rejects a database of another program.
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

/// Migrates the database in `dir` to the version after the last of `steps`. A non-empty database is first copied to
/// `polyface.db.before-N`, where N is that version.
pub(crate) fn migrate(
    connection: &mut Connection,
    dir: &Path,
    keys: &Arc<Keys>,
    steps: &[&str],
) -> Result<(), OpenError> {
    let (found, known) = versions(connection, steps)?;
    if found > 0 && found < known {
        back_up(connection, dir, known)?;
    }
    bring_up(connection, keys, found, steps)
}

/// Migrates a copy of a database, which needs no copy of its own.
pub(crate) fn migrate_copy(connection: &mut Connection, keys: &Arc<Keys>) -> Result<(), OpenError> {
    let (found, _) = versions(connection, STEPS)?;
    bring_up(connection, keys, found, STEPS)
}

fn bring_up(connection: &mut Connection, keys: &Arc<Keys>, found: u32, steps: &[&str]) -> Result<(), OpenError> {
    add_functions(connection, keys).map_err(OpenError::database("preparing the migration"))?;
    for (version, step) in (1..).zip(steps).skip(found as usize) {
        apply(connection, version, step).map_err(|source| OpenError::Migration { version, source })?;
        tracing::info!(store.version = version, "database migrated");
    }
    Ok(())
}

/// Rejects a database that does not have the version after the last of `steps`.
pub(crate) fn require_current(connection: &Connection, steps: &[&str]) -> Result<(), OpenError> {
    let (found, known) = versions(connection, steps)?;
    if found < known { Err(OpenError::Older { found, known }) } else { Ok(()) }
}

/// The database's version, and the newest supported one; fails if the former is higher.
fn versions(connection: &Connection, steps: &[&str]) -> Result<(u32, u32), OpenError> {
    let known = steps.len() as u32;
    let found = version(connection).map_err(OpenError::database("reading the database version"))?;
    if found > known { Err(OpenError::Newer { found, known }) } else { Ok((found, known)) }
}

/// The version of a database of this program, if it is not newer than the newest supported one.
pub(crate) fn known_version(connection: &Connection) -> Result<u32, OpenError> {
    identify(connection)?;
    versions(connection, STEPS).map(|(found, _)| found)
}

/// The first version that seals values.
pub(crate) const SEALED: u32 = 25;

/// Whether the database in `dir` has sealed values; `false` without a database. Rejects a database of another program.
pub(crate) fn has_sealed(dir: &Path) -> Result<bool, OpenError> {
    Ok(stored_schema(dir)?.is_some_and(|found| found >= SEALED))
}

pub(crate) fn version(connection: &Connection) -> rusqlite::Result<u32> {
    connection.pragma_query_value(None, "user_version", |row| row.get(0))
}

/// Registers the SQL functions for migration steps: those that seal, and `folded(text)`, which normalises a text for
/// searching.
fn add_functions(connection: &Connection, keys: &Arc<Keys>) -> rusqlite::Result<()> {
    seal::add_functions(connection, keys)?;
    let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC | FunctionFlags::SQLITE_DIRECTONLY;
    connection.create_scalar_function("folded", 1, flags, |call| {
        let text = call.get::<Option<String>>(0)?;
        Ok(text.map(|text| folded(&text)))
    })
}

/// Applies a step without foreign keys, which cannot be switched within a transaction: recreating a table would delete
/// the rows that refer to it.
fn apply(connection: &mut Connection, version: u32, step: &str) -> rusqlite::Result<()> {
    let enforced: bool = connection.pragma_query_value(None, "foreign_keys", |row| row.get(0))?;
    connection.pragma_update(None, "foreign_keys", false)?;
    let applied = apply_unchecked(connection, version, step);
    connection.pragma_update(None, "foreign_keys", enforced)?;
    applied
}

fn apply_unchecked(connection: &mut Connection, version: u32, step: &str) -> rusqlite::Result<()> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    transaction.execute_batch(step)?;
    transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
    transaction.pragma_update(None, "user_version", version)?;
    transaction.commit()
}

fn back_up(connection: &Connection, dir: &Path, version: u32) -> Result<(), OpenError> {
    let name = format!("{FILE}.before-{version}");
    let part = dir.join(PART);
    let doing = "backing up the database before its migration";
    start_copy(&part).map_err(OpenError::file(doing))?;
    copy(connection, &part).map_err(OpenError::database(doing))?;
    finish_copy(dir, &part, &name).map_err(OpenError::file(doing))?;
    tracing::info!(store.backup = name, "database backed up before its migration");
    Ok(())
}

/// Creates an empty file that only this user may read, replacing the remains of an interrupted copy.
pub(crate) fn start_copy(part: &Path) -> io::Result<()> {
    remove_if_there(part)?;
    create_private(part).map(drop)
}

fn copy(from: &Connection, part: &Path) -> rusqlite::Result<()> {
    let mut to = Connection::open(part)?;
    Backup::new(from, &mut to)?.run_to_completion(1024, Duration::ZERO, None)
}

/// Syncs the backup and renames it, then removes older ones.
fn finish_copy(dir: &Path, part: &Path, name: &str) -> io::Result<()> {
    File::open(part)?.sync_all()?;
    fs::rename(part, dir.join(name))?;
    File::open(dir)?.sync_all()?;
    let older = backups(dir)?.into_iter().filter(|file| !file.ends_with(name));
    older.into_iter().try_for_each(fs::remove_file)
}

/// The copies from before migrations.
pub(crate) fn backups(dir: &Path) -> io::Result<Vec<PathBuf>> {
    let files = fs::read_dir(dir)?.map(|entry| entry.map(|entry| entry.path())).collect::<io::Result<Vec<_>>>()?;
    let is_backup = |file: &PathBuf| file.file_name().and_then(|n| n.to_str()).is_some_and(|n| n.starts_with(BACKUP));
    Ok(files.into_iter().filter(is_backup).collect())
}

/// Removes backups older than `keep`.
pub(crate) fn remove_backups(dir: &Path, keep: Duration) -> io::Result<()> {
    for file in backups(dir)? {
        // `elapsed` fails after the clock was set back; the file is then kept.
        if fs::metadata(&file)?.modified()?.elapsed().is_ok_and(|age| age >= keep) {
            remove_if_there(&file)?;
            tracing::info!("migration backup removed");
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

    fn keys() -> Arc<Keys> {
        Arc::new(seal::test_keys())
    }

    fn open(dir: &Path) -> Connection {
        Connection::open(dir.join(FILE)).unwrap()
    }

    /// The whole schema, in a form that does not depend on how it was created.
    fn schema(connection: &Connection) -> Vec<(String, String)> {
        let sql = "SELECT name, coalesce(sql, '') FROM sqlite_schema ORDER BY name";
        let mut statement = connection.prepare(sql).unwrap();
        statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap().collect::<Result<_, _>>().unwrap()
    }

    fn backups(dir: &Path) -> Vec<String> {
        let names = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
        names.filter(|name| name.contains(".before-") || name.ends_with(".part")).collect()
    }

    /// Checks the migration from every version to the last of `steps`.
    fn check_every_way(steps: &[&str]) {
        let fresh = tempfile::tempdir().unwrap();
        let mut expected = open(fresh.path());
        migrate(&mut expected, fresh.path(), &keys(), steps).unwrap();
        assert!(backups(fresh.path()).is_empty(), "nothing to copy");
        for from in 1..steps.len() {
            let dir = tempfile::tempdir().unwrap();
            let mut connection = open(dir.path());
            migrate(&mut connection, dir.path(), &keys(), &steps[..from]).unwrap();
            let before = schema(&connection);
            migrate(&mut connection, dir.path(), &keys(), steps).unwrap();
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

    /// A database with this version.
    fn of_version(dir: &Path, version: usize) -> Connection {
        let mut connection = open(dir);
        migrate(&mut connection, dir, &keys(), &STEPS[..version]).unwrap();
        connection
    }

    fn texts(connection: &Connection, sql: &str) -> Vec<String> {
        let mut statement = connection.prepare(sql).unwrap();
        statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
    }

    /// Inserts a complete person of version 9 with this validity.
    fn insert_person(connection: &Connection, name: &str, validity: &str) {
        let sql = format!(
            "INSERT INTO person (code, photo, created_at, updated_at, name, document_kind, document_number, phone, email,
                 address, native_place, ethnic_group, remark, category, validity, valid_from, valid_to, daily_from,
                 daily_to, first_day, last_day)
             SELECT ?1, x'00', 0, 0, ?1, '', 'Id-' || ?1, '', '', 'Straße 7', '', '', '', 'staff', {validity}"
        );
        connection.execute(&sql, [name]).unwrap();
    }

    #[test]
    fn names_of_former_versions_are_folded() {
        let dir = tempfile::tempdir().unwrap();
        let mut connection = of_version(dir.path(), 9);
        for name in ["ANN", "Иван", "Jose\u{301}", "Ａｎｎ", ""] {
            insert_person(&connection, name, "'permanent', NULL, NULL, NULL, NULL, NULL, NULL");
        }
        connection
            .execute_batch(
                "PRAGMA foreign_keys = off;
                 INSERT INTO sighting (record, position, captured_at, task, direction, camera, similarity, name)
                 VALUES (1, 1, 0, 1, 'entry', 1, 0.9, 'ИВАН'), (1, 2, 0, 1, 'entry', 1, 0.9, 'ann'),
                        (1, 3, 0, 1, 'entry', 1, 0.1, NULL)",
            )
            .unwrap();
        // Later ones seal them.
        migrate(&mut connection, dir.path(), &keys(), &STEPS[..10]).unwrap();
        let people = "SELECT name_folded || ' ' || document_folded || ' ' || address_folded FROM person ORDER BY id";
        let expected = ["ann id-ann", "иван id-иван", "josé id-josé", "ann id-ann", " id-"];
        assert_eq!(texts(&connection, people), expected.map(|texts| format!("{texts} strasse 7")));
        let seen = "SELECT coalesce(name_folded, '-') FROM sighting ORDER BY id";
        assert_eq!(texts(&connection, seen), ["иван", "ann", "-"]);
    }

    #[test]
    fn ends_of_validities_that_were_not_set_stay_so() {
        let dir = tempfile::tempdir().unwrap();
        let mut connection = of_version(dir.path(), 9);
        // Local time of Shanghai; each validity before and after the migration.
        let cases = [
            ("'between', -28800000, 253383868799999, NULL, NULL, NULL, NULL", "- open open"),
            ("'between', 1772300000000, 253370764799999, NULL, NULL, NULL, NULL", "- 1772300000000 253370764799999"),
            ("'daily', NULL, NULL, '00:00:00', '23:59:59', '1970-01-01', '9999-06-01'", "00:00:00 00:00:00 - -"),
            (
                "'daily', NULL, NULL, '09:00:00', '17:00:00', '2026-03-01', '2026-03-31'",
                "09:00:00 17:00:00 2026-03-01 2026-03-31",
            ),
            (
                "'daily', NULL, NULL, '00:00:00', '00:00:00', '2026-03-01', '2026-03-01'",
                "00:00:00 00:00:00 2026-03-01 2026-02-28",
            ),
        ];
        for (number, (before, _)) in cases.iter().enumerate() {
            insert_person(&connection, &number.to_string(), before);
        }
        migrate(&mut connection, dir.path(), &keys(), STEPS).unwrap();
        let after = "SELECT CASE validity
                WHEN 'between' THEN '- ' || iif(valid_from = -9223372036854775808, 'open', valid_from) || ' '
                                         || iif(valid_to = 9223372036854775807, 'open', valid_to)
                ELSE concat_ws(' ', daily_from, daily_to, coalesce(first_day, '-'), coalesce(last_day, '-')) END
            FROM person ORDER BY id";
        assert_eq!(texts(&connection, after), cases.map(|(_, after)| after.to_owned()));
    }

    #[test]
    fn of_former_acts_only_the_name_of_the_actor_is_known() {
        let dir = tempfile::tempdir().unwrap();
        let mut connection = of_version(dir.path(), 11);
        let former = "INSERT INTO audit (at, actor, action, subject) VALUES (1, 'rose', 'person.enrol', '7')";
        connection.execute(former, []).unwrap();
        migrate(&mut connection, dir.path(), &keys(), STEPS).unwrap();
        let entries = "SELECT concat_ws(' ', actor, role, origin, adapter, action, subject) FROM audit";
        assert_eq!(texts(&connection, entries), ["rose person.enrol 7"]);
    }

    #[test]
    fn the_last_backup_replaces_the_one_before() {
        let dir = tempfile::tempdir().unwrap();
        let mut connection = open(dir.path());
        for known in 1..=3 {
            migrate(&mut connection, dir.path(), &keys(), &["CREATE TABLE one (id)", STEP_TWO, STEP_THREE][..known])
                .unwrap();
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
        migrate(&mut connection, dir.path(), &keys(), STEPS).unwrap();
        let before = schema(&connection);
        let broken = [STEPS, &["CREATE TABLE half (id); CREATE TABLE half (id);"]].concat();
        let failed = migrate(&mut connection, dir.path(), &keys(), &broken);
        let version_after = STEPS.len() as u32 + 1;
        assert!(matches!(failed, Err(OpenError::Migration { version, .. }) if version == version_after));
        assert_eq!((schema(&connection), version(&connection).unwrap()), (before, version_after - 1));
        migrate(&mut connection, dir.path(), &keys(), STEPS).unwrap();
    }
}

//! Prepares an older copy of the database to be gone on with.
//!
//! What the damaged database still says of the places in the log is taken over, so that nothing is delivered again:
//! numbers of entries and people that were in use since the copy are never used again, and feeds go on behind what they
//! had delivered. Entries and photos whose pictures were removed since are removed.

use std::path::Path;
use std::sync::Arc;

use domain::{PictureId, Restoration};
use rusqlite::types::Value;
use rusqlite::{Connection, OpenFlags, params};

use crate::columns::picture;
use crate::damage::{self, Examination};
use crate::error::Fault;
use crate::lists::json;
use crate::log::{self, UNUSED, Unused};
use crate::seal::{self, Keys, Place};
use crate::{migrate, pictures};

/// Numbers of entries and of people that are left out, so that none that was used since the copy is used again.
const LEFT_OUT: i64 = 1_000_000;
/// The same for what there are few of.
const LEFT_OUT_OF_FEW: i64 = 1_000;
const FEW: [&str; 4] = ["library", "task", "rule", "relay"];

/// What a damaged database still says.
#[derive(Debug, Default)]
pub(crate) struct Salvage {
    /// The highest number of an entry.
    newest: i64,
    /// The highest number of a person.
    person: i64,
    /// How far each feed has come.
    cursors: Vec<(String, String, i64)>,
}

impl Salvage {
    /// Reads what can be read.
    pub(crate) fn read(file: &Path) -> Self {
        Self::try_read(file).unwrap_or_default()
    }

    fn try_read(file: &Path) -> rusqlite::Result<Self> {
        let db = Connection::open_with_flags(file, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        let is_sound = |table: &str| {
            let examined = db.query_row(&format!("PRAGMA quick_check({table})"), [], |row| row.get::<_, String>(0));
            matches!(damage::damage_in(examined), Ok(None))
        };
        let mut salvage = Self::default();
        if is_sound("sqlite_sequence") {
            salvage.newest = sequence(&db, "entry")?;
            salvage.person = sequence(&db, "person")?;
        }
        if is_sound("adapter_cursor") {
            let mut statement = db.prepare("SELECT adapter, feed, seq FROM adapter_cursor")?;
            let cursors = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
            salvage.cursors = cursors.collect::<Result<_, _>>()?;
        }
        Ok(salvage)
    }
}

/// Prepares the copy in `part`.
///
/// # Errors
/// When it is not good.
pub(crate) fn prepare(
    dir: &Path,
    part: &Path,
    keys: &Arc<Keys>,
    salvage: &Salvage,
    restoration: Restoration,
) -> Result<(), Fault> {
    let mut db = Connection::open_with_flags(part, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    if let Some(found) = damage::look(&db, Examination::Quick)? {
        tracing::error!(database.damage = found, "a copy of the database is damaged");
        return Err(Fault::Corrupt("copy of the database"));
    }
    if migrate::version(&db)? < migrate::SEALED {
        return Err(Fault::Corrupt("copy from before values were sealed"));
    }
    seal::verify(&db, keys)?;
    migrate::migrate_copy(&mut db, keys).map_err(|error| Fault::File(std::io::Error::other(error)))?;
    db.pragma_update(None, "foreign_keys", true)?;
    db.pragma_update(None, "secure_delete", true)?;
    let transaction = db.transaction()?;
    remove_without_pictures(&transaction, dir)?;
    leave_numbers_out(&transaction, keys, salvage)?;
    put(&transaction, keys, domain::RESTORATION, &restoration.to_string())?;
    Ok(transaction.commit()?)
}

fn sequence(db: &Connection, table: &str) -> rusqlite::Result<i64> {
    db.query_row("SELECT coalesce(max(seq), 0) FROM sqlite_sequence WHERE name = ?", [table], |row| row.get(0))
}

fn set_sequence(db: &Connection, table: &str, to: i64) -> rusqlite::Result<()> {
    db.execute("DELETE FROM sqlite_sequence WHERE name = ?", [table])?;
    db.execute("INSERT INTO sqlite_sequence (name, seq) VALUES (?, ?)", params![table, to]).map(drop)
}

/// Goes on with numbers that were never used, and moves feeds that had delivered everything to their end.
fn leave_numbers_out(db: &Connection, keys: &Keys, salvage: &Salvage) -> Result<(), Fault> {
    let newest = sequence(db, "entry")?;
    let last = newest.max(salvage.newest) + LEFT_OUT;
    set_sequence(db, "entry", last)?;
    set_sequence(db, "person", sequence(db, "person")?.max(salvage.person) + LEFT_OUT)?;
    for table in FEW {
        set_sequence(db, table, sequence(db, table)? + LEFT_OUT_OF_FEW)?;
    }
    let mut unused = match value(db, keys, UNUSED)? {
        Some(text) => Unused::read(&text),
        None => Unused::default(),
    };
    unused.add(newest + 1, last);
    put(db, keys, UNUSED, &unused.to_string())?;
    for (adapter, feed, place) in &salvage.cursors {
        // One that the copy does not know began since, and had its place among entries that are gone.
        let sql = "INSERT INTO adapter_cursor (adapter, feed, seq) VALUES (?1, ?2, ?3)
            ON CONFLICT DO UPDATE SET seq = max(seq, ?3)";
        db.execute(sql, params![adapter, feed, place])?;
    }
    db.execute("UPDATE adapter_cursor SET seq = ? WHERE seq >= ?", [last, newest])?;
    Ok(())
}

/// Removes entries whose pictures were removed since the copy was made, as retention or somebody has removed the
/// entries, and has photos that are gone be none.
fn remove_without_pictures(db: &Connection, dir: &Path) -> Result<(), Fault> {
    let is_gone = |hash: Option<Vec<u8>>| {
        let id = hash.and_then(|hash| hex::encode(hash).parse::<PictureId>().ok());
        id.is_some_and(|id| id.is_kept() && !pictures::path_in(dir, &id).exists())
    };
    let mut statement = db.prepare(
        "SELECT entry.seq, coalesce(record.crop, behaviour.crop), coalesce(record.scene, behaviour.scene),
             behaviour.video
         FROM entry LEFT JOIN record ON record.seq = entry.seq LEFT JOIN behaviour ON behaviour.entry = entry.seq
         WHERE record.seq IS NOT NULL OR behaviour.entry IS NOT NULL",
    )?;
    let (mut rows, mut removed) = (statement.query([])?, Vec::<i64>::new());
    while let Some(row) = rows.next()? {
        if is_gone(row.get(1)?) || is_gone(row.get(2)?) || is_gone(row.get(3)?) {
            removed.push(row.get(0)?);
        }
    }
    log::delete(db, &json(removed.iter().copied()))?;
    let mut statement = db.prepare("SELECT id, photo FROM person")?;
    let people = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    for (id, photo) in people.collect::<rusqlite::Result<Vec<(i64, Option<Vec<u8>>)>>>()? {
        if is_gone(photo) {
            db.execute("UPDATE person SET photo = ? WHERE id = ?", params![picture(&PictureId::not_kept()), id])?;
        }
    }
    let mut statement = db.prepare("SELECT picture FROM kept_picture")?;
    for kept in statement.query_map([], |row| row.get(0))?.collect::<rusqlite::Result<Vec<Vec<u8>>>>()? {
        if is_gone(Some(kept.clone())) {
            db.execute("DELETE FROM kept_picture WHERE picture = ?", [kept])?;
        }
    }
    Ok(())
}

fn place(name: &str) -> Place<'_> {
    Place::new("setting", 0).part(name)
}

fn value(db: &Connection, keys: &Keys, name: &str) -> Result<Option<String>, Fault> {
    let sealed = db.query_row("SELECT max(sealed) FROM setting WHERE name = ?", [name], |row| row.get(0))?;
    let Value::Blob(sealed) = sealed else { return Ok(None) };
    keys.open_text(place(name), &sealed).map(Some)
}

fn put(db: &Connection, keys: &Keys, name: &str, value: &str) -> rusqlite::Result<()> {
    let sql = "INSERT OR REPLACE INTO setting (name, sealed) VALUES (?, ?)";
    db.execute(sql, params![name, keys.sealed(place(name), value)]).map(drop)
}

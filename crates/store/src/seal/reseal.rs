//! Seals what is still in clear, and seals again what a former key sealed, when the store is opened.
//!
//! Both go on where they were interrupted: a value shows by itself what it is. A vector in clear has a length of whole
//! floats, a sealed one has not; a sealed value begins with the number of its key. Pictures in clear are in a folder of
//! their own (`pictures.clear`) until each has been sealed. Nothing is served before all is done, so keyed hashes of
//! two keys are never searched at the same time.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use domain::PictureId;
use rusqlite::params_from_iter;
use rusqlite::types::Value;

use super::tables::{TABLES, Table};
use super::{Fields, Keys, Place, StoreKey, ring};
use crate::connection::{Database, View};
use crate::error::Fault;
use crate::migrate::remove_backups;
use crate::pictures::{self, PictureFiles};
use crate::{OpenError, copies, gallery_copy, repair};

/// Number of rows sealed in one transaction.
const STEP: i64 = 500;
/// Time between two lines of the log about the progress.
const REPORT: Duration = Duration::from_secs(10);

/// Finishes what a migration or a change of keys began. `None` when it did: the store must be opened again.
pub(crate) fn finish(
    dir: &Path,
    key: &StoreKey,
    keys: &Keys,
    database: Database,
    files: &PictureFiles,
) -> Result<Option<Database>, OpenError> {
    let failed = |fault: Fault| OpenError::Sealing(fault.while_doing("sealing stored values"));
    let unfinished = is_unfinished(&database)? || dir.join(pictures::CLEAR).exists();
    if !unfinished && !keys.is_turning() {
        return Ok(Some(database));
    }
    let mut progress = Progress::new();
    seal_vectors(&database, &mut progress).map_err(OpenError::Sealing)?;
    seal_pictures(dir, files, &mut progress).map_err(failed)?;
    if keys.is_turning() {
        reseal_rows(&database, &mut progress).map_err(OpenError::Sealing)?;
        reseal_pictures(files, keys.current(), &mut progress).map_err(failed)?;
    }
    // Copies are in clear, or sealed by a former key, and are made again by themselves.
    gallery_copy::remove(dir).map_err(|error| failed(error.into()))?;
    let removed = remove_backups(dir, Duration::ZERO).and_then(|()| copies::remove_all(dir));
    removed.and_then(|()| repair::remove_damaged(dir)).map_err(|error| failed(error.into()))?;
    if unfinished {
        // Moved rows leave remains in unused space, which deleting does not overwrite.
        database.rewrite(dir, "DELETE FROM unfinished_sealing")?;
    } else {
        drop(database);
    }
    if keys.is_turning() {
        ring::end_turn(dir, key, keys.current())?;
    }
    progress.end();
    Ok(None)
}

/// Whether the database has values in clear.
pub(crate) fn is_unfinished(database: &Database) -> Result<bool, OpenError> {
    let unfinished = database.read("reading the state of sealing", |db| {
        Ok(db.query_row("SELECT EXISTS (SELECT 1 FROM unfinished_sealing)", [], |row| row.get::<_, bool>(0))?)
    });
    unfinished.map_err(OpenError::Sealing)
}

/// Says how far the sealing is.
struct Progress {
    started: Instant,
    said: Instant,
    values: u64,
    pictures: u64,
}

impl Progress {
    fn new() -> Self {
        let now = Instant::now();
        Self { started: now, said: now, values: 0, pictures: 0 }
    }

    fn report(&mut self) {
        if self.said.elapsed() >= REPORT {
            self.said = Instant::now();
            tracing::info!(values = self.values, pictures = self.pictures, "sealing stored values goes on");
        }
    }

    fn end(&self) {
        // Nothing in a new directory.
        if self.values + self.pictures == 0 {
            return;
        }
        let elapsed_ms = self.started.elapsed().as_millis() as u64;
        tracing::info!(values = self.values, pictures = self.pictures, elapsed_ms, "stored values sealed");
    }
}

/// Tables with a vector in the column `embedding`: name, column of the row's number, condition on rows of interest.
const VECTORS: [(&str, &str, &str); 2] = [("template", "person", "rowid"), ("record_capture", "record", "record")];

/// Seals vectors that are in clear.
fn seal_vectors(database: &Database, progress: &mut Progress) -> domain::Result<()> {
    for (table, row, id) in VECTORS {
        let mut after = i64::MIN;
        // The length of a value is known without reading it.
        let select = format!(
            "SELECT {id}, {row}, model, embedding FROM {table}
             WHERE {id} > ? AND length(embedding) % 4 = 0 ORDER BY {id} LIMIT ?"
        );
        loop {
            let sealed = database.write("sealing vectors", |db| {
                let found = db
                    .prepare_cached(&select)?
                    .query_map([after, STEP], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)))?
                    .collect::<Result<Vec<(i64, i64, String, Vec<u8>)>, _>>()?;
                let update = format!("UPDATE {table} SET embedding = ? WHERE {id} = ?");
                for (id, row, model, vector) in &found {
                    let sealed = db.keys.seal(Place::new(table, *row).part(model), vector);
                    db.prepare_cached(&update)?.execute(rusqlite::params![sealed, id])?;
                }
                Ok((found.len() as u64, found.last().map(|last| last.0)))
            })?;
            let (count, Some(last)) = sealed else { break };
            after = last;
            progress.values += count;
            progress.report();
        }
    }
    Ok(())
}

/// Seals the pictures of former versions, a folder at a time: its files are removed when all of them are sealed on disk.
fn seal_pictures(dir: &Path, files: &PictureFiles, progress: &mut Progress) -> Result<(), Fault> {
    let clear = dir.join(pictures::CLEAR);
    if !clear.exists() {
        return Ok(());
    }
    for folder in listed(&clear)? {
        let inside = listed(&folder)?;
        for file in &inside {
            if let Some(id) = picture_id(file) {
                files.seal_unsynced(&id, &fs::read(file)?)?;
                progress.pictures += 1;
                progress.report();
            }
        }
        // One sync for all of them: several thousand times that of a file would take longer than everything else.
        rustix::fs::syncfs(fs::File::open(files.root())?).map_err(io::Error::from)?;
        inside.iter().try_for_each(fs::remove_file)?;
        fs::remove_dir(&folder)?;
    }
    Ok(fs::remove_dir(&clear)?)
}

/// Seals pictures again that a former key sealed.
fn reseal_pictures(files: &PictureFiles, current: u8, progress: &mut Progress) -> Result<(), Fault> {
    for folder in listed(files.root())? {
        for file in listed(&folder)? {
            let Some(id) = picture_id(&file) else { continue };
            if pictures::key_of(&file)? != Some(current) {
                files.seal_file(&id, &files.open_file(&id)?)?;
                progress.pictures += 1;
                progress.report();
            }
        }
    }
    Ok(())
}

fn listed(dir: &Path) -> io::Result<Vec<PathBuf>> {
    fs::read_dir(dir)?.map(|entry| entry.map(|entry| entry.path())).collect()
}

fn picture_id(file: &Path) -> Option<PictureId> {
    file.file_name()?.to_str()?.parse().ok()
}

fn reseal_rows(database: &Database, progress: &mut Progress) -> domain::Result<()> {
    for table in TABLES {
        let mut after: Option<Vec<Value>> = None;
        loop {
            let (count, last) =
                database.write("sealing values again", |db| reseal_some(db, table, after.as_deref()))?;
            if last.is_none() {
                break;
            }
            after = last;
            progress.values += count;
            progress.report();
        }
    }
    let mut after = 0;
    while let Some(last) = database.write("hashing document numbers again", |db| hash_sightings(db, after))? {
        after = last;
    }
    Ok(())
}

/// Seals the rows after this one again, as far as a former key sealed them. Returns their number, and the last row.
fn reseal_some(db: &View<'_>, table: &Table, after: Option<&[Value]>) -> Result<(u64, Option<Vec<Value>>), Fault> {
    let key = table.key.join(", ");
    let beyond = after.map_or_else(String::new, |_| format!("WHERE ({key}) > ({})", marks(table.key.len())));
    let select =
        format!("SELECT {key}, {} FROM {} {beyond} ORDER BY {key} LIMIT {STEP}", table.sealed.join(", "), table.name);
    let columns = table.key.len() + table.sealed.len();
    let rows = db
        .prepare_cached(&select)?
        .query_map(params_from_iter(after.unwrap_or_default()), |row| (0..columns).map(|n| row.get(n)).collect())?
        .collect::<Result<Vec<Vec<Value>>, _>>()?;
    let mut count = 0;
    for row in &rows {
        let (key, sealed) = row.split_at(table.key.len());
        count += u64::from(reseal_row(db, table, key, sealed)?);
    }
    Ok((count, rows.last().map(|row| row[..table.key.len()].to_vec())))
}

fn reseal_row(db: &View<'_>, table: &Table, key: &[Value], sealed: &[Value]) -> Result<bool, Fault> {
    let mut changes: Vec<(&str, Value)> = Vec::new();
    for (n, value) in sealed.iter().enumerate() {
        let Value::Blob(value) = value else { continue };
        if value.first() == Some(&db.keys.current()) {
            continue;
        }
        let (row, part) = (table.place)(key, n);
        let place = Place::new(table.name, row).part(&part);
        let content = db.keys.open(place, value)?;
        changes.push((table.sealed[n], Value::Blob(db.keys.seal(place, &content))));
        changes.extend((table.hashes)(db.keys, key, &content)?);
    }
    if changes.is_empty() {
        return Ok(false);
    }
    let (names, mut values): (Vec<_>, Vec<_>) = changes.into_iter().unzip();
    values.extend(key.iter().cloned());
    let sql =
        format!("UPDATE {} SET {} = ? WHERE {} = ?", table.name, names.join(" = ?, "), table.key.join(" = ? AND "));
    db.prepare_cached(&sql)?.execute(params_from_iter(values))?;
    Ok(true)
}

/// Hashes the document numbers of some sightings again, which their candidates have. Returns the last one.
fn hash_sightings(db: &View<'_>, after: i64) -> Result<Option<i64>, Fault> {
    let select = "SELECT sighting.id, candidate.person, candidate.sealed
        FROM sighting JOIN candidate ON candidate.id = sighting.candidate
        WHERE sighting.id > ? ORDER BY sighting.id LIMIT ?";
    let mut statement = db.prepare_cached(select)?;
    let mut rows = statement.query([after, STEP])?;
    let mut last = None;
    while let Some(row) = rows.next()? {
        let (id, person): (i64, i64) = (row.get(0)?, row.get(1)?);
        let sealed = row.get_ref(2)?.as_blob().map_err(|_| Fault::Corrupt("sealed row"))?;
        let mut texts = Fields::read(&db.keys.open(Place::new("candidate", person), sealed)?)?;
        let [_code, _name, number] = [0; 3].map(|_| texts.take());
        db.prepare_cached("UPDATE sighting SET document_key = ? WHERE id = ?")?
            .execute(rusqlite::params![db.keys.key_of("document", &number), id])?;
        last = Some(id);
    }
    Ok(last)
}

fn marks(count: usize) -> String {
    vec!["?"; count].join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As a power cut leaves it: people are sealed by the new key, everything else by the former one.
    #[test]
    fn a_turn_that_was_interrupted_goes_on() {
        use domain::ports::{PersonStore, Pictures};
        use testkit::store_suite::samples;

        let dir = tempfile::tempdir().unwrap();
        let key = StoreKey::new([7; 32]);
        let open = || crate::Store::open(dir.path(), &key, crate::Options::default()).unwrap();
        let store = open();
        let ada = store.insert_person(&samples::new_person(&store, "ada")).unwrap();
        drop(store);
        ring::start_turn(dir.path(), &key).unwrap();
        let keys = std::sync::Arc::new(ring::open_ring(dir.path(), &key, true).unwrap());
        let database = Database::open(dir.path(), &keys, 1).unwrap();
        let (count, _) = database.write("sealing", |db| reseal_some(db, &TABLES[0], None)).unwrap();
        assert_eq!(count, 1);
        drop(database);

        let store = open();
        assert_eq!(store.person_by_code(&ada.code).unwrap(), ada);
        store.embedding(ada.id, &samples::model()).unwrap();
        store.get(&ada.photo).unwrap();
        assert!(!ring::open_ring(dir.path(), &key, true).unwrap().is_turning());
    }
}

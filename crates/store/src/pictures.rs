//! Picture files, named by the SHA-256 of their content and sealed, and the pins that keep them until a row references
//! them.
//!
//! A picture is put before the row that references it. Meanwhile another row with the same picture may be removed,
//! which must not remove the file. Therefore `put` pins the picture in memory. Files are removed only with the writer
//! locked and only when neither a row nor a pin references them; a row is written, also with the writer locked, only
//! when its pictures exist. A pin is released when the row is written, or after [`Options::keep_unnamed`] if it never
//! was, and then the picture is removed. A crash loses the pins; the sweep at the next start removes what was pinned.
//!
//! [`Options::keep_unnamed`]: crate::Options::keep_unnamed

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use domain::ports::Pictures;
use domain::{Error, PictureId, Result, Thing, Timestamp};
use rusqlite::{Connection, params};
use sha2::{Digest, Sha256};

use crate::error::Fault;
use crate::migrate::remove_if_there;
use crate::owner::{create_private, give_to_owner};
use crate::seal::{self, Keys, Place};
use crate::{OpenError, Store, columns, make_private_dir, usage};

/// Folder of the picture files.
const SEALED: &str = "pictures";
/// Folder of the picture files of former versions, which are not sealed yet.
pub(crate) const CLEAR: &str = "pictures.clear";

/// Suffix of files being written.
pub(crate) const UNFINISHED: &str = ".part";

impl Pictures for Store {
    fn put(&self, picture: &[u8]) -> Result<PictureId> {
        self.remove_abandoned()?;
        self.pictures.put(picture).map_err(|fault| fault.while_doing("writing a picture"))
    }

    fn get(&self, id: &PictureId) -> Result<Bytes> {
        match self.pictures.open_file(id) {
            Ok(picture) => Ok(picture.into()),
            Err(Fault::File(error)) if error.kind() == io::ErrorKind::NotFound => {
                Err(Error::NotFound { what: Thing::Picture })
            }
            Err(fault) => Err(fault.while_doing("reading a picture")),
        }
    }

    fn size(&self, id: &PictureId) -> Result<u64> {
        match fs::metadata(self.pictures.path(id)) {
            Ok(file) => Ok(file.len().saturating_sub(seal::OVERHEAD as u64)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Err(Error::NotFound { what: Thing::Picture }),
            Err(error) => Err(Error::internal("reading a picture")(error)),
        }
    }

    fn keep(&self, picture: &[u8], most: u64, at: Timestamp) -> Result<PictureId> {
        let id = self.put(picture)?;
        let noted = self.database.write("storing a picture", |db| note_kept(db, &id, most, at));
        self.pictures.unpin(&id);
        noted.map(|()| id)
    }

    fn remove(&self, id: &PictureId) -> Result<()> {
        let mut writer = self.database.writer();
        self.pictures.check(&[id])?;
        writer.commit("removing a picture", |db| forget_kept(db, id))?;
        self.pictures.remove_file(id).map_err(Error::internal("removing a picture"))
    }
}

/// Marks the picture as used by a person.
pub(crate) fn enrolled(db: &Connection, id: &PictureId) -> rusqlite::Result<()> {
    db.prepare_cached("DELETE FROM kept_picture WHERE picture = ?")?.execute([columns::picture(id)]).map(drop)
}

fn note_kept(db: &Connection, id: &PictureId, most: u64, at: Timestamp) -> Result<(), Fault> {
    let kept: i64 = db.prepare_cached("SELECT count(*) FROM kept_picture")?.query_row([], |row| row.get(0))?;
    if kept.unsigned_abs() >= most {
        return Err(Error::LimitReached { what: Thing::Picture }.into());
    }
    db.prepare_cached("INSERT OR REPLACE INTO kept_picture (picture, kept_at) VALUES (?, ?)")?
        .execute(params![columns::picture(id), columns::time(at)])?;
    Ok(())
}

fn forget_kept(db: &Connection, id: &PictureId) -> Result<(), Fault> {
    if db.prepare_cached("SELECT 1 FROM person WHERE photo = ?")?.exists([columns::picture(id)])? {
        return Err(Error::InUse { by: Thing::Person }.into());
    }
    Ok(enrolled(db, id)?)
}

impl Store {
    /// Removes pictures that were put long ago and never referenced.
    fn remove_abandoned(&self) -> Result<()> {
        if !self.pictures.is_inspection_due() {
            return Ok(());
        }
        let mut writer = self.database.writer();
        let abandoned = self.pictures.unpin_overdue();
        let unnamed = writer.commit("finding unreferenced pictures", |tx| unnamed(tx, abandoned))?;
        self.discard(&writer, &unnamed);
        Ok(())
    }
}

/// Those of the pictures that no row references.
pub(crate) fn unnamed(db: &Connection, mut pictures: Vec<PictureId>) -> Result<Vec<PictureId>, Fault> {
    // The candidate's photo in record_match does not count: it is removed with the person.
    let mut is_named = db.prepare_cached(
        "SELECT EXISTS (SELECT 1 FROM person WHERE photo = ?1) OR EXISTS (SELECT 1 FROM record WHERE crop = ?1)
             OR EXISTS (SELECT 1 FROM record WHERE scene = ?1) OR EXISTS (SELECT 1 FROM behaviour WHERE crop = ?1)
             OR EXISTS (SELECT 1 FROM behaviour WHERE scene = ?1) OR EXISTS (SELECT 1 FROM behaviour WHERE video = ?1)
             OR EXISTS (SELECT 1 FROM kept_picture WHERE picture = ?1)",
    )?;
    let mut unnamed = Vec::new();
    for picture in pictures.drain(..) {
        if !is_named.query_row([columns::picture(&picture)], |row| row.get(0))? {
            unnamed.push(picture);
        }
    }
    Ok(unnamed)
}

/// Picture files and their pins.
pub(crate) struct PictureFiles {
    root: PathBuf,
    keys: Arc<Keys>,
    keep_unnamed: Duration,
    pins: Mutex<Pins>,
    /// Makes names of unfinished files unique.
    writes: AtomicU64,
    /// Locked while a file is renamed and counted.
    naming: Mutex<()>,
    /// Bytes written minus bytes removed since the start.
    change: AtomicI64,
    /// Bytes at the start; counted on first use by examining every file.
    at_start: Mutex<Option<u64>>,
}

struct Pins {
    by_picture: HashMap<PictureId, Pin>,
    inspected: Instant,
}

struct Pin {
    /// Number of puts not yet followed by a row.
    puts: u32,
    last_put: Instant,
}

impl PictureFiles {
    pub(crate) fn open(dir: &Path, keys: &Arc<Keys>, keep_unnamed: Duration) -> Result<Self, OpenError> {
        let root = dir.join(SEALED);
        make_private_dir(&root)?;
        if let Ok(folder) = File::open(&root) {
            give_to_owner(&folder, dir);
        }
        let pins = Pins { by_picture: HashMap::new(), inspected: Instant::now() };
        let (pins, at_start) = (Mutex::new(pins), Mutex::new(None));
        Ok(Self {
            root,
            keys: Arc::clone(keys),
            keep_unnamed,
            pins,
            writes: AtomicU64::new(0),
            naming: Mutex::default(),
            change: AtomicI64::new(0),
            at_start,
        })
    }

    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    fn path(&self, id: &PictureId) -> PathBuf {
        below(&self.root, id)
    }

    fn put(&self, picture: &[u8]) -> Result<PictureId, Fault> {
        let id = hex::encode(Sha256::digest(picture)).parse::<PictureId>()?;
        // Pin first, then check: a removal in between finds the pin, and one before leaves no file.
        self.pin(&id);
        let path = self.path(&id);
        let written =
            if path.exists() { sync_parent(&path) } else { self.write(&path, &self.keys.seal(place(&id), picture)) };
        if let Err(error) = written {
            self.unpin(&id);
            return Err(error.into());
        }
        Ok(id)
    }

    /// Opens a picture.
    pub(crate) fn open_file(&self, id: &PictureId) -> Result<Vec<u8>, Fault> {
        self.keys.open(place(id), &fs::read(self.path(id))?)
    }

    /// Writes a picture in place of what is there under its name.
    pub(crate) fn seal_file(&self, id: &PictureId, picture: &[u8]) -> io::Result<()> {
        self.write(&self.path(id), &self.keys.seal(place(id), picture))
    }

    /// As [`Self::seal_file`], but the caller syncs the file system afterwards.
    pub(crate) fn seal_unsynced(&self, id: &PictureId, picture: &[u8]) -> io::Result<()> {
        let path = self.path(id);
        make_fan_out(&path)?;
        remove_if_there(&path)?;
        create_private(&path)?.write_all(&self.keys.seal(place(id), picture))
    }

    /// Writes the file under a temporary name first: under its own name it is always complete.
    fn write(&self, path: &Path, picture: &[u8]) -> io::Result<()> {
        make_fan_out(path)?;
        let part = path.with_added_extension(format!("{}{UNFINISHED}", self.writes.fetch_add(1, Ordering::Relaxed)));
        let written = write_synced(&part, picture).and_then(|()| self.name(&part, path, picture.len()));
        if written.is_err() {
            // Missing, or removed by the sweep at the next start.
            let _ = fs::remove_file(&part);
        }
        written.and_then(|()| sync_parent(path))
    }

    /// Renames a file to its final name. Two concurrent puts of the same picture replace each other's identical file.
    fn name(&self, part: &Path, path: &Path, bytes: usize) -> io::Result<()> {
        let _one_at_a_time = self.naming.lock().unwrap_or_else(PoisonError::into_inner);
        let is_new = !path.exists();
        fs::rename(part, path)?;
        if is_new {
            self.change.fetch_add(usage::on_disk(bytes as u64).cast_signed(), Ordering::Relaxed);
        }
        Ok(())
    }

    /// Disk usage of all pictures, bytes. Files written during the first count may be counted twice.
    pub(crate) fn bytes(&self) -> io::Result<u64> {
        let mut at_start = self.at_start.lock().unwrap_or_else(PoisonError::into_inner);
        let before = match *at_start {
            Some(bytes) => bytes,
            None => {
                let changed = self.change.load(Ordering::Relaxed);
                let counted = usage::bytes_below(&self.root)?.saturating_add_signed(-changed);
                *at_start.insert(counted)
            }
        };
        Ok(before.saturating_add_signed(self.change.load(Ordering::Relaxed)))
    }

    /// `NotFound(Picture)` unless all of these exist. Call it with the writer locked, before a row references them.
    pub(crate) fn check(&self, pictures: &[&PictureId]) -> Result<()> {
        let all_there = pictures.iter().all(|picture| self.path(picture).exists());
        if all_there { Ok(()) } else { Err(Error::NotFound { what: Thing::Picture }) }
    }

    /// Removes unreferenced files, unless they are pinned.
    pub(crate) fn remove_unpinned(&self, unnamed: &[PictureId]) {
        let pins = self.pins();
        for picture in unnamed.iter().filter(|picture| !pins.by_picture.contains_key(picture)) {
            if let Err(error) = self.remove_file(picture) {
                // The rows stay removed; the sweep at the next start removes the file.
                tracing::warn!(error = %error, "failed to remove picture file");
            }
        }
    }

    /// Removes a file even if it is referenced; a missing file is not an error.
    fn remove_file(&self, picture: &PictureId) -> io::Result<()> {
        let path = self.path(picture);
        let bytes = fs::metadata(&path).map_or(0, |about| usage::on_disk(about.len()));
        match fs::remove_file(path) {
            Ok(()) => {
                self.change.fetch_sub(bytes.cast_signed(), Ordering::Relaxed);
                Ok(())
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(error) => Err(error),
        }
    }

    fn pin(&self, id: &PictureId) {
        let now = Instant::now();
        let mut pins = self.pins();
        let pin = pins.by_picture.entry(id.clone()).or_insert(Pin { puts: 0, last_put: now });
        pin.puts = pin.puts.saturating_add(1);
        pin.last_put = now;
    }

    /// Releases a pin: a row references the picture now, or the picture was not written.
    pub(crate) fn unpin(&self, id: &PictureId) {
        let mut pins = self.pins();
        if let Some(pin) = pins.by_picture.get_mut(id) {
            pin.puts -= 1;
            if pin.puts == 0 {
                pins.by_picture.remove(id);
            }
        }
    }

    fn is_inspection_due(&self) -> bool {
        self.pins().inspected.elapsed() >= self.keep_unnamed
    }

    /// Releases the pins of pictures whose last put is too long ago; returns these pictures.
    fn unpin_overdue(&self) -> Vec<PictureId> {
        let mut pins = self.pins();
        pins.inspected = Instant::now();
        let overdue = pins.by_picture.extract_if(|_, pin| pin.last_put.elapsed() >= self.keep_unnamed);
        overdue.map(|(picture, _)| picture).collect()
    }

    fn pins(&self) -> MutexGuard<'_, Pins> {
        self.pins.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The file of a picture in the storage directory `dir`.
pub(crate) fn path_in(dir: &Path, id: &PictureId) -> PathBuf {
    below(&dir.join(SEALED), id)
}

fn below(root: &Path, id: &PictureId) -> PathBuf {
    root.join(&id.as_str()[..2]).join(id.as_str())
}

/// Moves the pictures of a former version, which are in clear, out of the way of those that will be sealed. To be called
/// before the database is migrated: afterwards, what is there is sealed.
pub(crate) fn set_clear_aside(dir: &Path) -> io::Result<()> {
    let (sealed, clear) = (dir.join(SEALED), dir.join(CLEAR));
    if clear.exists() || !sealed.exists() {
        return Ok(());
    }
    fs::rename(sealed, clear)?;
    File::open(dir)?.sync_all()
}

/// The number of the key that a file is sealed with; `None` for an empty file.
pub(crate) fn key_of(file: &Path) -> io::Result<Option<u8>> {
    let mut first = [0];
    Ok((File::open(file)?.read(&mut first)? == 1).then_some(first[0]))
}

/// A picture is sealed for its name, which is the hash of its content.
fn place(id: &PictureId) -> Place<'_> {
    Place::new("picture", 0).part(id.as_str())
}

/// Creates the directory for ids with the same first two digits.
fn make_fan_out(path: &Path) -> io::Result<()> {
    let Some(dir) = path.parent() else { return Ok(()) };
    match fs::DirBuilder::new().create(dir) {
        Ok(()) => {
            if let Some(root) = dir.parent() {
                give_to_owner(&File::open(dir)?, root);
            }
            sync_parent(dir)
        }
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(error),
    }
}

fn write_synced(file: &Path, content: &[u8]) -> io::Result<()> {
    let mut file = create_private(file)?;
    file.write_all(content)?;
    file.sync_all()
}

/// Syncs the file's directory. A second put of the same bytes does so too, because the first may not have finished.
fn sync_parent(path: &Path) -> io::Result<()> {
    path.parent().map_or(Ok(()), |dir| File::open(dir)?.sync_all())
}

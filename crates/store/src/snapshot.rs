//! A consistent copy of a store, taken while other processes use it.
//!
//! The database is copied into `backup.part` a few pages at a time. A change that another connection makes starts the
//! copy again; when that happens too often, it is made in one go. The pictures are read from their own files: one that is
//! removed meanwhile is missing.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use domain::PictureId;
use rusqlite::backup::{Backup, StepResult};
use rusqlite::{Connection, OpenFlags};
use zeroize::Zeroizing;

use crate::connection::{self, Database};
use crate::migrate::{self, remove_if_there};
use crate::owner::give_to_owner;
use crate::{OpenError, StoreKey, pictures, seal, supported_schema, sweep, usage};

/// Locked while a copy is made or used.
const LOCK: &str = "backup.lock";
/// The copy of the database.
const PART: &str = "backup.part";
/// Pages copied at a time: 800 KiB.
const PAGES: i32 = 100;
/// Between two of them, so that the device has the disk too.
const PAUSE: Duration = Duration::from_millis(5);
/// After this many new starts the copy is made in one go.
const MOST_STARTS: u32 = 10;
/// Room that a copy must leave on the file system, bytes.
const SPARE: u64 = 64 << 20;

/// Why a store cannot be copied.
#[derive(Debug, thiserror::Error)]
pub enum SnapshotError {
    /// The store cannot be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// Another process or thread copies the store.
    #[error("another backup is being made")]
    InUse,
    /// A copy of the database does not fit.
    #[error("a copy of the database needs {needed} bytes in the storage directory, and {free} are free")]
    NoSpace {
        /// Size of the copy and what must stay free.
        needed: u64,
        /// What is free.
        free: u64,
    },
    /// The keys of the copied values are gone.
    #[error("the keys were replaced meanwhile: start the backup again")]
    KeysReplaced,
    /// The copy, and so the database, is damaged.
    #[error("the database is damaged: {0}")]
    Damaged(String),
    /// The caller wanted it to end.
    #[error("the backup was stopped")]
    Stopped,
}

/// Takes a picture and the content of its file, sealed; `None` when it is gone.
pub type TakePicture<'a> = dyn FnMut(&PictureId, Option<Vec<u8>>) -> io::Result<()> + 'a;

/// A copy of a store. Dropping it removes the copy.
pub struct Snapshot {
    dir: PathBuf,
    ring: Vec<u8>,
    key: StoreKey,
    wrapped: Zeroizing<Vec<u8>>,
    _lock: File,
}

impl Snapshot {
    /// Copies the database of the store in `dir`; blocking. `stop` is asked between steps.
    ///
    /// # Errors
    /// [`SnapshotError::Open`] as [`Store::open_beside`](crate::Store::open_beside); all others but `KeysReplaced`.
    pub fn take(dir: &Path, key: &StoreKey, stop: &dyn Fn() -> bool) -> Result<Self, SnapshotError> {
        let lock = lock(dir)?;
        // Open until the copy is made, which therefore has the current version.
        let (_keys, database) = crate::open_current(dir, key)?;
        // Before the copy: a key that is removed meanwhile shows at the end.
        let ring = seal::ring_content(dir)?;
        let made = StoreKey::random().map_err(OpenError::file("making a key"))?;
        let wrapped = Zeroizing::new(seal::wrapped_anew(&ring, key, &made)?);
        let snapshot = Self { dir: dir.to_owned(), ring, key: made, wrapped, _lock: lock };
        snapshot.require_space(&database)?;
        snapshot.copy(stop)?;
        Ok(snapshot)
    }

    /// The file with the database.
    pub fn database(&self) -> PathBuf {
        self.dir.join(PART)
    }

    /// The version of the database.
    pub fn version(&self) -> u32 {
        supported_schema()
    }

    /// The data keys, wrapped by [`Snapshot::key`].
    pub fn data_keys(&self) -> &[u8] {
        &self.wrapped
    }

    /// A key made for this copy alone: the store key stays where it is.
    pub fn key(&self) -> &StoreKey {
        &self.key
    }

    /// Calls `take` with every picture that a row references.
    ///
    /// # Errors
    /// Those of `take`, and of reading.
    pub fn pictures(&self, take: &mut TakePicture<'_>) -> io::Result<()> {
        let database = Connection::open_with_flags(self.database(), OpenFlags::SQLITE_OPEN_READ_ONLY);
        let database = database.map_err(io::Error::other)?;
        for first_byte in 0..=u8::MAX {
            let mut named: Vec<_> =
                sweep::named(&database, first_byte).map_err(io::Error::other)?.into_iter().collect();
            named.sort_unstable();
            for hash in named {
                let Ok(id) = hex::encode(hash).parse::<PictureId>() else { continue };
                if !id.is_kept() {
                    continue;
                }
                let content = match fs::read(pictures::path_in(&self.dir, &id)) {
                    Err(error) if error.kind() == io::ErrorKind::NotFound => None,
                    content => Some(content?),
                };
                take(&id, content)?;
            }
        }
        Ok(())
    }

    /// Checks that the data keys still are those from before the copy, so that they open everything in it.
    ///
    /// # Errors
    /// `KeysReplaced`, `Open`.
    pub fn confirm(&self) -> Result<(), SnapshotError> {
        if seal::ring_content(&self.dir)? == self.ring { Ok(()) } else { Err(SnapshotError::KeysReplaced) }
    }

    fn require_space(&self, database: &Database) -> Result<(), SnapshotError> {
        let size = database.read("measuring the database", |db| Ok(usage::size(db)?));
        let size = size.map_err(|error| OpenError::file("measuring the database")(io::Error::other(error)))?;
        let free = usage::free(&self.dir).map_err(OpenError::file("measuring the storage directory"))?;
        let needed = size + SPARE;
        if needed > free { Err(SnapshotError::NoSpace { needed, free }) } else { Ok(()) }
    }

    fn copy(&self, stop: &dyn Fn() -> bool) -> Result<(), SnapshotError> {
        let doing = "copying the database";
        let failed = OpenError::database(doing);
        let part = self.database();
        let from = connection::connect_reader(&self.dir)?;
        migrate::start_copy(&part).map_err(OpenError::file(doing))?;
        match copy(&from, &part, stop).map_err(failed)? {
            Copied::Whole => Ok(()),
            Copied::Stopped => Err(SnapshotError::Stopped),
        }
    }
}

impl Drop for Snapshot {
    fn drop(&mut self) {
        // The next backup removes it.
        let _ = remove_copy(&self.dir);
    }
}

/// Removes the remains of an interrupted copy, but not one that is being made.
pub(crate) fn remove_remains(dir: &Path) -> Result<(), OpenError> {
    if !dir.join(PART).exists() {
        return Ok(());
    }
    match lock(dir) {
        Ok(_lock) => remove_copy(dir).map_err(OpenError::file("removing an unfinished backup")),
        Err(_) => Ok(()),
    }
}

fn remove_copy(dir: &Path) -> io::Result<()> {
    // SQLite names its journal so.
    remove_if_there(&dir.join(format!("{PART}-journal"))).and_then(|()| remove_if_there(&dir.join(PART)))
}

fn lock(dir: &Path) -> Result<File, SnapshotError> {
    let opened =
        OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(dir.join(LOCK));
    let file = opened.map_err(OpenError::file("opening the lock of backups"))?;
    match file.try_lock() {
        Ok(()) => {
            give_to_owner(&file, dir);
            Ok(file)
        }
        Err(TryLockError::WouldBlock) => Err(SnapshotError::InUse),
        Err(TryLockError::Error(source)) => Err(OpenError::file("locking backups")(source).into()),
    }
}

/// How a copy ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Copied {
    /// It is complete.
    Whole,
    /// The caller wanted it to end.
    Stopped,
}

/// Copies a database into an empty file: in steps, or in one go if it changes too often for that.
pub(crate) fn copy(from: &Connection, part: &Path, stop: &dyn Fn() -> bool) -> rusqlite::Result<Copied> {
    if let Some(copied) = in_steps(from, part, stop)? {
        return Ok(copied);
    }
    tracing::info!("the database changes too often to be copied in steps: copying it in one go");
    // What is there is in the way.
    File::create(part).map_err(|error| rusqlite::Error::ToSqlConversionFailure(error.into()))?;
    in_one_go(from, part)?;
    Ok(Copied::Whole)
}

/// `None`: it was started again too often.
fn in_steps(from: &Connection, part: &Path, stop: &dyn Fn() -> bool) -> rusqlite::Result<Option<Copied>> {
    let mut to = Connection::open(part)?;
    // Of no use if it is not finished.
    to.pragma_update(None, "synchronous", "off")?;
    let backup = Backup::new(from, &mut to)?;
    let (mut starts, mut left) = (0, i32::MAX);
    loop {
        if stop() {
            return Ok(Some(Copied::Stopped));
        }
        if backup.step(PAGES)? == StepResult::Done {
            return Ok(Some(Copied::Whole));
        }
        let before = std::mem::replace(&mut left, backup.progress().remaining);
        // Only a new start leaves more to do.
        starts += u32::from(left >= before);
        if starts > MOST_STARTS {
            return Ok(None);
        }
        thread::sleep(PAUSE);
    }
}

fn in_one_go(from: &Connection, part: &Path) -> rusqlite::Result<usize> {
    from.execute("VACUUM INTO ?", [part.to_string_lossy()])
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use domain::ports::PersonStore;
    use testkit::store_suite::samples;

    use super::*;
    use crate::{Options, Store};

    const NEVER: &dyn Fn() -> bool = &|| false;

    fn key() -> StoreKey {
        StoreKey::new([7; 32])
    }

    fn open(dir: &Path) -> Store {
        Store::open(dir, &key(), Options::default()).unwrap()
    }

    fn enrol(store: &Store, code: &str) -> PictureId {
        store.insert_person(&samples::new_person(store, code)).unwrap().photo
    }

    fn rows(database: &Path) -> i64 {
        let database = Connection::open(database).unwrap();
        database.query_row("SELECT count(*) FROM person", [], |row| row.get(0)).unwrap()
    }

    #[test]
    fn a_copy_has_what_is_stored_and_goes_with_its_owner() {
        let dir = tempfile::tempdir().unwrap();
        let store = open(dir.path());
        let photo = enrol(&store, "1");
        let snapshot = Snapshot::take(dir.path(), &key(), NEVER).unwrap();
        assert_eq!(rows(&snapshot.database()), 1);
        let mut pictures = Vec::new();
        let mut take = |id: &PictureId, content: Option<Vec<u8>>| {
            pictures.push((id.clone(), content.is_some()));
            Ok(())
        };
        snapshot.pictures(&mut take).unwrap();
        assert_eq!(pictures, [(photo, true)]);
        snapshot.confirm().unwrap();
        let part = snapshot.database();
        drop(snapshot);
        assert!(!part.exists());
    }

    #[test]
    fn a_picture_that_is_gone_is_missing_and_nothing_else() {
        let dir = tempfile::tempdir().unwrap();
        let store = open(dir.path());
        let photo = enrol(&store, "1");
        let snapshot = Snapshot::take(dir.path(), &key(), NEVER).unwrap();
        fs::remove_file(pictures::path_in(dir.path(), &photo)).unwrap();
        let mut missing = Vec::new();
        let mut take = |id: &PictureId, content: Option<Vec<u8>>| {
            missing.extend(content.is_none().then(|| id.clone()));
            Ok(())
        };
        snapshot.pictures(&mut take).unwrap();
        assert_eq!(missing, [photo]);
    }

    #[test]
    fn a_database_that_always_changes_is_copied_in_one_go() {
        let dir = tempfile::tempdir().unwrap();
        let store = open(dir.path());
        // More than one step.
        enrol(&store, "1");
        let filler = "CREATE TABLE filler (x); INSERT INTO filler VALUES (zeroblob(2000000))";
        Connection::open(dir.path().join(connection::FILE)).unwrap().execute_batch(filler).unwrap();
        let steps = Cell::new(0_u8);
        let disturb = || {
            steps.set(steps.get() + 1);
            enrol(&store, &format!("late {}", steps.get()));
            false
        };
        let snapshot = Snapshot::take(dir.path(), &key(), &disturb).unwrap();
        assert_eq!(u32::from(steps.get()), MOST_STARTS + 2, "the first start is not a new one");
        assert_eq!(rows(&snapshot.database()), 1 + i64::from(steps.get()));
    }

    #[test]
    fn one_copy_is_made_at_a_time_and_remains_are_removed() {
        let dir = tempfile::tempdir().unwrap();
        drop(open(dir.path()));
        let snapshot = Snapshot::take(dir.path(), &key(), NEVER).unwrap();
        assert!(matches!(Snapshot::take(dir.path(), &key(), NEVER), Err(SnapshotError::InUse)));
        drop(open(dir.path()));
        assert!(snapshot.database().exists(), "one that is being made stays");
        drop(snapshot);
        fs::write(dir.path().join(PART), "remains").unwrap();
        drop(open(dir.path()));
        assert!(!dir.path().join(PART).exists());
    }

    #[test]
    fn a_copy_that_is_stopped_leaves_nothing() {
        let dir = tempfile::tempdir().unwrap();
        drop(open(dir.path()));
        assert!(matches!(Snapshot::take(dir.path(), &key(), &|| true), Err(SnapshotError::Stopped)));
        assert!(!dir.path().join(PART).exists());
    }

    #[test]
    fn keys_that_are_replaced_meanwhile_end_the_copy() {
        let dir = tempfile::tempdir().unwrap();
        drop(open(dir.path()));
        let snapshot = Snapshot::take(dir.path(), &key(), NEVER).unwrap();
        crate::change(dir.path(), &key(), &StoreKey::new([8; 32])).unwrap();
        assert!(matches!(snapshot.confirm(), Err(SnapshotError::KeysReplaced)));
    }
}

//! The store ports of `domain` on SQLite and picture files; the only SQL of the program.
//!
//! One directory contains everything: `polyface.db` (with its `-wal` and `-shm`), `pictures/ab/abcdef…` named by the
//! SHA-256 of their content, `gallery.copy`, `seal.keys`, and `polyface.lock`. What identifies people and what other
//! systems trust the device with is sealed (`seal/`). One connection writes, several read. Readers never
//! wait for the writer, except that a page of records waits for a step of their removal. Changes acknowledged with `Ok`
//! survive a power failure.

mod accounts;
mod adapters;
mod audit;
mod cameras;
mod columns;
mod connection;
mod copies;
mod damage;
mod ending;
mod erasure;
mod error;
mod gallery_copy;
mod going_back;
mod jobs;
mod keys;
mod libraries;
mod lists;
mod lock;
mod log;
mod migrate;
mod notes;
mod owner;
mod people;
mod permissions;
mod pictures;
mod relays;
mod repair;
mod reset;
mod restoring;
mod reverting;
mod rules;
mod schema;
mod seal;
mod settings;
mod snapshot;
mod sweep;
mod tasks;
mod texts;
mod usage;
mod watches;
mod words;

use std::fs::{DirBuilder, File};
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

pub use audit::{AuditCheck, AuditLine, AuditTrail};
use connection::{Database, Writer};
pub use copies::newest_copy;
use damage::Damage;
use domain::PictureId;
use domain::ports::{AdapterState, SettingsStore};
use ending::Ending;
use erasure::Erasures;
pub use error::OpenError;
use gallery_copy::GalleryCopy;
pub use going_back::go_back;
pub use keys::{add_functions, change, erase, is_sealed, turn};
use lock::DirectoryLock;
use log::Ladders;
use pictures::PictureFiles;
pub use repair::damaged as damaged_databases;
pub use reset::{forget as forget_reset, wanted as wanted_reset};
pub use restoring::{Incoming, RestoreError, forget_former};
pub use schema::{stored_schema, supported_schema};
use seal::Keys;
pub use seal::StoreKey;
pub use snapshot::{Snapshot, SnapshotError, TakePicture};

/// Folder in the storage directory that is not the store's: what is remembered of upgrades. Neither a restored backup nor
/// an erasure changes it.
pub const UPGRADES: &str = "upgrades";

/// Settings of [`Store::open`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// Number of reading connections, at least 1; further readers wait.
    pub readers: usize,
    /// How long a picture that was put but is not referenced by any row is kept. It may be removed afterwards.
    pub keep_unnamed: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self { readers: 4, keep_unnamed: Duration::from_secs(3600) }
    }
}

/// Persistent storage. Implements all store ports of [`domain::ports`].
pub struct Store {
    // In this order, so that the lock is released last.
    database: Database,
    pictures: PictureFiles,
    gallery_copy: GalleryCopy,
    ladders: Ladders,
    erasures: Erasures,
    copies: copies::Naming,
    dir: PathBuf,
    // Both `None` when opened beside the process that has the lock.
    _end: Option<EndNote>,
    _lock: Option<DirectoryLock>,
}

impl Store {
    /// Opens the store in `dir` with its key, creating it if missing; goes on with a restoration of a backup, replaces a
    /// damaged database by its last good copy, migrates the database, seals what a former version left in clear, and
    /// removes unreferenced pictures.
    ///
    /// # Errors
    /// [`OpenError::WrongKey`] when the store was sealed with another key, [`OpenError::NoDataKeys`] and
    /// [`OpenError::DamagedKeys`] when its own keys are missing or damaged: nothing is changed then.
    /// [`OpenError::Damaged`] when the database is damaged and there is no good copy of it.
    /// [`OpenError::InUse`] while another process has it open, [`OpenError::Newer`] when a later version of the
    /// program wrote it, [`OpenError::Foreign`] when the database is another program's.
    pub fn open(dir: &Path, key: &StoreKey, options: Options) -> Result<Self, OpenError> {
        make_private_dir(dir)?;
        let lock = DirectoryLock::take(dir)?;
        restoring::complete(dir)?;
        snapshot::remove_remains(dir)?;
        repair::ensure_sound(dir, key)?;
        let has_sealed = migrate::has_sealed(dir)?;
        let keys = Arc::new(seal::open_ring(dir, key, has_sealed)?);
        if !has_sealed {
            pictures::set_clear_aside(dir).map_err(OpenError::file("setting pictures aside"))?;
        }
        let database = Database::open(dir, &keys, options.readers)?;
        let pictures = PictureFiles::open(dir, &keys, options.keep_unnamed)?;
        sync_names(dir).map_err(OpenError::file("syncing the storage directory"))?;
        if let Some(database) = seal::finish(dir, key, &keys, database, &pictures)? {
            return Self::assemble(dir, &keys, database, pictures, lock);
        }
        // With the keys that are left.
        let keys = Arc::new(seal::open_ring(dir, key, true)?);
        let database = Database::open(dir, &keys, options.readers)?;
        let pictures = PictureFiles::open(dir, &keys, options.keep_unnamed)?;
        Self::assemble(dir, &keys, database, pictures, lock)
    }

    fn assemble(
        dir: &Path,
        keys: &Arc<Keys>,
        database: Database,
        pictures: PictureFiles,
        lock: DirectoryLock,
    ) -> Result<Self, OpenError> {
        let (gallery_copy, ladders) = (GalleryCopy::open(dir, keys)?, Ladders::default());
        let erasures = Erasures::default();
        let end = EndNote { dir: dir.to_owned(), damage: Arc::clone(database.damage()) };
        let store = Self {
            database,
            pictures,
            gallery_copy,
            ladders,
            erasures,
            copies: copies::Naming::default(),
            dir: dir.to_owned(),
            _end: Some(end),
            _lock: Some(lock),
        };
        store.sweep()?;
        if let Err(error) = store.database.writer().truncate_log() {
            tracing::warn!(error = error.chain(), "failed to truncate the write-ahead log");
        }
        Ok(store)
    }

    /// Whether `dir` contains a store.
    pub fn exists(dir: &Path) -> bool {
        dir.join(connection::FILE).exists()
    }

    /// Opens the settings and the state of adapters of an existing store beside the process that may have it open. It never migrates: that
    /// process may only support the old version.
    ///
    /// # Errors
    /// As [`Store::open`], but never [`OpenError::InUse`], and [`OpenError::Older`] before the first start of this
    /// version; a missing database is [`OpenError::Database`].
    pub fn open_beside(dir: &Path, key: &StoreKey) -> Result<impl SettingsStore + AdapterState + use<>, OpenError> {
        let (keys, database) = open_current(dir, key)?;
        let pictures = PictureFiles::open(dir, &keys, Options::default().keep_unnamed)?;
        let (gallery_copy, ladders) = (GalleryCopy::beside(dir, &keys), Ladders::default());
        let erasures = Erasures::default();
        let (dir, copies) = (dir.to_owned(), copies::Naming::default());
        Ok(Self { database, pictures, gallery_copy, ladders, erasures, copies, dir, _end: None, _lock: None })
    }

    /// Whether a statement or an examination has found the open database damaged. Then the store should be closed and
    /// opened again, which replaces the database by its last good copy.
    pub fn is_damaged(&self) -> bool {
        self.database.damage().is_noted()
    }

    /// Removes the files of pictures that the last transaction left unreferenced. The caller still has the writer
    /// locked, so no row can reference them again meanwhile.
    fn discard(&self, _writer: &Writer<'_>, unnamed: &[PictureId]) {
        self.pictures.remove_unpinned(unnamed);
    }
}

/// Notes how the process ends, once the database is closed.
struct EndNote {
    dir: PathBuf,
    damage: Arc<Damage>,
}

impl Drop for EndNote {
    fn drop(&mut self) {
        let ending = if self.damage.is_noted() { Ending::Damaged } else { Ending::Clean };
        // Without the note, the next start examines the database.
        if let Err(error) = ending::note(&self.dir, ending) {
            tracing::warn!(%error, "failed to note that the database is closed");
        }
    }
}

/// Opens an existing database of this version beside the process that may have it open.
fn open_current(dir: &Path, key: &StoreKey) -> Result<(Arc<Keys>, Database), OpenError> {
    let sealed = migrate::has_sealed(dir)?;
    // The keys of a former version are still to be made, and not by this process.
    let keys = if sealed { seal::open_ring(dir, key, true)? } else { Keys::none() };
    let keys = Arc::new(keys);
    let database = Database::open_current(dir, &keys)?;
    if seal::is_unfinished(&database)? {
        return Err(OpenError::Unfinished);
    }
    Ok((keys, database))
}

/// Creates a directory that only this user may enter; an existing one is left unchanged.
fn make_private_dir(dir: &Path) -> Result<(), OpenError> {
    let made = DirBuilder::new().recursive(true).mode(0o700).create(dir);
    made.map_err(|source| OpenError::File { doing: "creating the storage directory", source })
}

/// Syncs the directory and its parent, so that the store itself survives a power failure.
fn sync_names(dir: &Path) -> io::Result<()> {
    File::open(dir)?.sync_all()?;
    // A parent that the service may not read was set up by another user long ago.
    let parent = dir.canonicalize()?.parent().and_then(|parent| File::open(parent).ok());
    parent.map_or(Ok(()), |parent| parent.sync_all())
}

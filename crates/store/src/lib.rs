//! The store ports of `domain` on SQLite and picture files; the only SQL of the program.
//!
//! One directory contains everything: `polyface.db` (with its `-wal` and `-shm`), `pictures/ab/abcdef…` named by the
//! SHA-256 of their content, `gallery.copy`, and `polyface.lock`. One connection writes, several read. Readers never
//! wait for the writer, except that a page of records waits for a step of their removal. Changes acknowledged with `Ok`
//! survive a power failure.

mod accounts;
mod adapters;
mod audit;
mod cameras;
mod columns;
mod connection;
mod erasure;
mod error;
mod gallery_copy;
mod jobs;
mod libraries;
mod lists;
mod lock;
mod log;
mod migrate;
mod notes;
mod people;
mod permissions;
mod pictures;
mod relays;
mod rules;
mod settings;
mod sweep;
mod tasks;
mod usage;
mod watches;
mod words;

use std::fs::{DirBuilder, File};
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

pub use audit::{AuditCheck, AuditLine, AuditTrail};
use connection::{Database, Writer};
use domain::PictureId;
use domain::ports::SettingsStore;
use erasure::Erasures;
pub use error::OpenError;
use gallery_copy::GalleryCopy;
use lock::DirectoryLock;
use log::Ladders;
use pictures::PictureFiles;

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
    dir: PathBuf,
    /// `None` when opened beside the process that has the lock.
    _lock: Option<DirectoryLock>,
}

impl Store {
    /// Opens the store in `dir`, creating it if missing; migrates the database and removes unreferenced pictures.
    ///
    /// # Errors
    /// [`OpenError::InUse`] while another process has it open, [`OpenError::Newer`] when a later version of the
    /// program wrote it, [`OpenError::Foreign`] when the database is another program's.
    pub fn open(dir: &Path, options: Options) -> Result<Self, OpenError> {
        make_private_dir(dir)?;
        let lock = DirectoryLock::take(dir)?;
        let database = Database::open(dir, options.readers)?;
        let pictures = PictureFiles::open(dir, options.keep_unnamed)?;
        sync_names(dir).map_err(OpenError::file("syncing the storage directory"))?;
        let (gallery_copy, ladders) = (GalleryCopy::open(dir)?, Ladders::default());
        let erasures = Erasures::default();
        let store =
            Self { database, pictures, gallery_copy, ladders, erasures, dir: dir.to_owned(), _lock: Some(lock) };
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

    /// Opens the settings of an existing store beside the process that may have it open. It never migrates: that
    /// process may only support the old version.
    ///
    /// # Errors
    /// As [`Store::open`], but never [`OpenError::InUse`], and [`OpenError::Older`] before the first start of this
    /// version; a missing database is [`OpenError::Database`].
    pub fn open_beside(dir: &Path) -> Result<impl SettingsStore + use<>, OpenError> {
        let database = Database::open_current(dir)?;
        let pictures = PictureFiles::open(dir, Options::default().keep_unnamed)?;
        let (gallery_copy, ladders) = (GalleryCopy::beside(dir), Ladders::default());
        let erasures = Erasures::default();
        Ok(Self { database, pictures, gallery_copy, ladders, erasures, dir: dir.to_owned(), _lock: None })
    }

    /// Removes the files of pictures that the last transaction left unreferenced. The caller still has the writer
    /// locked, so no row can reference them again meanwhile.
    fn discard(&self, _writer: &Writer<'_>, unnamed: &[PictureId]) {
        self.pictures.remove_unpinned(unnamed);
    }
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

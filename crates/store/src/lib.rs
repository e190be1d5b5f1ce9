//! The store ports of `domain` on SQLite and picture files: the only SQL of the product.
//!
//! One directory holds everything: `polyface.db` (with its `-wal` and `-shm`), `pictures/ab/abcdef…` named by
//! the SHA-256 of their content, `gallery.copy`, and `polyface.lock`. One connection writes, several read; a reader never waits
//! for the writer, but a page of records for a step of their removal. What a method acknowledged with `Ok` survives a power cut.

mod accounts;
mod adapters;
mod cameras;
mod columns;
mod connection;
mod error;
mod gallery_copy;
mod jobs;
mod libraries;
mod lists;
mod lock;
mod log;
mod migrate;
mod people;
mod pictures;
mod relays;
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

use connection::{Database, Writer};
use domain::PictureId;
use domain::ports::SettingsStore;
pub use error::OpenError;
use gallery_copy::GalleryCopy;
use lock::DirectoryLock;
use log::Ladders;
use pictures::PictureFiles;

/// How a store is opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// Connections for reading, at least 1; a further reader waits for one of them.
    pub readers: usize,
    /// How long a picture that was put, but that no row names yet, is kept. Afterwards it may be removed.
    pub keep_unnamed: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self { readers: 4, keep_unnamed: Duration::from_secs(3600) }
    }
}

/// Everything the device remembers. Implements all store ports of [`domain::ports`].
pub struct Store {
    // In this order, so that the lock is given back last.
    database: Database,
    pictures: PictureFiles,
    gallery_copy: GalleryCopy,
    ladders: Ladders,
    dir: PathBuf,
    /// `None` beside the process that has it.
    _lock: Option<DirectoryLock>,
}

impl Store {
    /// Opens the store in `dir`, which is made when missing; migrates the database, removes pictures no row names.
    ///
    /// # Errors
    /// [`OpenError::InUse`] while another process has it open, [`OpenError::Newer`] when a later version of the
    /// program wrote it, [`OpenError::Foreign`] when the database is another program's.
    pub fn open(dir: &Path, options: Options) -> Result<Self, OpenError> {
        make_private_dir(dir)?;
        let lock = DirectoryLock::take(dir)?;
        let database = Database::open(dir, options.readers)?;
        let pictures = PictureFiles::open(dir, options.keep_unnamed)?;
        sync_names(dir).map_err(OpenError::file("making the storage directory durable"))?;
        let (gallery_copy, ladders) = (GalleryCopy::open(dir)?, Ladders::default());
        let store = Self { database, pictures, gallery_copy, ladders, dir: dir.to_owned(), _lock: Some(lock) };
        store.sweep()?;
        Ok(store)
    }

    /// Whether there is a store in `dir`.
    pub fn exists(dir: &Path) -> bool {
        dir.join(connection::FILE).exists()
    }

    /// Opens the settings of an existing store beside the process that may have it open. It never migrates: that
    /// process may know the old version only.
    ///
    /// # Errors
    /// As [`Store::open`], but never [`OpenError::InUse`], and [`OpenError::Older`] before the first start of this
    /// version; a missing database is [`OpenError::Database`].
    pub fn open_beside(dir: &Path) -> Result<impl SettingsStore + use<>, OpenError> {
        let database = Database::open_current(dir)?;
        let pictures = PictureFiles::open(dir, Options::default().keep_unnamed)?;
        let (gallery_copy, ladders) = (GalleryCopy::beside(dir), Ladders::default());
        Ok(Self { database, pictures, gallery_copy, ladders, dir: dir.to_owned(), _lock: None })
    }

    /// Removes the files of pictures that the last transaction left without a row. The caller still holds the
    /// writer, so no row can name them again meanwhile.
    fn discard(&self, _writer: &Writer<'_>, unnamed: &[PictureId]) {
        self.pictures.remove_unpinned(unnamed);
    }
}

/// A directory only this user may enter; an existing one is left as it is.
fn make_private_dir(dir: &Path) -> Result<(), OpenError> {
    let made = DirBuilder::new().recursive(true).mode(0o700).create(dir);
    made.map_err(|source| OpenError::File { doing: "making the storage directory", source })
}

/// Makes durable that the directory, and the database and pictures in it, exist at all.
fn sync_names(dir: &Path) -> io::Result<()> {
    File::open(dir)?.sync_all()?;
    // Where the service may not look into the parent, somebody else made this directory long ago.
    let parent = dir.canonicalize()?.parent().and_then(|parent| File::open(parent).ok());
    parent.map_or(Ok(()), |parent| parent.sync_all())
}

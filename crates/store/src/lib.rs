//! The store ports of `domain` on SQLite and picture files: the only SQL of the product.
//!
//! One directory holds everything: `polyface.db` (with its `-wal` and `-shm`), `pictures/ab/abcdef…` named by
//! the SHA-256 of their content, and `polyface.lock`. One connection writes, several read; a reader never waits
//! for the writer. What a method acknowledged with `Ok` survives a power cut.

mod accounts;
mod adapters;
mod cameras;
mod columns;
mod connection;
mod error;
mod libraries;
mod lists;
mod lock;
mod migrate;
mod people;
mod pictures;
mod records;
mod settings;
mod sweep;
mod words;

use std::fs::DirBuilder;
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;
use std::time::Duration;

use connection::{Database, Writer};
use domain::PictureId;
pub use error::OpenError;
use lock::DirectoryLock;
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
    _lock: DirectoryLock,
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
        let store = Self { database, pictures, _lock: lock };
        store.sweep()?;
        Ok(store)
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

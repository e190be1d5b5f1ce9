//! What can go wrong, and how it becomes an error of the core.

use std::io;

use domain::Error;
use rusqlite::ErrorCode;
use rusqlite::ffi::SQLITE_IOERR_SHMSIZE;

/// Why a store cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another process has it open.
    #[error("the storage directory is in use by process {holder}")]
    InUse {
        /// Its process id, as it wrote it down; `unknown` when it did not.
        holder: String,
    },
    /// A later version of the program wrote it.
    #[error("the database has version {found}, this program knows versions up to {known}: install a newer program")]
    Newer {
        /// The database's version.
        found: u32,
        /// The newest version this program knows.
        known: u32,
    },
    /// An earlier version of the program wrote it, and it may not be migrated now.
    #[error("the database has version {found}, not {known}: the service migrates it when it starts")]
    Older {
        /// The database's version.
        found: u32,
        /// The version this program needs.
        known: u32,
    },
    /// The database is not this program's.
    #[error("polyface.db is the database of another program")]
    Foreign,
    /// A migration did not succeed; the database stays at the version before it.
    #[error("migrating the database to version {version} failed")]
    Migration {
        /// The version that was not reached.
        version: u32,
        /// The cause.
        source: rusqlite::Error,
    },
    /// The database cannot be opened or copied.
    #[error("{doing} failed")]
    Database {
        /// What was being done.
        doing: &'static str,
        /// The cause.
        source: rusqlite::Error,
    },
    /// A file or directory cannot be made, read or written.
    #[error("{doing} failed")]
    File {
        /// What was being done.
        doing: &'static str,
        /// The cause.
        source: io::Error,
    },
}

impl OpenError {
    pub(crate) fn database(doing: &'static str) -> impl FnOnce(rusqlite::Error) -> Self {
        move |source| Self::Database { doing, source }
    }

    pub(crate) fn file(doing: &'static str) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::File { doing, source }
    }
}

/// Why a transaction did not come about.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Fault {
    /// The rules forbid it.
    #[error(transparent)]
    Refused(#[from] Error),
    /// The database failed.
    #[error(transparent)]
    Database(#[from] rusqlite::Error),
    /// A picture file failed.
    #[error(transparent)]
    File(#[from] io::Error),
    /// What is stored cannot be read back.
    #[error("the stored {0} cannot be read")]
    Corrupt(&'static str),
}

impl Fault {
    /// As the caller of a port sees it.
    pub(crate) fn while_doing(self, doing: &'static str) -> Error {
        match self {
            Self::Refused(error) => error,
            Self::Database(error) if is_full(&error) => Error::StorageFull,
            Self::Database(error) if is_busy(&error) => Error::Busy,
            Self::File(error) if is_full_disk(&error) => Error::StorageFull,
            fault => Error::internal(doing)(fault),
        }
    }
}

fn is_full(error: &rusqlite::Error) -> bool {
    // Without room for its shared memory file SQLite does not say "full" but this.
    let no_shared_memory = error.sqlite_error().is_some_and(|e| e.extended_code == SQLITE_IOERR_SHMSIZE);
    no_shared_memory || error.sqlite_error_code() == Some(ErrorCode::DiskFull)
}

/// Only somebody outside, e.g. an operator's shell on the database file, can make us wait so long.
fn is_busy(error: &rusqlite::Error) -> bool {
    matches!(error.sqlite_error_code(), Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked))
}

fn is_full_disk(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
}

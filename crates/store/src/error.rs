//! Errors of the store, and their conversion to errors of the domain.

use std::io;

use domain::Error;
use rusqlite::ErrorCode;
use rusqlite::ffi::SQLITE_IOERR_SHMSIZE;

/// Why a store cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another process has the store open.
    #[error("the storage directory is in use by process {holder}")]
    InUse {
        /// Its process id from the lock file; `unknown` if it is missing.
        holder: String,
    },
    /// The database was written by a later version of the program.
    #[error("the database has version {found}, this program supports versions up to {known}: install a newer version")]
    Newer {
        /// The database's version.
        found: u32,
        /// The newest version that this program supports.
        known: u32,
    },
    /// The database was written by an earlier version of the program and must not be migrated here.
    #[error("the database has version {found}, not {known}: the service migrates it when it starts")]
    Older {
        /// The database's version.
        found: u32,
        /// The version this program needs.
        known: u32,
    },
    /// The store key is not the one that the directory was sealed with.
    #[error("the storage key is not the one that the storage directory was sealed with")]
    WrongKey,
    /// Values are sealed, but the file with their keys is missing.
    #[error("seal.keys is missing from the storage directory: what is stored cannot be opened without it")]
    NoDataKeys,
    /// The file with the data keys is not readable.
    #[error("seal.keys in the storage directory is damaged")]
    DamagedKeys,
    /// All numbers of data keys are used.
    #[error("the data keys have been replaced 254 times, the numbers of keys are used up")]
    NoMoreKeys,
    /// The service still seals what a former version stored.
    #[error("the service has not sealed yet what a former version stored: it does so when it starts")]
    Unfinished,
    /// Values cannot be sealed.
    #[error("sealing the stored values failed")]
    Sealing(#[source] Error),
    /// The database is damaged, and there is no good copy of it.
    #[error(
        "the database is damaged ({found}) and there is no good copy of it: restore a backup with polyfaced restore, or \
         erase everything with polyfaced erase"
    )]
    Damaged {
        /// What was found.
        found: String,
    },
    /// The database belongs to another program.
    #[error("polyface.db is the database of another program")]
    Foreign,
    /// A migration failed; the database stays at the version before it.
    #[error("migrating the database to version {version} failed")]
    Migration {
        /// Version that was not reached.
        version: u32,
        /// The cause.
        source: rusqlite::Error,
    },
    /// The database cannot be opened or copied.
    #[error("{doing} failed")]
    Database {
        /// Failed operation.
        doing: &'static str,
        /// The cause.
        source: rusqlite::Error,
    },
    /// A file or directory cannot be created, read or written.
    #[error("{doing} failed")]
    File {
        /// Failed operation.
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

/// Why a transaction failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Fault {
    /// A rule of the domain forbids it.
    #[error(transparent)]
    Refused(#[from] Error),
    /// The database failed.
    #[error(transparent)]
    Database(#[from] rusqlite::Error),
    /// A picture file failed.
    #[error(transparent)]
    File(#[from] io::Error),
    /// A sealed value was changed, moved, or sealed by another key.
    #[error("a sealed value of the table {0} cannot be opened")]
    Sealed(String),
    /// A stored value cannot be read.
    #[error("the stored {0} cannot be read")]
    Corrupt(&'static str),
}

impl Fault {
    /// Converts the failure to the error returned by the port.
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
    // Without space for its shared memory file, SQLite reports this code instead of "full".
    let no_shared_memory = error.sqlite_error().is_some_and(|e| e.extended_code == SQLITE_IOERR_SHMSIZE);
    no_shared_memory || error.sqlite_error_code() == Some(ErrorCode::DiskFull)
}

/// Only another program, e.g. an operator's shell on the database file, can block this long.
fn is_busy(error: &rusqlite::Error) -> bool {
    matches!(error.sqlite_error_code(), Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked))
}

fn is_full_disk(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
}

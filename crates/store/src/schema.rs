//! The version of the database, for those who must know it before a program opens the store.

use std::fs;
use std::path::Path;

use rusqlite::{Connection, OpenFlags};

use crate::OpenError;
use crate::connection::FILE;
use crate::migrate::{self, STEPS};

/// The newest version of the database that this program supports: the number of its last migration.
pub fn supported_schema() -> u32 {
    STEPS.len() as u32
}

/// The version of the database in `dir`; `None` without a database. Changes nothing, and the daemon may be running.
///
/// # Errors
/// [`OpenError::Foreign`] when the database is another program's, [`OpenError::Database`] when it cannot be read.
pub fn stored_schema(dir: &Path) -> Result<Option<u32>, OpenError> {
    let file = dir.join(FILE);
    match fs::metadata(&file) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(OpenError::file("reading the storage directory")(error)),
        // A start that was interrupted before its first transaction.
        Ok(about) if about.len() == 0 => return Ok(None),
        Ok(_) => {}
    }
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(&file, flags).map_err(OpenError::database("opening the database"))?;
    migrate::identify(&connection)?;
    let found = migrate::version(&connection).map_err(OpenError::database("reading the database version"))?;
    Ok(Some(found))
}

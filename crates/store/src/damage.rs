//! Damage of the database: noted by whatever statement meets it, and looked for.

use std::sync::atomic::{AtomicBool, Ordering};

use rusqlite::{Connection, ErrorCode};

use crate::error::Fault;

/// Whether a statement has found the open database damaged.
#[derive(Debug, Default)]
pub(crate) struct Damage(AtomicBool);

impl Damage {
    /// Notes a failure if it shows damage.
    pub(crate) fn note(&self, fault: &Fault) {
        if let Fault::Database(error) = fault
            && is_damage(error)
        {
            self.found(&error.to_string());
        }
    }

    /// Notes damage that was found otherwise.
    pub(crate) fn found(&self, what: &str) {
        if !self.0.swap(true, Ordering::SeqCst) {
            tracing::error!(database.damage = what, "the database is damaged");
        }
    }

    pub(crate) fn is_noted(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }
}

/// Whether SQLite has found the content of the file wrong.
pub(crate) fn is_damage(error: &rusqlite::Error) -> bool {
    matches!(error.sqlite_error_code(), Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase))
}

/// How thoroughly a database is examined.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Examination {
    /// Every page of every table and index.
    Quick,
    /// Indexes against their tables as well, which takes some times longer.
    Whole,
}

/// What is wrong with a database; `None` if nothing is.
///
/// # Errors
/// When it cannot be examined.
pub(crate) fn look(db: &Connection, examination: Examination) -> rusqlite::Result<Option<String>> {
    let pragma = match examination {
        Examination::Quick => "PRAGMA quick_check(1)",
        Examination::Whole => "PRAGMA integrity_check(1)",
    };
    damage_in(db.query_row(pragma, [], |row| row.get::<_, String>(0)))
}

/// The damage that an examination has found or failed with.
pub(crate) fn damage_in(found: rusqlite::Result<String>) -> rusqlite::Result<Option<String>> {
    match found {
        Ok(found) if found == "ok" => Ok(None),
        // Several lines, the first of which is a heading.
        Ok(found) => Ok(Some(found.lines().last().unwrap_or_default().to_owned())),
        Err(error) if is_damage(&error) => Ok(Some(error.to_string())),
        Err(error) => Err(error),
    }
}

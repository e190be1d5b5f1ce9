//! Removes picture files left behind by a crash, which no row references, when the store is opened.

use std::collections::HashSet;
use std::fs;
use std::io;
use std::path::Path;
use std::time::Instant;

use rusqlite::Connection;

use crate::error::Fault;
use crate::{OpenError, Store};

/// All referenced pictures with this first byte (the range `?1..?2`).
const NAMED: &str = "SELECT photo FROM person WHERE photo >= ?1 AND photo < ?2
     UNION ALL SELECT crop FROM record WHERE crop >= ?1 AND crop < ?2
     UNION ALL SELECT scene FROM record WHERE scene >= ?1 AND scene < ?2
     UNION ALL SELECT crop FROM behaviour WHERE crop >= ?1 AND crop < ?2
     UNION ALL SELECT scene FROM behaviour WHERE scene >= ?1 AND scene < ?2
     UNION ALL SELECT video FROM behaviour WHERE video >= ?1 AND video < ?2
     UNION ALL SELECT picture FROM kept_picture WHERE picture >= ?1 AND picture < ?2";

impl Store {
    /// Removes orphaned files: one query and one directory listing per two digits.
    pub(crate) fn sweep(&self) -> Result<(), OpenError> {
        let started = Instant::now();
        let swept = self.database.read("sweeping pictures", |db| sweep_all(db, self.pictures.root()));
        let removed = swept.map_err(|error| OpenError::File {
            doing: "removing orphaned pictures",
            source: io::Error::other(error),
        })?;
        let elapsed_ms = started.elapsed().as_millis() as u64;
        tracing::info!(pictures.removed = removed, elapsed_ms, "orphaned pictures removed");
        Ok(())
    }
}

fn sweep_all(db: &Connection, root: &Path) -> Result<usize, Fault> {
    let mut removed = 0;
    for entry in fs::read_dir(root)? {
        let entry = entry?;
        let first_byte = entry.file_name().to_str().and_then(|name| u8::from_str_radix(name, 16).ok());
        if let (Some(first_byte), true) = (first_byte, entry.file_type()?.is_dir()) {
            removed += sweep_dir(&entry.path(), &named(db, first_byte)?)?;
        }
    }
    Ok(removed)
}

/// The hashes of all referenced pictures with this first byte.
pub(crate) fn named(db: &Connection, first_byte: u8) -> rusqlite::Result<HashSet<Vec<u8>>> {
    // Greater than any 32-byte hash with this first byte.
    let end = [[first_byte; 1].as_slice(), &[0xff; 32]].concat();
    db.prepare_cached(NAMED)?.query_map(([first_byte], end), |row| row.get(0))?.collect()
}

fn sweep_dir(dir: &Path, named: &HashSet<Vec<u8>>) -> io::Result<usize> {
    let mut removed = 0;
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        let hash = entry.file_name().to_str().and_then(|name| hex::decode(name).ok());
        if hash.is_some_and(|hash| named.contains(&hash)) {
            continue;
        }
        match fs::remove_file(entry.path()) {
            Ok(()) => removed += 1,
            // Not fatal: the next start tries again.
            Err(error) => tracing::warn!(error = %error, "failed to remove orphaned picture"),
        }
    }
    Ok(removed)
}

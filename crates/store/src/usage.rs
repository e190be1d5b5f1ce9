//! Disk usage of the store, and release of unused space.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::Duration;

use domain::{Result, Usage};
use rusqlite::Connection;
use rustix::fs::StatVfsMountFlags;

use crate::error::Fault;
use crate::{Store, migrate};

/// Number of unused pages that the database keeps for reuse: 8 MiB.
const SPARE_PAGES: i64 = 1024;
/// Number of pages returned to the file system per step: a few milliseconds of work.
const STEP_PAGES: i64 = 128;
/// Maximum age of a backup from before a migration: it contains people removed since.
const KEEP_BACKUP: Duration = Duration::from_secs(7 * 24 * 3600);

impl Store {
    /// The write-ahead log is not counted: its size varies (16 MiB), and a removal would seem to increase the usage.
    pub(crate) fn measure(&self) -> Result<Usage> {
        let pages = self.database.read("measuring the database", |db| Ok(pages(db)?))?;
        let rest = || -> io::Result<Usage> {
            let system = rustix::fs::statvfs(&self.dir)?;
            Ok(Usage {
                used_bytes: pages + self.pictures.bytes()?,
                free_bytes: system.f_bavail * system.f_frsize,
                read_only: system.f_flag.contains(StatVfsMountFlags::RDONLY),
            })
        };
        rest().map_err(|error| Fault::from(error).while_doing("measuring the storage directory"))
    }

    /// Returns some unused pages to the file system, removes old backups and goes on with an interrupted erasure.
    pub(crate) fn give_back(&self) -> Result<()> {
        self.resume_erasure()?;
        let unused = self.database.read("counting unused pages", |db| Ok(pragma(db, "freelist_count")?))?;
        if unused > SPARE_PAGES {
            self.database.writer().shrink(STEP_PAGES.min(unused - SPARE_PAGES))?;
        }
        let removed = migrate::remove_backups(&self.dir, KEEP_BACKUP);
        removed.map_err(|error| Fault::from(error).while_doing("removing old backups"))
    }
}

/// Size of the pages in use, bytes.
fn pages(db: &Connection) -> rusqlite::Result<u64> {
    let used = pragma(db, "page_count")? - pragma(db, "freelist_count")?;
    Ok((used * pragma(db, "page_size")?).unsigned_abs())
}

/// Size of the database, bytes.
pub(crate) fn size(db: &Connection) -> rusqlite::Result<u64> {
    Ok((pragma(db, "page_count")? * pragma(db, "page_size")?).unsigned_abs())
}

/// Space that this user may still take on the file system of a folder, bytes.
pub(crate) fn free(dir: &Path) -> io::Result<u64> {
    let system = rustix::fs::statvfs(dir)?;
    Ok(system.f_bavail * system.f_frsize)
}

fn pragma(db: &Connection, name: &str) -> rusqlite::Result<i64> {
    db.pragma_query_value(None, name, |row| row.get(0))
}

/// Disk usage of all files below a folder, bytes.
pub(crate) fn bytes_below(folder: &Path) -> io::Result<u64> {
    let mut bytes = 0;
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        match entry.metadata() {
            Ok(about) if about.is_dir() => bytes += bytes_below(&entry.path())?,
            Ok(about) => bytes += on_disk(about.size()),
            // Removed since it was listed.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    Ok(bytes)
}

/// Disk usage of a file of this length, in whole blocks.
pub(crate) fn on_disk(length: u64) -> u64 {
    length.next_multiple_of(4096)
}

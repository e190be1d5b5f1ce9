//! Going back to the database from before a migration, when the version of the program that made it was taken back.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, OpenFlags};

use crate::connection::FILE;
use crate::lock::DirectoryLock;
use crate::migrate::{self, BACKUP, remove_if_there};
use crate::schema::{stored_schema, supported_schema};
use crate::{OpenError, gallery_copy};

/// Puts the copy from before the last migration in place of a database that is newer than this program supports. What was
/// stored since is lost. Returns whether that was done: not when the database is supported, or there is no copy.
///
/// # Errors
/// [`OpenError::InUse`], [`OpenError::Foreign`], [`OpenError::Database`], [`OpenError::File`].
pub fn go_back(dir: &Path) -> Result<bool, OpenError> {
    if stored_schema(dir)?.is_none_or(|stored| stored <= supported_schema()) {
        return Ok(false);
    }
    let _lock = DirectoryLock::take(dir)?;
    let Some(copy) = supported_copy(dir).map_err(OpenError::file("looking for the former database"))? else {
        return Ok(false);
    };
    replace(dir, &copy).map_err(OpenError::file("putting the former database back"))?;
    Ok(true)
}

/// The copy of a database that this program supports.
fn supported_copy(dir: &Path) -> io::Result<Option<PathBuf>> {
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        let is_copy = entry.file_name().to_str().is_some_and(|name| name.starts_with(BACKUP));
        if is_copy && is_supported(&entry.path()) {
            return Ok(Some(entry.path()));
        }
    }
    Ok(None)
}

fn is_supported(file: &Path) -> bool {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let opened = Connection::open_with_flags(file, flags);
    opened.is_ok_and(|connection| migrate::known_version(&connection).is_ok_and(|version| version > 0))
}

/// The write-ahead log goes first: it must not be played onto another database. After a crash the newer database is
/// there, and this is repeated.
fn replace(dir: &Path, copy: &Path) -> io::Result<()> {
    for stale in [gallery_copy::FILE.to_owned(), format!("{FILE}-wal"), format!("{FILE}-shm")] {
        remove_if_there(&dir.join(stale))?;
    }
    File::open(dir)?.sync_all()?;
    fs::rename(copy, dir.join(FILE))?;
    File::open(dir)?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn database(file: &Path, version: u32, content: &str) {
        let connection = Connection::open(file).unwrap();
        connection.pragma_update(None, "journal_mode", "WAL").unwrap();
        connection.execute_batch(&format!("CREATE TABLE {content} (id INTEGER)")).unwrap();
        connection.pragma_update(None, "application_id", 0x5046_6365).unwrap();
        connection.pragma_update(None, "user_version", version).unwrap();
    }

    fn has(dir: &Path, table: &str) -> bool {
        let connection = Connection::open(dir.join(FILE)).unwrap();
        let count = "SELECT count(*) FROM sqlite_schema WHERE name = ?";
        connection.query_row(count, [table], |row| row.get::<_, u32>(0)).unwrap() == 1
    }

    #[test]
    fn a_newer_database_is_replaced_by_the_copy_from_before_its_migration() {
        let (dir, known) = (tempfile::tempdir().unwrap(), supported_schema());
        assert!(!go_back(dir.path()).unwrap(), "there is nothing");
        database(&dir.path().join(FILE), known + 2, "newer");
        assert!(!go_back(dir.path()).unwrap(), "there is no copy");
        database(&dir.path().join(format!("{BACKUP}{}", known + 2)), known + 1, "middle");
        assert!(!go_back(dir.path()).unwrap(), "the copy is newer, too");
        fs::remove_file(dir.path().join(format!("{BACKUP}{}", known + 2))).unwrap();
        database(&dir.path().join(format!("{BACKUP}{}", known + 3)), known, "former");
        fs::write(dir.path().join(gallery_copy::FILE), "of the newer one").unwrap();
        fs::write(dir.path().join(format!("{FILE}-wal")), "of the newer one").unwrap();
        assert!(go_back(dir.path()).unwrap());
        assert!(has(dir.path(), "former") && !has(dir.path(), "newer"));
        assert!(!dir.path().join(gallery_copy::FILE).exists());
        assert_eq!(stored_schema(dir.path()).unwrap(), Some(known));
        assert!(!go_back(dir.path()).unwrap(), "it is supported");
    }
}

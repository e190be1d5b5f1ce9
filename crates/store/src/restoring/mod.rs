//! Replaces everything that is stored by the content of a backup.
//!
//! | folder | content |
//! |---|---|
//! | `restore.part` | what comes from the backup, until all of it is there and checked |
//! | `restore.ready` | the same, from then on: it replaces what is stored |
//! | `before-restore.part`, `before-restore` | what was stored, while and after it is moved away |
//! | `restore.install` | what comes from the backup, while it is moved to its place |
//!
//! Each step is one rename, and the names say how far it is: whatever interrupts it, the next start goes on or, before
//! `restore.ready`, removes what there is. So the storage is the former or the restored one at any time.

use std::fs::{self, DirBuilder, File};
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use domain::PictureId;
use rusqlite::{Connection, OpenFlags};

use crate::lock::{self, DirectoryLock};
use crate::owner::{create_private, give_to_owner, make_alike};
use crate::{OpenError, StoreKey, UPGRADES, connection, make_private_dir, migrate, pictures, seal};

const PART: &str = "restore.part";
const READY: &str = "restore.ready";
const INSTALL: &str = "restore.install";
const FORMER: &str = "before-restore";
const FORMER_PART: &str = "before-restore.part";
/// Folders that may have data keys.
pub(crate) const FOLDERS: [&str; 5] = [PART, READY, INSTALL, FORMER, FORMER_PART];
/// What the device keeps when the backup has none of it.
const OWN: [&str; 3] = ["tls", "keys", "sounds"];

/// Why a backup cannot be restored.
#[derive(Debug, thiserror::Error)]
pub enum RestoreError {
    /// The storage directory or what comes from the backup cannot be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// What was stored before the last restoration is still there.
    #[error(
        "{FORMER} in the storage directory holds what was stored before the last restoration: start the device, which \
         removes it once it is healthy, or remove it"
    )]
    FormerKept,
    /// The database is from before values were sealed.
    #[error("the database of the backup has version {found}, backups have version {least} or later")]
    TooOld {
        /// The database's version.
        found: u32,
        /// The first version with backups.
        least: u32,
    },
    /// The database of the backup is damaged.
    #[error("the database of the backup is damaged: {0}")]
    Damaged(String),
}

/// What comes from a backup, until it replaces what is stored. Dropping it removes it.
pub struct Incoming {
    dir: PathBuf,
    _lock: DirectoryLock,
}

impl Incoming {
    /// Locks the storage directory, which is made if it is missing, and makes an empty folder in it.
    ///
    /// # Errors
    /// [`OpenError::InUse`] while the device runs; [`RestoreError::FormerKept`]; [`OpenError::File`].
    pub fn begin(dir: &Path) -> Result<Self, RestoreError> {
        make_private_dir(dir)?;
        let lock = DirectoryLock::take(dir)?;
        complete(dir)?;
        if dir.join(FORMER).exists() {
            return Err(RestoreError::FormerKept);
        }
        let incoming = Self { dir: dir.to_owned(), _lock: lock };
        make_private_dir(&incoming.folder())?;
        Ok(incoming)
    }

    /// The folder that everything is to be written into.
    pub fn folder(&self) -> PathBuf {
        self.dir.join(PART)
    }

    /// The file of the database.
    pub fn database(&self) -> PathBuf {
        self.folder().join(connection::FILE)
    }

    /// The file of the data keys.
    pub fn data_keys(&self) -> PathBuf {
        self.folder().join(seal::RING_FILE)
    }

    /// The file of a picture; its folder is made.
    pub fn picture(&self, id: &PictureId) -> io::Result<PathBuf> {
        let path = pictures::path_in(&self.folder(), id);
        let folder = path.parent().unwrap_or(&path);
        DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
        Ok(path)
    }

    /// Free space in the storage directory, bytes.
    pub fn free(&self) -> io::Result<u64> {
        crate::usage::free(&self.dir)
    }

    /// The version of the database, once it is written.
    ///
    /// # Errors
    /// [`OpenError::Newer`], [`OpenError::Foreign`], [`OpenError::Database`], [`RestoreError::TooOld`].
    pub fn version(&self) -> Result<u32, RestoreError> {
        let found = migrate::known_version(&self.connect()?)?;
        if found < migrate::SEALED {
            return Err(RestoreError::TooOld { found, least: migrate::SEALED });
        }
        Ok(found)
    }

    /// Checks the database, and wraps the data keys by `to` in place of `from`.
    ///
    /// # Errors
    /// As [`Incoming::version`]; [`RestoreError::Damaged`]; [`OpenError::WrongKey`], [`OpenError::DamagedKeys`].
    pub fn check(&self, from: &StoreKey, to: &StoreKey) -> Result<(), RestoreError> {
        self.version()?;
        let doing = OpenError::database("checking the database");
        let found: String = self.connect()?.query_row("PRAGMA quick_check(1)", [], |row| row.get(0)).map_err(doing)?;
        if found != "ok" {
            return Err(RestoreError::Damaged(found));
        }
        Ok(seal::rewrap(&self.folder(), from, to)?)
    }

    /// Has it replace what is stored, which is kept until [`forget_former`]. Certificates, their keys and sounds stay
    /// unless the backup has some.
    ///
    /// # Errors
    /// [`OpenError::File`]; from the moment that everything is on the disk, the next start goes on.
    pub fn commit(self) -> Result<(), RestoreError> {
        self.keep_own().map_err(OpenError::file("copying certificates and sounds"))?;
        let ready = || -> io::Result<()> {
            rustix::fs::syncfs(File::open(self.folder())?)?;
            fs::rename(self.folder(), self.dir.join(READY))?;
            sync(&self.dir)
        };
        ready().map_err(OpenError::file("putting the backup in place"))?;
        Ok(complete(&self.dir)?)
    }

    fn keep_own(&self) -> io::Result<()> {
        for name in OWN {
            let (own, restored) = (self.dir.join(name), self.folder().join(name));
            if own.is_dir() && !restored.exists() {
                copy_folder(&own, &restored)?;
            }
        }
        Ok(())
    }

    fn connect(&self) -> Result<Connection, OpenError> {
        let opened = Connection::open_with_flags(self.database(), OpenFlags::SQLITE_OPEN_READ_WRITE);
        let database = opened.map_err(OpenError::database("opening the database of the backup"))?;
        let untrusted = database.pragma_update(None, "trusted_schema", false);
        untrusted.map_err(OpenError::database("opening the database of the backup"))?;
        Ok(database)
    }
}

impl Drop for Incoming {
    fn drop(&mut self) {
        // Gone when it has replaced what was stored; otherwise the next start removes it.
        let _ = remove_folder(&self.folder());
    }
}

/// Removes what was stored before a restoration; returns whether there was anything.
///
/// # Errors
/// When it cannot be removed.
pub fn forget_former(dir: &Path) -> io::Result<bool> {
    let former = dir.join(FORMER);
    if !former.exists() {
        return Ok(false);
    }
    remove_folder(&former)?;
    sync(dir)?;
    Ok(true)
}

/// Goes on with what was interrupted. The caller has the directory locked.
pub(crate) fn complete(dir: &Path) -> Result<(), OpenError> {
    let complete = || -> io::Result<()> {
        remove_folder(&dir.join(PART))?;
        if dir.join(READY).exists() {
            move_away(dir)?;
        }
        if dir.join(INSTALL).exists() {
            move_in(dir)?;
        }
        Ok(())
    };
    complete().map_err(OpenError::file("putting a backup in place"))
}

/// Moves what is stored out of the way.
fn move_away(dir: &Path) -> io::Result<()> {
    let part = dir.join(FORMER_PART);
    // One that is still empty may be root's, who was interrupted here.
    let _ = fs::remove_dir(&part);
    DirBuilder::new().recursive(true).mode(0o700).create(&part)?;
    give_to_owner(&File::open(&part)?, dir);
    for name in listed(dir)? {
        if name != lock::FILE && name != UPGRADES && !FOLDERS.iter().any(|folder| name == *folder) {
            fs::rename(dir.join(&name), part.join(&name))?;
        }
    }
    sync(&part)?;
    fs::rename(dir.join(READY), dir.join(INSTALL))?;
    sync(dir)
}

/// Moves what comes from the backup to its place, which is empty.
fn move_in(dir: &Path) -> io::Result<()> {
    let (install, former) = (dir.join(INSTALL), dir.join(FORMER_PART));
    if former.exists() {
        fs::rename(former, dir.join(FORMER))?;
    }
    for name in listed(&install)? {
        fs::rename(install.join(&name), dir.join(&name))?;
    }
    sync(dir)?;
    fs::remove_dir(&install)?;
    sync(dir)
}

fn listed(dir: &Path) -> io::Result<Vec<std::ffi::OsString>> {
    fs::read_dir(dir)?.map(|entry| entry.map(|entry| entry.file_name())).collect()
}

/// Everything in the copy has the owner and the mode of the original: the service must be able to read what root
/// restores.
fn copy_folder(from: &Path, to: &Path) -> io::Result<()> {
    DirBuilder::new().mode(0o700).create(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let (kind, to) = (entry.file_type()?, to.join(entry.file_name()));
        if kind.is_dir() {
            copy_folder(&entry.path(), &to)?;
        } else if kind.is_file() {
            copy_file(&entry.path(), &to)?;
        }
    }
    make_alike(&File::open(from)?, &File::open(to)?)
}

fn copy_file(from: &Path, to: &Path) -> io::Result<()> {
    let (mut original, mut copy) = (File::open(from)?, create_private(to)?);
    io::copy(&mut original, &mut copy)?;
    make_alike(&original, &copy)
}

fn remove_folder(folder: &Path) -> io::Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        done => done,
    }
}

fn sync(dir: &Path) -> io::Result<()> {
    File::open(dir)?.sync_all()
}

#[cfg(test)]
mod tests;

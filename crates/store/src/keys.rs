//! What can be done with the keys of a store that no process has open.

use std::fs;
use std::io;
use std::path::Path;
use std::sync::Arc;

use rusqlite::Connection;

use crate::lock::{self, DirectoryLock};
use crate::{OpenError, Options, Store, StoreKey, UPGRADES, migrate, reset, restoring, seal};

/// Whether the directory has values that only its key opens; then a missing key must not be replaced by a new one.
///
/// # Errors
/// [`OpenError::Foreign`], [`OpenError::Database`].
pub fn is_sealed(dir: &Path) -> Result<bool, OpenError> {
    Ok(dir.join(seal::RING_FILE).exists() || migrate::has_sealed(dir)?)
}

/// Seals everything again with a new data key and destroys the former one. What is interrupted is finished when the
/// store is opened next.
///
/// # Errors
/// As [`Store::open`], and [`OpenError::NoMoreKeys`].
pub fn turn(dir: &Path, key: &StoreKey) -> Result<(), OpenError> {
    // First finishes a turn that was interrupted.
    drop(Store::open(dir, key, Options::default())?);
    let lock = DirectoryLock::take(dir)?;
    seal::start_turn(dir, key)?;
    drop(lock);
    Store::open(dir, key, Options::default()).map(drop)
}

/// Changes the store key. Nothing is sealed again: only the data keys are.
///
/// # Errors
/// [`OpenError::InUse`], [`OpenError::WrongKey`] when `from` is not the key, [`OpenError::File`].
pub fn change(dir: &Path, from: &StoreKey, to: &StoreKey) -> Result<(), OpenError> {
    let _lock = DirectoryLock::take(dir)?;
    seal::rewrap(dir, from, to)
}

/// Destroys the data keys, also those of a backup that is being restored and those from before it, and the store key by
/// calling `destroy_key`, and then removes everything in the directory. Once the keys are destroyed, what a medium keeps
/// of removed files cannot be opened. What is interrupted can be repeated, and a [reset](crate::wanted_reset) that asks
/// for it is forgotten last.
///
/// # Errors
/// [`OpenError::InUse`]: nothing is destroyed while a process has the directory open. [`OpenError::File`].
pub fn erase(dir: &Path, destroy_key: impl FnOnce() -> io::Result<()>) -> Result<(), OpenError> {
    let lock = DirectoryLock::take(dir)?;
    for folder in [dir.to_owned()].into_iter().chain(restoring::FOLDERS.map(|folder| dir.join(folder))) {
        seal::destroy(&folder).map_err(OpenError::file("destroying the data keys"))?;
    }
    destroy_key().map_err(OpenError::file("destroying the storage key"))?;
    remove_all(dir).map_err(OpenError::file("removing what is stored"))?;
    drop(lock);
    Ok(())
}

/// Removes everything but the lock and what is remembered of upgrades; at last, what asks for that.
fn remove_all(dir: &Path) -> io::Result<()> {
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        if entry.file_name() == UPGRADES {
            continue;
        }
        if entry.file_type()?.is_dir() {
            fs::remove_dir_all(entry.path())?;
        } else if entry.file_name() != lock::FILE && entry.file_name() != reset::FILE {
            fs::remove_file(entry.path())?;
        }
    }
    fs::File::open(dir)?.sync_all()?;
    reset::forget(dir)
}

/// Registers the SQL functions that seal values of the store in `dir`, for tools that fill it.
///
/// # Errors
/// As [`Store::open`].
#[doc(hidden)]
pub fn add_functions(connection: &Connection, dir: &Path, key: &StoreKey) -> Result<(), OpenError> {
    let keys = Arc::new(seal::open_ring(dir, key, true)?);
    seal::add_functions(connection, &keys).map_err(OpenError::database("registering functions"))
}

//! Ensures that only one process uses a storage directory.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use crate::OpenError;
use crate::owner::give_to_owner;

/// Name of the lock file.
pub(crate) const FILE: &str = "polyface.lock";

/// Exclusive lock of a storage directory, released on drop or when the process ends in any way.
pub(crate) struct DirectoryLock {
    _file: File,
}

impl DirectoryLock {
    pub(crate) fn take(dir: &Path) -> Result<Self, OpenError> {
        let opened =
            OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(dir.join(FILE));
        let mut file = opened.map_err(OpenError::file("opening the lock file"))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(OpenError::InUse { holder: holder(&mut file) }),
            Err(TryLockError::Error(source)) => {
                return Err(OpenError::File { doing: "locking the storage directory", source });
            }
        }
        give_to_owner(&file, dir);
        sign(&mut file).map_err(OpenError::file("writing the lock file"))?;
        Ok(Self { _file: file })
    }
}

/// Writes the process id into the lock file, for the error of the next process.
fn sign(file: &mut File) -> std::io::Result<()> {
    file.set_len(0)?;
    file.rewind()?;
    writeln!(file, "{}", std::process::id())
}

fn holder(file: &mut File) -> String {
    let mut text = String::new();
    let read = file.take(20).read_to_string(&mut text).is_ok();
    let pid = text.trim();
    if read && !pid.is_empty() { pid.to_owned() } else { "unknown".to_owned() }
}

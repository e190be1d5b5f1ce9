//! How the last process that had the store open ended: the file `polyface.end`.
//!
//! It is written, durably, when a store is closed, and removed before the next one opens anything. So it is missing
//! after a crash or a power cut.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use crate::owner::give_to_owner;

const FILE: &str = "polyface.end";
const CLEAN: &[u8] = b"clean\n";
const DAMAGED: &[u8] = b"damaged\n";

/// How the last process ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ending {
    /// It closed the database.
    Clean,
    /// It found the database damaged.
    Damaged,
    /// It crashed, or the power failed.
    Unknown,
}

/// Reads how the last process ended, and removes the mark.
pub(crate) fn take(dir: &Path) -> io::Result<Ending> {
    let file = dir.join(FILE);
    let ending = match fs::read(&file) {
        Ok(content) if content == CLEAN => Ending::Clean,
        Ok(content) if content == DAMAGED => Ending::Damaged,
        Ok(_) => Ending::Unknown,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Ending::Unknown),
        Err(error) => return Err(error),
    };
    fs::remove_file(&file)?;
    File::open(dir)?.sync_all()?;
    Ok(ending)
}

/// Notes how this process ends.
pub(crate) fn note(dir: &Path, ending: Ending) -> io::Result<()> {
    let content = match ending {
        Ending::Clean => CLEAN,
        Ending::Damaged => DAMAGED,
        Ending::Unknown => return Ok(()),
    };
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(dir.join(FILE))?;
    give_to_owner(&file, dir);
    file.write_all(content)?;
    file.sync_all()?;
    File::open(dir)?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ending_is_read_once() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(take(dir.path()).unwrap(), Ending::Unknown);
        for ending in [Ending::Clean, Ending::Damaged] {
            note(dir.path(), ending).unwrap();
            assert_eq!((take(dir.path()).unwrap(), take(dir.path()).unwrap()), (ending, Ending::Unknown));
        }
        fs::write(dir.path().join(FILE), "cle").unwrap();
        assert_eq!(take(dir.path()).unwrap(), Ending::Unknown, "cut short");
    }
}

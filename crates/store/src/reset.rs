//! Which parts of the device are to be reset before it serves again: the file `reset.wanted`.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use domain::Reset;

use crate::migrate::remove_if_there;

/// Name of the file.
pub(crate) const FILE: &str = "reset.wanted";
const PART: &str = "reset.wanted.part";

/// Notes them, durably.
pub(crate) fn want(dir: &Path, reset: Reset) -> io::Result<()> {
    let part = dir.join(PART);
    remove_if_there(&part)?;
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&part)?;
    writeln!(file, "{reset}")?;
    file.sync_all()?;
    fs::rename(&part, dir.join(FILE))?;
    File::open(dir)?.sync_all()
}

/// The parts that are to be reset; `None` when there are none.
///
/// # Errors
/// When the note cannot be read.
pub fn wanted(dir: &Path) -> io::Result<Option<Reset>> {
    let text = match fs::read_to_string(dir.join(FILE)) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        text => text?,
    };
    let reset = Reset::read(&text).filter(|reset| !reset.is_nothing());
    reset.map(Some).ok_or_else(|| io::Error::new(ErrorKind::InvalidData, format!("{FILE} names no parts")))
}

/// Forgets them once they were reset.
///
/// # Errors
/// When the note cannot be removed.
pub fn forget(dir: &Path) -> io::Result<()> {
    remove_if_there(&dir.join(FILE))?;
    File::open(dir)?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wanted_reset_is_there_until_it_is_forgotten() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(wanted(dir.path()).unwrap(), None);
        let reset = Reset { people: true, settings: true, ..Reset::default() };
        want(dir.path(), reset).unwrap();
        assert_eq!(wanted(dir.path()).unwrap(), Some(reset));
        forget(dir.path()).unwrap();
        assert_eq!(wanted(dir.path()).unwrap(), None);
        fs::write(dir.path().join(FILE), "plants").unwrap();
        assert!(wanted(dir.path()).is_err());
    }
}

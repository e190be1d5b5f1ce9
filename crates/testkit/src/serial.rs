//! A serial line that is no more than a pair of pseudo-terminals, for drivers of what hangs on serial lines.

use std::ffi::OsString;
use std::fs::File;
use std::io;
use std::os::unix::ffi::OsStringExt;
use std::os::unix::fs::symlink;
use std::path::PathBuf;

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

/// A place at which serial lines are plugged in one after the other.
pub struct SerialSocket {
    device: PathBuf,
}

impl SerialSocket {
    /// A place of this name, at which nothing is plugged in yet.
    pub fn at(device: PathBuf) -> Self {
        Self { device }
    }

    /// Where a driver finds what is plugged in.
    pub fn device(&self) -> PathBuf {
        self.device.clone()
    }

    /// Plugs in a line in place of the one before; gives its other end, with which it vanishes.
    ///
    /// # Errors
    /// When the machine has no pseudo-terminals, or the place cannot be written.
    pub fn plug_in(&self) -> io::Result<File> {
        let far = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY)?;
        grantpt(&far)?;
        unlockpt(&far)?;
        let near = OsString::from_vec(ptsname(&far, Vec::new())?.into_bytes());
        if self.device.symlink_metadata().is_ok() {
            std::fs::remove_file(&self.device)?;
        }
        symlink(near, &self.device)?;
        Ok(File::from(far))
    }
}

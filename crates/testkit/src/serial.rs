//! Serial lines simulated by pseudo-terminals.

use std::ffi::OsString;
use std::fs::File;
use std::io;
use std::os::unix::ffi::OsStringExt;
use std::os::unix::fs::symlink;
use std::path::PathBuf;

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

/// A device path at which simulated serial lines are plugged in one after the other.
pub struct SerialSocket {
    device: PathBuf,
}

impl SerialSocket {
    /// A socket at this path, with nothing plugged in.
    pub fn at(device: PathBuf) -> Self {
        Self { device }
    }

    /// The device path for a driver.
    pub fn device(&self) -> PathBuf {
        self.device.clone()
    }

    /// Plugs in a line, replacing the former one. Returns its far end; dropping it unplugs the line.
    ///
    /// # Errors
    /// When the machine has no pseudo-terminals, or the path cannot be written.
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

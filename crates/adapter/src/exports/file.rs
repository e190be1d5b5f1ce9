//! A file being written.

use std::io::{self, Read, Seek, SeekFrom, Write};
use std::sync::Arc;

use tempfile::{NamedTempFile, TempPath};

use super::{Exports, Shared};

/// An unnamed file in the exports folder, counted towards its limits; removed when dropped unless it is kept.
pub struct ExportFile {
    file: NamedTempFile,
    room: Room,
}

/// Space reserved for a file being written, bytes.
struct Room {
    shared: Arc<Shared>,
    bytes: u64,
}

impl ExportFile {
    pub(super) fn create(exports: &Exports) -> io::Result<Self> {
        let shared = Arc::clone(&exports.shared);
        Ok(Self { file: NamedTempFile::new_in(&shared.dir)?, room: Room { shared, bytes: 0 } })
    }

    /// The finished file and its length in bytes; its reservation ends.
    pub(super) fn finish(mut self) -> io::Result<(TempPath, u64)> {
        self.file.flush()?;
        let bytes = self.file.as_file().metadata()?.len();
        Ok((self.file.into_temp_path(), bytes))
    }
}

impl Write for ExportFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.room.shared.reserve(bytes.len() as u64)?;
        self.room.bytes += bytes.len() as u64;
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Read for ExportFile {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.file.read(buffer)
    }
}

impl Seek for ExportFile {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.file.seek(to)
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        self.shared.release(self.bytes);
    }
}

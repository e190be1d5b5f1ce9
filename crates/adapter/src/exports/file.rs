//! A file being written.

use std::io::{self, Read, Seek, SeekFrom, Write};
use std::sync::Arc;

use tempfile::{NamedTempFile, TempPath};

use super::{Exports, Shared};

/// A file in the folder of exports, nameless and counted; removed with its handle unless it is kept.
pub struct ExportFile {
    file: NamedTempFile,
    room: Room,
}

/// Bytes counted as being written.
struct Room {
    shared: Arc<Shared>,
    bytes: u64,
}

impl ExportFile {
    pub(super) fn create(exports: &Exports) -> io::Result<Self> {
        let shared = Arc::clone(&exports.shared);
        Ok(Self { file: NamedTempFile::new_in(&shared.dir)?, room: Room { shared, bytes: 0 } })
    }

    /// The file as it is, and its length in bytes, no longer counted as being written.
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

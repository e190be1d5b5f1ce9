//! The log of writes of QEMU's driver `blklogwrites`, in the format of the kernel's dm-log-writes; numbers are
//! little-endian, of 8 bytes if not stated:
//!
//! | sectors | content |
//! |---|---|
//! | first | magic number, version, number of entries, size of a sector (4 bytes) |
//! | for each entry, 1 | sector that is written, number of sectors, flags, length of a mark |
//! | after it | what is written, that many sectors; nothing for a flush or a discard |

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;

/// Bytes of a sector.
pub(super) const SECTOR: usize = 512;
const MAGIC: u64 = 0x006a_7366_7773_6872;
const VERSION: u64 = 1;
const FLUSH: u64 = 1;
const FUA: u64 = 2;
const DISCARD: u64 = 4;
const MARK: u64 = 8;

/// One entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Entry {
    /// The first sector that is written.
    pub(super) sector: u64,
    /// How many are written.
    pub(super) sectors: u64,
    /// Whether everything before it was on the medium when it was acknowledged.
    pub(super) is_flush: bool,
    /// Whether it is itself on the medium when it is acknowledged.
    pub(super) is_durable: bool,
    /// Where its content begins in the log, bytes.
    content: u64,
}

/// A log that is complete.
pub struct WriteLog {
    file: File,
    entries: Vec<Entry>,
}

impl WriteLog {
    /// Reads the log in this file.
    ///
    /// # Errors
    /// When it is none, or is cut short.
    pub fn read(path: &Path) -> io::Result<Self> {
        let file = File::open(path)?;
        let count = count(&file)?;
        let (mut entries, mut at) = (Vec::new(), SECTOR as u64);
        for _ in 0..count {
            let entry = read_entry(&file, at)?;
            at = entry.content + entry.sectors_in_log() * SECTOR as u64;
            entries.push(entry);
        }
        Ok(Self { file, entries })
    }

    /// Number of entries.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether nothing was logged.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    pub(super) fn entry(&self, number: usize) -> Entry {
        self.entries[number]
    }

    /// The number of entries up to and including the last flush among the first `count`.
    pub(super) fn flushed(&self, count: usize) -> usize {
        self.entries[..count].iter().rposition(|entry| entry.is_flush).map_or(0, |place| place + 1)
    }

    /// What an entry writes.
    pub(super) fn content(&self, entry: Entry) -> io::Result<Vec<u8>> {
        let mut content = vec![0; entry.sectors_in_log() as usize * SECTOR];
        self.file.read_exact_at(&mut content, entry.content)?;
        Ok(content)
    }
}

impl Entry {
    /// Sectors of its content in the log.
    fn sectors_in_log(self) -> u64 {
        // Discarded content is undefined: here it stays what it was.
        self.sectors
    }
}

/// The number of entries in a log that may still grow. It is brought up to date with every flush.
///
/// # Errors
/// When the file is no such log.
pub(super) fn count(file: &File) -> io::Result<u64> {
    let mut head = [0; 28];
    file.read_exact_at(&mut head, 0)?;
    let [magic, version, count] = numbers(&head);
    let sector = u32::from_le_bytes([head[24], head[25], head[26], head[27]]);
    if (magic, version, sector as usize) != (MAGIC, VERSION, SECTOR) {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "not a log of writes with sectors of 512 bytes"));
    }
    Ok(count)
}

fn read_entry(file: &File, at: u64) -> io::Result<Entry> {
    let mut head = [0; 32];
    file.read_exact_at(&mut head, at)?;
    let [sector, sectors, flags, length] = numbers(&head);
    let has_content = flags & DISCARD == 0;
    if flags & !(FLUSH | FUA | DISCARD) != 0 || flags & MARK != 0 || length != 0 {
        return Err(io::Error::new(io::ErrorKind::InvalidData, format!("an entry with flags {flags} at {at}")));
    }
    Ok(Entry {
        sector,
        sectors: if has_content { sectors } else { 0 },
        is_flush: flags & FLUSH != 0,
        is_durable: flags & FUA != 0,
        content: at + SECTOR as u64,
    })
}

fn numbers<const N: usize>(bytes: &[u8]) -> [u64; N] {
    let (numbers, _) = bytes.as_chunks::<8>();
    std::array::from_fn(|place| u64::from_le_bytes(numbers[place]))
}

#[cfg(test)]
pub(super) mod tests {
    use std::fs;

    use super::*;

    /// An entry as it lies in a log.
    pub(crate) fn logged(sector: u64, flags: u64, content: &[u8]) -> Vec<u8> {
        let sectors = (content.len() / SECTOR) as u64;
        let mut bytes: Vec<u8> = [sector, sectors, flags, 0].iter().flat_map(|number| number.to_le_bytes()).collect();
        bytes.resize(SECTOR, 0);
        bytes.extend(content);
        bytes
    }

    /// A log with these entries.
    pub(crate) fn log(path: &Path, entries: &[Vec<u8>]) -> WriteLog {
        let head = [MAGIC, VERSION, entries.len() as u64];
        let mut bytes: Vec<u8> = head.iter().flat_map(|number| number.to_le_bytes()).collect();
        bytes.extend(512_u32.to_le_bytes());
        bytes.resize(SECTOR, 0);
        bytes.extend(entries.concat());
        fs::write(path, bytes).unwrap();
        WriteLog::read(path).unwrap()
    }

    #[test]
    fn entries_are_read_with_what_they_write() {
        let dir = tempfile::tempdir().unwrap();
        let entries = [logged(7, 0, &[1; 1024]), logged(0, FLUSH, &[]), logged(9, FUA, &[2; 512])];
        let log = log(&dir.path().join("log"), &entries);
        assert_eq!(log.len(), 3);
        let first = log.entry(0);
        assert_eq!((first.sector, first.sectors, first.is_flush, first.is_durable), (7, 2, false, false));
        assert_eq!(log.content(first).unwrap(), [1; 1024]);
        assert!(log.entry(1).is_flush && log.content(log.entry(1)).unwrap().is_empty());
        assert!(log.entry(2).is_durable && log.content(log.entry(2)).unwrap() == [2; 512]);
        assert_eq!([0, 1, 2, 3].map(|count| log.flushed(count)), [0, 0, 2, 2]);
    }

    #[test]
    fn a_discard_changes_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let mut discard = logged(3, DISCARD, &[]);
        discard[8] = 200;
        let log = log(&dir.path().join("log"), &[discard, logged(1, 0, &[3; 512])]);
        assert_eq!((log.entry(0).sectors, log.entry(1).sectors), (0, 1));
    }

    #[test]
    fn what_is_no_log_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("log");
        fs::write(&path, [0; 1024]).unwrap();
        assert!(WriteLog::read(&path).is_err());
        log(&path, &[logged(1, 0, &[1; 512])]);
        let whole = fs::read(&path).unwrap();
        fs::write(&path, [&whole[..24], &4096_u32.to_le_bytes(), &whole[28..]].concat()).unwrap();
        assert!(WriteLog::read(&path).is_err(), "of another sector size");
        fs::write(&path, &whole[..SECTOR + 8]).unwrap();
        assert!(WriteLog::read(&path).is_err(), "cut short");
    }
}

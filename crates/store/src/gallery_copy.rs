//! The gallery copy: `GalleryStore`. A single file that may be missing, outdated or damaged at any time without harm.
//! `gallery.copy` consists of a header, chunks and an end; numbers are little-endian:
//!
//! | bytes | what |
//! |---|---|
//! | 8, 4 | `PFcopy\r\n` and the version of this format |
//! | 8 | generation of the database |
//! | 4, n | length and text of the model id |
//! | 4 | CRC-32 of the above |
//! | 4, 4, n | for each chunk: length, CRC-32 of its number, length and content, content |
//! | 4, 4 | the end: length 0, CRC-32 of its number and length |
//!
//! It is written under a temporary name, synced, and renamed only if the database still has its generation. A removal
//! raises the generation before it removes the copy, so a copy containing the removed person can never become current.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, ErrorKind, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crc32fast::Hasher;
use domain::ports::GalleryStore;
use domain::{ModelId, Result};
use rusqlite::Connection;

use crate::error::Fault;
use crate::migrate::remove_if_there;
use crate::{OpenError, Store};

const MAGIC: [u8; 8] = *b"PFcopy\r\n";
const VERSION: u32 = 1;

/// The location of the copy.
pub(crate) struct GalleryCopy {
    dir: PathBuf,
    /// Locked while the file is renamed or removed.
    naming: Mutex<()>,
}

impl GalleryCopy {
    /// Removes the remains of an interrupted copy.
    pub(crate) fn open(dir: &Path) -> Result<Self, OpenError> {
        let copy = Self::beside(dir);
        remove_if_there(&copy.part()).map_err(OpenError::file("removing an unfinished gallery copy"))?;
        Ok(copy)
    }

    pub(crate) fn beside(dir: &Path) -> Self {
        Self { dir: dir.to_owned(), naming: Mutex::default() }
    }

    fn file(&self) -> PathBuf {
        self.dir.join("gallery.copy")
    }

    fn part(&self) -> PathBuf {
        self.dir.join("gallery.copy.part")
    }

    fn naming(&self) -> MutexGuard<'_, ()> {
        self.naming.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl GalleryStore for Store {
    fn generation(&self) -> Result<u64> {
        self.database.read("reading the generation of the gallery", |db| Ok(generation(db)?))
    }

    fn read_copy(&self, model: &ModelId, generation: u64, take: &mut dyn FnMut(&[u8]) -> bool) -> Result<bool> {
        match read(&self.gallery_copy.file(), &header(model, generation), take) {
            Ok(()) => Ok(true),
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::InvalidData) => {
                tracing::info!(reason = %error, "gallery copy not used");
                Ok(false)
            }
            Err(error) => Err(Fault::from(error).while_doing("reading the gallery copy")),
        }
    }

    fn keep_copy(&self, model: &ModelId, generation: u64, chunks: &mut dyn Iterator<Item = Vec<u8>>) -> Result<bool> {
        let copy = &self.gallery_copy;
        let kept = write(&copy.part(), &header(model, generation), chunks)
            .map_err(|error| Fault::from(error).while_doing("writing the gallery copy"))
            .and_then(|()| self.publish_copy(generation));
        if !matches!(kept, Ok(true)) {
            // Missing, or removed at the next start.
            let _ = remove_if_there(&copy.part());
        }
        kept
    }

    fn remove_copy(&self) -> Result<()> {
        let _naming = self.gallery_copy.naming();
        // One that is being written belongs to an older generation and would not be used.
        let removed =
            remove_if_there(&self.gallery_copy.file()).and_then(|()| remove_if_there(&self.gallery_copy.part()));
        removed.map_err(|error| Fault::from(error).while_doing("removing the gallery copy"))
    }
}

impl Store {
    fn publish_copy(&self, generation: u64) -> Result<bool> {
        let copy = &self.gallery_copy;
        let _naming = copy.naming();
        if self.generation()? != generation {
            return Ok(false);
        }
        let renamed = fs::rename(copy.part(), copy.file()).and_then(|()| File::open(&copy.dir)?.sync_all());
        renamed.map_err(|error| Fault::from(error).while_doing("renaming the gallery copy"))?;
        Ok(true)
    }
}

fn generation(db: &Connection) -> rusqlite::Result<u64> {
    let mut statement = db.prepare_cached("SELECT value FROM gallery_generation")?;
    statement.query_row([], |row| row.get::<_, i64>(0)).map(i64::unsigned_abs)
}

fn header(model: &ModelId, generation: u64) -> Vec<u8> {
    let mut header = MAGIC.to_vec();
    header.extend(VERSION.to_le_bytes());
    header.extend(generation.to_le_bytes());
    header.extend((model.0.len() as u32).to_le_bytes());
    header.extend(model.0.as_bytes());
    header.extend(crc32fast::hash(&header).to_le_bytes());
    header
}

fn write(part: &Path, header: &[u8], chunks: &mut dyn Iterator<Item = Vec<u8>>) -> io::Result<()> {
    remove_if_there(part)?;
    let mut file = BufWriter::new(OpenOptions::new().write(true).create_new(true).mode(0o600).open(part)?);
    file.write_all(header)?;
    let mut number = 0;
    for chunk in chunks.filter(|chunk| !chunk.is_empty()) {
        write_chunk(&mut file, number, &chunk)?;
        number += 1;
    }
    write_chunk(&mut file, number, &[])?;
    file.into_inner()?.sync_all()
}

fn write_chunk(file: &mut impl Write, number: u64, chunk: &[u8]) -> io::Result<()> {
    let length = u32::try_from(chunk.len()).map_err(|_| io::Error::other("the chunk is larger than 4 GiB"))?;
    file.write_all(&length.to_le_bytes())?;
    file.write_all(&checksum(number, chunk).to_le_bytes())?;
    file.write_all(chunk)
}

/// Checksum of a chunk, including its number so that reordered chunks are detected.
fn checksum(number: u64, chunk: &[u8]) -> u32 {
    let mut hasher = Hasher::new();
    hasher.update(&number.to_le_bytes());
    hasher.update(&(chunk.len() as u64).to_le_bytes());
    hasher.update(chunk);
    hasher.finalize()
}

/// `InvalidData` unless the file is complete, has this header, and all its chunks are accepted.
fn read(path: &Path, header: &[u8], take: &mut dyn FnMut(&[u8]) -> bool) -> io::Result<()> {
    let mut file = File::open(path)?;
    let mut left = file.metadata()?.len();
    let mut buffer = Vec::new();
    fill(&mut file, &mut left, header.len(), &mut buffer)?;
    if buffer != header {
        return Err(unusable("its model, generation or version differs"));
    }
    for number in 0.. {
        fill(&mut file, &mut left, 8, &mut buffer)?;
        let mut head = buffer.as_chunks::<4>().0.iter().map(|bytes| u32::from_le_bytes(*bytes));
        let (length, expected) = (head.next().unwrap_or(0), head.next().unwrap_or(0));
        fill(&mut file, &mut left, length as usize, &mut buffer)?;
        if checksum(number, &buffer) != expected {
            return Err(unusable("it is damaged"));
        }
        if length == 0 {
            break;
        }
        if !take(&buffer) {
            return Err(unusable("its content is invalid"));
        }
    }
    if left == 0 { Ok(()) } else { Err(unusable("data follows its end")) }
}

/// Reads exactly `length` bytes; allocates no memory beyond the size of the file.
fn fill(file: &mut File, left: &mut u64, length: usize, buffer: &mut Vec<u8>) -> io::Result<()> {
    *left = left.checked_sub(length as u64).ok_or_else(|| unusable("it is truncated"))?;
    buffer.resize(length, 0);
    file.read_exact(buffer)
}

fn unusable(why: &'static str) -> io::Error {
    io::Error::new(ErrorKind::InvalidData, why)
}

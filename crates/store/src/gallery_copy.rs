//! The gallery copy: `GalleryStore`. A single file that may be missing, outdated or damaged at any time without harm.
//! `gallery.copy` consists of a header, chunks and an end; numbers are little-endian:
//!
//! | bytes | what |
//! |---|---|
//! | 8, 4 | `PFcopy\r\n` and the version of this format |
//! | 8 | generation of the database |
//! | 4, n | length and text of the model id |
//! | 4 | CRC-32 of the above |
//! | 4, n | for each chunk: length, content (about 1 MiB), sealed |
//! | 4, n | the end: length, an empty content, sealed |
//!
//! A chunk is sealed for the header and its number, so that none can be changed, moved, left out or taken from another
//! copy. When the copy is read, each chunk is opened by the next of several threads.
//!
//! It is written under a temporary name, synced, and renamed only if the database still has its generation. A removal
//! raises the generation before it removes the copy, so a copy containing the removed person can never become current.

use std::collections::VecDeque;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, ErrorKind, Read, Write};
use std::num::NonZero;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

use domain::ports::GalleryStore;
use domain::{ModelId, Result};
use rusqlite::Connection;

use crate::error::Fault;
use crate::migrate::remove_if_there;
use crate::seal::{self, Keys, Place};
use crate::{OpenError, Store};

pub(crate) const FILE: &str = "gallery.copy";
const PART: &str = "gallery.copy.part";
const MAGIC: [u8; 8] = *b"PFcopy\r\n";
const VERSION: u32 = 2;
/// Number of chunks that are read ahead, for each thread that opens them.
const AHEAD: usize = 2;

/// The location of the copy.
pub(crate) struct GalleryCopy {
    dir: PathBuf,
    keys: Arc<Keys>,
    /// Locked while the file is renamed or removed.
    naming: Mutex<()>,
}

impl GalleryCopy {
    /// Removes the remains of an interrupted copy.
    pub(crate) fn open(dir: &Path, keys: &Arc<Keys>) -> Result<Self, OpenError> {
        let copy = Self::beside(dir, keys);
        remove_if_there(&copy.part()).map_err(OpenError::file("removing an unfinished gallery copy"))?;
        Ok(copy)
    }

    pub(crate) fn beside(dir: &Path, keys: &Arc<Keys>) -> Self {
        Self { dir: dir.to_owned(), keys: Arc::clone(keys), naming: Mutex::default() }
    }

    fn file(&self) -> PathBuf {
        self.dir.join(FILE)
    }

    fn part(&self) -> PathBuf {
        self.dir.join(PART)
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
        let copy = &self.gallery_copy;
        match read(&copy.file(), &copy.keys, &header(model, generation), take) {
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
        let kept = write(&copy.part(), &copy.keys, &header(model, generation), chunks)
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
        remove(&self.gallery_copy.dir).map_err(|error| Fault::from(error).while_doing("removing the gallery copy"))
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

fn write(part: &Path, keys: &Keys, header: &[u8], chunks: &mut dyn Iterator<Item = Vec<u8>>) -> io::Result<()> {
    remove_if_there(part)?;
    let mut file = BufWriter::new(OpenOptions::new().write(true).create_new(true).mode(0o600).open(part)?);
    file.write_all(header)?;
    let mut number = 0;
    for chunk in chunks.filter(|chunk| !chunk.is_empty()) {
        write_chunk(&mut file, keys, header, number, &chunk)?;
        number += 1;
    }
    write_chunk(&mut file, keys, header, number, &[])?;
    file.into_inner()?.sync_all()
}

fn write_chunk(file: &mut impl Write, keys: &Keys, header: &[u8], number: i64, chunk: &[u8]) -> io::Result<()> {
    let sealed = keys.seal(Place::new("gallery copy", number).part(&hex::encode(header)), chunk);
    let length = u32::try_from(sealed.len()).map_err(|_| io::Error::other("the chunk is larger than 4 GiB"))?;
    file.write_all(&length.to_le_bytes())?;
    file.write_all(&sealed)
}

/// `InvalidData` unless the file is complete, has this header, and all its chunks are accepted.
fn read(path: &Path, keys: &Keys, header: &[u8], take: &mut dyn FnMut(&[u8]) -> bool) -> io::Result<()> {
    let mut file = File::open(path)?;
    let mut left = file.metadata()?.len();
    if fill(&mut file, &mut left, header.len())? != header {
        return Err(unusable("its model, generation or version differs"));
    }
    let context = hex::encode(header);
    let threads = thread::available_parallelism().map_or(1, NonZero::get);
    thread::scope(|scope| {
        let mut opening = VecDeque::new();
        let mut number = 0;
        loop {
            while left > 0 && opening.len() < threads * AHEAD {
                let sealed = read_chunk(&mut file, &mut left)?;
                let place = Place::new("gallery copy", number).part(&context);
                opening.push_back(scope.spawn(move || keys.open(place, &sealed)));
                number += 1;
            }
            let Some(next) = opening.pop_front() else { return Err(unusable("it is truncated")) };
            let chunk = next.join().ok().and_then(Result::ok).ok_or_else(|| unusable("it is damaged"))?;
            if chunk.is_empty() {
                let nothing_follows = opening.is_empty() && left == 0;
                return if nothing_follows { Ok(()) } else { Err(unusable("data follows its end")) };
            }
            if !take(&chunk) {
                return Err(unusable("its content is invalid"));
            }
        }
    })
}

fn read_chunk(file: &mut File, left: &mut u64) -> io::Result<Vec<u8>> {
    let length = fill(file, left, 4)?;
    let length = length.first_chunk().map_or(0, |length| u32::from_le_bytes(*length));
    if (length as usize) < seal::OVERHEAD {
        return Err(unusable("it is damaged"));
    }
    fill(file, left, length as usize)
}

/// Removes the copy, also one that is not finished.
pub(crate) fn remove(dir: &Path) -> io::Result<()> {
    remove_if_there(&dir.join(FILE)).and_then(|()| remove_if_there(&dir.join(PART)))
}

/// Reads exactly `length` bytes; allocates no memory beyond the size of the file.
fn fill(file: &mut File, left: &mut u64, length: usize) -> io::Result<Vec<u8>> {
    *left = left.checked_sub(length as u64).ok_or_else(|| unusable("it is truncated"))?;
    let mut buffer = vec![0; length];
    file.read_exact(&mut buffer)?;
    Ok(buffer)
}

fn unusable(why: &'static str) -> io::Error {
    io::Error::new(ErrorKind::InvalidData, why)
}

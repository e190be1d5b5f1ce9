//! Replaces a damaged database by the last good copy, when the store is opened.
//!
//! | file | content |
//! |---|---|
//! | `polyface.db.copy-N` | good copies, see `copies.rs` |
//! | `polyface.db.repaired` | one of them, while it is being prepared |
//! | `polyface.db.corrupt-TIME` | a damaged database, until the first removal of a person; the two newest stay |
//!
//! The copy is prepared and synced, the damaged database is renamed, then the copy. A database that is missing beside a
//! damaged one is a repair that was interrupted, and goes on.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use domain::{Restoration, Timestamp};
use rusqlite::{Connection, OpenFlags};

use crate::connection::FILE;
use crate::damage::{self, Examination};
use crate::ending::{self, Ending};
use crate::migrate::{self, remove_if_there};
use crate::owner::give_to_owner;
use crate::reverting::{self, Salvage};
use crate::seal::{self, Keys};
use crate::{OpenError, StoreKey, copies, gallery_copy};

const CORRUPT: &str = "polyface.db.corrupt-";
const REPAIRED: &str = "polyface.db.repaired";
/// Damaged databases kept.
const KEPT: usize = 2;

/// Examines the database unless the last process closed it, and replaces one that is damaged by the last good copy.
///
/// # Errors
/// [`OpenError::Damaged`] when there is no good copy; nothing has been changed then.
pub(crate) fn ensure_sound(dir: &Path, key: &StoreKey) -> Result<(), OpenError> {
    let cleaning = OpenError::file("reading how the last process ended");
    let ending = ending::take(dir).and_then(|ending| remove_remains(dir).map(|()| ending)).map_err(cleaning)?;
    if let Some(found) = examine(dir, key, ending)? {
        tracing::error!(database.damage = found, "the database is damaged: replacing it by the last good copy");
        replace(dir, key, found)?;
    }
    Ok(())
}

fn remove_remains(dir: &Path) -> io::Result<()> {
    copies::remove_part(dir)?;
    for ending in ["", "-wal", "-shm", "-journal"] {
        remove_if_there(&dir.join(format!("{REPAIRED}{ending}")))?;
    }
    Ok(())
}

/// What is wrong with the database.
fn examine(dir: &Path, key: &StoreKey, ending: Ending) -> Result<Option<String>, OpenError> {
    let file = dir.join(FILE);
    let doing = OpenError::file("examining the database");
    if fs::metadata(&file).map_or(0, |about| about.len()) == 0 {
        let is_new = damaged(dir).and_then(|found| Ok(found.is_empty() && copies::list(dir)?.is_empty()));
        return Ok((!is_new.map_err(doing)?).then(|| "it is missing".to_owned()));
    }
    let examination = match ending {
        Ending::Clean => return Ok(None),
        Ending::Unknown => Examination::Quick,
        Ending::Damaged => Examination::Whole,
    };
    let started = std::time::Instant::now();
    let found = examine_file(dir, &file, key, examination)?;
    let elapsed_ms = started.elapsed().as_millis() as u64;
    tracing::info!(
        damaged = found.is_some(),
        elapsed_ms,
        "database examined, because the last process did not close it"
    );
    Ok(found)
}

fn examine_file(
    dir: &Path,
    file: &Path,
    key: &StoreKey,
    examination: Examination,
) -> Result<Option<String>, OpenError> {
    let failed = OpenError::database("examining the database");
    let look = || -> rusqlite::Result<(Option<String>, u32)> {
        // Not only to read: the write-ahead log may be left over.
        let database = Connection::open_with_flags(file, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        let found = damage::look(&database, examination)?;
        let version = if found.is_some() { 0 } else { migrate::version(&database)? };
        Ok((found, version))
    };
    let (found, version) = look().map_err(failed)?;
    if found.is_some() || version < migrate::SEALED {
        return Ok(found);
    }
    // A page may be in order and a value in it changed. Without the keys nothing can be said about that.
    let Ok(keys) = seal::open_ring(dir, key, true) else { return Ok(None) };
    let opened = Connection::open_with_flags(file, OpenFlags::SQLITE_OPEN_READ_ONLY);
    let verified = opened.map_err(Into::into).and_then(|database| seal::verify(&database, &keys));
    Ok(verified.err().map(|fault| fault.to_string()))
}

/// Puts the newest copy that is good in the place of the database.
fn replace(dir: &Path, key: &StoreKey, found: String) -> Result<(), OpenError> {
    let looking = "looking for a copy of the database";
    let candidates = candidates(dir).map_err(OpenError::file(looking))?;
    if candidates.is_empty() {
        return Err(OpenError::Damaged { found });
    }
    let keys = Arc::new(seal::open_ring(dir, key, true)?);
    let file = dir.join(FILE);
    let mut former = damaged(dir).map_err(OpenError::file(looking))?;
    let salvaged = if file.exists() { Some(file.clone()) } else { former.pop() };
    let salvage = salvaged.map(|file| Salvage::read(&file)).unwrap_or_default();
    for candidate in candidates {
        match prepare(dir, &candidate, &keys, &salvage) {
            Ok(restoration) => {
                install(dir).map_err(OpenError::file("putting a copy of the database in place"))?;
                tracing::warn!(
                    database.copied_at = restoration.copied_at.as_millis(),
                    "the last good copy of the database is in place: what was stored since is lost"
                );
                return Ok(());
            }
            Err(error) => {
                let error = error.chain();
                tracing::error!(file = %candidate.display(), error, "a copy of the database is not good");
            }
        }
    }
    Err(OpenError::Damaged { found })
}

/// The files that may replace the database, the best first.
fn candidates(dir: &Path) -> io::Result<Vec<PathBuf>> {
    let mut files: Vec<_> = copies::list(dir)?.into_iter().rev().map(|copy| copy.file).collect();
    files.extend(migrate::backups(dir)?);
    Ok(files)
}

/// Makes of a copy what the device can go on with.
fn prepare(dir: &Path, copy: &Path, keys: &Arc<Keys>, salvage: &Salvage) -> domain::Result<Restoration> {
    let doing = "preparing a copy of the database";
    let failed = domain::Error::internal(doing);
    let part = dir.join(REPAIRED);
    let made_at = fs::metadata(copy).and_then(|about| about.modified()).map_err(domain::Error::internal(doing))?;
    let copied_at = jiff::Timestamp::try_from(made_at).map_or(Timestamp::from_millis(0), Timestamp::from);
    fs::copy(copy, &part).map_err(domain::Error::internal(doing))?;
    let restoration = Restoration { at: jiff::Timestamp::now().into(), copied_at };
    reverting::prepare(dir, &part, keys, salvage, restoration).map_err(failed)?;
    let file = File::open(&part).map_err(domain::Error::internal(doing))?;
    give_to_owner(&file, dir);
    file.sync_all().map_err(domain::Error::internal(doing))?;
    Ok(restoration)
}

fn install(dir: &Path) -> io::Result<()> {
    let file = dir.join(FILE);
    if file.exists() {
        let corrupt = name_for_damaged(dir);
        fs::rename(&file, &corrupt)?;
        // A write-ahead log is applied to whatever database lies beside it.
        for ending in ["-wal", "-shm"] {
            let (from, mut to) = (dir.join(format!("{FILE}{ending}")), corrupt.clone().into_os_string());
            to.push(ending);
            if from.exists() {
                fs::rename(from, to)?;
            }
        }
        File::open(dir)?.sync_all()?;
    }
    // They may have been left by an interruption in between.
    for ending in ["-wal", "-shm"] {
        remove_if_there(&dir.join(format!("{FILE}{ending}")))?;
    }
    File::open(dir)?.sync_all()?;
    // It may be of the same generation as the copy, and of other people.
    gallery_copy::remove(dir)?;
    fs::rename(dir.join(REPAIRED), &file)?;
    File::open(dir)?.sync_all()?;
    let damaged = damaged(dir)?;
    damaged[..damaged.len().saturating_sub(KEPT)].iter().try_for_each(|file| copies::remove(file))
}

fn name_for_damaged(dir: &Path) -> PathBuf {
    let time = jiff::Timestamp::now().strftime("%Y%m%dT%H%M%S").to_string();
    let name = |more: &str| dir.join(format!("{CORRUPT}{time}{more}"));
    (0..)
        .map(|n| if n == 0 { name("") } else { name(&format!(".{n}")) })
        .find(|file| !file.exists())
        .unwrap_or_default()
}

/// The databases of the storage directory that were damaged, the oldest first.
///
/// # Errors
/// When the directory cannot be read.
pub fn damaged(dir: &Path) -> io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        let name = entry.file_name();
        let is_one = |name: &str| name.starts_with(CORRUPT) && !name.ends_with("-wal") && !name.ends_with("-shm");
        found.extend(name.to_str().is_some_and(is_one).then(|| entry.path()));
    }
    // Their names may say a wrong time.
    found.sort_by_cached_key(|file| fs::metadata(file).and_then(|about| about.modified()).ok());
    Ok(found)
}

/// Removes the damaged databases, which contain people who are removed.
pub(crate) fn remove_damaged(dir: &Path) -> io::Result<()> {
    damaged(dir)?.iter().try_for_each(|file| copies::remove(file))
}

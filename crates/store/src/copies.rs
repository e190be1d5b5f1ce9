//! Good copies of the database in the storage directory, `polyface.db.copy-N`, which one that is damaged is replaced by.
//!
//! A copy is made under a temporary name, examined, synced and renamed. Values stay sealed in it. It has no
//! write-ahead log. People who are removed are removed from every copy before that is acknowledged.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use rusqlite::{Connection, OpenFlags, params};

use crate::connection;
use crate::damage::{self, Examination};
use crate::erasure::{Erasures, erase_all_of};
use crate::error::Fault;
use crate::lists::json;
use crate::migrate::{self, remove_if_there};
use crate::snapshot::{self, Copied};
use crate::{OpenError, SnapshotError, Store, repair, usage};

/// Name of a copy that is being made.
const PART: &str = "polyface.db.copy.part";
const COPY: &str = "polyface.db.copy-";

/// A good copy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Copy {
    pub(crate) number: u64,
    pub(crate) file: PathBuf,
}

/// Guards the names of the copies.
#[derive(Debug, Default)]
pub(crate) struct Naming(Mutex<()>);

impl Naming {
    fn lock(&self) -> MutexGuard<'_, ()> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Store {
    /// Makes a good copy of the database and removes all but the `keep` newest ones; blocking, beside all other work.
    /// When there is too little room for it, older ones are removed first. `reserve`: bytes that must stay free.
    /// `stop` is asked between steps. Returns `false` when people were removed meanwhile, so that there is none.
    ///
    /// # Errors
    /// [`SnapshotError::NoSpace`], `Stopped`, `Open`; `Damaged` when the copy, and so the database, is damaged: that is
    /// noted, see [`Store::is_damaged`].
    pub fn make_copy(&self, keep: usize, reserve: u64, stop: &dyn Fn() -> bool) -> Result<bool, SnapshotError> {
        let part = self.dir.join(PART);
        let made = self.make_part(&part, keep, reserve, stop);
        if !matches!(made, Ok(true)) {
            remove_part(&self.dir).map_err(OpenError::file("removing an unfinished copy of the database"))?;
        }
        made
    }

    fn make_part(
        &self,
        part: &Path,
        keep: usize,
        reserve: u64,
        stop: &dyn Fn() -> bool,
    ) -> Result<bool, SnapshotError> {
        let doing = "copying the database";
        self.make_room(keep, reserve)?;
        let removals = self.erasures.removals();
        migrate::start_copy(part).map_err(OpenError::file(doing))?;
        let from = connection::connect_reader(&self.dir)?;
        let copied = snapshot::copy(&from, part, stop).map_err(OpenError::database(doing))?;
        if copied == Copied::Stopped {
            return Err(SnapshotError::Stopped);
        }
        let found = settle(part).map_err(OpenError::database("examining a copy of the database"))?;
        if let Some(found) = found {
            self.database.damage().found(&found);
            return Err(SnapshotError::Damaged(found));
        }
        self.publish(part, removals, keep).map_err(|error| OpenError::file(doing)(error).into())
    }

    /// Removes older copies until another one fits.
    fn make_room(&self, keep: usize, reserve: u64) -> Result<(), SnapshotError> {
        let measuring = "measuring the storage directory";
        let size = self.database.read("measuring the database", |db| Ok(usage::size(db)?));
        let needed = size.map_err(|error| OpenError::file(measuring)(io::Error::other(error)))? + reserve;
        let _naming = self.copies.lock();
        let mut copies = list(&self.dir).map_err(OpenError::file(measuring))?;
        loop {
            let free = usage::free(&self.dir).map_err(OpenError::file(measuring))?;
            if free >= needed && copies.len() <= keep {
                return Ok(());
            }
            // The newest one stays until there is another.
            if copies.len() <= 1 {
                let fits = free >= needed;
                return if fits { Ok(()) } else { Err(SnapshotError::NoSpace { needed, free }) };
            }
            let oldest = copies.remove(0);
            remove_if_there(&oldest.file).map_err(OpenError::file("removing a copy of the database"))?;
        }
    }

    /// Gives the copy its name, unless people were removed since it was begun.
    fn publish(&self, part: &Path, removals: u64, keep: usize) -> io::Result<bool> {
        File::open(part)?.sync_all()?;
        let _naming = self.copies.lock();
        if self.erasures.removals() != removals {
            return Ok(false);
        }
        let copies = list(&self.dir)?;
        let number = copies.last().map_or(1, |newest| newest.number + 1);
        fs::rename(part, self.dir.join(format!("{COPY}{number}")))?;
        File::open(&self.dir)?.sync_all()?;
        let outdated = copies.len().saturating_sub(keep.saturating_sub(1));
        copies[..outdated].iter().try_for_each(|copy| remove_if_there(&copy.file))?;
        Ok(true)
    }

    /// Examines the database beside all other work; blocking. Damage is noted, see [`Store::is_damaged`].
    ///
    /// # Errors
    /// When it cannot be examined.
    pub fn examine(&self) -> Result<(), SnapshotError> {
        let doing = OpenError::database("examining the database");
        let reader = connection::connect_reader(&self.dir)?;
        if let Some(found) = damage::look(&reader, Examination::Quick).map_err(doing)? {
            self.database.damage().found(&found);
            return Err(SnapshotError::Damaged(found));
        }
        Ok(())
    }

    /// Removes all copies, and databases that were damaged.
    ///
    /// # Errors
    /// When they cannot be removed.
    pub fn remove_copies(&self) -> io::Result<()> {
        let _naming = self.copies.lock();
        remove_all(&self.dir)?;
        repair::remove_damaged(&self.dir)
    }

    /// Removes these people from the copies. A copy that this fails for is removed.
    pub(crate) fn erase_from_copies(&self, people: &[i64]) -> io::Result<()> {
        let _naming = self.copies.lock();
        remove_part(&self.dir)?;
        for copy in list(&self.dir)? {
            if let Err(fault) = erase(&copy.file, people) {
                tracing::warn!(error = %fault, "failed to remove people from a copy of the database, removing the copy");
                remove(&copy.file)?;
            }
        }
        Ok(())
    }
}

/// Makes a copy a file on its own, and examines it.
fn settle(part: &Path) -> rusqlite::Result<Option<String>> {
    let copy = Connection::open(part)?;
    let mode = copy.pragma_update_and_check(None, "journal_mode", "delete", |row| row.get::<_, String>(0));
    if let Some(found) = damage::damage_in(mode.map(|_| "ok".to_owned()))? {
        return Ok(Some(found));
    }
    damage::look(&copy, Examination::Quick)
}

/// Removes people and whatever else says who they are from a copy.
fn erase(file: &Path, people: &[i64]) -> Result<(), Fault> {
    let mut copy = Connection::open_with_flags(file, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    for (pragma, value) in [("foreign_keys", true), ("secure_delete", true), ("trusted_schema", false)] {
        copy.pragma_update(None, pragma, value)?;
    }
    copy.pragma_update(None, "temp_store", "memory")?;
    let transaction = copy.transaction()?;
    let listed = json(people.iter().copied());
    transaction.execute("DELETE FROM person WHERE id IN (SELECT value FROM json_each(?))", params![listed])?;
    people.iter().try_for_each(|person| erase_all_of(&transaction, *person))?;
    transaction.execute("DELETE FROM erasure", [])?;
    Ok(transaction.commit()?)
}

impl Erasures {
    /// Counts the removals so far.
    pub(crate) fn removals(&self) -> u64 {
        self.removals.load(std::sync::atomic::Ordering::SeqCst)
    }
}

/// The copies, the oldest first.
pub(crate) fn list(dir: &Path) -> io::Result<Vec<Copy>> {
    let mut copies = Vec::new();
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        let name = entry.file_name();
        let number = name.to_str().and_then(|name| name.strip_prefix(COPY)?.parse().ok());
        copies.extend(number.map(|number| Copy { number, file: entry.path() }));
    }
    copies.sort_unstable_by_key(|copy| copy.number);
    Ok(copies)
}

/// When the newest good copy was made; `None` without one.
///
/// # Errors
/// When the directory cannot be read.
pub fn newest_copy(dir: &Path) -> io::Result<Option<SystemTime>> {
    list(dir)?.last().map(|copy| fs::metadata(&copy.file)?.modified()).transpose()
}

/// Removes all copies.
pub(crate) fn remove_all(dir: &Path) -> io::Result<()> {
    remove_part(dir)?;
    list(dir)?.iter().try_for_each(|copy| remove(&copy.file))
}

/// Removes what is left of a copy that was being made.
pub(crate) fn remove_part(dir: &Path) -> io::Result<()> {
    remove(&dir.join(PART))
}

/// Removes a database with its journals.
pub(crate) fn remove(file: &Path) -> io::Result<()> {
    for ending in ["-journal", "-wal", "-shm", ""] {
        let mut name = file.as_os_str().to_owned();
        name.push(ending);
        remove_if_there(Path::new(&name))?;
    }
    Ok(())
}

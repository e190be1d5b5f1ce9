//! The audit log: one chain of hashes for each class of entries.
//!
//! An entry's hash is the SHA-256 of the hash before it (32 zero bytes for the first) and of its fields, each with its
//! length before it. A chain is checked from its checkpoint, the newest entry that was removed by quota, to its newest
//! entry, whose number and hash `audit_chain` keeps as well: an entry that was changed, removed or inserted shows.

use std::path::Path;

use domain::{AuditClass, AuditEntry};
use rusqlite::{Connection, OptionalExtension, params};
use sha2::{Digest, Sha256};

use crate::columns::{self, Reader, optional, text, time, word};
use crate::connection::Database;
use crate::error::Fault;
use crate::words::Word;
use crate::{OpenError, StoreKey, lists};

type Hash = [u8; 32];

/// Both ends of a chain.
struct Chain {
    number: i64,
    hash: Hash,
    removed: i64,
    removed_hash: Hash,
}

const NO_CHAIN: Chain = Chain { number: 0, hash: [0; 32], removed: 0, removed_hash: [0; 32] };

/// Appends an entry to the chain of its class and removes the oldest one beyond the quota.
pub(crate) fn append(db: &Connection, entry: &AuditEntry) -> Result<(), Fault> {
    let mut chain = chain(db, entry.class)?;
    chain.number += 1;
    chain.hash = hash(&chain.hash, chain.number, entry);
    let columns = vec![
        ("class", word(&entry.class)),
        ("number", chain.number.into()),
        ("at", time(entry.at)),
        ("actor", text(&entry.actor)),
        ("role", optional(entry.role, |role| word(&role))),
        ("origin", optional(entry.origin, |origin| text(&origin.to_string()))),
        ("adapter", optional(entry.adapter.as_deref(), text)),
        ("action", text(&entry.action)),
        ("subject", text(&entry.subject)),
        ("hash", chain.hash.to_vec().into()),
    ];
    columns::insert(db, "audit", columns)?;
    let quota = entry.class.quota().cast_signed();
    remove(db, entry.class, &mut chain, quota)?;
    put(db, entry.class, &chain)
}

/// Removes the entries of the classes that can be cleared.
pub(crate) fn clear(db: &Connection) -> Result<(), Fault> {
    for class in AuditClass::ALL.into_iter().filter(|class| class.is_cleared()) {
        let mut chain = chain(db, class)?;
        let number = chain.number;
        remove_up_to(db, class, &mut chain, number)?;
        db.prepare_cached("DELETE FROM audit WHERE class = ? AND number IS NULL")?.execute([class.word()])?;
        put(db, class, &chain)?;
    }
    Ok(())
}

/// The newest entries, newest first.
pub(crate) fn newest(db: &Connection, limit: u32) -> Result<Vec<AuditEntry>, Fault> {
    let mut statement = db.prepare_cached(&format!("SELECT {FIELDS} FROM audit ORDER BY id DESC LIMIT ?"))?;
    statement.query_and_then([lists::bounded(limit).cast_signed()], |row| read(&mut Reader::new(row)))?.collect()
}

/// Removes what exceeds the quota, entries of former versions first.
fn remove(db: &Connection, class: AuditClass, chain: &mut Chain, quota: i64) -> Result<(), Fault> {
    let former = "DELETE FROM audit WHERE class = ?1 AND number IS NULL AND id <= (
        SELECT max(id) FROM audit WHERE class = ?1) - ?2";
    db.prepare_cached(former)?.execute(params![class.word(), quota])?;
    remove_up_to(db, class, chain, chain.number - quota)
}

fn remove_up_to(db: &Connection, class: AuditClass, chain: &mut Chain, last: i64) -> Result<(), Fault> {
    if last <= chain.removed {
        return Ok(());
    }
    let select = "SELECT hash FROM audit WHERE class = ? AND number = ?";
    let hash = db.prepare_cached(select)?.query_row(params![class.word(), last], |row| row.get(0)).optional()?;
    // A chain that has been broken there stays broken: the check shows it.
    chain.removed_hash = hash.unwrap_or_default();
    chain.removed = last;
    db.prepare_cached("DELETE FROM audit WHERE class = ? AND number <= ?")?.execute(params![class.word(), last])?;
    Ok(())
}

fn chain(db: &Connection, class: AuditClass) -> Result<Chain, Fault> {
    let mut statement =
        db.prepare_cached("SELECT number, hash, removed, removed_hash FROM audit_chain WHERE class = ?")?;
    let found = statement.query_row([class.word()], |row| {
        Ok(Chain { number: row.get(0)?, hash: row.get(1)?, removed: row.get(2)?, removed_hash: row.get(3)? })
    });
    Ok(found.optional()?.unwrap_or(NO_CHAIN))
}

fn put(db: &Connection, class: AuditClass, chain: &Chain) -> Result<(), Fault> {
    db.prepare_cached("INSERT OR REPLACE INTO audit_chain VALUES (?, ?, ?, ?, ?)")?.execute(params![
        class.word(),
        chain.number,
        chain.hash,
        chain.removed,
        chain.removed_hash
    ])?;
    Ok(())
}

fn hash(before: &Hash, number: i64, entry: &AuditEntry) -> Hash {
    let AuditEntry { at, class, actor, role, origin, adapter, action, subject } = entry;
    let (number, at) = (number.to_string(), at.as_millis().to_string());
    let origin = origin.map(|origin| origin.to_string());
    let fields = [
        Some(class.word()),
        Some(&*number),
        Some(&*at),
        Some(&**actor),
        role.as_ref().map(Word::word),
        origin.as_deref(),
        adapter.as_deref(),
        Some(&**action),
        Some(&**subject),
    ];
    let mut hasher = Sha256::new_with_prefix(before);
    for field in fields {
        // An absent field has no length that a text could have.
        let length = field.map_or(u64::MAX, |text| text.len() as u64);
        hasher.update(length.to_be_bytes());
        hasher.update(field.unwrap_or_default());
    }
    hasher.finalize().into()
}

const FIELDS: &str = "at, class, actor, role, origin, adapter, action, subject";

fn read(row: &mut Reader<'_>) -> Result<AuditEntry, Fault> {
    Ok(AuditEntry {
        at: row.time()?,
        class: row.word()?,
        actor: row.take()?,
        role: row.word_optional()?,
        origin: row.parse_optional("address of an actor")?,
        adapter: row.take()?,
        action: row.take()?,
        subject: row.take()?,
    })
}

/// The audit log of a store that another process may have open.
pub struct AuditTrail(Database);

/// One line of an [`AuditTrail`].
pub struct AuditLine {
    /// Its number in the chain of its class; `None` in entries of former versions, which are not chained.
    pub number: Option<u64>,
    /// The entry.
    pub entry: AuditEntry,
}

/// How the check of a chain ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditCheck {
    /// The class.
    pub class: AuditClass,
    /// Numbers of the oldest and the newest entry; none when the first is greater.
    pub kept: (u64, u64),
    /// Hash of the newest entry, in hexadecimal. Noted elsewhere, it proves later that nothing up to it was changed.
    pub newest: String,
    /// What is wrong, in order.
    pub faults: Vec<String>,
}

impl AuditTrail {
    /// Opens the audit log in a storage directory, also while the daemon runs.
    ///
    /// # Errors
    /// As [`Store::open_beside`](crate::Store::open_beside).
    pub fn open(dir: &Path, key: &StoreKey) -> Result<Self, OpenError> {
        crate::open_current(dir, key).map(|(_, database)| Self(database))
    }

    /// Passes every entry to `each`, oldest first, and checks all chains, all on one snapshot.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn check(&self, each: &mut dyn FnMut(AuditLine)) -> domain::Result<Vec<AuditCheck>> {
        self.0.read("reading the audit log", |db| {
            let mut statement = db.prepare(&format!("SELECT number, {FIELDS} FROM audit ORDER BY id"))?;
            let mut rows = statement.query([])?;
            while let Some(row) = rows.next()? {
                let mut row = Reader::new(row);
                let number = row.take::<Option<i64>>()?.map(i64::unsigned_abs);
                each(AuditLine { number, entry: read(&mut row)? });
            }
            AuditClass::ALL.into_iter().map(|class| check(db, class)).collect()
        })
    }
}

fn check(db: &Connection, class: AuditClass) -> Result<AuditCheck, Fault> {
    let chain = chain(db, class)?;
    let mut faults = Vec::new();
    let (mut number, mut last) = (chain.removed, chain.removed_hash);
    let sql =
        format!("SELECT number, hash, {FIELDS} FROM audit WHERE class = ? AND number IS NOT NULL ORDER BY number");
    let mut statement = db.prepare(&sql)?;
    let mut rows = statement.query([class.word()])?;
    while let Some(row) = rows.next()? {
        let mut row = Reader::new(row);
        let (found, kept): (i64, Hash) = (row.take()?, row.take()?);
        if found != number + 1 {
            faults.push(format!("entries {} to {} are missing", number + 1, found - 1));
        } else if kept != hash(&last, found, &read(&mut row)?) {
            faults.push(format!("entry {found} was changed"));
        }
        (number, last) = (found, kept);
    }
    if number < chain.number {
        faults.push(format!("entries {} to {} are missing", number + 1, chain.number));
    } else if (number, last) != (chain.number, chain.hash) {
        faults.push(format!("the newest entry is {number}, not {} as noted", chain.number));
    }
    let kept = (chain.removed.unsigned_abs() + 1, chain.number.unsigned_abs());
    Ok(AuditCheck { class, kept, newest: hex::encode(chain.hash), faults })
}

#[cfg(test)]
mod tests {
    use domain::{Role, Timestamp};

    use super::*;

    fn entry(class: AuditClass, subject: &str) -> AuditEntry {
        AuditEntry {
            at: Timestamp::from_millis(1_700_000_000_000),
            class,
            actor: "rose".into(),
            role: Some(Role::Operator),
            origin: Some([192, 0, 2, 1].into()),
            adapter: Some("console".into()),
            action: "door.open".into(),
            subject: subject.into(),
        }
    }

    struct Trail {
        _dir: tempfile::TempDir,
        trail: AuditTrail,
    }

    impl Trail {
        fn new() -> Self {
            let dir = tempfile::tempdir().unwrap();
            let trail = AuditTrail(Database::testing(dir.path(), 1));
            Self { _dir: dir, trail }
        }

        fn append(&self, class: AuditClass, count: usize) {
            let appended = self
                .trail
                .0
                .write("appending", |db| (0..count).try_for_each(|n| append(db, &entry(class, &n.to_string()))));
            appended.unwrap();
        }

        fn tamper(&self, sql: &str) -> usize {
            self.trail.0.write("tampering", |db| Ok(db.execute(sql, [])?)).unwrap()
        }

        fn faults(&self) -> Vec<String> {
            self.trail.check(&mut |_| ()).unwrap().into_iter().flat_map(|check| check.faults).collect()
        }

        fn count(&self, class: AuditClass) -> usize {
            let mut count = 0;
            self.trail.check(&mut |line| count += usize::from(line.entry.class == class)).unwrap();
            count
        }
    }

    #[test]
    fn whatever_is_changed_removed_or_inserted_shows() {
        for (change, shows) in [
            ("UPDATE audit SET actor = 'jack' WHERE class = 'doors' AND number = 5", "entry 5 was changed"),
            ("UPDATE audit SET at = at + 1 WHERE class = 'doors' AND number = 1", "entry 1 was changed"),
            ("UPDATE audit SET origin = NULL WHERE class = 'doors' AND number = 9", "entry 9 was changed"),
            ("DELETE FROM audit WHERE class = 'doors' AND number = 4", "entries 4 to 4 are missing"),
            ("DELETE FROM audit WHERE class = 'doors' AND number < 3", "entries 1 to 2 are missing"),
            ("DELETE FROM audit WHERE class = 'doors' AND number > 7", "entries 8 to 9 are missing"),
            ("DELETE FROM audit WHERE class = 'doors'", "entries 1 to 9 are missing"),
            (
                "INSERT INTO audit (class, number, hash, at, actor, action, subject)
                     VALUES ('doors', 10, zeroblob(32), 0, 'x', 'y', 'z')",
                "entry 10 was changed",
            ),
        ] {
            let trail = Trail::new();
            trail.append(AuditClass::Doors, 9);
            trail.append(AuditClass::Contents, 3);
            assert_eq!(trail.faults(), [""; 0]);
            assert!(trail.tamper(change) > 0);
            assert_eq!(trail.faults().first().map(String::as_str), Some(shows), "{change}");
        }
    }

    #[test]
    fn a_class_keeps_its_entries_however_many_another_gets() {
        let trail = Trail::new();
        trail.append(AuditClass::Doors, 2);
        trail.append(AuditClass::Failures, 10_050);
        assert_eq!((trail.count(AuditClass::Doors), trail.count(AuditClass::Failures)), (2, 10_000));
        assert_eq!(trail.faults(), [""; 0], "the checkpoint bridges what the quota removed");
    }

    #[test]
    fn clearing_leaves_logins_accounts_doors_and_flows() {
        let trail = Trail::new();
        AuditClass::ALL.into_iter().for_each(|class| trail.append(class, 3));
        trail.trail.0.write("clearing", |db| clear(db)).unwrap();
        let left = AuditClass::ALL.map(|class| trail.count(class));
        assert_eq!(left, [3, 3, 3, 3, 3, 3, 0, 0]);
        trail.append(AuditClass::Contents, 1);
        assert_eq!(trail.faults(), [""; 0]);
    }
}

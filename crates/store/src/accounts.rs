//! Accounts and the audit log.

use domain::{Account, AccountChange, AccountId, AuditEntry, Error, NewAccount, PasswordHashes, Thing};
use rusqlite::{Connection, params};

use crate::columns::{self, Columns, Reader, optional, text, time, word};
use crate::error::Fault;

/// Maximum number of audit entries: a year of failed logins must not fill the disk.
const AUDIT_ENTRIES: i64 = 100_000;

pub(crate) fn accounts(db: &rusqlite::Transaction<'_>) -> Result<Vec<Account>, Fault> {
    let mut statement = db.prepare_cached("SELECT id, name, role, created_at FROM account ORDER BY id")?;
    statement.query_and_then([], |row| read(&mut Reader::new(row)))?.collect()
}

fn read(row: &mut Reader<'_>) -> Result<Account, Fault> {
    Ok(Account { id: AccountId(row.take()?), name: row.take()?, role: row.word()?, created_at: row.time()? })
}

pub(crate) fn insert(db: &Connection, new: &NewAccount) -> Result<Account, Fault> {
    if exists(db, &new.name)? {
        return Err(Error::AlreadyExists { what: Thing::Account }.into());
    }
    let columns = vec![
        ("name", text(&new.name)),
        ("role", word(&new.role)),
        ("created_at", time(new.at)),
        ("password", text(&new.hashes.password)),
        ("digest_ha1", optional(new.hashes.digest_ha1.as_deref(), text)),
        ("md5", text(&new.hashes.md5)),
    ];
    let id = AccountId(columns::insert(db, "account", columns)?);
    Ok(Account { id, name: new.name.clone(), role: new.role, created_at: new.at })
}

pub(crate) fn exists(db: &Connection, name: &str) -> Result<bool, Fault> {
    Ok(db.prepare_cached("SELECT 1 FROM account WHERE name = ?")?.exists([name])?)
}

pub(crate) fn credentials(db: &Connection, name: &str) -> Result<(Account, PasswordHashes), Fault> {
    let mut statement =
        db.prepare_cached("SELECT id, name, role, created_at, password, digest_ha1, md5 FROM account WHERE name = ?")?;
    let mut found = statement.query_and_then([name], |row| {
        let mut row = Reader::new(row);
        let account = read(&mut row)?;
        Ok((account, PasswordHashes { password: row.take()?, digest_ha1: row.take()?, md5: row.take()? }))
    })?;
    found.next().unwrap_or_else(|| Err(not_found()))
}

pub(crate) fn set_password(db: &Connection, name: &str, hashes: &PasswordHashes) -> Result<(), Fault> {
    let mut statement = db.prepare_cached("UPDATE account SET password = ?, digest_ha1 = ?, md5 = ? WHERE name = ?")?;
    let changed = statement.execute(params![hashes.password, hashes.digest_ha1, hashes.md5, name])?;
    if changed == 0 { Err(not_found()) } else { Ok(()) }
}

pub(crate) fn update(db: &Connection, id: AccountId, change: &AccountChange) -> Result<Account, Fault> {
    let mut columns = Columns::new();
    if let Some(name) = &change.name {
        if db.prepare_cached("SELECT 1 FROM account WHERE name = ? AND id <> ?")?.exists(params![name, id.0])? {
            return Err(Error::AlreadyExists { what: Thing::Account }.into());
        }
        columns.push(("name", text(name)));
    }
    if let Some(PasswordHashes { password, digest_ha1, md5 }) = &change.hashes {
        let digest = optional(digest_ha1.as_deref(), text);
        columns.extend([("password", text(password)), ("digest_ha1", digest), ("md5", text(md5))]);
    }
    if !columns.is_empty() {
        columns::update(db, "account", id.0, columns)?;
    }
    let mut statement = db.prepare_cached("SELECT id, name, role, created_at FROM account WHERE id = ?")?;
    let mut found = statement.query_and_then([id.0], |row| read(&mut Reader::new(row)))?;
    found.next().unwrap_or_else(|| Err(not_found()))
}

pub(crate) fn remove(db: &Connection, id: AccountId) -> Result<(), Fault> {
    let removed = db.prepare_cached("DELETE FROM account WHERE id = ?")?.execute([id.0])?;
    if removed == 0 { Err(not_found()) } else { Ok(()) }
}

fn not_found() -> Fault {
    Error::NotFound { what: Thing::Account }.into()
}

/// Appends an entry and deletes the oldest one beyond the maximum.
pub(crate) fn audit(db: &Connection, entry: &AuditEntry) -> rusqlite::Result<()> {
    let columns = vec![
        ("at", time(entry.at)),
        ("actor", text(&entry.actor)),
        ("role", optional(entry.role, |role| word(&role))),
        ("origin", optional(entry.origin, |origin| text(&origin.to_string()))),
        ("adapter", optional(entry.adapter.as_deref(), text)),
        ("action", text(&entry.action)),
        ("subject", text(&entry.subject)),
    ];
    let id = columns::insert(db, "audit", columns)?;
    db.prepare_cached("DELETE FROM audit WHERE id <= ?")?.execute([id - AUDIT_ENTRIES]).map(drop)
}

pub(crate) fn audit_log(db: &Connection, limit: u32) -> Result<Vec<AuditEntry>, Fault> {
    let mut statement = db.prepare_cached(
        "SELECT at, actor, role, origin, adapter, action, subject FROM audit ORDER BY id DESC LIMIT ?",
    )?;
    let read = |row: &rusqlite::Row<'_>| {
        let mut row = Reader::new(row);
        Ok(AuditEntry {
            at: row.time()?,
            actor: row.take()?,
            role: row.word_optional()?,
            origin: row.parse_optional("address of an actor")?,
            adapter: row.take()?,
            action: row.take()?,
            subject: row.take()?,
        })
    };
    statement.query_and_then(params![limit], read)?.collect()
}

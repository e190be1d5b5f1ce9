//! Accounts.

use domain::{Account, AccountChange, AccountId, Error, NewAccount, PasswordHashes, Thing};
use rusqlite::{Connection, params};

use crate::columns::{self, Columns, Reader, optional, text, time, word};
use crate::error::Fault;

/// The columns that [`read`] takes, in its order.
const ACCOUNT: &str = "id, name, role, created_at, revision";

pub(crate) fn accounts(db: &rusqlite::Transaction<'_>) -> Result<Vec<Account>, Fault> {
    let mut statement = db.prepare_cached(&format!("SELECT {ACCOUNT} FROM account ORDER BY id"))?;
    statement.query_and_then([], |row| read(&mut Reader::new(row)))?.collect()
}

fn read(row: &mut Reader<'_>) -> Result<Account, Fault> {
    Ok(Account {
        id: AccountId(row.take()?),
        name: row.take()?,
        role: row.word()?,
        created_at: row.time()?,
        revision: row.take::<i64>()?.unsigned_abs(),
    })
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
    account(db, id)
}

pub(crate) fn exists(db: &Connection, name: &str) -> Result<bool, Fault> {
    Ok(db.prepare_cached("SELECT 1 FROM account WHERE name = ?")?.exists([name])?)
}

pub(crate) fn credentials(db: &Connection, name: &str) -> Result<(Account, PasswordHashes), Fault> {
    let sql = format!("SELECT {ACCOUNT}, password, digest_ha1, md5 FROM account WHERE name = ?");
    let mut statement = db.prepare_cached(&sql)?;
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

pub(crate) fn set_digest(
    db: &Connection,
    name: &str,
    PasswordHashes { password, md5, .. }: &PasswordHashes,
    digest: &str,
) -> rusqlite::Result<()> {
    let sql = "UPDATE account SET digest_ha1 = ? WHERE name = ? AND password = ? AND md5 = ?";
    db.prepare_cached(sql)?.execute(params![digest, name, password, md5]).map(drop)
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
    account(db, id)
}

pub(crate) fn account(db: &Connection, id: AccountId) -> Result<Account, Fault> {
    let mut statement = db.prepare_cached(&format!("SELECT {ACCOUNT} FROM account WHERE id = ?"))?;
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

//! Accounts.

use domain::{Account, AccountChange, AccountId, Error, NewAccount, PasswordHashes, Thing};
use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension, params};

use crate::columns::{self, Columns, Reader, text, time, word};
use crate::connection::View;
use crate::error::Fault;
use crate::seal::Place;

/// The columns that [`read`] takes, in its order.
const ACCOUNT: &str = "id, name, role, created_at, revision";

pub(crate) fn accounts(db: &Connection) -> Result<Vec<Account>, Fault> {
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

pub(crate) fn insert(db: &View<'_>, new: &NewAccount) -> Result<Account, Fault> {
    if exists(db, &new.name)? {
        return Err(Error::AlreadyExists { what: Thing::Account }.into());
    }
    let columns = vec![
        ("name", text(&new.name)),
        ("role", word(&new.role)),
        ("created_at", time(new.at)),
        ("password", text(&new.hashes.password)),
        ("md5", text(&new.hashes.md5)),
    ];
    let id = AccountId(columns::insert(db, "account", columns)?);
    // Sealed for the row, whose number is known only now.
    columns::update(db, "account", id.0, vec![("digest", digest(db, id.0, new.hashes.digest_ha1.as_deref()))])?;
    account(db, id)
}

/// The column of the digest of a password, with which anybody could log in.
fn digest(db: &View<'_>, account: i64, digest: Option<&str>) -> Value {
    digest.map_or(Value::Null, |digest| db.keys.sealed(place(account), digest))
}

fn place(account: i64) -> Place<'static> {
    Place::new("account", account).part("digest")
}

pub(crate) fn exists(db: &Connection, name: &str) -> Result<bool, Fault> {
    Ok(db.prepare_cached("SELECT 1 FROM account WHERE name = ?")?.exists([name])?)
}

pub(crate) fn credentials(db: &View<'_>, name: &str) -> Result<(Account, PasswordHashes), Fault> {
    let sql = format!("SELECT {ACCOUNT}, password, digest, md5 FROM account WHERE name = ?");
    let mut statement = db.prepare_cached(&sql)?;
    let mut found = statement.query_and_then([name], |row| {
        let mut row = Reader::new(row);
        let account = read(&mut row)?;
        let password = row.take()?;
        let digest = row.open_optional(db.keys, place(account.id.0))?;
        let digest_ha1 =
            digest.map(|text| String::from_utf8(text).map_err(|_| Fault::Corrupt("digest"))).transpose()?;
        Ok((account, PasswordHashes { password, digest_ha1, md5: row.take()? }))
    })?;
    found.next().unwrap_or_else(|| Err(not_found()))
}

pub(crate) fn set_password(db: &View<'_>, name: &str, hashes: &PasswordHashes) -> Result<(), Fault> {
    let id = id_of(db, name)?.ok_or_else(not_found)?;
    let digest = digest(db, id, hashes.digest_ha1.as_deref());
    db.prepare_cached("UPDATE account SET password = ?, digest = ?, md5 = ? WHERE id = ?")?.execute(params![
        hashes.password,
        digest,
        hashes.md5,
        id
    ])?;
    Ok(())
}

fn id_of(db: &Connection, name: &str) -> rusqlite::Result<Option<i64>> {
    db.prepare_cached("SELECT id FROM account WHERE name = ?")?.query_row([name], |row| row.get(0)).optional()
}

pub(crate) fn set_digest(
    db: &View<'_>,
    name: &str,
    PasswordHashes { password, md5, .. }: &PasswordHashes,
    new: &str,
) -> Result<(), Fault> {
    let Some(id) = id_of(db, name)? else { return Ok(()) };
    let sql = "UPDATE account SET digest = ? WHERE id = ? AND password = ? AND md5 = ?";
    db.prepare_cached(sql)?.execute(params![digest(db, id, Some(new)), id, password, md5])?;
    Ok(())
}

pub(crate) fn update(db: &View<'_>, id: AccountId, change: &AccountChange) -> Result<Account, Fault> {
    let mut columns = Columns::new();
    if let Some(name) = &change.name {
        if db.prepare_cached("SELECT 1 FROM account WHERE name = ? AND id <> ?")?.exists(params![name, id.0])? {
            return Err(Error::AlreadyExists { what: Thing::Account }.into());
        }
        columns.push(("name", text(name)));
    }
    if let Some(PasswordHashes { password, digest_ha1, md5 }) = &change.hashes {
        let digest = digest(db, id.0, digest_ha1.as_deref());
        columns.extend([("password", text(password)), ("digest", digest), ("md5", text(md5))]);
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

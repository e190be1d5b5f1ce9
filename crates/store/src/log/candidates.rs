//! People as known when something happened: one row for each different content, which entries of the log refer to.

use domain::{Candidate, NamedPerson, PersonCode};
use rusqlite::types::Value;
use rusqlite::{OptionalExtension, params};

use crate::columns::Reader;
use crate::connection::View;
use crate::error::Fault;
use crate::seal::{Fields, Keys, Place, pack};

/// The number of the row with what this candidate is known by, which is inserted when needed.
pub(super) fn number(db: &View<'_>, best: &Candidate) -> Result<i64, Fault> {
    // The order never changes.
    let texts = pack(&[best.code.as_str(), &best.name, &best.document_number, &best.address]);
    let person = best.person.0;
    let fingerprint = db.keys.hash(&kind(person), &texts);
    let mut statement = db.prepare_cached("SELECT id FROM candidate WHERE fingerprint = ?")?;
    if let Some(id) = statement.query_row([fingerprint], |row| row.get(0)).optional()? {
        return Ok(id);
    }
    let sealed = db.keys.seal(place(person), &texts);
    let sql = "INSERT INTO candidate (fingerprint, person, sealed) VALUES (?, ?, ?)";
    Ok(db.prepare_cached(sql)?.insert(params![fingerprint, person, sealed])?)
}

/// The kind of the fingerprints of a person's candidates.
pub(crate) fn kind(person: i64) -> String {
    format!("candidate {person}")
}

fn place(person: i64) -> Place<'static> {
    Place::new("candidate", person)
}

/// What a candidate is known by.
pub(super) struct Known {
    pub(super) code: PersonCode,
    pub(super) name: String,
    pub(super) document_number: String,
    pub(super) address: String,
}

/// Reads the sealed texts of a candidate; those of an erased person are empty.
pub(super) fn read(keys: &Keys, person: i64, row: &mut Reader<'_>) -> Result<Known, Fault> {
    let opened = row.open_optional(keys, place(person))?.unwrap_or_default();
    let mut texts = Fields::read(&opened)?;
    let code = read_code(&texts.take())?;
    Ok(Known { code, name: texts.take(), document_number: texts.take(), address: texts.take() })
}

/// A person's code; that of an erased person is empty.
fn read_code(text: &str) -> Result<PersonCode, Fault> {
    if text.is_empty() { Ok(PersonCode::erased()) } else { text.parse().map_err(|_| Fault::Corrupt("person code")) }
}

/// The column of a person named by an entry of this table.
pub(super) fn sealed_name(keys: &Keys, table: &'static str, seq: i64, person: Option<&NamedPerson>) -> Value {
    person.map_or(Value::Null, |person| {
        Value::Blob(keys.seal(Place::new(table, seq), &pack(&[person.code.as_str(), &person.name])))
    })
}

/// Code and name of a person named by an entry of this table; empty for an erased one.
pub(super) fn read_name(
    keys: &Keys,
    table: &'static str,
    seq: i64,
    row: &mut Reader<'_>,
) -> Result<(PersonCode, String), Fault> {
    let opened = row.open_optional(keys, Place::new(table, seq))?.unwrap_or_default();
    let mut texts = Fields::read(&opened)?;
    Ok((read_code(&texts.take())?, texts.take()))
}

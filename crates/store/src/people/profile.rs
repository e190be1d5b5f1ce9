//! Conversion between people and rows.

use std::collections::HashMap;

use domain::names::folded;
use domain::{LibraryId, Person, PersonCode, PersonId, Profile, Validity};
use rusqlite::Connection;
use rusqlite::types::{FromSql, Value};

use super::{ADDRESS, DOCUMENT, NAME, enrolment};
use crate::columns::{Columns, Reader, optional, text, time, whole, word};
use crate::connection::View;
use crate::error::Fault;
use crate::lists::json;
use crate::seal::{Fields, Keys, Place, pack};

const SELECT: &str = "SELECT person.id, photo, enrolment, photo_fault, created_at, updated_at,
        sealed, gender, age, category,
        validity, valid_from, valid_to, daily_from, daily_to, first_day, last_day, uses_left
    FROM json_each(?) AS wanted CROSS JOIN person ON person.id = wanted.value
    ORDER BY wanted.key";

/// The columns of a profile; its lists have tables of their own.
pub(super) fn columns(keys: &Keys, id: PersonId, code: &PersonCode, profile: &Profile) -> Columns {
    let mut columns = vec![
        ("name_key", keys.key_of(NAME, &folded(&profile.name))),
        ("gender", optional(profile.gender, |gender| word(&gender))),
        ("age", optional(profile.age, whole)),
        ("document_key", keys.key_of(DOCUMENT, &profile.document_number)),
        ("address_key", keys.key_of(ADDRESS, &profile.address)),
        ("category", word(&profile.category)),
        ("sealed", Value::Blob(keys.seal(Place::new("person", id.0), &texts(code, profile)))),
    ];
    columns.extend(validity_columns(&profile.validity));
    columns
}

/// The sealed texts of a person, in an order that never changes.
fn texts(code: &PersonCode, profile: &Profile) -> Vec<u8> {
    let birth_date = profile.birth_date.map(|date| date.to_string()).unwrap_or_default();
    pack(&[
        code.as_str(),
        &profile.name,
        &birth_date,
        &profile.document_kind,
        &profile.document_number,
        &profile.phone,
        &profile.email,
        &profile.address,
        &profile.native_place,
        &profile.ethnic_group,
        &profile.remark,
    ])
}

fn validity_columns(validity: &Validity) -> Columns {
    let (mut kind, mut between, mut daily, mut days, mut uses) = ("permanent", None, None, (None, None), None);
    match validity {
        Validity::Permanent => {}
        Validity::Between(from, to) => (kind, between) = ("between", Some((*from, *to))),
        Validity::DailyBetween { from, to, first, last } => {
            (kind, daily, days) = ("daily", Some((from, to)), (*first, *last));
        }
        Validity::Uses(left) => (kind, uses) = ("uses", Some(*left)),
    }
    vec![
        ("validity", text(kind)),
        ("valid_from", optional(between, |(from, _)| time(from))),
        ("valid_to", optional(between, |(_, to)| time(to))),
        ("daily_from", optional(daily, |(from, _)| text(&from.to_string()))),
        ("daily_to", optional(daily, |(_, to)| text(&to.to_string()))),
        ("first_day", optional(days.0, |first| text(&first.to_string()))),
        ("last_day", optional(days.1, |last| text(&last.to_string()))),
        ("uses_left", optional(uses, whole)),
    ]
}

/// The people with these ids, in this order; unknown ids are skipped. Four statements for any number.
pub(super) fn load(db: &View<'_>, ids: impl IntoIterator<Item = i64>) -> Result<Vec<Person>, Fault> {
    let ids = json(ids);
    let mut libraries = lists(db, "person_library", "library", "library", &ids)?;
    let mut cards = cards(db, &ids)?;
    let mut groups = lists(db, "person_permission_group", "name", "position", &ids)?;
    let mut statement = db.prepare_cached(SELECT)?;
    let mut people = statement
        .query_and_then([&ids], |row| read(db.keys, &mut Reader::new(row)))?
        .collect::<Result<Vec<Person>, Fault>>()?;
    for person in &mut people {
        let id = person.id.0;
        person.libraries = libraries.remove(&id).into_iter().flatten().map(LibraryId).collect();
        person.profile.cards = cards.remove(&id).unwrap_or_default();
        person.profile.permission_groups = groups.remove(&id).unwrap_or_default();
    }
    Ok(people)
}

/// The card numbers of people.
fn cards(db: &View<'_>, ids: &str) -> Result<HashMap<i64, Vec<String>>, Fault> {
    let mut statement = db.prepare_cached(
        "SELECT person, position, sealed FROM person_card WHERE person IN (SELECT value FROM json_each(?))
         ORDER BY person, position",
    )?;
    let mut rows = statement.query([ids])?;
    let mut cards: HashMap<i64, Vec<String>> = HashMap::new();
    while let Some(row) = rows.next()? {
        let mut row = Reader::new(row);
        let (person, position) = (row.take()?, row.take::<i64>()?.to_string());
        let number = row.open_text(db.keys, Place::new("person_card", person).part(&position))?;
        cards.entry(person).or_default().push(number);
    }
    Ok(cards)
}

/// Reads a list table of people, grouped by person.
fn lists<T: FromSql>(
    db: &Connection,
    table: &str,
    column: &str,
    order: &str,
    ids: &str,
) -> rusqlite::Result<HashMap<i64, Vec<T>>> {
    let sql = format!(
        "SELECT person, {column} FROM {table} WHERE person IN (SELECT value FROM json_each(?)) ORDER BY person, {order}"
    );
    let mut statement = db.prepare_cached(&sql)?;
    let mut rows = statement.query([ids])?;
    let mut lists: HashMap<i64, Vec<T>> = HashMap::new();
    while let Some(row) = rows.next()? {
        lists.entry(row.get(0)?).or_default().push(row.get(1)?);
    }
    Ok(lists)
}

fn read(keys: &Keys, row: &mut Reader<'_>) -> Result<Person, Fault> {
    let id = PersonId(row.take()?);
    let (photo, enrolment) = (row.picture()?, enrolment::read(row)?);
    let (created_at, updated_at) = (row.time()?, row.time()?);
    let mut texts = row.fields(keys, Place::new("person", id.0))?;
    let code = texts.take().parse().map_err(|_| Fault::Corrupt("person code"))?;
    let profile = read_profile(row, &mut texts)?;
    Ok(Person { id, code, libraries: Vec::new(), photo, enrolment, created_at, updated_at, profile })
}

/// The texts are read in the order of [`texts`].
fn read_profile(row: &mut Reader<'_>, texts: &mut Fields) -> Result<Profile, Fault> {
    let name = texts.take();
    let birth_date = Some(texts.take()).filter(|text| !text.is_empty());
    Ok(Profile {
        name,
        gender: row.word_optional()?,
        birth_date: birth_date.map(|date| date.parse().map_err(|_| Fault::Corrupt("birth date"))).transpose()?,
        age: row.take()?,
        document_kind: texts.take(),
        document_number: texts.take(),
        phone: texts.take(),
        email: texts.take(),
        address: texts.take(),
        native_place: texts.take(),
        ethnic_group: texts.take(),
        remark: texts.take(),
        category: row.word()?,
        validity: read_validity(row)?,
        cards: Vec::new(),
        permission_groups: Vec::new(),
    })
}

/// Reads the last columns of the row, of which each kind of validity fills its own.
fn read_validity(row: &mut Reader<'_>) -> Result<Validity, Fault> {
    const WHAT: &str = "validity";
    let kind: String = row.take()?;
    Ok(match kind.as_str() {
        "permanent" => Validity::Permanent,
        "between" => Validity::Between(row.time()?, row.time()?),
        "daily" => {
            row.skip(2);
            let (from, to) = (row.parse(WHAT)?, row.parse(WHAT)?);
            Validity::DailyBetween { from, to, first: row.parse_optional(WHAT)?, last: row.parse_optional(WHAT)? }
        }
        "uses" => {
            row.skip(6);
            Validity::Uses(row.take()?)
        }
        _ => return Err(Fault::Corrupt(WHAT)),
    })
}

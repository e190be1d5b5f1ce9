//! Conversion between people and rows.

use std::collections::HashMap;

use domain::names::folded;
use domain::{LibraryId, Person, PersonId, Profile, Validity};
use rusqlite::Connection;
use rusqlite::types::FromSql;

use super::enrolment;
use crate::columns::{Columns, Reader, optional, text, time, whole, word};
use crate::error::Fault;
use crate::lists::json;

const SELECT: &str = "SELECT person.id, code, photo, enrolment, photo_fault, created_at, updated_at,
        name, gender, birth_date, age, document_kind, document_number, phone, email, address, native_place,
        ethnic_group, remark, category,
        validity, valid_from, valid_to, daily_from, daily_to, first_day, last_day, uses_left
    FROM json_each(?) AS wanted CROSS JOIN person ON person.id = wanted.value
    ORDER BY wanted.key";

/// The columns of a profile; its lists have tables of their own.
pub(super) fn columns(profile: &Profile) -> Columns {
    let mut columns = vec![
        ("name", text(&profile.name)),
        ("name_folded", folded(&profile.name).into()),
        ("gender", optional(profile.gender, |gender| word(&gender))),
        ("birth_date", optional(profile.birth_date, |date| text(&date.to_string()))),
        ("age", optional(profile.age, whole)),
        ("document_kind", text(&profile.document_kind)),
        ("document_number", text(&profile.document_number)),
        ("document_folded", folded(&profile.document_number).into()),
        ("phone", text(&profile.phone)),
        ("email", text(&profile.email)),
        ("address", text(&profile.address)),
        ("address_folded", folded(&profile.address).into()),
        ("native_place", text(&profile.native_place)),
        ("ethnic_group", text(&profile.ethnic_group)),
        ("remark", text(&profile.remark)),
        ("category", word(&profile.category)),
    ];
    columns.extend(validity_columns(&profile.validity));
    columns
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
pub(super) fn load(db: &Connection, ids: impl IntoIterator<Item = i64>) -> Result<Vec<Person>, Fault> {
    let ids = json(ids);
    let mut libraries = lists(db, "person_library", "library", "library", &ids)?;
    let mut cards = lists(db, "person_card", "number", "position", &ids)?;
    let mut groups = lists(db, "person_permission_group", "name", "position", &ids)?;
    let mut statement = db.prepare_cached(SELECT)?;
    let mut people =
        statement.query_and_then([&ids], |row| read(&mut Reader::new(row)))?.collect::<Result<Vec<Person>, Fault>>()?;
    for person in &mut people {
        let id = person.id.0;
        person.libraries = libraries.remove(&id).into_iter().flatten().map(LibraryId).collect();
        person.profile.cards = cards.remove(&id).unwrap_or_default();
        person.profile.permission_groups = groups.remove(&id).unwrap_or_default();
    }
    Ok(people)
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

fn read(row: &mut Reader<'_>) -> Result<Person, Fault> {
    Ok(Person {
        id: PersonId(row.take()?),
        code: row.parse("person code")?,
        libraries: Vec::new(),
        photo: row.picture()?,
        enrolment: enrolment::read(row)?,
        created_at: row.time()?,
        updated_at: row.time()?,
        profile: read_profile(row)?,
    })
}

fn read_profile(row: &mut Reader<'_>) -> Result<Profile, Fault> {
    Ok(Profile {
        name: row.take()?,
        gender: row.word_optional()?,
        birth_date: row.parse_optional("birth date")?,
        age: row.take()?,
        document_kind: row.take()?,
        document_number: row.take()?,
        phone: row.take()?,
        email: row.take()?,
        address: row.take()?,
        native_place: row.take()?,
        ethnic_group: row.take()?,
        remark: row.take()?,
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

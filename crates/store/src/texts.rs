//! Opened texts in memory, for searches by a part of them.
//!
//! A sealed text cannot be searched in the database. The texts that searches compare are opened once and kept: those of
//! people until one of them changes (`text_generation`), those of candidates of the log as long as the process runs,
//! each once. With 100 000 people they take some 10 MB, after the first such search.

use std::sync::{Arc, Mutex, PoisonError};

use domain::names::folded;
use memchr::memmem;

use crate::connection::View;
use crate::error::Fault;
use crate::lists::json;
use crate::seal::{Fields, Place};

/// Opened texts.
#[derive(Default)]
pub(crate) struct Texts {
    people: Mutex<Option<Arc<People>>>,
    candidates: Mutex<Vec<CandidateTexts>>,
}

/// The texts of all people at one generation.
pub(crate) struct People {
    generation: i64,
    all: Vec<PersonTexts>,
}

/// What a person is searched by in part.
pub(crate) struct PersonTexts {
    id: i64,
    /// Folded, as the number and the address are.
    pub(crate) name: Box<str>,
    pub(crate) document_number: Box<str>,
    pub(crate) address: Box<str>,
    pub(crate) phone: Box<str>,
}

/// What a candidate of the log is searched by in part.
pub(crate) struct CandidateTexts {
    id: i64,
    pub(crate) name: Box<str>,
    pub(crate) name_folded: Box<str>,
    pub(crate) document_number: Box<str>,
}

impl Texts {
    /// Drops the texts of candidates, after some were removed.
    pub(crate) fn forget_candidates(&self) {
        self.candidates.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

impl People {
    /// The ids of the people that a search finds, as JSON.
    pub(crate) fn json(&self, is_found: impl Fn(&PersonTexts) -> bool) -> String {
        json(self.all.iter().filter(|texts| is_found(texts)).map(|texts| texts.id))
    }
}

/// The texts of all people.
pub(crate) fn people(db: &View<'_>) -> Result<Arc<People>, Fault> {
    let generation = db.prepare_cached("SELECT value FROM text_generation")?.query_row([], |row| row.get(0))?;
    let mut kept = db.texts.people.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(people) = kept.as_ref().filter(|people| people.generation == generation) {
        return Ok(Arc::clone(people));
    }
    let people = Arc::new(People { generation, all: read_people(db)? });
    *kept = Some(Arc::clone(&people));
    Ok(people)
}

fn read_people(db: &View<'_>) -> Result<Vec<PersonTexts>, Fault> {
    let mut statement = db.prepare_cached("SELECT id, sealed FROM person ORDER BY id")?;
    let mut rows = statement.query([])?;
    let mut all = Vec::new();
    while let Some(row) = rows.next()? {
        let id = row.get(0)?;
        let mut fields = open(db, Place::new("person", id), row, 1)?;
        // The columns in the order of `people::profile`.
        let [_code, name, _birth_date, _kind, number, phone, _email, address] = [0; 8].map(|_| fields.take());
        let [name, number, address] = [name, number, address].map(|text| folded(&text).into());
        all.push(PersonTexts { id, name, document_number: number, address, phone: phone.into() });
    }
    Ok(all)
}

/// The ids of the candidates that a search finds, as JSON.
pub(crate) fn candidates(db: &View<'_>, is_found: impl Fn(&CandidateTexts) -> bool) -> Result<String, Fault> {
    let mut all = db.texts.candidates.lock().unwrap_or_else(PoisonError::into_inner);
    let mut statement = db.prepare_cached("SELECT id, person, sealed FROM candidate WHERE id > ? ORDER BY id")?;
    let mut rows = statement.query([all.last().map_or(0, |last| last.id)])?;
    while let Some(row) = rows.next()? {
        let mut fields = open(db, Place::new("candidate", row.get(1)?), row, 2)?;
        let [_code, name, document_number] = [0; 3].map(|_| fields.take());
        let name_folded = folded(&name).into();
        all.push(CandidateTexts {
            id: row.get(0)?,
            name: name.into(),
            name_folded,
            document_number: document_number.into(),
        });
    }
    Ok(json(all.iter().filter(|texts| is_found(texts)).map(|texts| texts.id)))
}

fn open(db: &View<'_>, place: Place<'_>, row: &rusqlite::Row<'_>, column: usize) -> Result<Fields, Fault> {
    let sealed = row.get_ref(column)?.as_blob().map_err(|_| Fault::Corrupt("sealed row"))?;
    Fields::read(&db.keys.open(place, sealed)?)
}

/// Whether a text has this part.
pub(crate) fn has(text: &str, part: &str) -> bool {
    memmem::find(text.as_bytes(), part.as_bytes()).is_some()
}

//! Templates: the embeddings of enrolment photos by model.

use domain::{
    Embedding, Error, LibraryId, Membership, ModelId, PersonId, PhotoTemplate, PictureId, Template, TemplateGaps,
};
use rusqlite::{Connection, params};

use super::require;
use crate::columns::{self, Reader};
use crate::connection::View;
use crate::error::Fault;
use crate::lists;
use crate::seal::Place;

/// Streams all templates of a model, grouped by person, with constant memory.
pub(super) fn all(db: &View<'_>, model: &ModelId, take: &mut dyn FnMut(Template)) -> Result<(), Fault> {
    let mut groups = db.prepare_cached("SELECT person, name FROM person_permission_group ORDER BY person, position")?;
    let mut groups = Groups { rows: groups.query([])?, next: None };
    let mut statement = db.prepare_cached(
        "SELECT person, library, embedding FROM template CROSS JOIN person_library USING (person)
         WHERE model = ? AND embedding IS NOT NULL ORDER BY person, library",
    )?;
    let mut rows = statement.query([&*model.0])?;
    let mut current: Option<Template> = None;
    while let Some(row) = rows.next()? {
        let mut row = Reader::new(row);
        let (person, library) = (PersonId(row.take()?), LibraryId(row.take()?));
        if let Some(template) = current.as_mut().filter(|template| template.person == person) {
            template.membership.libraries.push(library);
            continue;
        }
        let membership = Membership { libraries: vec![library], permission_groups: groups.of(person)? };
        let next = Template { person, membership, embedding: row.embedding_of(model, db.keys, place(person))? };
        current.replace(next).into_iter().for_each(&mut *take);
    }
    current.into_iter().for_each(take);
    Ok(())
}

/// Reads the permission groups of people in ascending order.
struct Groups<'a> {
    rows: rusqlite::Rows<'a>,
    /// The next row, which belongs to a later person.
    next: Option<(PersonId, String)>,
}

impl Groups<'_> {
    fn of(&mut self, person: PersonId) -> Result<Vec<String>, Fault> {
        let mut names = Vec::new();
        while let Some((whose, name)) = self.take()? {
            if whose > person {
                self.next = Some((whose, name));
                break;
            }
            names.extend((whose == person).then_some(name));
        }
        Ok(names)
    }

    fn take(&mut self) -> Result<Option<(PersonId, String)>, Fault> {
        if let Some(next) = self.next.take() {
            return Ok(Some(next));
        }
        let Some(row) = self.rows.next()? else { return Ok(None) };
        let mut row = Reader::new(row);
        Ok(Some((PersonId(row.take()?), row.take()?)))
    }
}

/// The embedding by this model, or else the latest one by another.
pub(super) fn embedding(db: &View<'_>, id: PersonId, model: &ModelId) -> Result<Embedding, Fault> {
    let mut statement = db.prepare_cached(
        "SELECT model, embedding FROM template WHERE person = ? AND embedding IS NOT NULL
         ORDER BY model = ? DESC, rowid DESC LIMIT 1",
    )?;
    let mut rows =
        statement.query_and_then(params![id.0, &*model.0], |row| Reader::new(row).embedding(db.keys, place(id)))?;
    match rows.next() {
        Some(embedding) => embedding,
        None => require(db, id).and(Err(Error::NoFace.into())),
    }
}

fn place(person: PersonId) -> Place<'static> {
    Place::new("template", person.0)
}

pub(super) fn put(
    db: &View<'_>,
    id: PersonId,
    model: &ModelId,
    described: Option<&PhotoTemplate>,
) -> Result<(), Fault> {
    let (quality, embedding) = match described {
        Some(described) => (described.quality, columns::embedding(db.keys, place(id), &described.embedding)),
        None => (0, rusqlite::types::Value::Null),
    };
    let mut statement = db.prepare_cached(
        "INSERT INTO template (person, model, quality, embedding) VALUES (?, ?, ?, ?)
         ON CONFLICT (person, model) DO UPDATE SET quality = excluded.quality, embedding = excluded.embedding",
    )?;
    statement.execute(params![id.0, &*model.0, quality, embedding])?;
    Ok(())
}

pub(super) fn missing(
    db: &Connection,
    model: &ModelId,
    after: PersonId,
    limit: u32,
) -> Result<Vec<(PersonId, PictureId)>, Fault> {
    let mut statement = db.prepare_cached(
        "SELECT id, photo FROM person WHERE id > ?
         AND NOT EXISTS (SELECT 1 FROM template WHERE person = id AND model = ?) ORDER BY id LIMIT ?",
    )?;
    let limit = lists::bounded(limit).cast_signed();
    let rows = statement.query_and_then(params![after.0, &*model.0, limit], |row| {
        let mut row = Reader::new(row);
        Ok((PersonId(row.take()?), row.picture()?))
    })?;
    rows.collect()
}

pub(super) fn gaps(db: &Connection, model: &ModelId) -> Result<TemplateGaps, Fault> {
    let mut statement = db.prepare_cached(
        "SELECT (SELECT count(*) FROM person),
                (SELECT count(*) FROM template WHERE model = ?1),
                (SELECT count(*) FROM template WHERE model = ?1 AND embedding IS NULL)",
    )?;
    let counted = |row: &rusqlite::Row<'_>| Ok([row.get::<_, i64>(0)?, row.get(1)?, row.get(2)?]);
    let [people, asked, unusable] = statement.query_one([&*model.0], counted)?.map(i64::cast_unsigned);
    Ok(TemplateGaps { missing: people.saturating_sub(asked), unusable })
}

//! Libraries.

use domain::names::folded;
use domain::{
    Error, Library, LibraryChange, LibraryFilter, LibraryId, LibraryName, NewLibrary, PersonId, PictureId, Thing,
    Timestamp,
};
use rusqlite::{Connection, OptionalExtension, params};

use crate::columns::{self, Columns, Reader, optional, text, time, word};
use crate::connection::View;
use crate::error::Fault;
use crate::lists::json;
use crate::words::Word;
use crate::{notes, people};

const SELECT: &str = "SELECT id, name, kind, description, created_at, updated_at,
        (SELECT count(*) FROM person_library WHERE library = library.id)
    FROM library
    WHERE (?1 IS NULL OR id = ?1) AND (?2 IS NULL OR name_folded = ?2) AND (?3 IS NULL OR kind = ?3)
    ORDER BY id";

pub(crate) fn libraries(db: &Connection, filter: &LibraryFilter) -> Result<Vec<Library>, Fault> {
    let kind = filter.kind.map(|kind| kind.word());
    let wanted = params![filter.id.map(|id| id.0), filter.name.as_deref().map(folded), kind];
    db.prepare_cached(SELECT)?.query_and_then(wanted, |row| read(&mut Reader::new(row)))?.collect()
}

fn read(row: &mut Reader<'_>) -> Result<Library, Fault> {
    Ok(Library {
        id: LibraryId(row.take()?),
        name: LibraryName::new(row.take::<String>()?).map_err(|_| Fault::Corrupt("library name"))?,
        kind: row.word()?,
        description: row.take()?,
        created_at: row.time()?,
        updated_at: row.time()?,
        people: row.take::<i64>()?.unsigned_abs(),
    })
}

fn library(db: &Connection, id: LibraryId) -> Result<Library, Fault> {
    let filter = LibraryFilter { id: Some(id), ..Default::default() };
    libraries(db, &filter)?.pop().ok_or(Fault::Refused(Error::NotFound { what: Thing::Library }))
}

pub(crate) fn create(db: &View<'_>, new: &NewLibrary, at: Timestamp) -> Result<Library, Fault> {
    require_free_name(db, &new.name, None)?;
    let columns = vec![
        ("name", text(new.name.as_str())),
        ("name_folded", folded(new.name.as_str()).into()),
        ("kind", word(&new.kind)),
        ("description", text(&new.description)),
        ("created_at", time(at)),
        ("updated_at", time(at)),
    ];
    let id = LibraryId(columns::insert(db, "library", columns)?);
    notes::keep(db, id, new.note.as_ref())?;
    library(db, id)
}

pub(crate) fn change(db: &View<'_>, id: LibraryId, change: &LibraryChange, at: Timestamp) -> Result<Library, Fault> {
    require_all(db, &[id])?;
    let mut columns: Columns = vec![("updated_at", time(at))];
    if let Some(name) = &change.name {
        require_free_name(db, name, Some(id))?;
        columns.extend([("name", text(name.as_str())), ("name_folded", folded(name.as_str()).into())]);
    }
    columns.extend(change.kind.map(|kind| ("kind", word(&kind))));
    columns.extend(change.description.as_deref().map(|description| ("description", text(description))));
    columns::update(db, "library", id.0, columns)?;
    notes::keep(db, id, change.note.as_ref())?;
    library(db, id)
}

/// Removes the library; returns the people removed with it and the photos that no row references any more.
pub(crate) fn remove(db: &Connection, id: LibraryId) -> Result<(Vec<PersonId>, Vec<PictureId>), Fault> {
    require_all(db, &[id])?;
    if id == LibraryId::DEFAULT {
        return Err(Error::invalid("library", "the built-in library stays").into());
    }
    if let Some(by) = watcher(db, id)? {
        return Err(Error::InUse { by }.into());
    }
    let people = in_no_other(db, id)?;
    let photos = people::remove_rows(db, &people)?;
    db.prepare_cached("DELETE FROM library WHERE id = ?")?.execute([id.0])?;
    Ok((people, photos))
}

/// What uses the library: a camera, or else a task.
fn watcher(db: &Connection, id: LibraryId) -> rusqlite::Result<Option<Thing>> {
    let mut statement = db.prepare_cached(
        "SELECT camera IS NULL AS is_task FROM watch_library JOIN watch ON watch.id = watch_library.watch
         WHERE library = ? ORDER BY is_task LIMIT 1",
    )?;
    let is_task: Option<bool> = statement.query_row([id.0], |row| row.get(0)).optional()?;
    Ok(is_task.map(|is_task| if is_task { Thing::Task } else { Thing::Camera }))
}

fn in_no_other(db: &Connection, id: LibraryId) -> rusqlite::Result<Vec<PersonId>> {
    let mut statement = db.prepare_cached(
        "SELECT person FROM person_library AS own WHERE library = ?1
             AND NOT EXISTS (SELECT 1 FROM person_library WHERE person = own.person AND library <> ?1)
         ORDER BY person",
    )?;
    statement.query_map([id.0], |row| row.get(0).map(PersonId))?.collect()
}

/// `NotFound(Library)` unless all of these exist.
pub(crate) fn require_all(db: &Connection, ids: &[LibraryId]) -> Result<(), Fault> {
    let mut statement =
        db.prepare_cached("SELECT EXISTS (SELECT 1 FROM json_each(?) WHERE value NOT IN (SELECT id FROM library))")?;
    let some_missing = statement.query_row([json(ids.iter().map(|id| id.0))], |row| row.get(0))?;
    if some_missing { Err(Error::NotFound { what: Thing::Library }.into()) } else { Ok(()) }
}

/// `AlreadyExists(Library)` when a library other than `but` has the name.
fn require_free_name(db: &Connection, name: &LibraryName, but: Option<LibraryId>) -> Result<(), Fault> {
    let mut statement = db.prepare_cached("SELECT id FROM library WHERE name = ? AND id IS NOT ?")?;
    let but = optional(but, |id| id.0.into());
    let holder: Option<i64> = statement.query_row(params![name.as_str(), but], |row| row.get(0)).optional()?;
    if holder.is_some() { Err(Error::AlreadyExists { what: Thing::Library }.into()) } else { Ok(()) }
}

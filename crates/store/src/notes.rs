//! What adapters keep about things of the device.

use domain::{Note, Noted};
use rusqlite::{Connection, OptionalExtension, params};

/// Keeps or removes a note, where there is one to be kept or removed; the thing must exist.
pub(crate) fn keep(db: &Connection, thing: impl Into<Noted>, note: Option<&Note>) -> rusqlite::Result<()> {
    let Some(Note { adapter, text }) = note else { return Ok(()) };
    let (thing, id) = key(thing.into());
    match text {
        Some(text) => db
            .prepare_cached("INSERT OR REPLACE INTO note (thing, id, adapter, note) VALUES (?, ?, ?, ?)")?
            .execute(params![thing, id, adapter, text])?,
        None => db
            .prepare_cached("DELETE FROM note WHERE thing = ? AND id = ? AND adapter = ?")?
            .execute(params![thing, id, adapter])?,
    };
    Ok(())
}

/// The notes of an adapter on these things.
pub(crate) fn read(db: &Connection, adapter: &str, things: &[Noted]) -> rusqlite::Result<Vec<(Noted, String)>> {
    let mut statement = db.prepare_cached("SELECT note FROM note WHERE thing = ? AND id = ? AND adapter = ?")?;
    let mut notes = Vec::new();
    for noted in things {
        let (thing, id) = key(*noted);
        let note = statement.query_row(params![thing, id, adapter], |row| row.get(0)).optional()?;
        notes.extend(note.map(|note| (*noted, note)));
    }
    Ok(notes)
}

fn key(thing: Noted) -> (&'static str, i64) {
    match thing {
        Noted::Person(id) => ("person", id.0),
        Noted::Library(id) => ("library", id.0),
        Noted::Camera(id) => ("camera", id.0.into()),
        Noted::Task(id) => ("task", id.0),
    }
}

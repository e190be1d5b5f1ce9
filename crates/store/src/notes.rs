//! What adapters keep about things of the device.

use domain::{Note, Noted};
use rusqlite::{OptionalExtension, params};

use crate::connection::View;
use crate::error::Fault;
use crate::seal::Place;

/// Keeps or removes a note, where there is one to be kept or removed; the thing must exist.
pub(crate) fn keep(db: &View<'_>, thing: impl Into<Noted>, note: Option<&Note>) -> rusqlite::Result<()> {
    let Some(Note { adapter, text }) = note else { return Ok(()) };
    let (thing, id) = key(thing.into());
    match text {
        Some(text) => {
            db.prepare_cached("INSERT OR REPLACE INTO note (thing, id, adapter, sealed) VALUES (?, ?, ?, ?)")?.execute(
                params![thing, id, adapter, db.keys.sealed(Place::new("note", id).part(&part(thing, adapter)), text)],
            )?
        }
        None => db
            .prepare_cached("DELETE FROM note WHERE thing = ? AND id = ? AND adapter = ?")?
            .execute(params![thing, id, adapter])?,
    };
    Ok(())
}

/// The notes of an adapter on these things.
pub(crate) fn read(db: &View<'_>, adapter: &str, things: &[Noted]) -> Result<Vec<(Noted, String)>, Fault> {
    let mut statement = db.prepare_cached("SELECT sealed FROM note WHERE thing = ? AND id = ? AND adapter = ?")?;
    let mut notes = Vec::new();
    for noted in things {
        let (thing, id) = key(*noted);
        let sealed: Option<Vec<u8>> = statement.query_row(params![thing, id, adapter], |row| row.get(0)).optional()?;
        if let Some(sealed) = sealed {
            let part = part(thing, adapter);
            notes.push((*noted, db.keys.open_text(Place::new("note", id).part(&part), &sealed)?));
        }
    }
    Ok(notes)
}

/// What names a note besides the number of its thing.
fn part(thing: &str, adapter: &str) -> String {
    format!("{thing} {adapter}")
}

fn key(thing: Noted) -> (&'static str, i64) {
    match thing {
        Noted::Person(id) => ("person", id.0),
        Noted::Library(id) => ("library", id.0),
        Noted::Camera(id) => ("camera", id.0.into()),
        Noted::Task(id) => ("task", id.0),
    }
}

//! The record log: `RecordStore`.

mod filter;
mod ladder;
mod removal;
mod rows;
mod sightings;

use domain::names::folded;
use domain::ports::RecordStore;
use domain::{CaptureId, Error, NewRecord, Page, Record, RecordFilter, Removal, Result, Seq, Thing, Usage, Window};
use rusqlite::{Connection, OptionalExtension};

pub(crate) use ladder::Ladders;
pub(crate) use sightings::{attendance, record_of, sightings};

use crate::columns::{self, picture, time, word};
use crate::error::Fault;
use crate::{Store, lists};

impl RecordStore for Store {
    fn append(&self, record: &NewRecord) -> Result<Record> {
        let mut pictures = vec![&record.capture.crop, &record.capture.scene];
        pictures.retain(|picture| picture.is_kept());
        let mut writer = self.database.writer();
        self.pictures.check(&pictures)?;
        let seq = writer.commit("appending a record", |db| append(db, record))?;
        pictures.into_iter().for_each(|picture| self.pictures.unpin(picture));
        let NewRecord { capture, matches, verdict } = record.clone();
        Ok(Record { seq, capture, matches, verdict })
    }

    fn records(&self, filter: &RecordFilter, window: Window) -> Result<Page<Record>> {
        let _unchanging = self.ladders.look();
        self.database.read("reading a page of records", |db| {
            let (total, seqs) = self.ladders.keys(db, filter, window)?;
            Ok(Page { rows: rows::load(db, seqs)?, total })
        })
    }

    fn record_of_capture(&self, capture: CaptureId) -> Result<Record> {
        self.database.read("reading a record", |db| {
            let seq = seq_of(db, capture)?;
            rows::load(db, seq)?.pop().ok_or(Fault::Refused(Error::NotFound { what: Thing::Record }))
        })
    }

    fn records_after(&self, seq: Seq, limit: u32) -> Result<Vec<Record>> {
        self.database.read("reading the record log", |db| {
            let limit = lists::bounded(limit).cast_signed();
            let mut statement = db.prepare_cached("SELECT seq FROM record WHERE seq > ? ORDER BY seq LIMIT ?")?;
            let seqs = statement.query_map([seq.0, limit], |row| row.get(0))?.collect::<Result<Vec<_>, _>>()?;
            rows::load(db, seqs)
        })
    }

    fn newest(&self) -> Result<Seq> {
        self.database.read("reading the end of the record log", |db| Ok(newest(db)?))
    }

    fn remove_records(&self, removal: Removal, limit: u32) -> Result<u32> {
        self.remove_some(removal, limit)
    }

    fn usage(&self) -> Result<Usage> {
        self.measure()
    }

    fn tidy(&self) -> Result<()> {
        self.give_back()
    }
}

/// Kept by SQLite beside the table, so that it survives the removal of the newest records.
fn newest(db: &Connection) -> rusqlite::Result<Seq> {
    let mut statement = db.prepare_cached("SELECT seq FROM sqlite_sequence WHERE name = 'record'")?;
    let seq = statement.query_row([], |row| row.get(0).map(Seq)).optional()?;
    Ok(seq.unwrap_or(Seq(0)))
}

fn seq_of(db: &Connection, capture: CaptureId) -> rusqlite::Result<Option<i64>> {
    let mut statement = db.prepare_cached("SELECT seq FROM record WHERE capture = ?")?;
    statement.query_row([capture.0.as_bytes()], |row| row.get(0)).optional()
}

fn append(db: &Connection, new: &NewRecord) -> Result<Seq, Fault> {
    if seq_of(db, new.capture.id)?.is_some() {
        return Err(Error::AlreadyExists { what: Thing::Record }.into());
    }
    let best = new.best();
    let columns = vec![
        ("capture", new.capture.id.0.as_bytes().to_vec().into()),
        ("captured_at", time(new.capture.at)),
        ("camera", new.capture.camera.0.into()),
        ("kind", word(&new.capture.kind)),
        ("verdict", word(&new.verdict)),
        ("accepted", new.accepted().is_some().into()),
        ("best_person", best.map(|best| best.person.0).into()),
        ("best_library", best.map(|best| best.library.0).into()),
        ("best_library_folded", best.map(|best| folded(&best.library_name)).into()),
        ("best_library_kind", columns::optional(best, |best| word(&best.library_kind))),
        ("crop", picture(&new.capture.crop)),
        ("scene", picture(&new.capture.scene)),
    ];
    let seq = columns::insert(db, "record", columns)?;
    columns::insert(db, "record_capture", rows::capture_columns(seq, &new.capture))?;
    for (position, answer) in (0..).zip(&new.matches) {
        columns::insert(db, "record_match", rows::match_columns(seq, position, answer))?;
        if let Some(mark) = &answer.task {
            columns::insert(db, "sighting", sightings::columns(seq, position, new, answer, mark))?;
        }
    }
    Ok(Seq(seq))
}

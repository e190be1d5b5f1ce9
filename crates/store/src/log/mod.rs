//! The log: `LogStore`.

mod behaviours;
mod candidates;
mod entries;
mod filter;
mod ladder;
mod notices;
mod removal;
mod rows;
mod sightings;
mod unused;

use domain::ports::LogStore;
use domain::{
    BehaviourFilter, CaptureId, Entry, EntryKind, Error, NewEntry, Notice, ObjectCapture, Page, Record, RecordFilter,
    Removal, Result, Seq, Thing, Timestamp, Usage, Window,
};
use rusqlite::{Connection, OptionalExtension};

pub(crate) use candidates::kind as candidate_kind;
pub(crate) use ladder::Ladders;
pub(crate) use removal::delete;
pub(crate) use sightings::{attendance, record_of, sightings};
pub(crate) use unused::{UNUSED, Unused};

use crate::Store;
use crate::error::Fault;

impl LogStore for Store {
    fn append(&self, entry: &NewEntry) -> Result<Entry> {
        let pictures = entry.pictures();
        let mut writer = self.database.writer();
        self.pictures.check(&pictures)?;
        let seq = writer.commit("appending to the log", |db| entries::append(db, entry))?;
        pictures.into_iter().for_each(|picture| self.pictures.unpin(picture));
        Ok(entry.clone().at_place(seq))
    }

    fn entries_after(&self, seq: Seq, kinds: &[EntryKind], limit: u32) -> Result<Vec<Entry>> {
        self.database.read("reading the log", |db| entries::after(db, seq, kinds, limit))
    }

    fn count_between(&self, after: Seq, before: Seq) -> Result<u64> {
        self.database.read("counting entries", |db| entries::count_between(db, after, before))
    }

    fn newest(&self) -> Result<Seq> {
        self.database.read("reading the newest log position", |db| Ok(newest(db)?))
    }

    fn place_before(&self, time: Timestamp) -> Result<Seq> {
        self.database.read("finding a log position", |db| Ok(entries::place_before(db, time)?))
    }

    fn standing_notices(&self) -> Result<Vec<Notice>> {
        self.database.read("reading standing notices", |db| notices::standing(db))
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

    fn behaviours(&self, filter: &BehaviourFilter, window: Window) -> Result<Page<ObjectCapture>> {
        self.database.read("reading a page of behaviours", |db| behaviours::page(db, filter, window))
    }

    fn behaviour(&self, id: CaptureId) -> Result<ObjectCapture> {
        self.database.read("reading a behaviour", |db| behaviours::of_capture(db, id))
    }

    fn awaited_clips(&self, limit: u32) -> Result<Vec<ObjectCapture>> {
        self.database.read("reading awaited clips", |db| behaviours::awaiting(db, limit))
    }

    fn remove_entries(&self, removal: Removal, limit: u32) -> Result<u32> {
        self.remove_some(removal, limit)
    }

    fn usage(&self) -> Result<Usage> {
        self.measure()
    }

    fn tidy(&self) -> Result<()> {
        self.give_back()
    }
}

/// The highest sequence number ever used; SQLite stores it separately, so it survives the removal of the newest
/// entries.
fn newest(db: &Connection) -> rusqlite::Result<Seq> {
    let mut statement = db.prepare_cached("SELECT seq FROM sqlite_sequence WHERE name = 'entry'")?;
    let seq = statement.query_row([], |row| row.get(0).map(Seq)).optional()?;
    Ok(seq.unwrap_or(Seq(0)))
}

fn seq_of(db: &Connection, capture: CaptureId) -> rusqlite::Result<Option<i64>> {
    let mut statement = db.prepare_cached("SELECT seq FROM record WHERE capture = ?")?;
    statement.query_row([capture.0.as_bytes()], |row| row.get(0)).optional()
}

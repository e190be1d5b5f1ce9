//! Entries of all kinds: the common row, and details in the table of their kind.

use std::collections::HashMap;
use std::net::SocketAddr;

use domain::names::folded;
use domain::{
    CameraId, Correction, Door, Entry, EntryKind, Error, NamedPerson, NewEntry, NewRecord, Opening, PersonId, Seq,
    Thing, Timestamp, What,
};
use rusqlite::{Connection, OptionalExtension, params};

use super::{UNUSED, Unused, behaviours, candidates, newest, notices, rows, seq_of, sightings};
use crate::columns::{self, Columns, Reader, optional, picture, text, time, word};
use crate::connection::View;
use crate::error::Fault;
use crate::lists::{bounded, json};
use crate::seal::Keys;
use crate::words::Word as _;
use crate::{erasure, settings};

/// Stored values of [`Door`]; a relay is stored as its address.
const OWN: &str = "own";
const CONTROLLER: &str = "controller";

pub(super) fn append(db: &View<'_>, new: &NewEntry) -> Result<Seq, Fault> {
    let columns = vec![
        ("kind", word(&new.what.kind())),
        ("at", time(new.at)),
        ("camera", optional(new.camera, |camera| camera.0.into())),
    ];
    let seq = columns::insert(db, "entry", columns)?;
    match &new.what {
        What::Record(record) => append_record(db, seq, record)?,
        What::Correction(correction) => append_correction(db, seq, correction)?,
        What::Behaviour(behaviour) => behaviours::append(db, seq, (new.at, new.camera), behaviour)?,
        What::Clip(clip) => behaviours::settle_clip(db, seq, clip)?,
        What::Opening(opening) => drop(columns::insert(db, "opening", opening_columns(db.keys, seq, new.at, opening))?),
        What::Notice(notice) => notices::append(db, seq, notice)?,
    }
    erasure::erase_late(db, seq)?;
    Ok(Seq(seq))
}

fn append_record(db: &View<'_>, seq: i64, new: &NewRecord) -> Result<(), Fault> {
    if seq_of(db, new.capture.id)?.is_some() {
        return Err(Error::AlreadyExists { what: Thing::Record }.into());
    }
    let best = new.best();
    let columns = vec![
        ("seq", seq.into()),
        ("capture", new.capture.id.0.as_bytes().to_vec().into()),
        ("captured_at", time(new.capture.at)),
        ("camera", new.capture.camera.0.into()),
        ("verdict", word(&new.verdict)),
        ("accepted", new.accepted().is_some().into()),
        ("best_person", best.map(|best| best.person.0).into()),
        ("best_library", best.map(|best| best.library.0).into()),
        ("best_library_folded", best.map(|best| folded(&best.library_name)).into()),
        ("best_library_kind", optional(best, |best| word(&best.library_kind))),
        ("crop", picture(&new.capture.crop)),
        ("scene", picture(&new.capture.scene)),
    ];
    columns::insert(db, "record", columns)?;
    columns::insert(db, "record_capture", rows::capture_columns(db.keys, seq, &new.capture))?;
    for (position, answer) in (0..).zip(&new.matches) {
        let candidate = answer.best.as_ref().map(|best| candidates::number(db, best)).transpose()?;
        columns::insert(db, "record_match", rows::match_columns(seq, position, answer, candidate))?;
        if let Some(mark) = &answer.task {
            let columns = sightings::columns(db.keys, (seq, position, candidate), new, answer, mark);
            columns::insert(db, "sighting", columns)?;
        }
    }
    Ok(())
}

fn append_correction(db: &View<'_>, seq: i64, correction: &Correction) -> Result<(), Fault> {
    let known = "SELECT EXISTS (SELECT 1 FROM record WHERE seq = ?)";
    if !db.prepare_cached(known)?.query_row([correction.record.0], |row| row.get(0))? {
        return Err(Error::NotFound { what: Thing::Record }.into());
    }
    let mut columns =
        vec![("entry", seq.into()), ("record", correction.record.0.into()), ("actor", text(&correction.actor))];
    columns.extend(person_columns(db.keys, "correction", seq, correction.shows.as_ref()));
    columns::insert(db, "correction", columns)?;
    Ok(())
}

fn opening_columns(keys: &Keys, seq: i64, at: Timestamp, opening: &Opening) -> Columns {
    let door = match opening.door {
        Door::Own => OWN.to_owned(),
        Door::Controller => CONTROLLER.to_owned(),
        Door::Relay(address) => address.to_string(),
    };
    let mut columns = vec![
        ("entry", seq.into()),
        ("at", time(at)),
        ("door", door.into()),
        ("opened", opening.opened.into()),
        ("means", word(&opening.by)),
        ("actor", text(&opening.actor)),
        ("why", text(&opening.why)),
    ];
    columns.extend(person_columns(keys, "opening", seq, opening.person.as_ref()));
    columns
}

fn person_columns(keys: &Keys, table: &'static str, seq: i64, person: Option<&NamedPerson>) -> Columns {
    vec![
        ("person", optional(person, |person| person.id.0.into())),
        ("sealed", candidates::sealed_name(keys, table, seq, person)),
    ]
}

/// Up to `limit` entries of these kinds after `seq`, in log order.
pub(super) fn after(db: &View<'_>, seq: Seq, kinds: &[EntryKind], limit: u32) -> Result<Vec<Entry>, Fault> {
    let limit = bounded(limit);
    let mut heads = Vec::new();
    for kind in kinds {
        heads.extend(heads_after(db, seq, *kind, limit)?);
    }
    heads.sort_unstable_by_key(|head| head.seq);
    heads.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    load(db, heads)
}

/// The fields common to all kinds.
struct Head {
    seq: Seq,
    kind: EntryKind,
    at: Timestamp,
    camera: Option<CameraId>,
}

fn heads_after(db: &Connection, seq: Seq, kind: EntryKind, limit: u64) -> Result<Vec<Head>, Fault> {
    let mut statement = db.prepare_cached(
        "SELECT seq, at, camera FROM entry INDEXED BY entry_by_kind WHERE kind = ? AND seq > ? ORDER BY seq LIMIT ?",
    )?;
    let head = |row: &rusqlite::Row<'_>| {
        let mut row = Reader::new(row);
        let (seq, at) = (Seq(row.take()?), row.time()?);
        Ok(Head { seq, kind, at, camera: row.take::<Option<u32>>()?.map(CameraId) })
    };
    let rows = statement.query_map(params![kind.word(), seq.0, limit.cast_signed()], head)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Loads the details of entries: one statement for each kind among them, two for records.
fn load(db: &View<'_>, heads: Vec<Head>) -> Result<Vec<Entry>, Fault> {
    let of = |kind| json(heads.iter().filter(|head| head.kind == kind).map(|head| head.seq.0));
    let mut details: HashMap<i64, What> = HashMap::new();
    let records = heads.iter().filter(|head| head.kind == EntryKind::Record).map(|head| head.seq.0);
    let records = rows::load(db, records)?.into_iter();
    details.extend(records.map(|record| (record.seq.0, What::Record(Box::new(record)))));
    let others = heads.iter().any(|head| head.kind != EntryKind::Record);
    if others {
        details.extend(behaviours::load(db, &of(EntryKind::Behaviour))?);
        details.extend(behaviours::load_clips(db, &of(EntryKind::Clip))?);
        details.extend(openings(db, &of(EntryKind::Opening))?);
        details.extend(corrections(db, &of(EntryKind::Correction))?);
        details.extend(notices::load(db, &of(EntryKind::Notice))?);
    }
    let entry = |head: Head| {
        let what = details.remove(&head.seq.0);
        if what.is_none() {
            tracing::error!(entry.seq = head.seq.0, "entry without details skipped");
        }
        Some(Entry { seq: head.seq, at: head.at, camera: head.camera, what: what? })
    };
    Ok(heads.into_iter().filter_map(entry).collect())
}

fn openings(db: &View<'_>, seqs: &str) -> Result<Vec<(i64, What)>, Fault> {
    let mut statement = db.prepare_cached(
        "SELECT entry, door, opened, means, actor, why, person, sealed
         FROM json_each(?) AS wanted CROSS JOIN opening ON opening.entry = wanted.value",
    )?;
    let read = |row: &rusqlite::Row<'_>| {
        let mut row = Reader::new(row);
        let (seq, door) = (row.take()?, read_door(&row.take::<String>()?)?);
        let (opened, by, actor, why) = (row.take()?, row.word()?, row.take()?, row.take()?);
        let person = read_person(db.keys, "opening", seq, &mut row)?;
        Ok((seq, What::Opening(Opening { door, opened, by, actor, why, person })))
    };
    statement.query_and_then([seqs], read)?.collect()
}

fn read_door(word: &str) -> Result<Door, Fault> {
    match word {
        OWN => Ok(Door::Own),
        CONTROLLER => Ok(Door::Controller),
        address => address.parse::<SocketAddr>().map(Door::Relay).map_err(|_| Fault::Corrupt("door")),
    }
}

fn corrections(db: &View<'_>, seqs: &str) -> Result<Vec<(i64, What)>, Fault> {
    let mut statement = db.prepare_cached(
        "SELECT entry, record, actor, person, sealed
         FROM json_each(?) AS wanted CROSS JOIN correction ON correction.entry = wanted.value",
    )?;
    let read = |row: &rusqlite::Row<'_>| {
        let mut row = Reader::new(row);
        let (seq, record, actor) = (row.take()?, Seq(row.take()?), row.take()?);
        let shows = read_person(db.keys, "correction", seq, &mut row)?;
        Ok((seq, What::Correction(Correction { record, actor, shows })))
    };
    statement.query_and_then([seqs], read)?.collect()
}

/// Two columns: id and what is sealed; both NULL for an unknown person.
fn read_person(keys: &Keys, table: &'static str, seq: i64, row: &mut Reader<'_>) -> Result<Option<NamedPerson>, Fault> {
    let id: Option<i64> = row.take()?;
    let (code, name) = candidates::read_name(keys, table, seq, row)?;
    Ok(id.map(|id| NamedPerson { id: PersonId(id), code, name }))
}

/// Number of entries between two positions, and of places there that were never used.
pub(super) fn count_between(db: &View<'_>, after: Seq, before: Seq) -> Result<u64, Fault> {
    let mut statement = db.prepare_cached("SELECT count(*) FROM entry WHERE seq > ? AND seq < ?")?;
    let count = statement.query_row([after.0, before.0], |row| row.get::<_, i64>(0))?;
    let unused = settings::value(db, UNUSED)?.map(|text| Unused::read(&text)).unwrap_or_default();
    Ok(count.unsigned_abs() + unused.between(after.0, before.0))
}

/// The position before the first entry at or after this time.
pub(super) fn place_before(db: &Connection, at: Timestamp) -> rusqlite::Result<Seq> {
    let first = "SELECT seq FROM entry INDEXED BY entry_by_time WHERE at >= ? ORDER BY at, seq LIMIT 1";
    let seq = db.prepare_cached(first)?.query_row([time(at)], |row| row.get(0)).optional()?;
    seq.map_or_else(|| newest(db), |seq: i64| Ok(Seq(seq - 1)))
}

//! Removal of entries in small steps, so that other writers wait only briefly.

use domain::{ObjectClass, PictureId, RecordKind, Removal, Result, Seq, Timestamp, Verdict};
use rusqlite::{Connection, params};

use crate::columns::{Reader, time, word};
use crate::error::Fault;
use crate::lists::{bounded, json};
use crate::{Store, pictures};

/// An entry to be removed.
struct RemovedEntry {
    seq: i64,
    is_record: bool,
    pictures: Vec<PictureId>,
}

impl Store {
    pub(super) fn remove_some(&self, removal: Removal, limit: u32) -> Result<u32> {
        let alone = self.ladders.change();
        let mut writer = self.database.writer();
        let (removed, losses, unnamed) = writer.commit("removing entries", |db| {
            let selected = selected(db, removal, bounded(limit))?;
            let seqs = json(selected.iter().map(|entry| entry.seq));
            let records = selected.iter().filter(|entry| entry.is_record).map(|entry| entry.seq);
            let losses = self.ladders.losses(db, &records.collect::<Vec<_>>())?;
            delete(db, &seqs)?;
            let removed = selected.len() as u32;
            let pictures = selected.into_iter().flat_map(|entry| entry.pictures).collect();
            Ok((removed, losses, pictures::unnamed(db, pictures)?))
        })?;
        self.ladders.lose(losses);
        drop(alone);
        self.discard(&writer, &unnamed);
        Ok(removed)
    }
}

/// Deletes entries, listed as JSON, with the corrections of records and the clips of behaviours among them.
pub(crate) fn delete(db: &Connection, seqs: &str) -> rusqlite::Result<()> {
    for delete in [
        "DELETE FROM entry WHERE seq IN (
             SELECT entry FROM correction WHERE record IN (SELECT value FROM json_each(?)))",
        "DELETE FROM entry WHERE seq IN (
             SELECT entry FROM clip WHERE behaviour IN (SELECT value FROM json_each(?)))",
        "DELETE FROM entry WHERE seq IN (SELECT value FROM json_each(?))",
    ] {
        db.prepare_cached(delete)?.execute([seqs])?;
    }
    Ok(())
}

fn selected(db: &Connection, removal: Removal, limit: u64) -> Result<Vec<RemovedEntry>, Fault> {
    match removal {
        Removal::Oldest => between(db, (Seq(0), Seq(i64::MAX)), limit),
        Removal::UpTo(seq) => between(db, (Seq(0), seq), limit),
        Removal::One(seq) => between(db, (seq, seq), limit),
        Removal::Misdated { earliest, latest, before } => misdated(db, (earliest, latest), before, limit),
        Removal::Before { kind, from, time } => {
            let times = (from, time);
            let mut selected = Vec::new();
            for verdict in kind.verdicts() {
                selected.extend(records_between(db, *verdict, times, limit - selected.len() as u64)?);
            }
            match kind {
                RecordKind::People => selected.extend(openings_between(db, times, limit - selected.len() as u64)?),
                RecordKind::Strangers => {
                    for object in ObjectClass::ALL {
                        selected.extend(behaviours_between(db, object, times, limit - selected.len() as u64)?);
                    }
                }
            }
            Ok(selected)
        }
    }
}

fn between(db: &Connection, (first, last): (Seq, Seq), limit: u64) -> Result<Vec<RemovedEntry>, Fault> {
    let mut statement = db.prepare_cached(
        "SELECT entry.seq, record.seq IS NOT NULL, coalesce(record.crop, behaviour.crop),
             coalesce(record.scene, behaviour.scene), behaviour.video
         FROM entry LEFT JOIN record ON record.seq = entry.seq LEFT JOIN behaviour ON behaviour.entry = entry.seq
         WHERE entry.seq BETWEEN ? AND ? ORDER BY entry.seq LIMIT ?",
    )?;
    let values = [first.0, last.0, limit.cast_signed()];
    statement.query_and_then(values, |row| read(&mut Reader::new(row)))?.collect()
}

/// From the first, before the second.
type Times = (Timestamp, Timestamp);

/// The oldest entries that were made while the clock was wrong, among those older than `before`.
fn misdated(
    db: &Connection,
    (earliest, latest): Times,
    before: Timestamp,
    limit: u64,
) -> Result<Vec<RemovedEntry>, Fault> {
    let mut statement = db.prepare_cached(
        "SELECT entry.seq, record.seq IS NOT NULL, coalesce(record.crop, behaviour.crop),
             coalesce(record.scene, behaviour.scene), behaviour.video
         FROM entry LEFT JOIN record ON record.seq = entry.seq LEFT JOIN behaviour ON behaviour.entry = entry.seq
         WHERE entry.seq IN (SELECT seq FROM entry INDEXED BY entry_by_time WHERE at < ?1
                             UNION ALL SELECT seq FROM entry INDEXED BY entry_by_time WHERE at > ?2)
             AND entry.seq < (SELECT max(seq) FROM entry INDEXED BY entry_by_time WHERE at >= ?1 AND at < ?3)
         ORDER BY entry.seq LIMIT ?4",
    )?;
    let values = params![time(earliest), time(latest), time(before), limit.cast_signed()];
    statement.query_and_then(values, |row| read(&mut Reader::new(row)))?.collect()
}

/// The oldest records with this verdict.
fn records_between(db: &Connection, verdict: Verdict, times: Times, limit: u64) -> Result<Vec<RemovedEntry>, Fault> {
    let mut statement = db.prepare_cached(
        "SELECT seq, true, crop, scene, NULL FROM record INDEXED BY record_by_verdict
         WHERE verdict = ? AND captured_at >= ? AND captured_at < ? ORDER BY captured_at, seq LIMIT ?",
    )?;
    let values = params![word(&verdict), time(times.0), time(times.1), limit.cast_signed()];
    statement.query_and_then(values, |row| read(&mut Reader::new(row)))?.collect()
}

/// The oldest openings for a known person.
fn openings_between(db: &Connection, times: Times, limit: u64) -> Result<Vec<RemovedEntry>, Fault> {
    let mut statement = db.prepare_cached(
        "SELECT entry FROM opening INDEXED BY opening_for_person
         WHERE person IS NOT NULL AND at >= ? AND at < ? ORDER BY at, entry LIMIT ?",
    )?;
    let selected =
        |row: &rusqlite::Row<'_>| Ok(RemovedEntry { seq: row.get(0)?, is_record: false, pictures: Vec::new() });
    Ok(statement
        .query_map(params![time(times.0), time(times.1), limit.cast_signed()], selected)?
        .collect::<Result<_, _>>()?)
}

/// The oldest behaviours of this object class.
fn behaviours_between(
    db: &Connection,
    object: ObjectClass,
    times: Times,
    limit: u64,
) -> Result<Vec<RemovedEntry>, Fault> {
    let mut statement = db.prepare_cached(
        "SELECT entry, false, crop, scene, video FROM behaviour INDEXED BY behaviour_by_time
         WHERE object = ? AND at >= ? AND at < ? ORDER BY at, entry LIMIT ?",
    )?;
    let values = params![word(&object), time(times.0), time(times.1), limit.cast_signed()];
    statement.query_and_then(values, |row| read(&mut Reader::new(row)))?.collect()
}

fn read(row: &mut Reader<'_>) -> Result<RemovedEntry, Fault> {
    let (seq, is_record) = (row.take()?, row.take()?);
    let pictures = [row.picture_optional()?, row.picture_optional()?, row.picture_optional()?];
    let pictures = pictures.into_iter().flatten().collect();
    Ok(RemovedEntry { seq, is_record, pictures })
}

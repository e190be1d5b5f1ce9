//! Records that go: a few at a time, so that nobody waits long for the writer.

use domain::{PictureId, Removal, Result, Seq, Timestamp, Verdict};
use rusqlite::{Connection, params};

use crate::columns::{Reader, time, word};
use crate::error::Fault;
use crate::lists::{bounded, json};
use crate::{Store, pictures};

/// Records of a verdict from before a time, the oldest first: faces, and bodies.
const BEFORE: [&str; 2] = [
    "SELECT seq, crop, scene FROM record INDEXED BY record_by_verdict
     WHERE kind = 'face' AND verdict = ? AND captured_at < ? ORDER BY captured_at, seq LIMIT ?",
    "SELECT seq, crop, scene FROM record INDEXED BY record_of_body
     WHERE kind = 'body' AND verdict = ? AND captured_at < ? ORDER BY captured_at, seq LIMIT ?",
];

/// A record about to go.
struct Doomed {
    seq: i64,
    crop: PictureId,
    scene: PictureId,
}

impl Store {
    pub(super) fn remove_some(&self, removal: Removal, limit: u32) -> Result<u32> {
        let alone = self.ladders.change();
        let mut writer = self.database.writer();
        let (removed, losses, unnamed) = writer.commit("removing records", |db| {
            let doomed = doomed(db, removal, bounded(limit))?;
            let seqs: Vec<i64> = doomed.iter().map(|record| record.seq).collect();
            let losses = self.ladders.losses(db, &seqs)?;
            let mut delete = db.prepare_cached("DELETE FROM record WHERE seq IN (SELECT value FROM json_each(?))")?;
            delete.execute([json(seqs)])?;
            let pictures = doomed.iter().flat_map(|record| [record.crop.clone(), record.scene.clone()]).collect();
            Ok((doomed.len() as u32, losses, pictures::unnamed(db, pictures)?))
        })?;
        self.ladders.lose(losses);
        drop(alone);
        self.discard(&writer, &unnamed);
        Ok(removed)
    }
}

fn doomed(db: &Connection, removal: Removal, limit: u64) -> Result<Vec<Doomed>, Fault> {
    match removal {
        Removal::Oldest => up_to(db, Seq(i64::MAX), limit),
        Removal::UpTo(seq) => up_to(db, seq, limit),
        Removal::One(seq) => one(db, seq),
        Removal::Before { kind, time: before } => {
            let mut doomed = Vec::new();
            for (verdict, select) in kind.verdicts().iter().flat_map(|verdict| BEFORE.map(|select| (verdict, select))) {
                doomed.extend(before_of(db, select, *verdict, before, limit - doomed.len() as u64)?);
            }
            Ok(doomed)
        }
    }
}

fn up_to(db: &Connection, last: Seq, limit: u64) -> Result<Vec<Doomed>, Fault> {
    let mut statement = db.prepare_cached("SELECT seq, crop, scene FROM record WHERE seq <= ? ORDER BY seq LIMIT ?")?;
    statement.query_and_then([last.0, limit.cast_signed()], |row| read(&mut Reader::new(row)))?.collect()
}

fn one(db: &Connection, seq: Seq) -> Result<Vec<Doomed>, Fault> {
    let mut statement = db.prepare_cached("SELECT seq, crop, scene FROM record WHERE seq = ?")?;
    statement.query_and_then([seq.0], |row| read(&mut Reader::new(row)))?.collect()
}

fn before_of(
    db: &Connection,
    select: &str,
    verdict: Verdict,
    before: Timestamp,
    limit: u64,
) -> Result<Vec<Doomed>, Fault> {
    let mut statement = db.prepare_cached(select)?;
    let values = params![word(&verdict), time(before), limit.cast_signed()];
    statement.query_and_then(values, |row| read(&mut Reader::new(row)))?.collect()
}

fn read(row: &mut Reader<'_>) -> Result<Doomed, Fault> {
    Ok(Doomed { seq: row.take()?, crop: row.picture()?, scene: row.picture()? })
}

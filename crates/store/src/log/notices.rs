//! Notices, and the currently standing ones.

use domain::{Notice, What};
use rusqlite::{Connection, params};

use crate::columns::{self, Reader, text, word};
use crate::error::Fault;
use crate::words::Word as _;

pub(super) fn append(db: &Connection, seq: i64, notice: &Notice) -> Result<(), Fault> {
    let columns = vec![
        ("entry", seq.into()),
        ("topic", word(&notice.topic)),
        ("subject", text(&notice.subject)),
        ("raised", notice.raised.into()),
        ("reason", text(&notice.reason)),
    ];
    columns::insert(db, "notice", columns)?;
    let (topic, subject) = (notice.topic.word(), &notice.subject);
    if notice.raised {
        db.prepare_cached("INSERT OR REPLACE INTO standing_notice (topic, subject, reason) VALUES (?, ?, ?)")?
            .execute(params![topic, subject, notice.reason])?;
    } else {
        db.prepare_cached("DELETE FROM standing_notice WHERE topic = ? AND subject = ?")?
            .execute(params![topic, subject])?;
    }
    Ok(())
}

/// The notices among these entries.
pub(super) fn load(db: &Connection, seqs: &str) -> Result<Vec<(i64, What)>, Fault> {
    let mut statement = db.prepare_cached(
        "SELECT entry, topic, subject, raised, reason
         FROM json_each(?) AS wanted CROSS JOIN notice ON notice.entry = wanted.value",
    )?;
    let read = |row: &rusqlite::Row<'_>| {
        let mut row = Reader::new(row);
        let (seq, topic, subject) = (row.take()?, row.word()?, row.take()?);
        Ok((seq, What::Notice(Notice { topic, subject, raised: row.take()?, reason: row.take()? })))
    };
    statement.query_and_then([seqs], read)?.collect()
}

/// Notices that were raised and not cleared since.
pub(super) fn standing(db: &Connection) -> Result<Vec<Notice>, Fault> {
    let mut statement = db.prepare_cached("SELECT topic, subject, reason FROM standing_notice")?;
    let read = |row: &rusqlite::Row<'_>| {
        let mut row = Reader::new(row);
        Ok(Notice { topic: row.word()?, subject: row.take()?, raised: true, reason: row.take()? })
    };
    statement.query_and_then([], read)?.collect()
}

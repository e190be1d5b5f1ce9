//! Jobs that adapters process item by item.

use domain::{Job, JobId, JobItem};
use rusqlite::{Connection, params};

use crate::error::Fault;

pub(crate) fn insert(db: &Connection, adapter: &str, about: &str, items: &[JobItem]) -> Result<JobId, Fault> {
    db.prepare_cached("INSERT INTO adapter_job (adapter, about) VALUES (?, ?)")?.execute([adapter, about])?;
    let job = db.last_insert_rowid();
    let mut statement =
        db.prepare_cached("INSERT INTO adapter_job_item (job, place, about, outcome) VALUES (?, ?, ?, ?)")?;
    for (place, item) in (0_i64..).zip(items) {
        statement.execute(params![job, place, item.about, item.outcome])?;
    }
    Ok(JobId(job))
}

/// All jobs of an adapter, oldest first.
pub(crate) fn jobs(db: &Connection, adapter: &str) -> Result<Vec<Job>, Fault> {
    let mut statement = db.prepare_cached("SELECT id, about FROM adapter_job WHERE adapter = ? ORDER BY id")?;
    let rows = statement.query_map([adapter], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let job = |(id, about): (i64, String)| Ok(Job { id: JobId(id), about, items: items(db, id)? });
    rows.map(|row| job(row?)).collect()
}

fn items(db: &Connection, job: i64) -> Result<Vec<JobItem>, Fault> {
    let mut statement =
        db.prepare_cached("SELECT about, outcome FROM adapter_job_item WHERE job = ? ORDER BY place")?;
    let rows = statement.query_map([job], |row| Ok(JobItem { about: row.get(0)?, outcome: row.get(1)? }))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

pub(crate) fn note_outcome(db: &Connection, job: JobId, place: u32, outcome: &str) -> Result<(), Fault> {
    db.prepare_cached("UPDATE adapter_job_item SET outcome = ? WHERE job = ? AND place = ?")?
        .execute(params![outcome, job.0, place])?;
    Ok(())
}

/// Removes a job and its items.
pub(crate) fn remove(db: &Connection, job: JobId) -> Result<(), Fault> {
    db.prepare_cached("DELETE FROM adapter_job WHERE id = ?")?.execute([job.0])?;
    Ok(())
}

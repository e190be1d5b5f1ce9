//! Jobs that adapters process item by item.

use domain::{Job, JobId, JobItem};
use rusqlite::{Connection, params};

use crate::columns::Reader;
use crate::connection::View;
use crate::error::Fault;
use crate::seal::{Keys, Place};

const ABOUT: &str = "about";
const OUTCOME: &str = "outcome";

pub(crate) fn insert(db: &View<'_>, adapter: &str, about: &str, items: &[JobItem]) -> Result<JobId, Fault> {
    db.prepare_cached("INSERT INTO adapter_job (adapter, sealed) VALUES (?, ?)")?
        .execute(params![adapter, db.keys.sealed(job_place(adapter), about)])?;
    let job = db.last_insert_rowid();
    let mut statement =
        db.prepare_cached("INSERT INTO adapter_job_item (job, place, sealed, outcome) VALUES (?, ?, ?, ?)")?;
    for (place, item) in (0_i64..).zip(items) {
        let sealed = |part, text: &str| db.keys.sealed(item_place(job).part(&item_part(part, place)), text);
        let outcome = item.outcome.as_deref().map(|outcome| sealed(OUTCOME, outcome));
        statement.execute(params![job, place, sealed(ABOUT, &item.about), outcome])?;
    }
    Ok(JobId(job))
}

fn job_place(adapter: &str) -> Place<'_> {
    Place::new("adapter_job", 0).part(adapter)
}

fn item_place(job: i64) -> Place<'static> {
    Place::new("adapter_job_item", job)
}

fn item_part(part: &str, place: i64) -> String {
    format!("{part} {place}")
}

/// All jobs of an adapter, oldest first.
pub(crate) fn jobs(db: &View<'_>, adapter: &str) -> Result<Vec<Job>, Fault> {
    let mut statement = db.prepare_cached("SELECT id, sealed FROM adapter_job WHERE adapter = ? ORDER BY id")?;
    let rows = statement.query_and_then([adapter], |row| {
        let mut row = Reader::new(row);
        let id = row.take()?;
        Ok((id, row.open_text(db.keys, job_place(adapter))?))
    })?;
    let job = |row: Result<(i64, String), Fault>| {
        let (id, about) = row?;
        Ok(Job { id: JobId(id), about, items: items(db, id)? })
    };
    rows.map(job).collect()
}

fn items(db: &View<'_>, job: i64) -> Result<Vec<JobItem>, Fault> {
    let mut statement =
        db.prepare_cached("SELECT place, sealed, outcome FROM adapter_job_item WHERE job = ? ORDER BY place")?;
    statement.query_and_then([job], |row| item(db.keys, job, &mut Reader::new(row)))?.collect()
}

fn item(keys: &Keys, job: i64, row: &mut Reader<'_>) -> Result<JobItem, Fault> {
    let place = row.take()?;
    let about = row.open_text(keys, item_place(job).part(&item_part(ABOUT, place)))?;
    let outcome = row.open_optional(keys, item_place(job).part(&item_part(OUTCOME, place)))?;
    let outcome = outcome.map(|text| String::from_utf8(text).map_err(|_| Fault::Corrupt("outcome"))).transpose()?;
    Ok(JobItem { about, outcome })
}

pub(crate) fn note_outcome(db: &View<'_>, job: JobId, place: u32, outcome: &str) -> Result<(), Fault> {
    let part = item_part(OUTCOME, place.into());
    db.prepare_cached("UPDATE adapter_job_item SET outcome = ? WHERE job = ? AND place = ?")?.execute(params![
        db.keys.sealed(item_place(job.0).part(&part), outcome),
        job.0,
        place
    ])?;
    Ok(())
}

/// Removes a job and its items.
pub(crate) fn remove(db: &Connection, job: JobId) -> Result<(), Fault> {
    db.prepare_cached("DELETE FROM adapter_job WHERE id = ?")?.execute([job.0])?;
    Ok(())
}

//! State kept for adapters: `AdapterState`.

use domain::ports::AdapterState;
use domain::{Job, JobId, JobItem, Noted, Result, Seq};
use rusqlite::{OptionalExtension, params};

use crate::seal::Place;
use crate::{Store, jobs, notes};

/// What names a value.
fn part(adapter: &str, key: &str) -> String {
    format!("{adapter} {key}")
}

fn place(part: &str) -> Place<'_> {
    Place::new("adapter_value", 0).part(part)
}

impl AdapterState for Store {
    fn cursor(&self, adapter: &str, feed: &str) -> Result<Option<Seq>> {
        self.database.read("reading a feed cursor", |db| {
            let mut statement = db.prepare_cached("SELECT seq FROM adapter_cursor WHERE adapter = ? AND feed = ?")?;
            Ok(statement.query_row([adapter, feed], |row| row.get(0).map(Seq)).optional()?)
        })
    }

    fn set_cursor(&self, adapter: &str, feed: &str, seq: Seq) -> Result<()> {
        self.database.write("saving a feed cursor", |db| {
            db.prepare_cached("INSERT OR REPLACE INTO adapter_cursor (adapter, feed, seq) VALUES (?, ?, ?)")?
                .execute(params![adapter, feed, seq.0])?;
            Ok(())
        })
    }

    fn value(&self, adapter: &str, key: &str) -> Result<Option<String>> {
        self.database.read("reading an adapter's value", |db| {
            let mut statement = db.prepare_cached("SELECT sealed FROM adapter_value WHERE adapter = ? AND key = ?")?;
            let sealed: Option<Vec<u8>> = statement.query_row([adapter, key], |row| row.get(0)).optional()?;
            sealed.map(|sealed| db.keys.open_text(place(&part(adapter, key)), &sealed)).transpose()
        })
    }

    fn set_value(&self, adapter: &str, key: &str, value: Option<&str>) -> Result<()> {
        self.database.write("changing an adapter's value", |db| {
            match value {
                Some(value) => db
                    .prepare_cached("INSERT OR REPLACE INTO adapter_value (adapter, key, sealed) VALUES (?, ?, ?)")?
                    .execute(params![adapter, key, db.keys.sealed(place(&part(adapter, key)), value)])?,
                None => db
                    .prepare_cached("DELETE FROM adapter_value WHERE adapter = ? AND key = ?")?
                    .execute([adapter, key])?,
            };
            Ok(())
        })
    }

    fn notes(&self, adapter: &str, things: &[Noted]) -> Result<Vec<(Noted, String)>> {
        self.database.read("reading notes", |db| notes::read(db, adapter, things))
    }

    fn begin_job(&self, adapter: &str, about: &str, items: &[JobItem]) -> Result<JobId> {
        self.database.write("creating a job", |db| jobs::insert(db, adapter, about, items))
    }

    fn jobs(&self, adapter: &str) -> Result<Vec<Job>> {
        self.database.read("reading jobs", |db| jobs::jobs(db, adapter))
    }

    fn note_outcome(&self, job: JobId, place: u32, outcome: &str) -> Result<()> {
        self.database.write("saving the outcome of a job item", |db| jobs::note_outcome(db, job, place, outcome))
    }

    fn end_job(&self, job: JobId) -> Result<()> {
        self.database.write("removing a job", |db| jobs::remove(db, job))
    }
}

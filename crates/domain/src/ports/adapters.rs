//! What adapters keep.

use crate::{Job, JobId, JobItem, Noted, Result, Seq};

/// What adapters keep: opaque to the core, each adapter sees only its own.
pub trait AdapterState: Send + Sync {
    /// How far `feed` of `adapter` has got; `None` when it never ran.
    fn cursor(&self, adapter: &str, feed: &str) -> Result<Option<Seq>>;

    /// Remembers that everything up to `seq` was acknowledged.
    fn set_cursor(&self, adapter: &str, feed: &str, seq: Seq) -> Result<()>;

    /// A kept value.
    fn value(&self, adapter: &str, key: &str) -> Result<Option<String>>;

    /// Keeps (`Some`) or removes (`None`) a value.
    fn set_value(&self, adapter: &str, key: &str, value: Option<&str>) -> Result<()>;

    /// The notes of `adapter` on these things; a thing without one is left out.
    fn notes(&self, adapter: &str, things: &[Noted]) -> Result<Vec<(Noted, String)>>;

    /// Keeps a job to be done.
    fn begin_job(&self, adapter: &str, about: &str, items: &[JobItem]) -> Result<JobId>;

    /// The jobs of an adapter that have not ended, the oldest first.
    fn jobs(&self, adapter: &str) -> Result<Vec<Job>>;

    /// Remembers what came of the item at this place of a job, from 0; nothing when the job has ended.
    fn note_outcome(&self, job: JobId, place: u32, outcome: &str) -> Result<()>;

    /// Forgets a job.
    fn end_job(&self, job: JobId) -> Result<()>;
}

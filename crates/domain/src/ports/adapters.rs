//! The port to the stored state of adapters.

use crate::{Job, JobId, JobItem, Noted, Result, Seq};

/// The stored state of adapters: opaque to the core, separate for each adapter.
pub trait AdapterState: Send + Sync {
    /// The last entry that `feed` of `adapter` has delivered; `None` when it never ran.
    fn cursor(&self, adapter: &str, feed: &str) -> Result<Option<Seq>>;

    /// Stores that everything up to `seq` was acknowledged.
    fn set_cursor(&self, adapter: &str, feed: &str, seq: Seq) -> Result<()>;

    /// A stored value; `None` when there is none.
    fn value(&self, adapter: &str, key: &str) -> Result<Option<String>>;

    /// Stores (`Some`) or removes (`None`) a value.
    fn set_value(&self, adapter: &str, key: &str, value: Option<&str>) -> Result<()>;

    /// The notes of `adapter` on these things; a thing without one is left out.
    fn notes(&self, adapter: &str, things: &[Noted]) -> Result<Vec<(Noted, String)>>;

    /// Stores a job.
    fn begin_job(&self, adapter: &str, about: &str, items: &[JobItem]) -> Result<JobId>;

    /// The jobs of an adapter that have not ended, the oldest first.
    fn jobs(&self, adapter: &str) -> Result<Vec<Job>>;

    /// Stores the outcome of the item at this place of a job, from 0; no effect when the job has ended.
    fn note_outcome(&self, job: JobId, place: u32, outcome: &str) -> Result<()>;

    /// Removes a job.
    fn end_job(&self, job: JobId) -> Result<()>;
}

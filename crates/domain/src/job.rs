//! Jobs: work that an adapter does item by item and resumes after a restart.

use crate::JobId;

/// A job that has not ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Job {
    /// Its number.
    pub id: JobId,
    /// Description, in a form of the adapter's own.
    pub about: String,
    /// The items, in order.
    pub items: Vec<JobItem>,
}

/// An item of a job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobItem {
    /// Description, in a form of the adapter's own.
    pub about: String,
    /// Outcome; `None` until it is done.
    pub outcome: Option<String>,
}

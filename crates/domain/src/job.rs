//! Work that an adapter does item by item, and goes on with after a restart.

use crate::JobId;

/// A job that has not ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Job {
    /// Its number.
    pub id: JobId,
    /// What the job is, in words of the adapter.
    pub about: String,
    /// What there is to do, in order.
    pub items: Vec<JobItem>,
}

/// A part of a job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobItem {
    /// What there is to do, in words of the adapter.
    pub about: String,
    /// What came of it; `None` until it is done.
    pub outcome: Option<String>,
}

//! The record log.

use tokio::sync::watch;

use super::Appliance;
use crate::{CaptureId, NewRecord, Page, Record, RecordFilter, Result, Seq, Window};

impl Appliance {
    /// A page of records, newest capture first.
    pub async fn records(&self, filter: RecordFilter, window: Window) -> Result<Page<Record>> {
        self.blocking(move |a| a.ports().records.records(&filter, window)).await
    }

    /// The record of a capture. `NotFound(Record)`.
    pub async fn record_of_capture(&self, capture: CaptureId) -> Result<Record> {
        self.blocking(move |a| a.ports().records.record_of_capture(capture)).await
    }

    /// Up to `limit` records after `seq`, in commit order.
    pub async fn records_after(&self, seq: Seq, limit: u32) -> Result<Vec<Record>> {
        self.blocking(move |a| a.ports().records.records_after(seq, limit)).await
    }

    /// The newest place in the log; changes when a record was committed.
    pub fn newest_record(&self) -> watch::Receiver<Seq> {
        self.core.newest.subscribe()
    }

    /// Commits a record and wakes the feeds.
    pub(crate) fn append_record(&self, record: &NewRecord) -> Result<Record> {
        let committed = self.ports().records.append(record)?;
        // Two cameras may commit at the same time: the newest place never goes back.
        self.core.newest.send_if_modified(|newest| {
            let newer = committed.seq > *newest;
            *newest = committed.seq.max(*newest);
            newer
        });
        Ok(committed)
    }
}

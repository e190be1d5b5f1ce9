//! The record log.

use std::thread;
use std::time::Duration;

use tokio::sync::watch;

use super::Appliance;
use crate::{CaptureId, NewRecord, Page, Record, RecordFilter, RecordKind, Removal, Result, Seq, Window};

/// Records removed at a time, and the pause after them in which others write.
const BATCH: u32 = 128;
const PAUSE: Duration = Duration::from_millis(2);

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

    /// Removes every record there is, and its pictures; enrolled people stay. Answers how many went. What is recorded
    /// meanwhile stays. Goes on to its end even when the caller goes away.
    pub async fn remove_all_records(&self, actor: &str) -> Result<u64> {
        let actor = actor.to_owned();
        self.blocking(move |a| {
            a.forget_waiting();
            let removed = a.remove_step_by_step(Removal::UpTo(a.ports().records.newest()?))?;
            a.audit(&actor, "records.remove", &"all");
            Ok(removed)
        })
        .await
    }

    /// Removes every record of one kind that was captured until now; else as
    /// [`remove_all_records`](Self::remove_all_records).
    pub async fn remove_records_of(&self, actor: &str, kind: RecordKind) -> Result<u64> {
        let actor = actor.to_owned();
        self.blocking(move |a| {
            let removed = a.remove_step_by_step(Removal::Before { kind, time: a.now().plus_millis(1) })?;
            let kind = match kind {
                RecordKind::People => "people",
                RecordKind::Strangers => "strangers",
            };
            a.audit(&actor, "records.remove", &kind);
            Ok(removed)
        })
        .await
    }

    /// A batch at a time, so that others can write between. Blocking.
    fn remove_step_by_step(&self, removal: Removal) -> Result<u64> {
        let mut removed = 0;
        loop {
            let batch = self.ports().records.remove_records(removal, BATCH)?;
            removed += u64::from(batch);
            if batch < BATCH {
                return Ok(removed);
            }
            thread::sleep(PAUSE);
        }
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

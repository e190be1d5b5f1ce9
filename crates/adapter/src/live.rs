//! Live delivery of records to current subscribers.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use domain::{Appliance, Record, Seq};
use tokio::sync::broadcast::{self, error::RecvError};
use tokio_util::sync::CancellationToken;

/// Maximum number of records queued for one subscriber; with more it is too slow.
const BACKLOG: usize = 64;
/// Number of records read from the log at a time; well below the backlog, so that a burst alone makes no subscriber too
/// slow.
const BATCH: u32 = 16;

/// Sends every new record to all live subscribers, such as WebSocket clients. Nothing is stored for later.
pub struct Live {
    most: usize,
    records: broadcast::Sender<Arc<Record>>,
    ended: Mutex<CancellationToken>,
}

/// A subscription; dropping it ends it.
pub struct Subscriber {
    records: broadcast::Receiver<Arc<Record>>,
    ended: CancellationToken,
}

/// Why a subscription ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LiveEnd {
    /// 64 records were queued when the next one arrived.
    #[error("the subscriber is too slow")]
    TooSlow,
    /// The device is stopping.
    #[error("the device stops")]
    Stopped,
}

impl Live {
    /// `most`: maximum number of concurrent subscribers.
    pub fn new(most: usize) -> Self {
        Self { most, records: broadcast::Sender::new(BACKLOG), ended: Mutex::default() }
    }

    /// Subscribes to new records; `None` when there are too many subscribers.
    pub fn subscribe(&self) -> Option<Subscriber> {
        if self.records.receiver_count() >= self.most {
            return None;
        }
        Some(Subscriber { records: self.records.subscribe(), ended: self.ended().clone() })
    }

    /// Sends new records until cancelled, then ends all subscriptions.
    pub async fn run(&self, appliance: Appliance, cancel: CancellationToken) {
        let mut newest = appliance.newest_entry();
        let mut sent = *newest.borrow_and_update();
        while let Some(Ok(())) = cancel.run_until_cancelled(newest.changed()).await {
            newest.borrow_and_update();
            sent = self.send_after(&appliance, sent).await;
        }
        self.ended().cancel();
    }

    /// Ends all subscriptions; new ones are possible.
    pub fn end_all(&self) {
        std::mem::take(&mut *self.ended()).cancel();
    }

    fn ended(&self) -> MutexGuard<'_, CancellationToken> {
        self.ended.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn send_after(&self, appliance: &Appliance, mut sent: Seq) -> Seq {
        loop {
            let records = appliance.records_after(sent, BATCH).await.unwrap_or_else(|error| {
                tracing::warn!(error = error.chain(), "failed to read records for live subscribers");
                Vec::new()
            });
            let Some(last) = records.last() else { return sent };
            sent = last.seq;
            for record in records {
                // Fails only without subscribers.
                let _ = self.records.send(Arc::new(record));
            }
            // Reading may complete without suspending; yield so that subscribers can run between batches.
            tokio::task::yield_now().await;
        }
    }
}

impl Subscriber {
    /// The next record. Cancel safe.
    ///
    /// # Errors
    /// The reason why the subscription ended.
    pub async fn next(&mut self) -> Result<Arc<Record>, LiveEnd> {
        tokio::select! {
            biased;
            () = self.ended.cancelled() => Err(LiveEnd::Stopped),
            record = self.records.recv() => record.map_err(|error| match error {
                RecvError::Lagged(_) => LiveEnd::TooSlow,
                RecvError::Closed => LiveEnd::Stopped,
            }),
        }
    }
}

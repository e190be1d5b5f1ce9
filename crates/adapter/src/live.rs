//! Records for whoever listens right now.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use domain::{Appliance, Record, Seq};
use tokio::sync::broadcast::{self, error::RecvError};
use tokio_util::sync::CancellationToken;

/// Records waiting for one subscriber before it counts as too slow.
const BACKLOG: usize = 64;
/// Records read from the log at a time; well below the backlog, so that a burst alone makes nobody slow.
const BATCH: u32 = 16;

/// Hands every new record to all live subscribers, such as WebSocket clients. Nothing is kept for later.
pub struct Live {
    most: usize,
    records: broadcast::Sender<Arc<Record>>,
    ended: Mutex<CancellationToken>,
}

/// One listener; dropping it ends the subscription.
pub struct Subscriber {
    records: broadcast::Receiver<Arc<Record>>,
    ended: CancellationToken,
}

/// Why a subscription is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LiveEnd {
    /// 64 records were waiting and the next one came.
    #[error("the subscriber is too slow")]
    TooSlow,
    /// The device stops.
    #[error("the device stops")]
    Stopped,
}

impl Live {
    /// For at most so many subscribers at a time.
    pub fn new(most: usize) -> Self {
        Self { most, records: broadcast::Sender::new(BACKLOG), ended: Mutex::default() }
    }

    /// Subscribes to the records from now on; `None` when there are too many subscribers.
    pub fn subscribe(&self) -> Option<Subscriber> {
        if self.records.receiver_count() >= self.most {
            return None;
        }
        Some(Subscriber { records: self.records.subscribe(), ended: self.ended().clone() })
    }

    /// Passes on new records until cancelled, then ends all subscriptions.
    pub async fn run(&self, appliance: Appliance, cancel: CancellationToken) {
        let mut newest = appliance.newest_entry();
        let mut sent = *newest.borrow_and_update();
        while let Some(Ok(())) = cancel.run_until_cancelled(newest.changed()).await {
            newest.borrow_and_update();
            sent = self.send_after(&appliance, sent).await;
        }
        self.ended().cancel();
    }

    /// Ends all subscriptions; new ones may follow.
    pub fn end_all(&self) {
        std::mem::take(&mut *self.ended()).cancel();
    }

    fn ended(&self) -> MutexGuard<'_, CancellationToken> {
        self.ended.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn send_after(&self, appliance: &Appliance, mut sent: Seq) -> Seq {
        loop {
            let records = appliance.records_after(sent, BATCH).await.unwrap_or_else(|error| {
                tracing::warn!(error = error.chain(), "live subscribers miss records");
                Vec::new()
            });
            let Some(last) = records.last() else { return sent };
            sent = last.seq;
            for record in records {
                // Nobody listening is fine.
                let _ = self.records.send(Arc::new(record));
            }
            // The log may answer at once, and subscribers need their turn between two batches.
            tokio::task::yield_now().await;
        }
    }
}

impl Subscriber {
    /// The next record. Safe to drop at any await.
    ///
    /// # Errors
    /// Why there will be none any more.
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

//! Live delivery of entries of the log to current subscribers.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use domain::{Appliance, Entry, EntryKind, Seq};
use tokio::sync::broadcast::{self, error::RecvError};
use tokio_util::sync::CancellationToken;

/// Maximum number of entries queued for one subscriber; with more it is too slow.
const BACKLOG: usize = 64;
/// Number of entries read from the log at a time; well below the backlog, so that a burst alone makes no subscriber too
/// slow.
const BATCH: u32 = 16;

/// Sends every new entry of certain kinds to all live subscribers, such as WebSocket clients. Nothing is stored for
/// later.
pub struct Live {
    kinds: &'static [EntryKind],
    most: usize,
    entries: broadcast::Sender<Arc<Entry>>,
    ended: Mutex<CancellationToken>,
}

/// A subscription; dropping it ends it.
pub struct Subscriber {
    entries: broadcast::Receiver<Arc<Entry>>,
    ended: CancellationToken,
}

/// Why a subscription ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LiveEnd {
    /// 64 entries were queued when the next one arrived.
    #[error("the subscriber is too slow")]
    TooSlow,
    /// The device is stopping.
    #[error("the device stops")]
    Stopped,
}

impl Live {
    /// `kinds`: the entries to send. `most`: maximum number of concurrent subscribers.
    pub fn new(kinds: &'static [EntryKind], most: usize) -> Self {
        Self { kinds, most, entries: broadcast::Sender::new(BACKLOG), ended: Mutex::default() }
    }

    /// Subscribes to new entries; `None` when there are too many subscribers.
    pub fn subscribe(&self) -> Option<Subscriber> {
        if self.entries.receiver_count() >= self.most {
            return None;
        }
        Some(Subscriber { entries: self.entries.subscribe(), ended: self.ended().clone() })
    }

    /// Sends new entries until cancelled, then ends all subscriptions.
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
            let entries = appliance.entries_after(sent, self.kinds, BATCH).await.unwrap_or_else(|error| {
                tracing::warn!(error = error.chain(), "failed to read entries for live subscribers");
                Vec::new()
            });
            let Some(last) = entries.last() else { return sent };
            sent = last.seq;
            for entry in entries {
                // Fails only without subscribers.
                let _ = self.entries.send(Arc::new(entry));
            }
            // Reading may complete without suspending; yield so that subscribers can run between batches.
            tokio::task::yield_now().await;
        }
    }
}

impl Subscriber {
    /// The next entry. Cancel safe.
    ///
    /// # Errors
    /// The reason why the subscription ended.
    pub async fn next(&mut self) -> Result<Arc<Entry>, LiveEnd> {
        tokio::select! {
            biased;
            () = self.ended.cancelled() => Err(LiveEnd::Stopped),
            entry = self.entries.recv() => entry.map_err(|error| match error {
                RecvError::Lagged(_) => LiveEnd::TooSlow,
                RecvError::Closed => LiveEnd::Stopped,
            }),
        }
    }
}

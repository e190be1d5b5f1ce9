//! Durable delivery of log entries.

mod figures;
mod walk;

use std::time::Duration;

use async_trait::async_trait;
use domain::{Appliance, Entry, EntryKind, State};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use self::walk::Walk;

/// Where a feed starts on its first run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Start {
    /// At the first new entry.
    FromNewest,
    /// At the oldest remaining entry.
    FromOldest,
}

/// The outcome of a delivery.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Delivery {
    /// The receiver has the entry, or it is not meant for the receiver: continue with the next entry.
    Acknowledged,
    /// Retry the same entry later.
    Retry {
        /// The reason, for the log; contains no credentials.
        why: String,
        /// The interval before the retry; `None` for the default back-off: 0.5 s, rising to 30 s.
        after: Option<Duration>,
    },
    /// The receiver did not get the entry, and its specification does not require it: continue with the next entry.
    /// Counted and logged.
    Dropped {
        /// The reason, for the log; contains no credentials.
        why: String,
    },
    /// The receiver will never accept the entry. Retried every 30 s and reported as stuck, until an operator skips it
    /// or retention removes it.
    Refused {
        /// The reason, for the log; contains no credentials.
        why: String,
    },
}

impl Delivery {
    /// A retry with the default back-off.
    pub fn retry(why: impl Into<String>) -> Self {
        Self::Retry { why: why.into(), after: None }
    }
}

/// Sends entries to one receiver.
#[async_trait]
pub trait Deliver: Send {
    /// Sends an entry and waits for the receiver's acknowledgement, with its own timeout. May be cancelled at any
    /// await; the entry is then delivered again.
    async fn deliver(&mut self, entry: &Entry) -> Delivery;
}

/// An adapter's durable delivery of log entries: at least once, in commit order, across restarts. While it runs,
/// operators can inspect and control it through the [`Appliance`].
pub struct Feed {
    state: State,
    name: String,
    kinds: &'static [EntryKind],
    start: Start,
    settings: Option<watch::Receiver<u64>>,
}

impl Feed {
    /// The feed `name` of the adapter with this state, for entries of these kinds. It starts with [`Feed::run`].
    pub fn new(state: State, name: impl Into<String>, kinds: &'static [EntryKind], start: Start) -> Self {
        Self { state, name: name.into(), kinds, start, settings: None }
    }

    /// Restarts from the stored cursor whenever these settings change: a new receiver does not wait for the back-off
    /// caused by the previous one.
    pub fn restarting_with(self, settings: watch::Receiver<u64>) -> Self {
        Self { settings: Some(settings), ..self }
    }

    /// Delivers entries to `receiver`, one at a time, until cancelled. The cursor advances only after the
    /// acknowledgement. After a failure the feed retries with back-off (0.5 s, rising to 30 s, with jitter). A delivery
    /// in progress has 5 s to finish when the feed is cancelled, and is abandoned when the settings change; the entry
    /// is then delivered again.
    pub async fn run(&self, appliance: Appliance, cancel: CancellationToken, receiver: impl Deliver) {
        Walk::new(self, appliance, receiver).run(&cancel).await;
    }

    /// Skips everything in the log, for example when a new receiver is set.
    ///
    /// # Errors
    /// Errors of the store.
    pub async fn skip_to_newest(&self, appliance: &Appliance) -> domain::Result<()> {
        let newest = *appliance.newest_entry().borrow();
        self.state.set_cursor(&self.name, newest).await
    }
}

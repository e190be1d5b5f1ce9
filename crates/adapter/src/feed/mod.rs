//! The durable walk over the log.

mod figures;
mod walk;

use std::time::Duration;

use async_trait::async_trait;
use domain::{Appliance, Entry, EntryKind, State};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use self::walk::Walk;

/// Where a feed that never ran before begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Start {
    /// With the first entry after now.
    FromNewest,
    /// With the oldest entry left.
    FromOldest,
}

/// What became of a delivery.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Delivery {
    /// The receiver has it, or it was not meant for the receiver: go on with the next entry.
    Acknowledged,
    /// Try the same entry again later.
    Retry {
        /// Why, for the log; holds no credentials.
        why: String,
        /// The time to wait; `None`: 0.5 s, rising to 30 s with each failure.
        after: Option<Duration>,
    },
    /// The receiver did not get it, and by its document need not: go on with the next entry. Counted and logged.
    Dropped {
        /// Why, for the log; holds no credentials.
        why: String,
    },
    /// The receiver will never take it. Tried again every 30 s and reported as stuck, until an operator skips it or
    /// retention removes it.
    Refused {
        /// Why, for the log; holds no credentials.
        why: String,
    },
}

impl Delivery {
    /// Try again after the usual wait.
    pub fn retry(why: impl Into<String>) -> Self {
        Self::Retry { why: why.into(), after: None }
    }
}

/// Sends entries to one receiver.
#[async_trait]
pub trait Deliver: Send {
    /// Sends an entry and waits for the receiver's acknowledgement, with a time-out of its own. May be dropped at any
    /// point: the entry comes again then.
    async fn deliver(&mut self, entry: &Entry) -> Delivery;
}

/// An adapter's durable walk over the log: at least once, in commit order, across restarts. While it runs, operators
/// see it and give it orders through the [`Appliance`].
pub struct Feed {
    state: State,
    name: String,
    kinds: &'static [EntryKind],
    start: Start,
    settings: Option<watch::Receiver<u64>>,
}

impl Feed {
    /// The walk `name`, over entries of these kinds, of the adapter whose state this is; nothing happens before
    /// [`Feed::run`].
    pub fn new(state: State, name: impl Into<String>, kinds: &'static [EntryKind], start: Start) -> Self {
        Self { state, name: name.into(), kinds, start, settings: None }
    }

    /// Begins again, from the place kept in the store, whenever these settings change: a new receiver does not wait
    /// for the back-off that the former one caused.
    pub fn restarting_with(self, settings: watch::Receiver<u64>) -> Self {
        Self { settings: Some(settings), ..self }
    }

    /// Hands every entry to `receiver`, one at a time, until cancelled. The place in the log moves on only after
    /// the acknowledgement. After a failure it waits (0.5 s, rising to 30 s, with jitter) and tries again. A
    /// delivery under way has 5 s to finish when the feed is cancelled and is given up when the settings change; the
    /// entry comes again then.
    pub async fn run(&self, appliance: Appliance, cancel: CancellationToken, receiver: impl Deliver) {
        Walk::new(self, appliance, receiver).run(&cancel).await;
    }

    /// Leaves out everything that the log holds, as when a new receiver is set.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn skip_to_newest(&self, appliance: &Appliance) -> domain::Result<()> {
        let newest = *appliance.newest_entry().borrow();
        self.state.set_cursor(&self.name, newest).await
    }
}

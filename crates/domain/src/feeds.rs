//! Status and control of the feeds of all adapters.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{mpsc, oneshot};

use crate::{Error, Result, Seq, Thing, Timestamp};

/// Maximum number of orders waiting for a feed; they are carried out one at a time.
const WAITING: usize = 8;

/// Status of a feed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeedStatus {
    /// Name of the adapter.
    pub adapter: &'static str,
    /// The feed's name, unique in its adapter.
    pub feed: String,
    /// The last entry that is delivered or skipped.
    pub place: Seq,
    /// Whether an operator has paused it.
    pub paused: bool,
    /// Time of the last delivery; `None` when there was none since the start.
    pub last_delivery: Option<Timestamp>,
    /// Why delivery fails, and since when; `None` while it works.
    pub failure: Option<(String, Timestamp)>,
    /// The entry that the receiver refuses for good: the feed retries it until it is skipped or removed. `None` when
    /// not stuck.
    pub stuck: Option<Seq>,
}

/// An operator's order to a feed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FeedOrder {
    /// Deliver nothing until further notice, also after a restart.
    Pause,
    /// Resume after a pause.
    GoOn,
    /// Retry now instead of after the back-off.
    TryNow,
    /// Skip the next entry.
    SkipOne,
    /// Resume after this place.
    GoTo(Seq),
}

/// An order, and the channel for its outcome.
type PendingOrder = (FeedOrder, oneshot::Sender<Result<()>>);

/// The registration of a running feed, through which the feed reports its status and receives orders. Dropping it ends
/// the registration.
pub struct FeedHandle {
    board: Arc<FeedBoard>,
    key: Key,
    orders: mpsc::Receiver<PendingOrder>,
}

type Key = (&'static str, String);

struct Entry {
    status: FeedStatus,
    orders: mpsc::Sender<PendingOrder>,
}

/// All running feeds.
#[derive(Default)]
pub(crate) struct FeedBoard {
    feeds: Mutex<BTreeMap<Key, Entry>>,
}

impl FeedBoard {
    /// Registers a feed, replacing one with the same name.
    pub(crate) fn open(self: &Arc<Self>, adapter: &'static str, feed: &str) -> FeedHandle {
        let (sender, orders) = mpsc::channel(WAITING);
        let status = FeedStatus {
            adapter,
            feed: feed.to_owned(),
            place: Seq(0),
            paused: false,
            last_delivery: None,
            failure: None,
            stuck: None,
        };
        let key = (adapter, feed.to_owned());
        self.lock().insert(key.clone(), Entry { status, orders: sender });
        FeedHandle { board: Arc::clone(self), key, orders }
    }

    /// The status of all feeds, ordered by adapter and name.
    pub(crate) fn all(&self) -> Vec<FeedStatus> {
        self.lock().values().map(|entry| entry.status.clone()).collect()
    }

    /// Sends an order and waits until the feed has carried it out. Returns the outcome; `NotFound(Feed)`, `Busy` when
    /// too many orders wait.
    pub(crate) async fn order(&self, adapter: &str, feed: &str, order: FeedOrder) -> Result<()> {
        let unknown = || Error::NotFound { what: Thing::Feed };
        let orders = {
            let feeds = self.lock();
            let entry = feeds.iter().find(|((of, name), _)| *of == adapter && name == feed);
            entry.ok_or_else(unknown)?.1.orders.clone()
        };
        let (done, outcome) = oneshot::channel();
        orders.try_send((order, done)).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => Error::Busy,
            mpsc::error::TrySendError::Closed(_) => unknown(),
        })?;
        // Fails when the feed ended before it received the order.
        outcome.await.unwrap_or_else(|_| Err(unknown()))
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<Key, Entry>> {
        self.feeds.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl FeedHandle {
    /// Changes the status.
    pub fn report(&self, change: impl FnOnce(&mut FeedStatus)) {
        if let Some(entry) = self.board.lock().get_mut(&self.key) {
            change(&mut entry.status);
        }
    }

    /// Waits for the next order. Returns it with the channel for its outcome. Cancel safe.
    pub async fn next_order(&mut self) -> PendingOrder {
        match self.orders.recv().await {
            Some(order) => order,
            None => std::future::pending().await,
        }
    }
}

impl Drop for FeedHandle {
    fn drop(&mut self) {
        let mut feeds = self.board.lock();
        // A feed with the same name may have been registered since; it stays.
        self.orders.close();
        if feeds.get(&self.key).is_some_and(|entry| entry.orders.is_closed()) {
            feeds.remove(&self.key);
        }
    }
}

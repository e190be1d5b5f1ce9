//! The feeds of all adapters: how they are doing, and orders to them.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{mpsc, oneshot};

use crate::{Error, Result, Seq, Thing, Timestamp};

/// Orders that wait for a feed; one at a time is carried out.
const WAITING: usize = 8;

/// How an adapter's walk over the log is doing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeedStatus {
    /// The adapter.
    pub adapter: &'static str,
    /// The feed's name, unique in its adapter.
    pub feed: String,
    /// The last place that it is done with.
    pub place: Seq,
    /// Whether an operator has stopped it.
    pub paused: bool,
    /// When the receiver last took something; `None`: not since the start.
    pub last_delivery: Option<Timestamp>,
    /// Why delivery fails now, and since when.
    pub failure: Option<(String, Timestamp)>,
    /// What the receiver will never take: the feed stands there until it is skipped or removed.
    pub stuck: Option<Seq>,
}

/// What an operator may ask of a feed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FeedOrder {
    /// Deliver nothing until further notice, also after a restart.
    Pause,
    /// Go on after a pause.
    GoOn,
    /// Try again now instead of after the wait.
    TryNow,
    /// Leave out the next one.
    SkipOne,
    /// Go on behind this place.
    GoTo(Seq),
}

/// An order, and where its outcome is reported.
type Posted = (FeedOrder, oneshot::Sender<Result<()>>);

/// A feed's own end: it reports how it is doing and receives orders. Dropping it takes the feed off the board.
pub struct FeedDesk {
    board: Arc<FeedBoard>,
    key: Key,
    orders: mpsc::Receiver<Posted>,
}

type Key = (&'static str, String);

struct Entry {
    status: FeedStatus,
    orders: mpsc::Sender<Posted>,
}

/// All feeds that run.
#[derive(Default)]
pub(crate) struct FeedBoard {
    feeds: Mutex<BTreeMap<Key, Entry>>,
}

impl FeedBoard {
    /// Puts a feed on the board, in place of one with the same name.
    pub(crate) fn open(self: &Arc<Self>, adapter: &'static str, feed: &str) -> FeedDesk {
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
        FeedDesk { board: Arc::clone(self), key, orders }
    }

    /// All feeds, by adapter and name.
    pub(crate) fn all(&self) -> Vec<FeedStatus> {
        self.lock().values().map(|entry| entry.status.clone()).collect()
    }

    /// Gives an order and waits until the feed has carried it out. `NotFound(Feed)`, `Busy`.
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
        // The feed ended before it came to this order.
        outcome.await.unwrap_or_else(|_| Err(unknown()))
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<Key, Entry>> {
        self.feeds.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl FeedDesk {
    /// Changes what the board shows.
    pub fn report(&self, change: impl FnOnce(&mut FeedStatus)) {
        if let Some(entry) = self.board.lock().get_mut(&self.key) {
            change(&mut entry.status);
        }
    }

    /// The next order, and where its outcome is reported. Waits for ever when there is none.
    pub async fn next_order(&mut self) -> Posted {
        match self.orders.recv().await {
            Some(order) => order,
            None => std::future::pending().await,
        }
    }
}

impl Drop for FeedDesk {
    fn drop(&mut self) {
        let mut feeds = self.board.lock();
        // Another one with the same name may be there already; its orders do not end here.
        self.orders.close();
        if feeds.get(&self.key).is_some_and(|entry| entry.orders.is_closed()) {
            feeds.remove(&self.key);
        }
    }
}

//! Feeds as an operator sees them.

use super::Appliance;
use crate::Result;
use crate::feeds::{FeedDesk, FeedOrder, FeedStatus};

impl Appliance {
    /// How the feeds of all adapters are doing.
    pub fn feeds(&self) -> Vec<FeedStatus> {
        self.core.feeds.all()
    }

    /// Puts a feed that begins to run on the board.
    pub fn open_feed(&self, adapter: &'static str, feed: &str) -> FeedDesk {
        self.core.feeds.open(adapter, feed)
    }

    /// Gives a feed an order and waits until it is carried out.
    ///
    /// # Errors
    /// `NotFound(Feed)` when no such feed runs, `NotFound(Record)` when there is nothing to skip, `Busy` when too many
    /// orders wait.
    pub async fn order_feed(&self, actor: &str, adapter: &str, feed: &str, order: FeedOrder) -> Result<()> {
        self.core.feeds.order(adapter, feed, order).await?;
        self.note(actor, "feed.order", &format!("{adapter} {feed} {order:?}")).await
    }
}

//! Feeds as an operator sees them.

use super::{Acts, Appliance};
use crate::feeds::{FeedDesk, FeedOrder, FeedStatus};
use crate::{Act, Result};

impl Appliance {
    /// How the feeds of all adapters are doing.
    pub fn feeds(&self) -> Vec<FeedStatus> {
        self.core.feeds.all()
    }

    /// Puts a feed that begins to run on the board.
    pub fn open_feed(&self, adapter: &'static str, feed: &str) -> FeedDesk {
        self.core.feeds.open(adapter, feed)
    }
}

impl Acts<'_> {
    /// Gives a feed an order and waits until it is carried out.
    ///
    /// # Errors
    /// `NotFound(Feed)` when no such feed runs, `NotFound(Record)` when there is nothing to skip, `Busy` when too many
    /// orders wait.
    pub async fn order_feed(self, adapter: &str, feed: &str, order: FeedOrder) -> Result<()> {
        let moves = matches!(order, FeedOrder::SkipOne | FeedOrder::GoTo(_));
        let act = if moves { Act::FEED_MOVE } else { Act::FEED_ORDER };
        let actor = self.permit(act)?;
        self.appliance.core.feeds.order(adapter, feed, order).await?;
        self.appliance.note(&actor, act, &format!("{adapter} {feed} {order:?}")).await
    }
}

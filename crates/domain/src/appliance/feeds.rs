//! Status and control of feeds.

use super::{Acts, Appliance};
use crate::feeds::{FeedHandle, FeedOrder, FeedStatus};
use crate::{Act, Result};

impl Appliance {
    /// Status of the feeds of all adapters.
    pub fn feeds(&self) -> Vec<FeedStatus> {
        self.core.feeds.all()
    }

    /// Registers a feed that starts to run. Dropping the returned value ends the registration.
    pub fn open_feed(&self, adapter: &'static str, feed: &str) -> FeedHandle {
        self.core.feeds.open(adapter, feed)
    }
}

impl Acts<'_> {
    /// Sends an order to a feed and waits until it is carried out.
    ///
    /// # Errors
    /// `NotFound(Feed)` when no such feed runs, `NotFound(Record)` when there is nothing to skip, `Busy` when too many
    /// orders are waiting.
    pub async fn order_feed(self, adapter: &str, feed: &str, order: FeedOrder) -> Result<()> {
        let moves = matches!(order, FeedOrder::SkipOne | FeedOrder::GoTo(_));
        let act = if moves { Act::FEED_MOVE } else { Act::FEED_ORDER };
        let actor = self.permit(act)?;
        self.appliance.core.feeds.order(adapter, feed, order).await?;
        self.appliance.note(&actor, act, &format!("{adapter} {feed} {order:?}")).await
    }
}

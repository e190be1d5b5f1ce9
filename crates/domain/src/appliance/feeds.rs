//! Feeds as an operator sees them.

use super::Appliance;
use crate::feeds::{FeedDesk, FeedOrder, FeedStatus};
use crate::{CaptureKind, RecordFilter, Result, Seq, Timestamp, Window};

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

    /// The place before the first record captured at this time or later: where a feed goes back to.
    pub async fn place_before(&self, time: Timestamp) -> Result<Seq> {
        let captured = Some(time..=Timestamp::from_millis(i64::MAX));
        let filter = RecordFilter { captured, kind: CaptureKind::Face, ..RecordFilter::default() };
        let newest = *self.newest_record().borrow();
        loop {
            let total = self.records(filter.clone(), Window { skip: 0, limit: 1 }).await?.total;
            let Some(skip) = total.checked_sub(1) else { return Ok(newest) };
            // Gone when records were removed between the two pages: there are fewer now.
            if let Some(oldest) = self.records(filter.clone(), Window { skip, limit: 1 }).await?.rows.pop() {
                return Ok(Seq(oldest.seq.0 - 1));
            }
        }
    }
}

//! The durable walk over the record log.

use std::time::Duration;

use async_trait::async_trait;
use backon::{BackoffBuilder, ExponentialBackoff, ExponentialBuilder};
use domain::{Appliance, Record, Seq, State};
use metrics::{Counter, Gauge, counter, gauge};
use tokio_util::sync::CancellationToken;

/// Records read from the log at a time.
const BATCH: u32 = 16;
/// The first wait after a failure, and the longest; jitter makes each up to twice as long.
const SHORTEST_WAIT: Duration = Duration::from_millis(500);
const LONGEST_WAIT: Duration = Duration::from_secs(30);
/// How long a delivery that is under way may go on when the feed is cancelled.
const GRACE: Duration = Duration::from_secs(5);

/// Where a feed that never ran before begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Start {
    /// With the first record after now.
    FromNewest,
    /// With the oldest record left.
    FromOldest,
}

/// What became of a delivery.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Delivery {
    /// The receiver has it (or it was not meant for the receiver): go on with the next record.
    Acknowledged,
    /// Try the same record again, later.
    Retry {
        /// Why, for the log; holds no credentials.
        why: String,
    },
}

/// Sends records to one receiver.
#[async_trait]
pub trait Deliver: Send {
    /// Sends a record and waits for the receiver's acknowledgement, with a time-out of its own.
    async fn deliver(&mut self, record: &Record) -> Delivery;
}

/// An adapter's durable walk over the record log: at least once, in commit order, across restarts.
pub struct Feed {
    state: State,
    name: &'static str,
    start: Start,
}

impl Feed {
    /// The walk `name` of the adapter whose state this is; nothing happens before [`Feed::run`].
    pub fn new(state: State, name: &'static str, start: Start) -> Self {
        Self { state, name, start }
    }

    /// Hands every record to `receiver`, one at a time, until cancelled. The place in the log moves on only after
    /// the acknowledgement. After a failure it waits (0.5 s, rising to 30 s, with jitter) and tries again. A
    /// delivery under way has 5 s to finish when the feed is cancelled; otherwise the record comes again later.
    pub async fn run(&self, appliance: Appliance, cancel: CancellationToken, receiver: impl Deliver) {
        Walk::new(self, appliance, receiver).run(&cancel).await;
    }

    /// Leaves out everything recorded so far, as when a new receiver is set.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn skip_to_newest(&self, appliance: &Appliance) -> domain::Result<()> {
        let newest = *appliance.newest_record().borrow();
        self.state.set_cursor(self.name, newest).await
    }
}

/// One run of a feed.
struct Walk<'a, R> {
    feed: &'a Feed,
    appliance: Appliance,
    receiver: R,
    cursor: Seq,
    /// The first record found may lie anywhere; from then on a gap means that records were removed.
    contiguous: bool,
    backoff: ExponentialBackoff,
    failing: bool,
    figures: Figures,
}

struct Figures {
    lag: Gauge,
    delivered: Counter,
    retries: Counter,
    lost: Counter,
}

impl<'a, R: Deliver> Walk<'a, R> {
    fn new(feed: &'a Feed, appliance: Appliance, receiver: R) -> Self {
        let figures = Figures::of(feed);
        let backoff = waits();
        Self { feed, appliance, receiver, cursor: Seq(0), contiguous: false, backoff, failing: false, figures }
    }

    async fn run(mut self, cancel: &CancellationToken) {
        let mut newest = self.appliance.newest_record();
        if cancel.run_until_cancelled(self.begin()).await.is_none() {
            return;
        }
        while !cancel.is_cancelled() {
            newest.borrow_and_update();
            let step = match self.appliance.records_after(self.cursor, BATCH).await {
                Ok(records) if records.is_empty() => Step::Wait,
                Ok(records) => self.deliver_all(&records, cancel).await,
                Err(error) => Step::Failed(error.chain()),
            };
            self.show_lag();
            match step {
                Step::Next => {}
                Step::Wait => {
                    // The sender lives as long as the appliance, so this ends only with news or the cancellation.
                    let _ = cancel.run_until_cancelled(newest.changed()).await;
                }
                Step::Failed(why) => self.wait_after(&why, cancel).await,
            }
        }
    }

    /// Finds the place to go on from.
    async fn begin(&mut self) {
        loop {
            match self.place().await {
                Ok(()) => return,
                Err(error) => {
                    let wait = self.note_failure(&error.chain());
                    tokio::time::sleep(wait).await;
                }
            }
        }
    }

    async fn place(&mut self) -> domain::Result<()> {
        let kept = self.feed.state.cursor(self.feed.name).await?;
        self.contiguous = kept.is_some() || self.feed.start == Start::FromNewest;
        self.cursor = match (kept, self.feed.start) {
            (Some(kept), _) => kept,
            (None, Start::FromOldest) => Seq(0),
            (None, Start::FromNewest) => *self.appliance.newest_record().borrow(),
        };
        if kept.is_none() {
            self.feed.state.set_cursor(self.feed.name, self.cursor).await?;
        }
        Ok(())
    }

    async fn deliver_all(&mut self, records: &[Record], cancel: &CancellationToken) -> Step {
        for record in records {
            self.note_gap(record.seq);
            let cut_off = async {
                cancel.cancelled().await;
                tokio::time::sleep(GRACE).await;
            };
            let delivery = tokio::select! {
                biased;
                delivery = self.receiver.deliver(record) => delivery,
                () = cut_off => return Step::Next,
            };
            match delivery {
                Delivery::Acknowledged => self.advance(record.seq).await,
                Delivery::Retry { why } => return Step::Failed(why),
            }
            if cancel.is_cancelled() {
                break;
            }
        }
        Step::Next
    }

    /// Says once when records between the cursor and the next one left were removed unsent.
    fn note_gap(&mut self, next: Seq) {
        let lost = next.0 - self.cursor.0 - 1;
        if self.contiguous && lost > 0 {
            let (feed, from) = (self.feed.name, next.0);
            tracing::warn!(
                feed,
                records.lost = lost,
                records.from = from,
                "records were removed before they were sent"
            );
            self.figures.lost.increment(lost.unsigned_abs());
        }
        // A retry of the same record must not tell it again.
        self.cursor = Seq(next.0 - 1);
        self.contiguous = true;
    }

    async fn advance(&mut self, seq: Seq) {
        self.cursor = seq;
        self.figures.delivered.increment(1);
        if self.failing {
            tracing::info!(feed = self.feed.name, "delivery works again");
            self.failing = false;
        }
        self.backoff = waits();
        // The receiver has it: going on is right, and the next acknowledgement keeps this one too.
        if let Err(error) = self.feed.state.set_cursor(self.feed.name, seq).await {
            tracing::warn!(feed = self.feed.name, error = error.chain(), "the feed's place could not be kept");
        }
    }

    async fn wait_after(&mut self, why: &str, cancel: &CancellationToken) {
        let wait = self.note_failure(why);
        let _ = cancel.run_until_cancelled(tokio::time::sleep(wait)).await;
    }

    /// Counts a failure, logs the first of a row, and says how long to wait.
    fn note_failure(&mut self, why: &str) -> Duration {
        self.figures.retries.increment(1);
        if !self.failing {
            tracing::warn!(feed = self.feed.name, why, "delivery fails, trying again");
            self.failing = true;
        }
        self.backoff.next().unwrap_or(LONGEST_WAIT)
    }

    fn show_lag(&self) {
        let newest = *self.appliance.newest_record().borrow();
        self.figures.lag.set((newest.0 - self.cursor.0).max(0) as f64);
    }
}

enum Step {
    Next,
    Wait,
    Failed(String),
}

fn waits() -> ExponentialBackoff {
    ExponentialBuilder::default()
        .with_min_delay(SHORTEST_WAIT)
        .with_max_delay(LONGEST_WAIT)
        .without_max_times()
        .with_jitter()
        .build()
}

impl Figures {
    fn of(feed: &Feed) -> Self {
        let labels = [("adapter", feed.state.adapter()), ("feed", feed.name)];
        Self {
            lag: gauge!("polyface_feed_lag_records", &labels),
            delivered: counter!("polyface_feed_delivered_total", &labels),
            retries: counter!("polyface_feed_retries_total", &labels),
            lost: counter!("polyface_feed_lost_total", &labels),
        }
    }
}

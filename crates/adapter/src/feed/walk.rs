//! One run of a feed.

use std::time::Duration;

use domain::feeds::{FeedHandle, FeedOrder};
use domain::progress::Part;
use domain::{Appliance, Entry, Error, Result, Seq, Thing};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::figures::Figures;
use super::{Deliver, Delivery, Feed, Start};
use crate::back_off::BackOff;

/// Number of entries read from the log at a time.
const BATCH: u32 = 16;
/// Minimum and maximum interval between retries; jitter makes each up to twice as long.
const SHORTEST_WAIT: Duration = Duration::from_millis(500);
const LONGEST_WAIT: Duration = Duration::from_secs(30);
/// Number of entries of other kinds after which the cursor is saved without a delivery.
const KEEP_EVERY: i64 = 64;
/// How long a delivery in progress may continue when the feed is cancelled.
const GRACE: Duration = Duration::from_secs(5);

pub(super) struct Walk<'a, R> {
    feed: &'a Feed,
    appliance: Appliance,
    receiver: R,
    desk: FeedHandle,
    settings: Settings,
    cursor: Seq,
    /// The stored cursor.
    kept: Seq,
    /// Whether a gap means that entries were removed: the first entry found may be anywhere.
    contiguous: bool,
    paused: bool,
    back_off: BackOff,
    /// The reason of the current failure.
    failure: Option<String>,
    figures: Figures,
}

/// The next step.
enum Step {
    /// Read more entries.
    Next,
    /// Wait for new entries.
    Wait,
    /// Pause for this time.
    Rest(Duration),
    /// Start from the stored cursor.
    Begin,
}

/// Settings whose changes restart the feed.
struct Settings(Option<watch::Receiver<u64>>);

impl Settings {
    /// Waits for the next change; never returns when there can be none.
    async fn changed(&mut self) {
        let changed = match &mut self.0 {
            Some(settings) => settings.changed().await.is_ok(),
            None => false,
        };
        if !changed {
            std::future::pending::<()>().await;
        }
    }
}

impl<'a, R: Deliver> Walk<'a, R> {
    pub(super) fn new(feed: &'a Feed, appliance: Appliance, receiver: R) -> Self {
        let mut settings = feed.settings.clone();
        // The feed starts with the current settings.
        if let Some(settings) = &mut settings {
            settings.mark_unchanged();
        }
        Self {
            desk: appliance.open_feed(feed.state.adapter(), &feed.name),
            feed,
            appliance,
            receiver,
            settings: Settings(settings),
            cursor: Seq(0),
            kept: Seq(0),
            contiguous: false,
            paused: false,
            back_off: BackOff::new(SHORTEST_WAIT, LONGEST_WAIT),
            failure: None,
            figures: Figures::of(feed),
        }
    }

    pub(super) async fn run(mut self, cancel: &CancellationToken) {
        let mut newest = self.appliance.newest_entry();
        let mut step = Step::Begin;
        while !cancel.is_cancelled() {
            // Before reading the log, so that later commits wake the feed.
            if matches!(step, Step::Next) {
                newest.borrow_and_update();
            }
            step = match step {
                Step::Begin => self.begin(cancel).await,
                Step::Next if self.paused => Step::Wait,
                Step::Next => self.deliver_batch(cancel).await,
                Step::Wait => self.wait(&mut newest, None, cancel).await,
                Step::Rest(time) => self.wait(&mut newest, Some(time), cancel).await,
            };
            self.show_lag();
        }
    }

    /// Loads the cursor.
    async fn begin(&mut self, cancel: &CancellationToken) -> Step {
        let Err(error) = self.place().await else { return Step::Next };
        let wait = self.fail(&error.chain(), None);
        tokio::select! {
            () = cancel.cancelled() => {}
            () = tokio::time::sleep(wait) => {}
            // No command can be executed without the cursor.
            (_, outcome) = self.desk.next_order() => drop(outcome.send(Err(error))),
        }
        Step::Begin
    }

    async fn place(&mut self) -> Result<()> {
        let (state, name) = (&self.feed.state, &self.feed.name);
        let kept = state.cursor(name).await?;
        self.paused = state.value(&paused_key(name)).await?.is_some();
        self.contiguous = kept.is_some() || self.feed.start == Start::FromNewest;
        self.cursor = match (kept, self.feed.start) {
            (Some(kept), _) => kept,
            (None, Start::FromOldest) => Seq(0),
            (None, Start::FromNewest) => self.newest(),
        };
        if kept.is_none() {
            state.set_cursor(name, self.cursor).await?;
        }
        self.kept = self.cursor;
        self.report_place();
        Ok(())
    }

    /// Waits for an entry, a command, changed settings or the end of `time`, if given.
    async fn wait(
        &mut self,
        newest: &mut watch::Receiver<Seq>,
        time: Option<Duration>,
        cancel: &CancellationToken,
    ) -> Step {
        let rest = async {
            match time {
                Some(time) => tokio::time::sleep(time).await,
                // The sender lives as long as the appliance, so this returns only for a new entry.
                None => drop(newest.changed().await),
            }
        };
        tokio::select! {
            () = cancel.cancelled() => Step::Wait,
            () = self.settings.changed() => self.restart(),
            (order, outcome) = self.desk.next_order() => {
                // The caller may have stopped waiting; the command is executed all the same.
                let _ = outcome.send(self.obey(order).await);
                Step::Next
            }
            () = rest => Step::Next,
        }
    }

    fn restart(&mut self) -> Step {
        self.back_off.reset();
        // A failure under the new settings is logged even if the reason is the same.
        self.failure = None;
        self.figures.set_stuck(false);
        Step::Begin
    }

    async fn deliver_batch(&mut self, cancel: &CancellationToken) -> Step {
        // Read before the batch, so that later commits are in the next one.
        let newest = self.newest();
        let entries = match self.appliance.entries_after(self.cursor, self.feed.kinds, BATCH).await {
            Ok(entries) if entries.is_empty() => return self.skip_to(newest).await,
            Ok(entries) => entries,
            Err(error) => return Step::Rest(self.fail(&error.chain(), None)),
        };
        for entry in &entries {
            if let Err(error) = self.note_gap(entry.seq).await {
                return Step::Rest(self.fail(&error.chain(), None));
            }
            match self.deliver(entry, cancel).await {
                Step::Next if !cancel.is_cancelled() => {}
                step => return step,
            }
        }
        Step::Next
    }

    /// Moves the cursor past entries that are not for this feed.
    async fn skip_to(&mut self, newest: Seq) -> Step {
        if newest <= self.cursor {
            return Step::Wait;
        }
        if let Err(error) = self.note_gap(Seq(newest.0 + 1)).await {
            return Step::Rest(self.fail(&error.chain(), None));
        }
        self.report_place();
        if newest.0 - self.kept.0 >= KEEP_EVERY {
            self.keep_place().await;
        }
        Step::Wait
    }

    /// Delivers one entry; a command or changed settings interrupt it.
    async fn deliver(&mut self, entry: &Entry, cancel: &CancellationToken) -> Step {
        let cut_off = async {
            cancel.cancelled().await;
            tokio::time::sleep(GRACE).await;
        };
        let delivery = tokio::select! {
            biased;
            delivery = self.receiver.deliver(entry) => delivery,
            (order, outcome) = self.desk.next_order() => {
                let _ = outcome.send(self.obey(order).await);
                return Step::Rest(Duration::ZERO);
            }
            () = self.settings.changed() => return self.restart(),
            () = cut_off => return Step::Begin,
        };
        match delivery {
            Delivery::Acknowledged => self.delivered(entry.seq).await,
            Delivery::Dropped { why } => self.drop_one(entry.seq, &why).await,
            Delivery::Retry { why, after } => Step::Rest(self.fail(&why, after)),
            Delivery::Refused { why } => self.stay(entry.seq, &why),
        }
    }

    /// Logs once when entries between the cursor and the next remaining one were removed unsent; their kinds are no
    /// longer known.
    async fn note_gap(&mut self, next: Seq) -> Result<()> {
        let passed = next.0 - self.cursor.0 - 1;
        if self.contiguous && passed > 0 {
            let left = self.appliance.entries_between(self.cursor, next).await?;
            let lost = passed.unsigned_abs().saturating_sub(left);
            if lost > 0 {
                tracing::warn!(
                    feed = self.feed.name,
                    entries.lost = lost,
                    entries.from = next.0,
                    "entries were removed before they were sent"
                );
                self.figures.lost.increment(lost);
            }
        }
        // A retry of the same entry must not report the gap again.
        self.cursor = Seq(next.0 - 1);
        self.contiguous = true;
        Ok(())
    }

    async fn delivered(&mut self, seq: Seq) -> Step {
        let now = self.appliance.now();
        self.figures.delivered_at(now);
        self.appliance.progress().stamp(Part::Deliveries);
        self.desk.report(|status| status.last_delivery = Some(now));
        if self.failure.is_some() {
            tracing::info!(feed = self.feed.name, "delivery recovered");
        }
        self.advance(seq).await
    }

    async fn drop_one(&mut self, seq: Seq, why: &str) -> Step {
        self.figures.dropped.increment(1);
        tracing::warn!(feed = self.feed.name, entry.seq = seq.0, why, "entry dropped");
        self.advance(seq).await
    }

    async fn advance(&mut self, seq: Seq) -> Step {
        // The receiver has the entry, so continue; the next acknowledgement saves this position too.
        if let Err(error) = self.move_to(seq).await {
            tracing::warn!(feed = self.feed.name, error = error.chain(), "failed to save feed cursor");
        }
        Step::Next
    }

    /// Continues after a position, clearing any failure.
    async fn move_to(&mut self, seq: Seq) -> Result<()> {
        self.cursor = seq;
        self.failure = None;
        self.back_off.reset();
        self.figures.set_stuck(false);
        self.report_place();
        self.feed.state.set_cursor(&self.feed.name, seq).await?;
        self.kept = seq;
        Ok(())
    }

    /// Saves the cursor; a failure is harmless because a later save includes it.
    async fn keep_place(&mut self) {
        match self.feed.state.set_cursor(&self.feed.name, self.cursor).await {
            Ok(()) => self.kept = self.cursor,
            Err(error) => tracing::warn!(feed = self.feed.name, error = error.chain(), "failed to save feed cursor"),
        }
    }

    fn report_place(&self) {
        let (place, paused) = (self.cursor, self.paused);
        self.figures.set_paused(paused);
        self.desk.report(|status| {
            (status.place, status.paused, status.failure, status.stuck) = (place, paused, None, None);
        });
    }

    /// Counts a failure, logs it if the reason changed, and returns the interval before the retry.
    fn fail(&mut self, why: &str, after: Option<Duration>) -> Duration {
        self.figures.retries.increment(1);
        self.show_failure(why, "delivery failed, retrying");
        after.unwrap_or_else(|| self.back_off.next_interval())
    }

    /// Keeps retrying an entry that the receiver refuses permanently.
    fn stay(&mut self, seq: Seq, why: &str) -> Step {
        self.figures.retries.increment(1);
        self.figures.set_stuck(true);
        self.show_failure(why, "receiver refused an entry permanently; skip it or correct the receiver");
        self.desk.report(|status| status.stuck = Some(seq));
        Step::Rest(LONGEST_WAIT)
    }

    fn show_failure(&mut self, why: &str, message: &'static str) {
        if self.failure.as_deref() == Some(why) {
            return;
        }
        tracing::warn!(feed = self.feed.name, entry.after = self.cursor.0, why, "{message}");
        let now = self.appliance.now();
        self.desk.report(|status| {
            let since = status.failure.take().map_or(now, |(_, since)| since);
            status.failure = Some((why.to_owned(), since));
        });
        self.failure = Some(why.to_owned());
    }

    async fn obey(&mut self, order: FeedOrder) -> Result<()> {
        tracing::info!(feed = self.feed.name, ?order, "feed command received");
        self.back_off.reset();
        match order {
            FeedOrder::Pause => self.pause(true).await,
            FeedOrder::GoOn => self.pause(false).await,
            FeedOrder::TryNow => Ok(()),
            FeedOrder::SkipOne => self.skip_one().await,
            FeedOrder::GoTo(place) => {
                // Entries removed earlier do not count as lost.
                self.contiguous = false;
                self.move_to(place).await
            }
        }
    }

    async fn pause(&mut self, paused: bool) -> Result<()> {
        let kept = paused.then(|| "1".to_owned());
        self.feed.state.set_value(&paused_key(&self.feed.name), kept).await?;
        self.paused = paused;
        self.figures.set_paused(paused);
        self.desk.report(|status| status.paused = paused);
        Ok(())
    }

    async fn skip_one(&mut self) -> Result<()> {
        let next = self.appliance.entries_after(self.cursor, self.feed.kinds, 1).await?;
        let next = next.first().ok_or(Error::NotFound { what: Thing::Record })?;
        self.figures.skipped.increment(1);
        self.move_to(next.seq).await
    }

    fn show_lag(&self) {
        self.figures.lag.set((self.newest().0 - self.cursor.0).max(0) as f64);
    }

    fn newest(&self) -> Seq {
        *self.appliance.newest_entry().borrow()
    }
}

fn paused_key(feed: &str) -> String {
    format!("feed.{feed}.paused")
}

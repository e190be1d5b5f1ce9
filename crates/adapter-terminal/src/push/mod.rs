//! Records on their way out: to the broker, to the HTTP subscriber, and again on demand.

mod confirmations;
mod errands;
mod http;
mod messages;
mod mqtt;
mod numbers;
mod scans;

use std::ops::RangeInclusive;
use std::sync::Arc;

use domain::feeds::FeedOrder;
use domain::names::same;
use domain::{Appliance, EntryKind, Error, Record, RecordFilter, Result, Seq, Thing, Timestamp, Verdict, Window};
use tokio_util::sync::CancellationToken;

pub(crate) use confirmations::Confirmations;
pub(crate) use errands::{Errand, Errands};
pub(crate) use mqtt::kind;
pub(crate) use numbers::send_public;

use crate::core::{Core, NAME};

/// Rows read from the log at a time.
const PAGE: u32 = 500;
/// The walk of the pushes to the HTTP subscriber.
const HTTP_FEED: &str = "http";
/// The walks of the pushes to the broker.
pub(crate) const TO_BROKER: Walks = Walks { name: "mqtt", feeds: &[Kind::Person.feed(), Kind::Stranger.feed()] };
/// Those to the HTTP subscriber.
pub(crate) const TO_SUBSCRIBER: Walks = Walks { name: "http", feeds: &[HTTP_FEED] };

/// Walks over the record log that a platform lets resume together.
pub(crate) struct Walks {
    name: &'static str,
    feeds: &'static [&'static str],
}

impl Walks {
    fn begin_key(&self) -> String {
        format!("resume.begin.{}", self.name)
    }

    fn since_key(&self) -> String {
        format!("resume.since.{}", self.name)
    }
}

/// What a record tells of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Somebody enrolled.
    Person,
    /// Nobody enrolled, or no living face.
    Stranger,
}

impl Kind {
    /// What a record is about.
    pub(crate) fn of(record: &Record) -> Self {
        match record.verdict {
            Verdict::Known | Verdict::Blocked | Verdict::NotAllowedNow => Self::Person,
            Verdict::Stranger | Verdict::Unclear | Verdict::Spoof => Self::Stranger,
        }
    }

    const fn feed(self) -> &'static str {
        match self {
            Self::Person => "rec",
            Self::Stranger => "snap",
        }
    }

    /// Below the topic of commands.
    fn topic(self) -> &'static str {
        match self {
            Self::Person => "Rec",
            Self::Stranger => "Snap",
        }
    }

    /// As confirmations name it.
    pub(crate) fn ack_type(self) -> u8 {
        match self {
            Self::Person => 2,
            Self::Stranger => 1,
        }
    }

    fn verdicts(self) -> &'static [Verdict] {
        match self {
            Self::Person => &[Verdict::Known, Verdict::Blocked, Verdict::NotAllowedNow],
            Self::Stranger => &[Verdict::Stranger, Verdict::Unclear, Verdict::Spoof],
        }
    }
}

/// Pushes until cancelled.
pub(crate) async fn run(core: &Arc<Core>, appliance: Appliance, cancel: &CancellationToken) {
    tokio::join!(
        mqtt::deliver(core, appliance.clone(), Kind::Person, cancel),
        mqtt::deliver(core, appliance.clone(), Kind::Stranger, cancel),
        http::deliver(core, appliance.clone(), cancel),
        scans::run(core, &appliance, cancel),
        numbers::run(core, &appliance, cancel),
        http::send_heartbeats(core, cancel),
        errands::run(core, cancel),
    );
}

/// Remembers that a platform has what was pushed under this number.
pub(crate) async fn mark(core: &Core, kind: Kind, number: Seq) -> Result<()> {
    core.state().set_cursor(kind.feed(), number).await
}

/// The record at this place of the log, if it is still there.
pub(crate) async fn record(core: &Core, seq: Seq) -> Result<Option<Record>> {
    let records = core.appliance.records_after(Seq(seq.0.saturating_sub(1)), 1).await?;
    Ok(records.into_iter().find(|record| record.seq == seq))
}

/// The places of a period's records of one kind, in commit order.
pub(crate) async fn find(
    core: &Core,
    kind: Kind,
    period: RangeInclusive<Timestamp>,
    name: Option<&str>,
) -> Result<Vec<Seq>> {
    let mut found = Vec::new();
    for verdict in kind.verdicts() {
        let filter =
            RecordFilter { captured: Some(period.clone()), verdict: Some(*verdict), ..RecordFilter::default() };
        for skip in (0..).step_by(PAGE as usize) {
            let page = core.appliance.records(filter.clone(), Window { skip, limit: PAGE }).await?;
            let last = page.rows.len() < PAGE as usize;
            let named =
                |record: &Record| name.is_none_or(|name| record.best().is_some_and(|best| same(&best.name, name)));
            found.extend(page.rows.into_iter().filter(named).map(|record| record.seq));
            if last {
                break;
            }
        }
    }
    found.sort_unstable();
    Ok(found)
}

/// Where pushes to a platform resume: the time that it has set, else that of the last record they are done with, else
/// when resuming was switched on; `None` before that.
pub(crate) async fn resume_time(core: &Core, walks: &Walks) -> Result<Option<Timestamp>> {
    let kept = async |key: String| Ok(core.state().value(&key).await?.and_then(|millis| millis.parse().ok()));
    let set: Option<i64> = kept(walks.begin_key()).await?;
    if let Some(set) = set {
        return Ok(Some(Timestamp::from_millis(set)));
    }
    match done_until(core, walks).await? {
        Some(time) => Ok(Some(time)),
        None => Ok(kept(walks.since_key()).await?.map(Timestamp::from_millis)),
    }
}

/// When the last thing happened that all of these walks are done with.
async fn done_until(core: &Core, walks: &Walks) -> Result<Option<Timestamp>> {
    let (state, mut earliest) = (core.state(), None);
    for feed in walks.feeds {
        let Some(cursor) = state.cursor(feed).await? else { continue };
        earliest = Some(earliest.map_or(cursor, |earliest: Seq| earliest.min(cursor)));
    }
    let Some(cursor) = earliest.filter(|cursor| cursor.0 > 0) else { return Ok(None) };
    // Where it was removed meanwhile the next one is nearest.
    let entries = core.appliance.entries_after(Seq(cursor.0 - 1), &EntryKind::ALL, 1).await?;
    Ok(entries.first().map(|entry| entry.at))
}

/// Notes that resuming was switched on.
pub(crate) async fn resume_since_now(core: &Core, walks: &Walks) -> Result<()> {
    let now = core.appliance.now().as_millis().to_string();
    core.state().set_value(&walks.since_key(), Some(now)).await
}

/// Lets these walks go on with the first record captured then or later.
pub(crate) async fn resume_from(core: &Core, walks: &Walks, begin: Timestamp) -> Result<()> {
    let place = core.appliance.place_before(begin).await?;
    for feed in walks.feeds {
        match core.acts().order_feed(NAME, feed, FeedOrder::GoTo(place)).await {
            // One that does not run yet begins there.
            Err(Error::NotFound { what: Thing::Feed }) => core.state().set_cursor(feed, place).await?,
            ordered => ordered?,
        }
    }
    core.state().set_value(&walks.begin_key(), Some(begin.as_millis().to_string())).await
}

/// Forgets what was set of the place where these walks resume.
pub(crate) async fn forget_resume(core: &Core, walks: &Walks) -> Result<()> {
    core.state().set_value(&walks.begin_key(), None).await?;
    core.state().set_value(&walks.since_key(), None).await
}

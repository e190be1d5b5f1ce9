//! The feeds of records: what they read of the log, and where they resume.

use std::ops::RangeInclusive;

use domain::feeds::FeedOrder;
use domain::names::same;
use domain::{
    Decider, Entry, EntryKind, Error, Means, Opening, Record, RecordFilter, RecordKind, Result, Seq, Thing, Timestamp,
    What, Window,
};

use crate::convert::record_kind;
use crate::device::{Device, NAME};

/// Number of rows read from the log at a time.
const PAGE: u32 = 500;
/// The feed to the HTTP subscriber.
pub(super) const HTTP_FEED: &str = "http";
/// The feeds to the broker.
pub(crate) const TO_BROKER: Feeds =
    Feeds { name: "mqtt", feeds: &[feed(RecordKind::People), feed(RecordKind::Strangers)] };
/// The feed to the HTTP subscriber.
pub(crate) const TO_SUBSCRIBER: Feeds = Feeds { name: "http", feeds: &[HTTP_FEED] };

/// Feeds for which a platform sets one place to resume.
pub(crate) struct Feeds {
    name: &'static str,
    feeds: &'static [&'static str],
}

impl Feeds {
    fn begin_key(&self) -> String {
        format!("resume.begin.{}", self.name)
    }

    fn since_key(&self) -> String {
        format!("resume.since.{}", self.name)
    }
}

/// The feed of records of this kind to the broker.
pub(super) const fn feed(kind: RecordKind) -> &'static str {
    match kind {
        RecordKind::People => "rec",
        RecordKind::Strangers => "snap",
    }
}

/// The topic of records of this kind, below that of commands.
pub(super) fn topic(kind: RecordKind) -> &'static str {
    match kind {
        RecordKind::People => "Rec",
        RecordKind::Strangers => "Snap",
    }
}

/// The kind as which a record is pushed to the broker. Where the door opens by command alone, the device compares no
/// faces: every record is one of a stranger.
pub(crate) async fn kind_in_force(device: &Device, record: &Record) -> Result<RecordKind> {
    let rules = device.appliance.door_rules().await?;
    Ok(if rules.decided_by == Decider::Remote { RecordKind::Strangers } else { record_kind(record.verdict) })
}

/// Whether the entry is pushed to the broker as this kind, or was while the door had other rules.
pub(crate) async fn is_pushed_as(device: &Device, entry: &Entry, kind: RecordKind) -> Result<bool> {
    Ok(match &entry.what {
        What::Record(record) => kind == record_kind(record.verdict) || kind == kind_in_force(device, record).await?,
        What::Opening(opening) => kind == RecordKind::People && is_pushed(opening),
        What::Correction(_) | What::Behaviour(_) | What::Clip(_) | What::Notice(_) => false,
    })
}

/// An opening by a face alone is part of the record of that face.
pub(super) fn is_pushed(opening: &Opening) -> bool {
    opening.opened && (opening.by == Means::Command || opening.by.was_read())
}

/// Marks the push that is to be confirmed as confirmed.
pub(crate) async fn confirm(device: &Device, kind: RecordKind, number: Seq) -> Result<()> {
    device.state().set_cursor(feed(kind), number).await?;
    device.confirmations.confirm(kind, number);
    Ok(())
}

/// Marks a push whose turn is still to come as confirmed.
pub(crate) async fn confirm_early(device: &Device, kind: RecordKind, number: Seq) -> Result<()> {
    if device.state().cursor(feed(kind)).await?.is_none_or(|done| number > done) {
        device.confirmations.confirm(kind, number);
    }
    Ok(())
}

/// The record or opening at this place of the log, unless it was removed.
pub(crate) async fn entry(device: &Device, seq: Seq) -> Result<Option<Entry>> {
    let before = Seq(seq.0.saturating_sub(1));
    let entries = device.appliance.entries_after(before, &[EntryKind::Record, EntryKind::Opening], 1).await?;
    Ok(entries.into_iter().find(|entry| entry.seq == seq))
}

/// The places of a period's records of one kind, in commit order; openings are among the records of people.
pub(crate) async fn find(
    device: &Device,
    kind: RecordKind,
    period: RangeInclusive<Timestamp>,
    name: Option<&str>,
) -> Result<Vec<Seq>> {
    let mut found = Vec::new();
    for verdict in kind.verdicts() {
        let filter =
            RecordFilter { captured: Some(period.clone()), verdict: Some(*verdict), ..RecordFilter::default() };
        for skip in (0..).step_by(PAGE as usize) {
            let page = device.appliance.records(filter.clone(), Window { skip, limit: PAGE }).await?;
            let last = page.rows.len() < PAGE as usize;
            let named =
                |record: &Record| name.is_none_or(|name| record.best().is_some_and(|best| same(&best.name, name)));
            found.extend(page.rows.into_iter().filter(named).map(|record| record.seq));
            if last {
                break;
            }
        }
    }
    if kind == RecordKind::People {
        found.extend(find_openings(device, period, name).await?);
    }
    found.sort_unstable();
    Ok(found)
}

async fn find_openings(device: &Device, period: RangeInclusive<Timestamp>, name: Option<&str>) -> Result<Vec<Seq>> {
    let named = |opening: &Opening| {
        name.is_none_or(|name| opening.person.as_ref().is_some_and(|person| same(&person.name, name)))
    };
    let wanted = |entry: &Entry| {
        let What::Opening(opening) = &entry.what else { return false };
        is_pushed(opening) && period.contains(&entry.at) && named(opening)
    };
    let mut found = Vec::new();
    let mut place = device.appliance.place_before(*period.start()).await?;
    loop {
        let page = device.appliance.entries_after(place, &[EntryKind::Opening], PAGE).await?;
        let Some(last) = page.last() else { return Ok(found) };
        place = last.seq;
        found.extend(page.iter().filter(|entry| wanted(entry)).map(|entry| entry.seq));
    }
}

/// The time from which pushes to a platform resume: as the platform has set it, else that of the last record confirmed
/// or skipped, else when resuming was switched on; `None` before that.
pub(crate) async fn resume_time(device: &Device, feeds: &Feeds) -> Result<Option<Timestamp>> {
    let kept = async |key: String| Ok(device.state().value(&key).await?.and_then(|millis| millis.parse().ok()));
    let set: Option<i64> = kept(feeds.begin_key()).await?;
    if let Some(set) = set {
        return Ok(Some(Timestamp::from_millis(set)));
    }
    match done_until(device, feeds).await? {
        Some(time) => Ok(Some(time)),
        None => Ok(kept(feeds.since_key()).await?.map(Timestamp::from_millis)),
    }
}

/// The time of the last entry that all of these feeds have passed.
async fn done_until(device: &Device, feeds: &Feeds) -> Result<Option<Timestamp>> {
    let (state, mut earliest) = (device.state(), None);
    for feed in feeds.feeds {
        let Some(cursor) = state.cursor(feed).await? else { continue };
        earliest = Some(earliest.map_or(cursor, |earliest: Seq| earliest.min(cursor)));
    }
    let Some(cursor) = earliest.filter(|cursor| cursor.0 > 0) else { return Ok(None) };
    // Where it was removed, the next entry is the nearest.
    let entries = device.appliance.entries_after(Seq(cursor.0 - 1), &EntryKind::ALL, 1).await?;
    Ok(entries.first().map(|entry| entry.at))
}

/// Stores that resuming is switched on now.
pub(crate) async fn resume_since_now(device: &Device, feeds: &Feeds) -> Result<()> {
    let now = device.appliance.now().as_millis().to_string();
    device.state().set_value(&feeds.since_key(), Some(now)).await
}

/// Makes these feeds continue with the first record captured at this time or later.
pub(crate) async fn resume_from(device: &Device, feeds: &Feeds, begin: Timestamp) -> Result<()> {
    let place = device.appliance.place_before(begin).await?;
    device.confirmations.forget_early();
    for feed in feeds.feeds {
        match device.acts().order_feed(NAME, feed, FeedOrder::GoTo(place)).await {
            // A feed that does not run yet starts there.
            Err(Error::NotFound { what: Thing::Feed }) => device.state().set_cursor(feed, place).await?,
            ordered => ordered?,
        }
    }
    device.state().set_value(&feeds.begin_key(), Some(begin.as_millis().to_string())).await
}

/// Removes the settings of the place from which these feeds resume.
pub(crate) async fn forget_resume(device: &Device, feeds: &Feeds) -> Result<()> {
    device.state().set_value(&feeds.begin_key(), None).await?;
    device.state().set_value(&feeds.since_key(), None).await
}

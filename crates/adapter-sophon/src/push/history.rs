//! The history: every event, also of strangers, in order until the servers have it.

use std::time::Duration;

use adapter::{Deliver, Delivery, Feed, Start};
use async_trait::async_trait;
use domain::{Appliance, Entry, EntryKind, Result, Timestamp};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::messages::{Wanted, of_record, post};
use crate::device::Device;
use crate::settings::HistoryServers;

/// A server takes an event within this time.
const TIMEOUT: Duration = Duration::from_secs(10);
/// Maximum number of events of a cycle.
const BATCH: u32 = 100;

/// Uploads every record, until cancelled.
pub(super) async fn deliver(device: &Device, appliance: Appliance, cancel: CancellationToken) {
    let feed = Feed::new(device.state(), "history", &[EntryKind::Record], Start::FromNewest);
    let feed = feed.restarting_with(device.servers_changed.subscribe());
    let receiver = ToServers { device, cancel: cancel.clone(), cycle: None };
    feed.run(appliance, cancel, receiver).await;
}

struct ToServers<'a> {
    device: &'a Device,
    cancel: CancellationToken,
    /// The cycle that runs; none before the first event.
    cycle: Option<Cycle>,
}

/// One upload of what there was when it began.
struct Cycle {
    began: Timestamp,
    next: Instant,
    sent: u32,
}

#[async_trait]
impl Deliver for ToServers<'_> {
    async fn deliver(&mut self, entry: &Entry) -> Delivery {
        self.push(entry).await.unwrap_or_else(|error| Delivery::retry(error.chain()))
    }
}

impl ToServers<'_> {
    async fn push(&mut self, entry: &Entry) -> Result<Delivery> {
        let Some(record) = entry.record() else { return Ok(Delivery::Acknowledged) };
        let stops = || Ok(Delivery::retry("the device stops"));
        let Some((servers, period)) = self.servers().await? else { return stops() };
        if !self.turn_has_come(entry, period).await {
            return stops();
        }
        let HistoryServers { enrolment_photo: enrolment, scene, face, .. } = servers;
        let dev_sno = Some(self.device.dev_sno().await?);
        let event = of_record(self.device, record, Wanted { enrolment, scene, face }, dev_sno).await?;
        for url in &servers.urls {
            if let Err(why) = post(self.device, url, &event, servers.format, TIMEOUT).await {
                return Ok(Delivery::Retry { why, after: Some(period) });
            }
        }
        Ok(Delivery::Acknowledged)
    }

    /// Where the history goes, and how often. Waits while that is nowhere or not known: only a server that has an event
    /// moves the cursor (4.4.9). `None` when the device stops meanwhile.
    async fn servers(&self) -> Result<Option<(HistoryServers, Duration)>> {
        let mut logins = self.device.platform_servers.subscribe();
        loop {
            logins.mark_unchanged();
            if let Some(known) = self.known_servers().await? {
                return Ok(Some(known));
            }
            // Servers that are set meanwhile restart the feed.
            if self.cancel.run_until_cancelled(logins.changed()).await.is_none() {
                return Ok(None);
            }
        }
    }

    async fn known_servers(&self) -> Result<Option<(HistoryServers, Duration)>> {
        let mut servers = self.device.history().await?;
        let Some(platform) = self.device.servers_of_platform().await? else { return Ok(None) };
        // The period of a platform is its own; ours has a least (quirk S-PERIOD).
        let period = match platform.history.is_empty() {
            true => self.device.config.history_every.max(Duration::from_secs(servers.period.into())),
            false => platform.history_every,
        };
        servers.urls.extend(platform.history);
        Ok((!servers.urls.is_empty()).then_some((servers, period)))
    }

    /// Waits until the event is in a cycle: not beyond a hundred of one, and not when it came after the cycle began.
    /// False when the device stops meanwhile.
    async fn turn_has_come(&mut self, entry: &Entry, period: Duration) -> bool {
        let is_full = |cycle: &Cycle| cycle.sent >= BATCH || entry.at > cycle.began;
        let wait = self.cycle.as_ref().filter(|cycle| is_full(cycle)).map(|cycle| cycle.next);
        if let Some(next) = wait {
            if self.cancel.run_until_cancelled(tokio::time::sleep_until(next)).await.is_none() {
                return false;
            }
            self.cycle = None;
        }
        let now = (self.device.appliance.now(), Instant::now() + period);
        let cycle = self.cycle.get_or_insert(Cycle { began: now.0, next: now.1, sent: 0 });
        cycle.sent += 1;
        true
    }
}

//! Realtime events: people who were recognised, at once and only once.

use std::time::Duration;

use adapter::{Deliver, Delivery, Feed, Start};
use async_trait::async_trait;
use domain::{Appliance, Entry, EntryKind, Result};
use tokio_util::sync::CancellationToken;

use super::messages::{Wanted, of_record, post};
use crate::device::Device;

/// A server takes an event within this time (4.4.4).
const TIMEOUT: Duration = Duration::from_millis(500);

/// Sends every recognised person to each server in turn, until cancelled.
pub(super) async fn deliver(device: &Device, appliance: Appliance, cancel: CancellationToken) {
    let feed = Feed::new(device.state(), "realtime", &[EntryKind::Record], Start::FromNewest);
    let feed = feed.restarting_with(device.servers_changed.subscribe());
    feed.run(appliance, cancel, ToServers { device }).await;
}

struct ToServers<'a> {
    device: &'a Device,
}

#[async_trait]
impl Deliver for ToServers<'_> {
    async fn deliver(&mut self, entry: &Entry) -> Delivery {
        push(self.device, entry).await.unwrap_or_else(|error| Delivery::Dropped { why: error.chain() })
    }
}

async fn push(device: &Device, entry: &Entry) -> Result<Delivery> {
    let mut servers = device.realtime().await?;
    servers.urls.extend(device.platform_servers.borrow().realtime.iter().cloned());
    let record = entry.record().filter(|record| record.accepted().is_some());
    let Some(record) = record.filter(|_| !servers.urls.is_empty()) else { return Ok(Delivery::Acknowledged) };
    let wanted = Wanted { enrolment: servers.enrolment_photo, scene: true, face: true };
    let event = of_record(device, record, wanted, None).await?;
    let mut failed = Vec::new();
    for url in &servers.urls {
        if let Err(why) = post(device, url, &event, servers.format, TIMEOUT).await {
            failed.push(why);
        }
    }
    Ok(if failed.is_empty() { Delivery::Acknowledged } else { Delivery::Dropped { why: failed.join("; ") } })
}

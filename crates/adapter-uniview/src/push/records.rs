//! Faces (types 3 and 4): durable, in order, each platform for itself.

use adapter::{Deliver, Delivery, Feed, Start};
use async_trait::async_trait;
use domain::{Appliance, Entry, EntryKind, Result};
use tokio_util::sync::CancellationToken;

use super::{messages, platform, post};
use crate::device::Device;

/// Pushes every record to a platform until the platform has it. While the platform is off, records pass by.
pub(super) async fn deliver(device: &Device, id: u8, appliance: Appliance, cancel: CancellationToken) {
    let feed = Feed::new(device.state(), format!("platform{id}"), &[EntryKind::Record], Start::FromNewest);
    let feed = feed.restarting_with(device.platforms_changed.subscribe());
    feed.run(appliance, cancel, ToPlatform { device, id }).await;
}

struct ToPlatform<'a> {
    device: &'a Device,
    id: u8,
}

#[async_trait]
impl Deliver for ToPlatform<'_> {
    async fn deliver(&mut self, entry: &Entry) -> Delivery {
        push(self.device, self.id, entry).await.unwrap_or_else(|error| Delivery::retry(error.chain()))
    }
}

async fn push(device: &Device, id: u8, entry: &Entry) -> Result<Delivery> {
    let (Some(platform), Some(record)) = (platform(device, id).await?, entry.record()) else {
        return Ok(Delivery::Acknowledged);
    };
    let message = messages::of_record(device, record, platform.pictures).await?;
    Ok(post(device, &platform, &message).await.map_or_else(Delivery::retry, |()| Delivery::Acknowledged))
}

//! The way of a message to a platform.

use std::sync::atomic::{AtomicI64, Ordering::Relaxed};
use std::time::Duration;

use domain::Error;
use tokio::sync::broadcast;

use crate::convert::docking::target;
use crate::device::Device;
use crate::settings::Platform;
use crate::wire::push::{ChannelInfo, Message};

/// A platform acknowledges within this time.
const TIMEOUT: Duration = Duration::from_secs(10);
/// Where a platform without a path takes messages.
const PATH: &str = "/custom/router1";
/// Changes of channels that wait for a platform; beyond, the oldest are dropped.
const MOST_CHANGES: usize = 256;

/// What the tasks share.
pub(super) struct Pushes<'a> {
    pub(super) device: &'a Device,
    pub(super) changes: broadcast::Sender<ChannelInfo>,
    /// The number of the last message that is about no record.
    last_number: AtomicI64,
}

impl<'a> Pushes<'a> {
    pub(super) fn new(device: &'a Device) -> Self {
        Self { device, changes: broadcast::Sender::new(MOST_CHANGES), last_number: AtomicI64::default() }
    }

    /// A number of its own for a message about no record: it rises, and no record has it.
    pub(super) fn number(&self) -> String {
        let now = self.device.appliance.now().as_millis();
        let next = |last: i64| Some(now.max(last + 1));
        let last = self.last_number.fetch_update(Relaxed, Relaxed, next).unwrap_or(now);
        now.max(last + 1).to_string()
    }
}

/// The platform with this id, while it is enabled.
pub(super) async fn platform(device: &Device, id: u8) -> domain::Result<Option<Platform>> {
    Ok(device.platforms().await?.by_id.remove(&id).filter(|platform| platform.enabled))
}

/// Sends a message; only HTTP 200 says that the platform has it, otherwise the text says why it has not.
pub(super) async fn post(device: &Device, platform: &Platform, message: &Message) -> Result<(), String> {
    let document = serde_json::to_value(message).map_err(Error::internal("writing a push"));
    let document = document.map_err(|error| error.chain())?;
    match device.outbound.post_json(&target(&platform.url, PATH), &document, TIMEOUT).await {
        Ok(status) if status.as_u16() == 200 => Ok(()),
        Ok(status) => Err(format!("the platform answers {status}")),
        Err(error) => Err(error.to_string()),
    }
}

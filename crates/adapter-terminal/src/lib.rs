//! The MQTT face terminal V1.24: commands from a broker, records to it and to an HTTP subscriber.

pub mod codes;
mod convert;
mod device;
mod ops;
mod push;
mod request;
mod serve;
mod settings;
mod wire;
mod work;

use std::sync::Arc;

use adapter::{Adapter, Health, Outbound};
use async_trait::async_trait;
use axum::Router;
use domain::Appliance;
use tokio_util::sync::CancellationToken;

use crate::device::Device;
pub use crate::device::Pace;
pub use crate::device::broker::{BrokerError, Config, Trust};
use crate::device::inbox::Inbox;
pub use crate::settings::push_urls;

/// The adapter.
pub struct Terminal {
    device: Arc<Device>,
}

impl Terminal {
    /// The adapter over an appliance. Pictures are fetched and records pushed through `outbound`; `health` shows
    /// whether the broker is connected.
    ///
    /// # Errors
    /// When the broker's address is not valid.
    pub fn new(
        config: Config,
        pace: Pace,
        appliance: Appliance,
        outbound: Outbound,
        health: Arc<Health>,
    ) -> Result<Self, BrokerError> {
        let device = Device::new(config, pace, appliance, outbound, health)?;
        Ok(Self { device: Arc::new(device) })
    }
}

#[async_trait]
impl Adapter for Terminal {
    fn name(&self) -> &'static str {
        device::NAME
    }

    fn routes(&self) -> Option<Router> {
        None
    }

    async fn run(&self, appliance: Appliance, cancel: CancellationToken) {
        let (inbox, messages) = Inbox::open();
        let device = &self.device;
        settings::check(&device.state()).await;
        // Before a platform can ask for the progress.
        let interrupted = work::batches::interrupted(device).await;
        tokio::join!(
            work::connection::run(device, &inbox, &cancel),
            serve::run(device, messages, &cancel),
            work::batches::run(device, interrupted, &cancel),
            work::sounds::run(device, &cancel),
            work::wiegand::run(device, &appliance, &cancel),
            push::run(device, appliance.clone(), &cancel),
        );
    }
}

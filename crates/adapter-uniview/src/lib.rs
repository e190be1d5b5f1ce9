//! The Uniview edge interface: `/api/v2/...` with HTTP digest, and the pushes to platforms.

pub mod codes;
mod convert;
mod device;
mod ops;
mod push;
mod request;
mod serve;
mod settings;
mod wire;

use std::path::PathBuf;
use std::sync::Arc;

use adapter::{Adapter, Outbound};
use async_trait::async_trait;
use axum::Router;
use domain::Appliance;
use tokio_util::sync::CancellationToken;

use crate::device::Device;

pub use convert::digest::REALM;
pub use settings::push_urls;

/// How the device presents itself; fixed while it runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// Camera channels, all of which the time settings list.
    pub channels: u32,
    /// File of the RSA key that platforms encrypt camera passwords for; made at the first start.
    pub key_file: PathBuf,
}

/// The adapter.
pub struct Uniview {
    device: Arc<Device>,
}

impl Uniview {
    /// The adapter over an appliance; pushes go out through `outbound`.
    pub fn new(config: Config, appliance: Appliance, outbound: Outbound) -> Self {
        Self { device: Arc::new(Device::new(config.channels, config.key_file, appliance, outbound)) }
    }
}

#[async_trait]
impl Adapter for Uniview {
    fn name(&self) -> &'static str {
        device::NAME
    }

    fn routes(&self) -> Option<Router> {
        Some(serve::routes(Arc::clone(&self.device)))
    }

    async fn run(&self, appliance: Appliance, cancel: CancellationToken) {
        tokio::join!(self.device.key.prepare(), push::run(&self.device, appliance, cancel));
    }
}

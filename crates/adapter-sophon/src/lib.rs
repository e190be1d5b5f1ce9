//! The Sophon SE3 fog interface: REST on a port of its own, pushes of events, and commands of a platform.

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

use adapter::{Adapter, Outbound};
use async_trait::async_trait;
use axum::Router;
use domain::Appliance;
use tokio_util::sync::CancellationToken;

use crate::device::Device;

pub use device::{Config, Ftp, Login};
pub use settings::push_urls;

/// The adapter.
pub struct Sophon {
    device: Arc<Device>,
}

impl Sophon {
    /// The adapter over an appliance; pushes go out through `outbound`.
    pub fn new(config: Config, appliance: Appliance, outbound: Outbound) -> Self {
        Self { device: Arc::new(Device::new(config, appliance, outbound)) }
    }
}

#[async_trait]
impl Adapter for Sophon {
    fn name(&self) -> &'static str {
        device::NAME
    }

    fn routes(&self) -> Option<Router> {
        Some(serve::routes(Arc::clone(&self.device)))
    }

    async fn run(&self, appliance: Appliance, cancel: CancellationToken) {
        let uploads = work::uploads::serve(Arc::clone(&self.device), cancel.clone());
        tokio::join!(push::run(&self.device, appliance, cancel), uploads);
    }
}

//! SenseNebula-M V2.1.0: `/api/json`, `/api/form`, `/ws/` and the pushes to a receiver.

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
use std::time::Duration;

use adapter::{Adapter, Encryption, Exports, Outbound};
use async_trait::async_trait;
use axum::Router;
use domain::Appliance;
use tokio_util::sync::CancellationToken;

pub use crate::convert::sources::SIP_PASSWORD;
pub use crate::device::Config;
use crate::device::Device;
pub use crate::settings::push_urls;

/// The adapter.
pub struct SenseTime {
    device: Arc<Device>,
    heartbeat: Duration,
    open_pictures: bool,
}

impl SenseTime {
    /// The adapter over an appliance. Pushes are sent through `outbound`; files made for download are kept in
    /// `exports`; `encryption` switches between HTTP and HTTPS.
    pub fn new(
        config: Config,
        appliance: Appliance,
        outbound: Outbound,
        exports: Exports,
        encryption: Encryption,
    ) -> Self {
        let device = Device::new(config, appliance, outbound, exports, encryption);
        Self { device: Arc::new(device), heartbeat: Duration::from_secs(30), open_pictures: false }
    }

    /// With another interval between heartbeats than 30 s.
    #[must_use]
    pub fn with_heartbeat(self, heartbeat: Duration) -> Self {
        Self { heartbeat, ..self }
    }

    /// Whether pictures are served to callers without a session (quirk "download-auth"); exports never are.
    #[must_use]
    pub fn with_open_pictures(self, open_pictures: bool) -> Self {
        Self { open_pictures, ..self }
    }
}

#[async_trait]
impl Adapter for SenseTime {
    fn name(&self) -> &'static str {
        device::NAME
    }

    fn routes(&self) -> Option<Router> {
        let routes = serve::routes(Arc::clone(&self.device), self.open_pictures);
        Some(routes.merge(push::websocket::routes(Arc::clone(&self.device))))
    }

    async fn run(&self, appliance: Appliance, cancel: CancellationToken) {
        let device = &self.device;
        tokio::join!(
            device.live.run(appliance.clone(), cancel.clone()),
            device.exports.run(cancel.clone()),
            cancel.clone().run_until_cancelled_owned(work::https::resume(device)),
            push::receiver::deliver_records(device, appliance, cancel.clone()),
            push::receiver::send_heartbeats(device, self.heartbeat, cancel),
        );
    }
}

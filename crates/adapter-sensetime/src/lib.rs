//! SenseNebula-M V2.1.0: `/api/json`, `/api/form`, `/ws/` and the pushes to a receiver.

mod call;
pub mod codes;
mod convert;
mod core;
mod download;
mod ops;
mod push;
mod session;
mod wire;
mod ws;

use std::sync::Arc;
use std::time::Duration;

use adapter::{Adapter, Encryption, Exports, Outbound};
use async_trait::async_trait;
use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::routing::{get, post};
use domain::Appliance;
use tokio_util::sync::CancellationToken;

use crate::core::Core;

/// How the device presents itself; fixed while it runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Config {
    /// Camera channels: 16 (M8s) or 8 (M4s).
    pub channels: u32,
}

/// The adapter.
pub struct SenseTime {
    core: Arc<Core>,
    heartbeat: Duration,
    open_pictures: bool,
}

impl SenseTime {
    /// The adapter over an appliance; pushes go out through `outbound`, what is made for download goes to `exports`,
    /// and `encryption` is told whether to serve over HTTPS.
    pub fn new(
        config: Config,
        appliance: Appliance,
        outbound: Outbound,
        exports: Exports,
        encryption: Encryption,
    ) -> Self {
        let core = Core::new(config, appliance, outbound, exports, encryption);
        Self { core: Arc::new(core), heartbeat: Duration::from_secs(30), open_pictures: false }
    }

    /// With another time between two heartbeats than 30 s.
    #[must_use]
    pub fn with_heartbeat(self, heartbeat: Duration) -> Self {
        Self { heartbeat, ..self }
    }

    /// Pictures are served to callers without a session too (quirk "download-auth"); exports never are.
    #[must_use]
    pub fn with_open_pictures(self, open_pictures: bool) -> Self {
        Self { open_pictures, ..self }
    }
}

#[async_trait]
impl Adapter for SenseTime {
    fn name(&self) -> &'static str {
        core::NAME
    }

    fn routes(&self) -> Option<Router> {
        // Any message may come on either path; public clients write //api/json and //ws, an example of the document /form.
        let message = || post(call::answer);
        let open = self.open_pictures;
        let download = || get(move |core, path, query, headers| download::download(open, core, path, query, headers));
        let router = Router::new()
            .route("/api/json", message())
            .route("/api/form", message())
            .route("//api/json", message())
            .route("//api/form", message())
            .route("/form", message())
            .route("/ws", get(ws::connect))
            .route("/ws/", get(ws::connect))
            .route("/ws/{*path}", download())
            .route("//ws", get(ws::connect))
            .route("//ws/", get(ws::connect))
            .route("//ws/{*path}", download())
            // The bodies are bounded where they are read.
            .layer(DefaultBodyLimit::disable());
        Some(router.with_state(Arc::clone(&self.core)))
    }

    async fn run(&self, appliance: Appliance, cancel: CancellationToken) {
        tokio::join!(
            self.core.live.run(appliance.clone(), cancel.clone()),
            self.core.exports.run(cancel.clone()),
            cancel.clone().run_until_cancelled_owned(ops::resume_https(&self.core)),
            push::deliver_records(&self.core, appliance, cancel.clone()),
            push::send_heartbeats(&self.core, self.heartbeat, cancel),
        );
    }
}

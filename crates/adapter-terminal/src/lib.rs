//! The MQTT face terminal V1.24: commands from a broker, records to it and to an HTTP subscriber.

mod batch;
pub mod codes;
mod commands;
mod convert;
mod core;
mod link;
mod ops;
mod push;
mod repeats;
mod session;
mod voice;
mod wire;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use adapter::{Adapter, Health, Outbound};
use async_trait::async_trait;
use axum::Router;
use domain::Appliance;
use tokio_util::sync::CancellationToken;

use crate::core::Core;
pub use crate::link::BrokerError;
use crate::link::{Broker, Inbox};

/// How the device reaches its broker; fixed while it runs.
#[derive(Clone, PartialEq, Eq)]
pub struct Config {
    /// `mqtt://host:port`, or `mqtts://host:port` for TLS; without a port 1883 or 8883.
    pub broker: String,
    /// Empty: the device does not log in.
    pub username: String,
    /// Holds the password; a line feed at its end is not part of it. Read at every connection.
    pub password_file: Option<PathBuf>,
    /// Certificates (PEM) that the broker's must come from; those of the machine when left out.
    pub ca_file: Option<PathBuf>,
    /// At most nine digits; when empty they are made from the serial number.
    pub device_id: String,
    /// What all topics begin with.
    pub topic_prefix: String,
}

impl Config {
    /// Everything that is wrong with it: the field, and what would be right.
    pub fn problems(&self) -> Vec<(&'static str, String)> {
        let mut problems = Vec::new();
        problems.extend(Broker::read(self).err().map(|error| ("broker", error.to_string())));
        let digits = self.device_id.bytes().all(|byte| byte.is_ascii_digit());
        if !digits || self.device_id.len() > 9 {
            problems.push(("device_id", "must be at most nine digits".to_owned()));
        }
        let prefix = &self.topic_prefix;
        if prefix.is_empty() || prefix.len() > 200 || prefix.contains(['+', '#', '\0']) || prefix.ends_with('/') {
            problems.push(("topic_prefix", "must be 1 to 200 bytes without +, # and a slash at the end".to_owned()));
        }
        problems
    }
}

/// How long things take; tests are in more of a hurry than the document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    /// Between two notices that the device is online, until one is confirmed.
    pub online: Duration,
    /// Between two heartbeats, unless a platform sets another time.
    pub heartbeat: Duration,
    /// After which a record that is not confirmed is sent again.
    pub resend: Duration,
}

impl Default for Pace {
    /// The document's: a minute, half a minute, ten seconds.
    fn default() -> Self {
        Self { online: Duration::from_secs(60), heartbeat: Duration::from_secs(30), resend: Duration::from_secs(10) }
    }
}

/// The adapter.
pub struct Terminal {
    core: Arc<Core>,
}

impl Terminal {
    /// The adapter over an appliance; pictures are fetched and records pushed through `outbound`, and `health` is told
    /// whether the broker is reached.
    ///
    /// # Errors
    /// When the address of the broker cannot be one.
    pub fn new(
        config: Config,
        pace: Pace,
        appliance: Appliance,
        outbound: Outbound,
        health: Arc<Health>,
    ) -> Result<Self, BrokerError> {
        let core = Core::new(config, pace, appliance, outbound, health)?;
        Ok(Self { core: Arc::new(core) })
    }
}

#[async_trait]
impl Adapter for Terminal {
    fn name(&self) -> &'static str {
        core::NAME
    }

    fn routes(&self) -> Option<Router> {
        None
    }

    async fn run(&self, appliance: Appliance, cancel: CancellationToken) {
        let (inbox, messages) = Inbox::open();
        let core = &self.core;
        ops::settings::check(core).await;
        // Before anybody can ask for the progress.
        let interrupted = batch::interrupted(core).await;
        tokio::join!(
            link::run(core, &inbox, &cancel),
            commands::run(core, messages, &cancel),
            batch::run(core, interrupted, &cancel),
            push::run(core, appliance, &cancel),
            voice::run(core, &cancel),
        );
    }
}

//! Topics that a platform sets are on trial: a broker may refuse them, and no command could ever set others. When the
//! device cannot connect with them, the last ones with which it could come back.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use domain::Result;
use tokio::time::Instant;

use crate::device::Device;
use crate::settings::{OwnTopics, REPORTS, Reports};

/// The key of the topics with which the device has connected.
const PROVEN: &str = "settings.mqtt.proven";

/// The topics with which the device has connected last; `None` before its first connection.
async fn proven(device: &Device) -> Result<Option<OwnTopics>> {
    let read = |text: &str| serde_json::from_str(text).map_err(|error| error.to_string());
    device.state().read_value(PROVEN, read).await
}

/// The trial of topics with which the device has not connected yet. It starts again with a restart.
#[derive(Default)]
pub(super) struct Trial {
    tried: Option<(OwnTopics, Instant)>,
}

impl Trial {
    /// How much is left of the trial; `None` while the topics are proven.
    pub(super) async fn left(&mut self, device: &Device) -> Result<Option<Duration>> {
        let now = Reports::to_connect(&device.state()).await?.topics();
        if proven(device).await?.is_none_or(|proven| proven == now) {
            self.tried = None;
            return Ok(None);
        }
        let (tried, since) = self.tried.get_or_insert_with(|| (now.clone(), Instant::now()));
        if *tried != now {
            (*tried, *since) = (now, Instant::now());
        }
        Ok(Some(device.pace.trial.saturating_sub(since.elapsed())))
    }

    /// Puts the proven topics back when the trial is over; returns whether it did.
    pub(super) async fn end(&mut self, device: &Device) -> Result<bool> {
        if self.left(device).await? != Some(Duration::ZERO) {
            return Ok(false);
        }
        let proven = proven(device).await?.unwrap_or_default();
        let values = Reports::to_connect(&device.state()).await?.with_topics(proven);
        device.acts().configure(&device.state(), REPORTS.key, Some(values.value())).await?;
        self.tried = None;
        device.note_settings_changed();
        tracing::warn!(reason = "no connection with them", "topics of notices restored to those before");
        Ok(true)
    }
}

/// Proves topics by both notices having reached the broker.
pub(super) struct Proof<'a> {
    device: &'a Device,
    topics: &'a OwnTopics,
    online: AtomicBool,
    heartbeat: AtomicBool,
    kept: AtomicBool,
}

impl<'a> Proof<'a> {
    pub(super) fn new(device: &'a Device, topics: &'a OwnTopics) -> Self {
        let [online, heartbeat, kept] = [(); 3].map(|()| AtomicBool::new(false));
        Self { device, topics, online, heartbeat, kept }
    }

    pub(super) async fn online_sent(&self) {
        self.online.store(true, Ordering::Relaxed);
        self.keep().await;
    }

    pub(super) async fn heartbeat_sent(&self) {
        self.heartbeat.store(true, Ordering::Relaxed);
        self.keep().await;
    }

    /// Keeps the topics as proven, once.
    async fn keep(&self) {
        let complete = [&self.online, &self.heartbeat].iter().all(|sent| sent.load(Ordering::Relaxed));
        if !complete || self.kept.swap(true, Ordering::Relaxed) {
            return;
        }
        if let Err(error) = self.write().await {
            tracing::warn!(error = error.chain(), "failed to keep the topics with which the device connected");
        }
    }

    async fn write(&self) -> Result<()> {
        if proven(self.device).await?.as_ref() == Some(self.topics) {
            return Ok(());
        }
        let text = serde_json::to_string(self.topics).map_err(domain::Error::internal("writing topics"))?;
        self.device.state().set_value(PROVEN, Some(text)).await
    }
}

//! The parts of the device that surveillance works with.

use std::sync::Arc;

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use tokio::sync::{broadcast, watch};

use super::board::Board;
use super::clips::Orders;
use super::doorkeeper::Doorkeeper;
use super::recorder::Recorder;
use crate::calibration::Matching;
use crate::camera::Camera;
use crate::error::{Error, Result};
use crate::event::Event;
use crate::gallery::Gallery;
use crate::ports::Ports;
use crate::progress::Progress;
use crate::settings::{CurrentSettings, DeviceSettings};
use crate::time::Timestamp;

/// The parts of the device that surveillance needs; cheap to clone. [`Appliance`](crate::Appliance) becomes one.
#[derive(Clone)]
pub struct Handle {
    parts: Arc<Parts>,
}

pub(crate) struct Parts {
    pub(crate) ports: Ports,
    pub(crate) gallery: Gallery,
    pub(crate) board: Board,
    pub(crate) recorder: Recorder,
    pub(crate) clip_orders: Orders,
    pub(crate) doorkeeper: Doorkeeper,
    pub(crate) settings: CurrentSettings,
    /// The time zone while none is set.
    pub(crate) own_zone: TimeZone,
    pub(crate) events: broadcast::Sender<Event>,
    pub(crate) matching: Matching,
    /// Number of changes of cameras, tasks and rules.
    pub(crate) changes: watch::Sender<u64>,
    pub(crate) progress: Arc<Progress>,
}

impl Handle {
    pub(crate) fn new(parts: Parts) -> Self {
        Self { parts: Arc::new(parts) }
    }

    pub(crate) fn ports(&self) -> &Ports {
        &self.parts.ports
    }

    pub(crate) fn gallery(&self) -> &Gallery {
        &self.parts.gallery
    }

    pub(crate) fn board(&self) -> &Board {
        &self.parts.board
    }

    pub(crate) fn recorder(&self) -> &Recorder {
        &self.parts.recorder
    }

    pub(super) fn clip_orders(&self) -> &Orders {
        &self.parts.clip_orders
    }

    pub(crate) fn doorkeeper(&self) -> &Doorkeeper {
        &self.parts.doorkeeper
    }

    /// The settings of the device itself.
    pub(crate) fn settings(&self) -> Arc<DeviceSettings> {
        self.parts.settings.now()
    }

    /// Time zone of weekly plans and daily windows.
    pub(crate) fn zone(&self) -> TimeZone {
        self.settings().zone(&self.parts.own_zone)
    }

    pub(crate) fn events(&self) -> &broadcast::Sender<Event> {
        &self.parts.events
    }

    pub(crate) fn progress(&self) -> &Progress {
        &self.parts.progress
    }

    /// How faces are matched.
    pub(super) fn matching(&self) -> Matching {
        self.parts.matching
    }

    /// Reports that a camera, a task or a rule has changed.
    pub(crate) fn note_change(&self) {
        self.parts.changes.send_modify(|version| *version += 1);
    }

    /// Changes whenever a camera, a task or a rule is added, changed or removed.
    pub(crate) fn changes(&self) -> watch::Receiver<u64> {
        self.parts.changes.subscribe()
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.parts.ports.clock.now()
    }

    /// Local time now.
    pub(super) fn local(&self) -> DateTime {
        self.now().in_zone(&self.zone())
    }

    /// Lowest liveness score of a living face now; `None` while liveness is not checked.
    pub(super) fn live_from(&self) -> Option<f32> {
        let demanded = self.parts.ports.analyzer.live_from()?;
        self.settings().liveness_rule().asks_at(self.local()).then_some(demanded)
    }

    /// The camera with the device's defaults in place of what it does not set itself.
    pub(crate) fn in_force(&self, camera: Camera) -> Camera {
        let size = self.parts.board.picture_size(camera.id);
        self.settings().camera_defaults().in_force(camera, size)
    }

    pub(crate) fn announce(&self, event: Event) {
        // Fails without a receiver, which is fine: events are not kept.
        let _ = self.parts.events.send(event);
    }

    /// Runs blocking work off the runtime, to its end even when this future is dropped.
    pub(super) async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Self) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let handle = self.clone();
        let done = tokio::task::spawn_blocking(move || work(&handle)).await;
        done.map_err(Error::internal("a blocking task"))?
    }
}

//! What all parts of the adapter share.

use std::sync::Arc;

use adapter::{Health, Outbound};
use domain::{Actor, Acts, Appliance, State};
use jiff::tz::TimeZone;
use tokio::sync::{Notify, watch};

use crate::batch::Batches;
use crate::link::{Broker, BrokerError, Link};
use crate::push::{Confirmations, Errands};
use crate::repeats::Repeats;
use crate::voice::Voice;
use crate::{Config, Pace, convert};

/// The adapter's name, also of its state.
pub(crate) const NAME: &str = "terminal";
/// The connection's name on the health board.
const BROKER: &str = "terminal broker";

pub(crate) struct Core {
    pub(crate) config: Config,
    pub(crate) pace: Pace,
    pub(crate) broker: Broker,
    pub(crate) appliance: Appliance,
    pub(crate) outbound: Outbound,
    pub(crate) link: Link,
    pub(crate) repeats: Repeats,
    pub(crate) batches: Batches,
    pub(crate) confirmations: Confirmations,
    pub(crate) errands: Errands,
    pub(crate) voice: Voice,
    /// The device's number, digits.
    pub(crate) id: String,
    /// Who acts: the document knows no logins.
    platform: Actor,
    /// Changes when a setting changes that the connection or a push depends on.
    pub(crate) settings_changed: watch::Sender<u64>,
    /// Asks for the session to begin anew, as after a restart.
    pub(crate) restart: Notify,
    health: Arc<Health>,
}

impl Core {
    pub(crate) fn new(
        config: Config,
        pace: Pace,
        appliance: Appliance,
        outbound: Outbound,
        health: Arc<Health>,
    ) -> Result<Self, BrokerError> {
        let id = convert::device_id(&config.device_id, &appliance.options().serial);
        health.set(BROKER, adapter::Component::Down { reason: "not connected yet".to_owned() });
        Ok(Self {
            broker: Broker::read(&config)?,
            config,
            pace,
            appliance,
            outbound,
            link: Link::default(),
            repeats: Repeats::default(),
            batches: Batches::default(),
            confirmations: Confirmations::default(),
            errands: Errands::default(),
            voice: Voice::default(),
            id,
            platform: Actor::platform(NAME),
            settings_changed: watch::Sender::new(0),
            restart: Notify::new(),
            health,
        })
    }

    /// What the platform may do.
    pub(crate) fn acts(&self) -> Acts<'_> {
        self.appliance.by(&self.platform)
    }

    /// The adapter's durable values.
    pub(crate) fn state(&self) -> State {
        self.appliance.state(NAME)
    }

    /// The device's time zone.
    pub(crate) fn zone(&self) -> TimeZone {
        self.appliance.time_zone()
    }

    /// The topic of commands; what the device says of itself goes to topics below it.
    pub(crate) fn topic(&self) -> String {
        format!("{}/{}", self.config.topic_prefix, self.id)
    }

    /// A topic below that of commands.
    pub(crate) fn below(&self, name: &str) -> String {
        format!("{}/{name}", self.topic())
    }

    /// Shows whether the broker is reached.
    pub(crate) fn show(&self, state: adapter::Component) {
        self.health.set(BROKER, state);
    }
}

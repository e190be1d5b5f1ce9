//! What commands, pushes and work share. It is passive: it starts nothing.

pub(crate) mod batches;
pub(crate) mod broker;
pub(crate) mod confirmations;
pub(crate) mod inbox;
pub(crate) mod link;
pub(crate) mod repeats;

use std::sync::Arc;
use std::time::Duration;

use adapter::{Component, Health, Outbound, Queue};
use domain::{Actor, Acts, Appliance, RecordKind, Result, Seq, State};
use jiff::tz::TimeZone;
use serde_json::Value;
use tokio::sync::{Notify, watch};

use self::batches::Batches;
use self::broker::{Broker, BrokerError, Config, Trust};
use self::confirmations::Confirmations;
use self::link::Link;
use self::repeats::Repeats;
use crate::codes::Refusal;
use crate::convert::{self, doors};
use crate::settings::{DOOR, Group, Values};
use crate::wire::Fault;

/// The adapter's name, also of its state.
pub(crate) const NAME: &str = "terminal";
/// The connection's name in the health report.
const BROKER: &str = "terminal broker";
/// The alarm about a connection without TLS.
const TRUST: &str = "terminal.broker_trust";
/// Maximum number of queued requests to push records again; the next request waits.
const PUSHES_AGAIN: usize = 8;
/// Maximum number of queued announcements; the next one is not played.
const ANNOUNCEMENTS: usize = 1;

/// Intervals of the document, which tests shorten.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    /// Between two notices that the device is online, until one is confirmed.
    pub online: Duration,
    /// Between two heartbeats, unless a platform sets another interval.
    pub heartbeat: Duration,
    /// After which a record that is not confirmed is sent again.
    pub resend: Duration,
    /// After which topics with which the device cannot connect are replaced by the last ones with which it could.
    pub trial: Duration,
}

impl Default for Pace {
    /// The document's: a minute, half a minute, ten seconds. Topics are on trial for two minutes.
    fn default() -> Self {
        Self {
            online: Duration::from_secs(60),
            heartbeat: Duration::from_secs(30),
            resend: Duration::from_secs(10),
            trial: Duration::from_secs(120),
        }
    }
}

/// Records to push again because a platform asked for them.
pub(crate) struct PushAgain {
    pub(crate) kind: RecordKind,
    pub(crate) records: Vec<Seq>,
}

/// What the device announces to the person before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Announcement {
    /// The person may pass.
    Passed,
    /// The person may not pass.
    Refused,
    /// A platform has opened the door.
    Opened,
}

/// What commands, pushes and work share.
pub(crate) struct Device {
    pub(crate) config: Config,
    pub(crate) pace: Pace,
    pub(crate) broker: Broker,
    pub(crate) appliance: Appliance,
    pub(crate) outbound: Outbound,
    pub(crate) link: Link,
    pub(crate) repeats: Repeats,
    pub(crate) batches: Batches,
    pub(crate) confirmations: Confirmations,
    pub(crate) pushes_again: Queue<PushAgain>,
    pub(crate) announcements: Queue<Announcement>,
    /// The device's number, digits.
    pub(crate) id: String,
    /// The actor of all commands: the document has no logins.
    platform: Actor,
    /// Changes when a setting changes that the connection or a push depends on.
    pub(crate) settings_changed: watch::Sender<u64>,
    /// Ends the session, so that a new one starts, as after a restart.
    pub(crate) restart: Notify,
    health: Arc<Health>,
}

impl Device {
    pub(crate) fn new(
        config: Config,
        pace: Pace,
        appliance: Appliance,
        outbound: Outbound,
        health: Arc<Health>,
    ) -> Result<Self, BrokerError> {
        let id = convert::device_id(&config.device_id, &appliance.options().serial);
        health.set(BROKER, Component::Down { reason: "not connected yet".to_owned() });
        let broker = Broker::read(&config)?;
        match config.trust {
            _ if broker.is_authenticated() => {}
            Trust::Tls => health.raise(
                TRUST,
                "commands that open doors, remove people, restart or reset the device are refused: the broker is not \
                 reached over TLS",
            ),
            Trust::Network => health.raise(
                TRUST,
                "commands that open doors, remove people, restart or reset the device are obeyed without TLS: anyone \
                 between device and broker can send them",
            ),
        }
        Ok(Self {
            broker,
            config,
            pace,
            appliance,
            outbound,
            link: Link::default(),
            repeats: Repeats::default(),
            batches: Batches::default(),
            confirmations: Confirmations::default(),
            pushes_again: Queue::new(PUSHES_AGAIN),
            announcements: Queue::new(ANNOUNCEMENTS),
            id,
            platform: Actor::platform(NAME),
            settings_changed: watch::Sender::new(0),
            restart: Notify::new(),
            health,
        })
    }

    /// The acts of the platform.
    pub(crate) fn acts(&self) -> Acts<'_> {
        self.appliance.by(&self.platform)
    }

    /// Whether commands that open doors, remove people, restart or reset the device are obeyed.
    pub(crate) fn is_trusting(&self) -> bool {
        self.broker.is_authenticated() || self.config.trust == Trust::Network
    }

    /// Refuses what opens doors, removes people, restarts or resets the device, where that is not obeyed.
    ///
    /// # Errors
    /// The connection is not trusted.
    pub(crate) fn require_trust(&self, refusal: Refusal) -> Result<(), Fault> {
        if self.is_trusting() { Ok(()) } else { Err(refusal.because("not obeyed over a broker without TLS")) }
    }

    /// The adapter's durable values.
    pub(crate) fn state(&self) -> State {
        self.appliance.state(NAME)
    }

    /// The device's time zone.
    pub(crate) fn zone(&self) -> TimeZone {
        self.appliance.time_zone()
    }

    /// The topic of commands; the device publishes to topics below it.
    pub(crate) fn topic(&self) -> String {
        format!("{}/{}", self.config.topic_prefix, self.id)
    }

    /// A topic below that of commands.
    pub(crate) fn below(&self, name: &str) -> String {
        format!("{}/{name}", self.topic())
    }

    /// Reports whether the broker is connected.
    pub(crate) fn show(&self, state: Component) {
        self.health.set(BROKER, state);
    }

    /// The values of a group of settings.
    pub(crate) async fn values(&self, group: &Group) -> Result<Values> {
        Values::load(&self.state(), group).await
    }

    /// Stores the values of a group, announces those that changed to the front end, and applies them.
    pub(crate) async fn keep_values(&self, group: &Group, values: &Values, changed: &[&str]) -> Result<()> {
        self.acts().configure(&self.state(), group.key, Some(values.value())).await?;
        for name in changed {
            self.appliance.tell_front_end(*name, values.text(name));
        }
        self.note_settings_changed();
        Ok(())
    }

    /// Restarts what depends on settings.
    pub(crate) fn note_settings_changed(&self) {
        self.settings_changed.send_modify(|version| *version += 1);
    }

    /// `VerifyMode` in force.
    pub(crate) async fn verify_mode(&self) -> Result<i64> {
        let rules = self.appliance.door_rules().await?;
        Ok(doors::mode_in_force(rules.proof, self.values(&DOOR).await?.number("VerifyMode")))
    }

    /// Announces something soon, or not at all while another announcement is queued.
    pub(crate) fn announce(&self, announcement: Announcement) {
        let _ = self.announcements.offer(announcement);
    }

    /// Sends the answer to a command; over a later connection when this one breaks.
    pub(crate) async fn send_answer(&self, answer: &Value) {
        if let Err(error) = self.link.publish_surely(&self.below("Ack"), answer.to_string().into_bytes()).await {
            tracing::warn!(%error, "failed to send an answer");
        }
    }
}

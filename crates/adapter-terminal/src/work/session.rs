//! The session of a connection: online notice, heartbeats, offline notice.

use std::time::Duration;

use adapter::Component;
use domain::Result;
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

use super::trial::Proof;
use crate::convert::{is_topic, time};
use crate::device::Device;
use crate::settings::{OwnTopics, Reports};
use crate::wire::push::{Message, Online, Presence};

/// Time-out of the offline notice.
const OFFLINE_TIMEOUT: Duration = Duration::from_secs(2);

/// The topics of one connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Topics {
    /// Where commands are received.
    pub(super) commands: String,
    /// Where online and offline notices are published.
    pub(super) online: String,
    /// Where heartbeats are published.
    heartbeat: String,
    every: Duration,
    /// What of it a platform has set.
    pub(super) own: OwnTopics,
}

impl Topics {
    pub(super) async fn of(device: &Device) -> Result<Self> {
        let set = Reports::to_connect(&device.state()).await?;
        let prefix = &device.config.topic_prefix;
        // A former version took any text.
        let own = set.topics();
        let or = |topic: &str, name: &str| match is_topic(topic) {
            true => topic.to_owned(),
            false => format!("{prefix}/{name}"),
        };
        let every = set.keep_alive().map_or(device.pace.heartbeat, Duration::from_secs);
        Ok(Self {
            commands: device.topic(),
            online: or(&own.online, "basic"),
            heartbeat: or(&own.heartbeat, "heartbeat"),
            every,
            own,
        })
    }
}

/// The last will, which the broker publishes when the connection breaks.
pub(super) fn will(device: &Device) -> Message<Presence> {
    Message { operator: "Offline", info: Presence { device: device.id.clone(), time: None } }
}

/// Keeps the session of a connection once the device is subscribed. Ends with the offline notice: `true` when the
/// device stops, `false` when it must connect again.
pub(super) async fn keep(device: &Device, topics: &Topics, cancel: &CancellationToken) -> bool {
    let stopped = tokio::select! {
        () = cancel.cancelled() => true,
        () = changed(device, topics) => false,
        () = device.restart.notified() => false,
        () = run(device, topics) => false,
    };
    if device.link.subscribed().borrow().is_some() {
        let go_offline = async {
            let sent = device.link.publish(&topics.online, presence(device, "Offline").bytes()).await;
            if sent.is_ok() {
                device.link.disconnect().await;
            }
        };
        // Otherwise the broker publishes the last will.
        let _ = tokio::time::timeout(OFFLINE_TIMEOUT, go_offline).await;
    }
    stopped
}

/// Returns when other topics are set.
async fn changed(device: &Device, topics: &Topics) {
    let mut settings = device.settings_changed.subscribe();
    loop {
        // The device owns the sender.
        let _ = settings.changed().await;
        if Topics::of(device).await.is_ok_and(|now| now != *topics) {
            return;
        }
    }
}

async fn run(device: &Device, topics: &Topics) {
    device.link.wait_until_subscribed().await;
    device.show(Component::Up);
    let proof = Proof::new(device, &topics.own);
    tokio::join!(send_online(device, topics, &proof), send_heartbeats(device, topics, &proof));
}

/// Sends the online notice repeatedly, until the platform confirms it.
async fn send_online(device: &Device, topics: &Topics, proof: &Proof<'_>) {
    let mut confirmed = device.confirmations.online();
    loop {
        let notice = online(device).await;
        // A notice that is lost is followed by the next one.
        if device.link.publish(&topics.online, notice.bytes()).await.is_ok() {
            proof.online_sent().await;
        }
        if tokio::time::timeout(device.pace.online, confirmed.changed()).await.is_ok() {
            return;
        }
    }
}

async fn send_heartbeats(device: &Device, topics: &Topics, proof: &Proof<'_>) {
    let mut beat = tokio::time::interval(topics.every);
    beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        beat.tick().await;
        if device.link.publish(&topics.heartbeat, heartbeat(device).bytes()).await.is_ok() {
            proof.heartbeat_sent().await;
        }
    }
}

/// A heartbeat.
pub(crate) fn heartbeat(device: &Device) -> Message<Presence> {
    presence(device, "HeartBeat")
}

fn presence(device: &Device, operator: &'static str) -> Message<Presence> {
    Message { operator, info: Presence { device: device.id.clone(), time: Some(now(device)) } }
}

async fn online(device: &Device) -> Message<Online> {
    let info = Online {
        device: device.id.clone(),
        username: device.config.username.clone(),
        time: now(device),
        ip: address(device).await,
        facesname: device.appliance.options().name.clone(),
    };
    Message { operator: "Online", info }
}

/// The device's address on the network; 0.0.0.0 when none is known.
async fn address(device: &Device) -> String {
    let network = device.appliance.network().await.unwrap_or_default();
    let default = network.default_port.as_ref();
    let named = network.ports.iter().filter(|port| Some(&port.name) == default);
    let mut subnets = named.chain(&network.ports).filter_map(|port| port.subnet);
    subnets.next().map_or_else(|| "0.0.0.0".to_owned(), |subnet| subnet.address.to_string())
}

fn now(device: &Device) -> String {
    time::text(device.appliance.now(), &device.zone())
}

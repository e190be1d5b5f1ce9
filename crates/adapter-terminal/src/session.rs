//! What the device says of itself: that it is there, that it lives, that it goes.

use std::time::Duration;

use adapter::Component;
use domain::Result;
use serde_json::{Value, json};
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

use crate::convert::time;
use crate::core::Core;
use crate::ops::settings::Mqtt;

/// How long saying goodbye may take.
const GOODBYE: Duration = Duration::from_secs(2);

/// The topics of one connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Topics {
    /// Where commands come from.
    pub(crate) commands: String,
    /// Where the device says that it comes and goes.
    pub(crate) online: String,
    /// Where it says that it lives.
    pub(crate) heartbeat: String,
    every: Duration,
}

impl Topics {
    pub(crate) async fn of(core: &Core) -> Result<Self> {
        let set = Mqtt::to_connect(core).await?;
        let prefix = &core.config.topic_prefix;
        let or = |topic: String, name: &str| if topic.is_empty() { format!("{prefix}/{name}") } else { topic };
        let every = set.keep_alive().map_or(core.pace.heartbeat, Duration::from_secs);
        Ok(Self {
            commands: core.topic(),
            online: or(set.online_topic(), "basic"),
            heartbeat: or(set.heartbeat_topic(), "heartbeat"),
            every,
        })
    }
}

/// What the broker says when the device is gone without a word.
pub(crate) fn will(core: &Core) -> Vec<u8> {
    bytes(&json!({ "operator": "Offline", "info": { "facesluiceId": core.id } }))
}

/// Keeps up the session of a connection once the device listens. Ends with a goodbye: `true` when the device stops,
/// `false` when the connection must be made anew.
pub(crate) async fn keep(core: &Core, topics: &Topics, cancel: &CancellationToken) -> bool {
    let stopped = tokio::select! {
        () = cancel.cancelled() => true,
        () = changed(core, topics) => false,
        () = core.restart.notified() => false,
        () = talk(core, topics) => false,
    };
    if core.link.listening().borrow().is_some() {
        let goodbye = async {
            let said = core.link.publish(&topics.online, bytes(&offline(core))).await;
            if said.is_ok() {
                core.link.hang_up().await;
            }
        };
        // The will says it otherwise.
        let _ = tokio::time::timeout(GOODBYE, goodbye).await;
    }
    stopped
}

/// Returns when the topics have become others.
async fn changed(core: &Core, topics: &Topics) {
    let mut settings = core.settings_changed.subscribe();
    loop {
        // The sender lives as long as the core.
        let _ = settings.changed().await;
        if Topics::of(core).await.is_ok_and(|now| now != *topics) {
            return;
        }
    }
}

async fn talk(core: &Core, topics: &Topics) {
    core.link.wait_until_listening().await;
    core.show(Component::Up);
    tokio::join!(tell_online(core, topics), send_heartbeats(core, topics));
}

/// Again and again until the platform has confirmed it.
async fn tell_online(core: &Core, topics: &Topics) {
    let mut confirmed = core.confirmations.online();
    loop {
        let notice = online(core).await;
        // What did not arrive is sent again with the next one.
        let _ = core.link.publish(&topics.online, bytes(&notice)).await;
        if tokio::time::timeout(core.pace.online, confirmed.changed()).await.is_ok() {
            return;
        }
    }
}

async fn send_heartbeats(core: &Core, topics: &Topics) {
    let mut beat = tokio::time::interval(topics.every);
    beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        beat.tick().await;
        let message = heartbeat(core);
        let _ = core.link.publish(&topics.heartbeat, bytes(&message)).await;
    }
}

/// That the device lives.
pub(crate) fn heartbeat(core: &Core) -> Value {
    json!({ "operator": "HeartBeat", "info": { "facesluiceId": core.id, "time": now(core) } })
}

fn offline(core: &Core) -> Value {
    json!({ "operator": "Offline", "info": { "facesluiceId": core.id, "time": now(core) } })
}

async fn online(core: &Core) -> Value {
    json!({
        "operator": "Online",
        "info": {
            "facesluiceId": core.id,
            "username": core.config.username,
            "time": now(core),
            "ip": address(core).await,
            "facesname": core.appliance.options().name,
        },
    })
}

/// The device's address on the network; none known is 0.0.0.0.
async fn address(core: &Core) -> String {
    let network = core.appliance.network().await.unwrap_or_default();
    let default = network.default_port.as_ref();
    let named = network.ports.iter().filter(|port| Some(&port.name) == default);
    let mut subnets = named.chain(&network.ports).filter_map(|port| port.subnet);
    subnets.next().map_or_else(|| "0.0.0.0".to_owned(), |subnet| subnet.address.to_string())
}

fn now(core: &Core) -> String {
    time::text(core.appliance.now(), &core.zone())
}

fn bytes(message: &Value) -> Vec<u8> {
    message.to_string().into_bytes()
}

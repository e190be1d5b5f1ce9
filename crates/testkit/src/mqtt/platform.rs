//! A platform.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use mqttrs::{Connect, Packet, Pid, Protocol, Publish, QoS, QosPid, Subscribe, SubscribeTopic};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::ID;
use crate::{DEADLINE, eventually};

/// The topics that devices publish on.
const TOPICS: [&str; 5] =
    ["mqtt/face/+/+", "mqtt/face/basic", "mqtt/face/heartbeat", "mqtt/face/elsewhere", "mqtt/face/\u{95e8}"];

/// A connected platform; it disconnects when dropped.
#[derive(Debug)]
pub struct Platform {
    writer: Arc<tokio::sync::Mutex<OwnedWriteHalf>>,
    inbox: Arc<Inbox>,
    numbers: AtomicU16,
    _reading: JoinSet<()>,
}

#[derive(Debug, Default)]
struct Inbox {
    messages: Mutex<Vec<(String, Value)>>,
    arrived: Notify,
}

impl Platform {
    /// Connects and subscribes to all topics of devices. Tries again, as clients do: mosquitto may take a connection for
    /// the one that was closed just before.
    pub async fn connect(broker: SocketAddr, login: Option<(&str, &str)>) -> Self {
        eventually("the broker accepts the platform", async || Self::try_connect(broker, login).await).await
    }

    /// `None` when the broker refuses or closes the connection.
    async fn try_connect(broker: SocketAddr, login: Option<(&str, &str)>) -> Option<Self> {
        let stream = TcpStream::connect(broker).await.ok()?;
        stream.set_nodelay(true).unwrap();
        let (mut reader, writer) = stream.into_split();
        let writer = Arc::new(tokio::sync::Mutex::new(writer));
        let connect = Connect {
            protocol: Protocol::MQTT311,
            keep_alive: 0,
            client_id: "platform",
            clean_session: true,
            last_will: None,
            username: login.map(|(name, _)| name),
            password: login.map(|(_, password)| password.as_bytes()),
        };
        send(&writer, &Packet::Connect(connect)).await;
        let mut buffer = Vec::new();
        next_packet(&mut reader, &mut buffer, |packet| assert!(matches!(packet, Packet::Connack(_)))).await?;
        let topics = TOPICS.map(|topic| SubscribeTopic { topic_path: topic.into(), qos: QoS::AtLeastOnce });
        send(&writer, &Packet::Subscribe(Subscribe { pid: Pid::new(), topics: topics.into() })).await;
        next_packet(&mut reader, &mut buffer, |packet| assert!(matches!(packet, Packet::Suback(_)))).await?;
        let inbox = Arc::new(Inbox::default());
        let mut reading = JoinSet::new();
        reading.spawn(read(reader, buffer, Arc::clone(&writer), Arc::clone(&inbox)));
        Some(Self { writer, inbox, numbers: AtomicU16::new(1), _reading: reading })
    }

    /// Publishes a payload on a topic.
    pub async fn publish(&self, topic: &str, payload: &[u8]) {
        self.publish_with(topic, payload, false).await;
    }

    /// Publishes a retained message.
    pub async fn publish_retained(&self, topic: &str, payload: &[u8]) {
        self.publish_with(topic, payload, true).await;
    }

    async fn publish_with(&self, topic: &str, payload: &[u8], retain: bool) {
        let pid = self.numbers.fetch_add(1, Ordering::Relaxed) % 60_000 + 2;
        let qospid = QosPid::AtLeastOnce(Pid::try_from(pid).unwrap());
        let publish = Publish { dup: false, qospid, retain, topic_name: topic, payload };
        send(&self.writer, &Packet::Publish(publish)).await;
    }

    /// Sends a command, without waiting for the answer.
    pub async fn send(&self, command: &Value) {
        self.publish(&format!("mqtt/face/{ID}"), command.to_string().as_bytes()).await;
    }

    /// Sends a command and returns the answer to it.
    pub async fn ask(&self, mut command: Value) -> Value {
        let id = format!("ID:platform-{}", self.numbers.fetch_add(1, Ordering::Relaxed));
        command["messageId"] = json!(id);
        self.send(&command).await;
        self.wait("Ack", |answer| answer["messageId"] == json!(id)).await
    }

    /// Waits for the first matching message on a topic below the device's, and takes it.
    pub async fn wait(&self, topic: &str, fits: impl Fn(&Value) -> bool) -> Value {
        self.wait_on(&format!("mqtt/face/{ID}/{topic}"), fits).await
    }

    /// As [`Platform::wait`], with another deadline.
    pub async fn wait_within(&self, limit: Duration, topic: &str, fits: impl Fn(&Value) -> bool) -> Value {
        self.wait_for(limit, &format!("mqtt/face/{ID}/{topic}"), fits).await
    }

    /// As [`Platform::wait`], on any topic.
    pub async fn wait_on(&self, topic: &str, fits: impl Fn(&Value) -> bool) -> Value {
        self.wait_for(DEADLINE, topic, fits).await
    }

    async fn wait_for(&self, limit: Duration, topic: &str, fits: impl Fn(&Value) -> bool) -> Value {
        let waiting = async {
            loop {
                let arrived = self.inbox.arrived.notified();
                if let Some(found) = self.take(topic, &fits) {
                    return found;
                }
                arrived.await;
            }
        };
        timeout(limit, waiting).await.unwrap_or_else(|_| panic!("no matching message arrived on {topic}"))
    }

    /// Waits until the device has gone offline and online again.
    pub async fn wait_for_return(&self) {
        self.wait_on("mqtt/face/basic", |message| message["operator"] == "Offline").await;
        // Drops what it sent before it went offline.
        self.inbox.messages.lock().unwrap().retain(|(topic, _)| topic != "mqtt/face/basic");
        self.wait_on("mqtt/face/basic", |message| message["operator"] == "Online").await;
    }

    fn take(&self, topic: &str, fits: impl Fn(&Value) -> bool) -> Option<Value> {
        let mut messages = self.inbox.messages.lock().unwrap();
        let place = messages.iter().position(|(on, message)| on == topic && fits(message))?;
        Some(messages.remove(place).1)
    }

    /// Takes a message on a topic, if there is one.
    pub fn take_one(&self, topic: &str) -> Option<Value> {
        self.take(topic, |_| true)
    }

    /// Drops the messages on a topic below the device's that were not taken. Returns how many.
    pub fn forget(&self, topic: &str) -> usize {
        let topic = format!("mqtt/face/{ID}/{topic}");
        let mut messages = self.inbox.messages.lock().unwrap();
        let before = messages.len();
        messages.retain(|(on, _)| *on != topic);
        before - messages.len()
    }

    /// The messages on a topic below the device's that were not taken.
    pub fn left(&self, topic: &str) -> Vec<Value> {
        let topic = format!("mqtt/face/{ID}/{topic}");
        let messages = self.inbox.messages.lock().unwrap();
        messages.iter().filter(|(on, _)| *on == topic).map(|(_, message)| message.clone()).collect()
    }
}

async fn read(
    mut reader: OwnedReadHalf,
    mut buffer: Vec<u8>,
    writer: Arc<tokio::sync::Mutex<OwnedWriteHalf>>,
    inbox: Arc<Inbox>,
) {
    loop {
        let mut confirm = None;
        let read = next_packet(&mut reader, &mut buffer, |packet| {
            if let Packet::Publish(publish) = packet {
                confirm = publish.qospid.pid();
                let message = serde_json::from_slice(publish.payload).expect("every message is JSON");
                inbox.messages.lock().unwrap().push((publish.topic_name.to_owned(), message));
                inbox.arrived.notify_waiters();
            }
        });
        if read.await.is_none() {
            return;
        }
        if let Some(pid) = confirm {
            send(&writer, &Packet::Puback(pid)).await;
        }
    }
}

/// Passes the next packet to `take`; `None` when the connection is closed.
async fn next_packet(reader: &mut OwnedReadHalf, buffer: &mut Vec<u8>, take: impl FnOnce(Packet<'_>)) -> Option<()> {
    loop {
        if let Some(length) = length(buffer) {
            if let Some(packet) = mqttrs::decode_slice(&buffer[..length]).unwrap() {
                take(packet);
            }
            buffer.drain(..length);
            return Some(());
        }
        let read = reader.read_buf(buffer).await.ok()?;
        if read == 0 {
            return None;
        }
    }
}

/// Length of the first packet; `None` while it is incomplete.
fn length(buffer: &[u8]) -> Option<usize> {
    let mut rest = 0;
    for place in 0..4 {
        let byte = *buffer.get(1 + place)?;
        rest |= usize::from(byte & 0x7f) << (7 * place);
        if byte & 0x80 == 0 {
            return Some(2 + place + rest).filter(|length| buffer.len() >= *length);
        }
    }
    panic!("a packet of impossible length");
}

async fn send(writer: &tokio::sync::Mutex<OwnedWriteHalf>, packet: &Packet<'_>) {
    let room = match packet {
        Packet::Publish(publish) => publish.payload.len() + publish.topic_name.len(),
        _ => 0,
    };
    let mut buffer = vec![0; room + 1024];
    let length = mqttrs::encode_slice(packet, &mut buffer).unwrap();
    // Fails when a test has stopped the broker.
    let _ = writer.lock().await.write_all(&buffer[..length]).await;
}

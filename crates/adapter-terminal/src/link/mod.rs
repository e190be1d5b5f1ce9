//! The link to the broker: one connection at a time, and what is known to have arrived there.

mod broker;
mod connection;
mod inbox;

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rumqttc::{AsyncClient, Publish, QoS};
use tokio::sync::{Notify, Semaphore, oneshot, watch};

pub(crate) use broker::Broker;
pub use broker::BrokerError;
pub(crate) use connection::run;
pub(crate) use inbox::{Inbox, Message, Messages, ROOM};

/// Messages on their way to the broker side by side.
pub(super) const SIDE_BY_SIDE: u16 = 16;
/// The largest message sent, bytes.
const LARGEST: usize = 64 << 20;
/// A broker that has not taken a message by now has lost it.
const ARRIVAL: Duration = Duration::from_secs(20);

/// Why a message did not arrive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Undelivered {
    /// There is no connection, or it broke before the broker had the message.
    #[error("the broker did not take it")]
    Lost,
    /// Larger than any message may be.
    #[error("it is too large")]
    TooLarge,
}

/// A message on its way.
pub(crate) struct Arrival(oneshot::Receiver<()>);

impl Arrival {
    /// Returns when the broker has it.
    pub(crate) async fn arrive(self) -> Result<(), Undelivered> {
        match tokio::time::timeout(ARRIVAL, self.0).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) | Err(_) => Err(Undelivered::Lost),
        }
    }
}

/// The one way out; shared by everybody who has something to say.
pub(crate) struct Link {
    connection: Mutex<Option<Connection>>,
    /// The number of the connection in which the device listens, while there is one.
    listening: watch::Sender<Option<u64>>,
    permits: Semaphore,
    closed: Notify,
}

/// A connection, and the messages that the broker has not confirmed yet.
struct Connection {
    number: u64,
    client: AsyncClient,
    /// Handed over, without a packet id so far, in this order.
    waiting: VecDeque<oneshot::Sender<()>>,
    /// On the wire.
    sent: HashMap<u16, oneshot::Sender<()>>,
}

impl Default for Link {
    fn default() -> Self {
        Self {
            connection: Mutex::default(),
            listening: watch::Sender::new(None),
            permits: Semaphore::new(SIDE_BY_SIDE.into()),
            closed: Notify::new(),
        }
    }
}

impl Link {
    /// Sends a message and waits until the broker has it.
    pub(crate) async fn publish(&self, topic: &str, payload: Vec<u8>) -> Result<(), Undelivered> {
        if payload.len() > LARGEST {
            return Err(Undelivered::TooLarge);
        }
        // The semaphore is never closed.
        let _permit = self.permits.acquire().await.map_err(|_| Undelivered::Lost)?;
        self.hand_over(topic, payload)?.arrive().await
    }

    /// As [`publish`](Self::publish), and again in every connection until the broker has it.
    pub(crate) async fn publish_surely(&self, topic: &str, payload: Vec<u8>) -> Result<(), Undelivered> {
        loop {
            self.wait_until_listening().await;
            match self.publish(topic, payload.clone()).await {
                Err(Undelivered::Lost) => tokio::time::sleep(Duration::from_millis(100)).await,
                done => return done,
            }
        }
    }

    /// Gives a message to the connection; messages leave in the order in which they are given.
    pub(crate) fn hand_over(&self, topic: &str, payload: Vec<u8>) -> Result<Arrival, Undelivered> {
        let mut connection = self.lock();
        let connection = connection.as_mut().ok_or(Undelivered::Lost)?;
        // Both under the lock, so that they are in the order in which the connection takes them.
        let handed = connection.client.try_publish(topic, QoS::AtLeastOnce, false, payload);
        handed.map_err(|_| Undelivered::Lost)?;
        let (sender, receiver) = oneshot::channel();
        connection.waiting.push_back(sender);
        Ok(Arrival(receiver))
    }

    /// Lets the broker know that a message was taken; in another connection it has forgotten it.
    pub(crate) fn acknowledge(&self, number: u64, publish: &Publish) {
        if let Some(connection) = self.lock().as_ref().filter(|connection| connection.number == number) {
            // With no room left the broker sends it again, which is no harm.
            let _ = connection.client.try_ack(publish);
        }
    }

    /// Whether the device listens to the broker, now and whenever that changes.
    pub(crate) fn listening(&self) -> watch::Receiver<Option<u64>> {
        self.listening.subscribe()
    }

    /// Returns at once while there is a connection.
    pub(crate) async fn wait_until_listening(&self) {
        // The sender lives as long as the link.
        let _ = self.listening.subscribe().wait_for(Option::is_some).await;
    }

    /// Takes leave of the broker, which then keeps the last will to itself.
    pub(crate) async fn hang_up(&self) {
        let closed = self.closed.notified();
        let asked = self.lock().as_ref().is_some_and(|connection| connection.client.try_disconnect().is_ok());
        if asked {
            closed.await;
        }
    }

    fn note_hung_up(&self) {
        self.closed.notify_waiters();
    }

    fn open(&self, number: u64, client: AsyncClient) {
        *self.lock() = Some(Connection { number, client, waiting: VecDeque::new(), sent: HashMap::new() });
    }

    fn listen(&self, number: u64) {
        self.listening.send_replace(Some(number));
    }

    /// Everything that is not confirmed is lost.
    fn close(&self) {
        self.listening.send_replace(None);
        *self.lock() = None;
    }

    fn note_sent(&self, packet: u16) {
        if let Some(connection) = self.lock().as_mut()
            && let Some(sender) = connection.waiting.pop_front()
        {
            connection.sent.insert(packet, sender);
        }
    }

    fn note_arrived(&self, packet: u16) {
        let arrived = self.lock().as_mut().and_then(|connection| connection.sent.remove(&packet));
        if let Some(sender) = arrived {
            // Who sent it may have given up.
            let _ = sender.send(());
        }
    }

    fn lock(&self) -> MutexGuard<'_, Option<Connection>> {
        self.connection.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

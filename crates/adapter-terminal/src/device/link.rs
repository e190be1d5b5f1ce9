//! The link to the broker: one connection at a time, and which messages the broker has acknowledged.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rumqttc::{AsyncClient, Publish, QoS};
use tokio::sync::{Notify, Semaphore, oneshot, watch};

/// Maximum number of messages in flight: sent and not acknowledged.
pub(crate) const IN_FLIGHT: u16 = 16;
/// The largest message sent, bytes.
const LARGEST: usize = 64 << 20;
/// Time-out of the broker's acknowledgement.
const ACKNOWLEDGEMENT_TIMEOUT: Duration = Duration::from_secs(20);
/// The interval before a lost message is sent again.
const RETRY: Duration = Duration::from_millis(100);

/// Why a message was not delivered to the broker.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Undelivered {
    /// There is no connection, or it broke before the broker acknowledged the message.
    #[error("the broker did not acknowledge the message")]
    Lost,
    /// Larger than a message may be.
    #[error("the message is too large")]
    TooLarge,
}

/// A message in flight.
pub(crate) struct InFlight(oneshot::Receiver<()>);

impl InFlight {
    /// Waits for the broker's acknowledgement.
    pub(crate) async fn acknowledged(self) -> Result<(), Undelivered> {
        match tokio::time::timeout(ACKNOWLEDGEMENT_TIMEOUT, self.0).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) | Err(_) => Err(Undelivered::Lost),
        }
    }
}

/// The connection to the broker, shared by everything that publishes.
pub(crate) struct Link {
    connection: Mutex<Option<Connection>>,
    /// The number of the connection that is subscribed to commands, while there is one.
    subscribed: watch::Sender<Option<u64>>,
    permits: Semaphore,
    closed: Notify,
}

/// A connection, and the messages that the broker has not acknowledged yet.
struct Connection {
    number: u64,
    client: AsyncClient,
    /// Handed over without a packet id yet, in this order.
    waiting: VecDeque<oneshot::Sender<()>>,
    /// On the wire.
    sent: HashMap<u16, oneshot::Sender<()>>,
}

impl Default for Link {
    fn default() -> Self {
        Self {
            connection: Mutex::default(),
            subscribed: watch::Sender::new(None),
            permits: Semaphore::new(IN_FLIGHT.into()),
            closed: Notify::new(),
        }
    }
}

impl Link {
    /// Sends a message and waits for the broker's acknowledgement.
    pub(crate) async fn publish(&self, topic: &str, payload: Vec<u8>) -> Result<(), Undelivered> {
        if payload.len() > LARGEST {
            return Err(Undelivered::TooLarge);
        }
        // The semaphore is never closed.
        let _permit = self.permits.acquire().await.map_err(|_| Undelivered::Lost)?;
        self.hand_over(topic, payload)?.acknowledged().await
    }

    /// As [`publish`](Self::publish), but sends the message again in every connection until the broker has
    /// acknowledged it.
    ///
    /// # Errors
    /// `TooLarge`.
    pub(crate) async fn publish_surely(&self, topic: &str, payload: Vec<u8>) -> Result<(), Undelivered> {
        loop {
            self.wait_until_subscribed().await;
            match self.publish(topic, payload.clone()).await {
                Err(Undelivered::Lost) => tokio::time::sleep(RETRY).await,
                done => return done,
            }
        }
    }

    /// Hands a message over to the connection; messages are sent in the order of the calls.
    pub(crate) fn hand_over(&self, topic: &str, payload: Vec<u8>) -> Result<InFlight, Undelivered> {
        let mut connection = self.lock();
        let connection = connection.as_mut().ok_or(Undelivered::Lost)?;
        // Both under the lock, so that `waiting` has the order in which the connection sends them.
        let handed = connection.client.try_publish(topic, QoS::AtLeastOnce, false, payload);
        handed.map_err(|_| Undelivered::Lost)?;
        let (sender, receiver) = oneshot::channel();
        connection.waiting.push_back(sender);
        Ok(InFlight(receiver))
    }

    /// Acknowledges a received message, unless its connection has ended.
    pub(crate) fn acknowledge(&self, number: u64, publish: &Publish) {
        if let Some(connection) = self.lock().as_ref().filter(|connection| connection.number == number) {
            // When the client's channel is full, the broker sends the message again, which is harmless.
            let _ = connection.client.try_ack(publish);
        }
    }

    /// The number of the connection that is subscribed to commands, now and whenever that changes.
    pub(crate) fn subscribed(&self) -> watch::Receiver<Option<u64>> {
        self.subscribed.subscribe()
    }

    /// Waits until a connection is subscribed to commands.
    pub(crate) async fn wait_until_subscribed(&self) {
        // The sender lives as long as the link.
        let _ = self.subscribed.subscribe().wait_for(Option::is_some).await;
    }

    /// Disconnects, so that the broker does not publish the last will.
    pub(crate) async fn disconnect(&self) {
        let closed = self.closed.notified();
        let asked = self.lock().as_ref().is_some_and(|connection| connection.client.try_disconnect().is_ok());
        if asked {
            closed.await;
        }
    }

    pub(crate) fn note_disconnected(&self) {
        self.closed.notify_waiters();
    }

    pub(crate) fn open(&self, number: u64, client: AsyncClient) {
        *self.lock() = Some(Connection { number, client, waiting: VecDeque::new(), sent: HashMap::new() });
    }

    pub(crate) fn note_subscribed(&self, number: u64) {
        self.subscribed.send_replace(Some(number));
    }

    /// Ends the connection; messages that are not acknowledged are lost.
    pub(crate) fn close(&self) {
        self.subscribed.send_replace(None);
        *self.lock() = None;
    }

    pub(crate) fn note_sent(&self, packet: u16) {
        if let Some(connection) = self.lock().as_mut()
            && let Some(sender) = connection.waiting.pop_front()
        {
            connection.sent.insert(packet, sender);
        }
    }

    pub(crate) fn note_acknowledged(&self, packet: u16) {
        let acknowledged = self.lock().as_mut().and_then(|connection| connection.sent.remove(&packet));
        if let Some(sender) = acknowledged {
            // The sender may have timed out.
            let _ = sender.send(());
        }
    }

    fn lock(&self) -> MutexGuard<'_, Option<Connection>> {
        self.connection.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

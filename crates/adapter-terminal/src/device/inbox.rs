//! Received messages, until they are processed.

use std::sync::Arc;

use bytes::Bytes;
use metrics::{Counter, counter};
use rumqttc::Publish;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};

/// Maximum number of queued messages, and of KiB that all messages in work take. Brokers limit the messages that they
/// send before one is acknowledged (mosquitto: 20), but not reliably: mosquitto 2.0.11 sends as many more at every
/// acknowledgement.
pub(crate) const ROOM: usize = 1024;
const SPACE_KIB: usize = 32 << 10;

/// A message from the broker.
pub(crate) struct Message {
    /// The number of the connection that it was received in.
    pub(crate) number: u64,
    pub(crate) publish: Publish,
    _space: OwnedSemaphorePermit,
}

impl Message {
    pub(crate) fn topic(&self) -> &str {
        &self.publish.topic
    }

    pub(crate) fn payload(&self) -> &Bytes {
        &self.publish.payload
    }
}

pub(crate) type Messages = mpsc::Receiver<Message>;

/// Queues messages without blocking the connection: a message that does not fit is dropped and counted.
pub(crate) struct Inbox {
    room: mpsc::Sender<Message>,
    space: Arc<Semaphore>,
    dropped: Counter,
}

impl Inbox {
    pub(crate) fn open() -> (Self, Messages) {
        let (room, messages) = mpsc::channel(ROOM);
        let (space, dropped) = (Arc::new(Semaphore::new(SPACE_KIB)), counter!("polyface_terminal_dropped_total"));
        (Self { room, space, dropped }, messages)
    }

    /// Queues a message of a connection; returns it when there is no room. Messages that are being processed take room
    /// too.
    pub(crate) fn put(&self, number: u64, publish: Publish) -> Option<Publish> {
        let size = (publish.payload.len() >> 10) as u32 + 1;
        let refused = match Arc::clone(&self.space).try_acquire_many_owned(size) {
            Ok(_space) => self.room.try_send(Message { number, publish, _space }).err()?.into_inner().publish,
            Err(_) => publish,
        };
        self.dropped.increment(1);
        tracing::debug!("message dropped: too many queued");
        Some(refused)
    }
}

#[cfg(test)]
mod tests {
    use rumqttc::QoS;

    use super::*;

    fn put(inbox: &Inbox, bytes: usize) -> bool {
        inbox.put(1, Publish::new("x", QoS::AtLeastOnce, vec![b' '; bytes])).is_none()
    }

    #[test]
    fn a_burst_is_queued_up_to_a_limit() {
        let (inbox, mut messages) = Inbox::open();
        assert_eq!((0..ROOM + 7).filter(|_| put(&inbox, 100)).count(), ROOM);
        drop(messages.try_recv().unwrap());
        assert!(put(&inbox, 100));
    }

    #[test]
    fn large_messages_take_room_until_they_are_processed() {
        let (inbox, mut messages) = Inbox::open();
        assert_eq!((0..10).filter(|_| put(&inbox, 8 << 20)).count(), 3);
        let taken = messages.try_recv().unwrap();
        assert!(!put(&inbox, 8 << 20));
        drop(taken);
        assert!(put(&inbox, 8 << 20));
    }
}

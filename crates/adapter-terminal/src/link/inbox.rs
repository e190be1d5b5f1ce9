//! Messages that came in, until somebody has time for them.

use std::sync::Arc;

use bytes::Bytes;
use metrics::{Counter, counter};
use rumqttc::Publish;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};

/// Messages that wait at most, and what they may take together, KiB. Brokers promise to send no more than so many
/// (mosquitto: 20) before they are acknowledged, and do not always keep to it: mosquitto 2.0.11 sends as many more at
/// every acknowledgement.
pub(crate) const ROOM: usize = 1024;
const SPACE_KIB: usize = 32 << 10;

/// A message from the broker.
pub(crate) struct Message {
    /// The connection it came in.
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

/// Takes messages without ever making the connection wait.
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

    /// Takes a message of a connection. Gives it back when there is no room, also while those taken out before are
    /// still being worked on.
    pub(super) fn put(&self, number: u64, publish: Publish) -> Option<Publish> {
        let size = (publish.payload.len() >> 10) as u32 + 1;
        let refused = match Arc::clone(&self.space).try_acquire_many_owned(size) {
            Ok(_space) => self.room.try_send(Message { number, publish, _space }).err()?.into_inner().publish,
            Err(_) => publish,
        };
        self.dropped.increment(1);
        tracing::debug!("a message came faster than messages are taken");
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
    fn a_burst_waits_until_somebody_has_time() {
        let (inbox, mut messages) = Inbox::open();
        assert_eq!((0..ROOM + 7).filter(|_| put(&inbox, 100)).count(), ROOM);
        drop(messages.try_recv().unwrap());
        assert!(put(&inbox, 100));
    }

    #[test]
    fn large_messages_have_room_until_the_work_on_them_is_done() {
        let (inbox, mut messages) = Inbox::open();
        assert_eq!((0..10).filter(|_| put(&inbox, 8 << 20)).count(), 3);
        let taken = messages.try_recv().unwrap();
        assert!(!put(&inbox, 8 << 20));
        drop(taken);
        assert!(put(&inbox, 8 << 20));
    }
}

//! Messages that came in, until somebody has time for them.

use bytes::Bytes;
use metrics::{Counter, counter};
use rumqttc::Publish;
use tokio::sync::mpsc;

/// Messages that wait at most. A broker sends no more than twenty or so before they are acknowledged, unless they
/// are sent without acknowledgement.
const ROOM: usize = 64;

/// A message from the broker.
pub(crate) struct Message {
    /// The connection it came in.
    pub(crate) number: u64,
    pub(crate) publish: Publish,
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
    dropped: Counter,
}

impl Inbox {
    pub(crate) fn open() -> (Self, Messages) {
        let (room, messages) = mpsc::channel(ROOM);
        (Self { room, dropped: counter!("polyface_terminal_dropped_total") }, messages)
    }

    /// Gives it back when there is no room.
    pub(super) fn put(&self, message: Message) -> Option<Message> {
        let refused = self.room.try_send(message).err()?;
        self.dropped.increment(1);
        tracing::debug!("a message came faster than messages are taken");
        Some(refused.into_inner())
    }
}

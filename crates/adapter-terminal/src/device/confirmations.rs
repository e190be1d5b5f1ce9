//! Confirmations by the platform.

use std::sync::{Mutex, PoisonError};

use domain::{RecordKind, Seq};
use tokio::sync::{oneshot, watch};

/// The confirmations that pushes wait for: one record of each kind, and the online notice.
pub(crate) struct Confirmations {
    online: watch::Sender<u64>,
    people: Outstanding,
    strangers: Outstanding,
}

/// The record of a kind that is to be confirmed.
type Outstanding = Mutex<Option<(Seq, oneshot::Sender<()>)>>;

impl Default for Confirmations {
    fn default() -> Self {
        Self { online: watch::Sender::new(0), people: Mutex::default(), strangers: Mutex::default() }
    }
}

impl Confirmations {
    /// Changes when the platform confirms that the device is online.
    pub(crate) fn online(&self) -> watch::Receiver<u64> {
        self.online.subscribe()
    }

    pub(crate) fn confirm_online(&self) {
        self.online.send_modify(|times| *times += 1);
    }

    /// Expects the confirmation of a record, in place of another one of its kind.
    pub(crate) fn expect(&self, kind: RecordKind, seq: Seq) -> oneshot::Receiver<()> {
        let (sender, receiver) = oneshot::channel();
        *self.outstanding(kind).lock().unwrap_or_else(PoisonError::into_inner) = Some((seq, sender));
        receiver
    }

    /// Whether the confirmation of this record is expected.
    pub(crate) fn expects(&self, kind: RecordKind, seq: Seq) -> bool {
        let outstanding = self.outstanding(kind).lock().unwrap_or_else(PoisonError::into_inner);
        outstanding.as_ref().is_some_and(|(waiting, sender)| *waiting == seq && !sender.is_closed())
    }

    /// Passes the confirmation of a record on to the push that expects it.
    pub(crate) fn confirm(&self, kind: RecordKind, seq: Seq) {
        let mut outstanding = self.outstanding(kind).lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, sender)) = outstanding.take_if(|(waiting, _)| *waiting == seq) {
            // The push may have been cancelled.
            let _ = sender.send(());
        }
    }

    fn outstanding(&self, kind: RecordKind) -> &Outstanding {
        match kind {
            RecordKind::People => &self.people,
            RecordKind::Strangers => &self.strangers,
        }
    }
}

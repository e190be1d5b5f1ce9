//! What the platform has confirmed.

use std::sync::{Mutex, PoisonError};

use domain::Seq;
use tokio::sync::{oneshot, watch};

use super::Kind;

/// Between those who wait for a confirmation and those who take one.
pub(crate) struct Confirmations {
    online: watch::Sender<u64>,
    person: Outstanding,
    stranger: Outstanding,
}

/// The one record of a kind that is to be confirmed.
type Outstanding = Mutex<Option<(Seq, oneshot::Sender<()>)>>;

impl Default for Confirmations {
    fn default() -> Self {
        Self { online: watch::Sender::new(0), person: Mutex::default(), stranger: Mutex::default() }
    }
}

impl Confirmations {
    /// Changes when the platform knows that the device is online.
    pub(crate) fn online(&self) -> watch::Receiver<u64> {
        self.online.subscribe()
    }

    pub(crate) fn confirm_online(&self) {
        self.online.send_modify(|times| *times += 1);
    }

    /// Waits for the confirmation of a record, in place of another of its kind.
    pub(super) fn expect(&self, kind: Kind, seq: Seq) -> oneshot::Receiver<()> {
        let (sender, receiver) = oneshot::channel();
        *self.outstanding(kind).lock().unwrap_or_else(PoisonError::into_inner) = Some((seq, sender));
        receiver
    }

    /// Whether somebody waits for it.
    pub(crate) fn expects(&self, kind: Kind, seq: Seq) -> bool {
        let outstanding = self.outstanding(kind).lock().unwrap_or_else(PoisonError::into_inner);
        outstanding.as_ref().is_some_and(|(waiting, sender)| *waiting == seq && !sender.is_closed())
    }

    /// Tells whoever waits for it.
    pub(crate) fn confirm(&self, kind: Kind, seq: Seq) {
        let mut outstanding = self.outstanding(kind).lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, sender)) = outstanding.take_if(|(waiting, _)| *waiting == seq) {
            // Who waited may have given up since.
            let _ = sender.send(());
        }
    }

    fn outstanding(&self, kind: Kind) -> &Outstanding {
        match kind {
            Kind::Person => &self.person,
            Kind::Stranger => &self.stranger,
        }
    }
}

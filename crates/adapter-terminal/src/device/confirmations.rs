//! Confirmations by the platform.

use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

use domain::{RecordKind, Seq};
use tokio::sync::{oneshot, watch};

/// Maximum number of confirmations remembered of records whose turn is still to come; more are sent all the same.
const EARLY: usize = 1024;

/// The confirmations that pushes wait for: one record of each kind, and the online notice.
pub(crate) struct Confirmations {
    online: watch::Sender<u64>,
    people: Mutex<Outstanding>,
    strangers: Mutex<Outstanding>,
}

#[derive(Default)]
struct Outstanding {
    /// The record of a kind that is to be confirmed.
    waiting: Option<(Seq, oneshot::Sender<()>)>,
    /// Records that were confirmed before their turn, after a push on demand.
    early: BTreeSet<Seq>,
}

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

    /// Expects the confirmation of a record, in place of another one of its kind. It is there at once when the record
    /// was confirmed early.
    pub(crate) fn expect(&self, kind: RecordKind, seq: Seq) -> oneshot::Receiver<()> {
        let (sender, receiver) = oneshot::channel();
        let mut outstanding = self.outstanding(kind);
        outstanding.early = outstanding.early.split_off(&seq);
        if outstanding.early.remove(&seq) {
            // The receiver is here.
            let _ = sender.send(());
        } else {
            outstanding.waiting = Some((seq, sender));
        }
        receiver
    }

    /// Whether the confirmation of this record is expected.
    pub(crate) fn expects(&self, kind: RecordKind, seq: Seq) -> bool {
        let outstanding = self.outstanding(kind);
        outstanding.waiting.as_ref().is_some_and(|(waiting, sender)| *waiting == seq && !sender.is_closed())
    }

    /// Passes the confirmation of a record on to the push that expects it, or remembers it until its turn.
    pub(crate) fn confirm(&self, kind: RecordKind, seq: Seq) {
        let mut outstanding = self.outstanding(kind);
        if let Some((_, sender)) = outstanding.waiting.take_if(|(waiting, _)| *waiting == seq) {
            // The push may have been cancelled.
            let _ = sender.send(());
        } else if outstanding.early.len() < EARLY {
            outstanding.early.insert(seq);
        }
    }

    /// Forgets what was confirmed early: everything is to be sent.
    pub(crate) fn forget_early(&self) {
        for kind in [RecordKind::People, RecordKind::Strangers] {
            self.outstanding(kind).early.clear();
        }
    }

    fn outstanding(&self, kind: RecordKind) -> MutexGuard<'_, Outstanding> {
        let outstanding = match kind {
            RecordKind::People => &self.people,
            RecordKind::Strangers => &self.strangers,
        };
        outstanding.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_that_was_confirmed_early_waits_for_nothing() {
        let (confirmations, kind) = (Confirmations::default(), RecordKind::People);
        let mut first = confirmations.expect(kind, Seq(1));
        for seq in [3, 4, 9] {
            confirmations.confirm(kind, Seq(seq));
        }
        assert!(first.try_recv().is_err());
        assert!(confirmations.expect(RecordKind::Strangers, Seq(3)).try_recv().is_err(), "of another kind");
        assert!(confirmations.expect(kind, Seq(3)).try_recv().is_ok());
        assert!(confirmations.expect(kind, Seq(5)).try_recv().is_err());
        assert_eq!(confirmations.outstanding(kind).early, [Seq(9)].into(), "the place of 4 was passed");
        confirmations.forget_early();
        assert!(confirmations.expect(kind, Seq(9)).try_recv().is_err());
        for seq in 0..2 * EARLY as i64 {
            confirmations.confirm(kind, Seq(100 + seq));
        }
        assert_eq!(confirmations.outstanding(kind).early.len(), EARLY);
    }
}

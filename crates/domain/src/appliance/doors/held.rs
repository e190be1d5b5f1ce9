//! The open doors, and when each is to close.

use std::collections::HashMap;
use std::sync::atomic::AtomicBool;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;

use super::confirmed::Confirmed;
use super::proofs::Proofs;
use crate::{Error, Output, Result};

/// Delay before the first retry to close a door; doubled for each further one.
const RETRY_DELAY: Duration = Duration::from_millis(500);
/// Maximum number of attempts to close a door; the last is about eight minutes after the first.
const MAX_ATTEMPTS: u32 = 11;

/// The state of the doors.
pub(in crate::appliance) struct Doors {
    pub(super) proofs: Proofs,
    pub(super) confirmed: Confirmed,
    /// `None` once doors are closed for good: a door opened then would stay open.
    open: Mutex<Option<HashMap<Output, Held>>>,
    /// Whether the contact is closed while the door is.
    pub(super) inverted: AtomicBool,
    /// Held while the rules are applied to the contact.
    pub(super) contact_lock: tokio::sync::Mutex<()>,
    /// Notified when the next door to close may have changed.
    pub(super) changed: Notify,
}

/// A door that is, or may be, open.
#[derive(Debug, Clone, Copy)]
struct Held {
    until: Instant,
    /// Whether an attempt to close it is running.
    closing: bool,
    /// Number of failed attempts to close it.
    failures: u32,
}

impl Default for Doors {
    fn default() -> Self {
        let open = Mutex::new(Some(HashMap::new()));
        Self {
            proofs: Proofs::default(),
            confirmed: Confirmed::default(),
            open,
            inverted: AtomicBool::new(false),
            contact_lock: tokio::sync::Mutex::default(),
            changed: Notify::new(),
        }
    }
}

impl Doors {
    fn open(&self) -> MutexGuard<'_, Option<HashMap<Output, Held>>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Registers a door to stay open until `until`, or longer if that is registered already. `Unavailable` after
    /// [`end`](Self::end).
    pub(super) fn hold(&self, output: Output, until: Instant) -> Result<()> {
        let mut open = self.open();
        let open = open.as_mut().ok_or(Error::Unavailable { what: "anybody to close the door" })?;
        let until = open.get(&output).map_or(until, |held| held.until.max(until));
        open.insert(output, Held { until, closing: false, failures: 0 });
        self.changed.notify_one();
        Ok(())
    }

    /// Registers that the caller closes a door now, however long it was to stay open. `Unavailable` after
    /// [`end`](Self::end).
    pub(super) fn close_now(&self, output: Output) -> Result<()> {
        let mut open = self.open();
        let open = open.as_mut().ok_or(Error::Unavailable { what: "door control" })?;
        open.insert(output, Held { until: Instant::now(), closing: true, failures: 0 });
        Ok(())
    }

    /// Whether a door is, or may be, open.
    pub(super) fn is_open(&self, output: Output) -> bool {
        self.open().iter().flatten().any(|(open, _)| *open == output)
    }

    /// When the next door is to close; `None` when none is.
    pub(super) fn next(&self) -> Option<Instant> {
        self.open().iter().flatten().filter(|(_, held)| !held.closing).map(|(_, held)| held.until).min()
    }

    /// Takes the doors that are to close by now; the caller closes them.
    pub(super) fn due(&self, now: Instant) -> Vec<Output> {
        let mut open = self.open();
        let due = open.iter_mut().flatten().filter(|(_, held)| !held.closing && held.until <= now);
        due.map(|(output, held)| {
            held.closing = true;
            *output
        })
        .collect()
    }

    /// Takes all doors that may be open; from now on none can be opened.
    pub(super) fn end(&self) -> Vec<Output> {
        self.open().take().unwrap_or_default().into_keys().collect()
    }

    /// Reports that an output was switched off. Returns `false` when the door was opened meanwhile and the output must
    /// be on.
    pub(super) fn closed(&self, output: Output) -> bool {
        let mut open = self.open();
        let Some(open) = open.as_mut() else { return true };
        let over = open.get(&output).is_none_or(|held| held.closing);
        if over {
            open.remove(&output);
        }
        over
    }

    /// Reports that an output could not be switched off. Schedules a retry, up to [`MAX_ATTEMPTS`].
    pub(super) fn close_failed(&self, output: Output, error: &Error) {
        let mut open = self.open();
        // A door that was opened meanwhile is closed later anyway.
        let Some(held) = open.as_mut().and_then(|open| open.get_mut(&output)).filter(|held| held.closing) else {
            return;
        };
        held.failures += 1;
        held.closing = false;
        held.until = Instant::now() + RETRY_DELAY * 2_u32.pow(held.failures - 1);
        self.changed.notify_one();
        match held.failures {
            1 => tracing::error!(door.output = %output, error = error.chain(), "failed to close door, retrying"),
            MAX_ATTEMPTS.. => {
                tracing::error!(door.output = %output, "failed to close door, giving up");
                open.as_mut().and_then(|open| open.remove(&output));
            }
            _ => {}
        }
    }
}

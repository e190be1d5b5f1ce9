//! What is open, and until when.

use std::collections::HashMap;
use std::sync::atomic::AtomicBool;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;

use super::confirmed::Confirmed;
use super::proofs::Proofs;
use crate::{Error, Output, Result};

/// A door that cannot be closed is tried again after this time, then after twice as long, and so on.
const CLOSE_AGAIN: Duration = Duration::from_millis(500);
/// After so many attempts, the last one some eight minutes after the first, it is given up.
const ATTEMPTS: u32 = 11;

/// The doors and who waits before them.
pub(in crate::appliance) struct Doors {
    pub(super) proofs: Proofs,
    pub(super) confirmed: Confirmed,
    /// `None` from the end on: what is opened then would stay open.
    open: Mutex<Option<HashMap<Output, Held>>>,
    /// Whether the contact is closed while the door is.
    pub(super) inverted: AtomicBool,
    /// Held while the contact is made to follow the rules.
    pub(super) following: tokio::sync::Mutex<()>,
    /// Told when the next door to close may be another one.
    pub(super) changed: Notify,
}

/// A door that is, or may be, open.
#[derive(Debug, Clone, Copy)]
struct Held {
    until: Instant,
    /// Whether somebody is closing it.
    closing: bool,
    /// How often it was tried in vain to close it.
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
            following: tokio::sync::Mutex::default(),
            changed: Notify::new(),
        }
    }
}

impl Doors {
    fn open(&self) -> MutexGuard<'_, Option<HashMap<Output, Held>>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes that it stays open until then, or for longer when that was already so. `Unavailable` after the end.
    pub(super) fn hold(&self, output: Output, until: Instant) -> Result<()> {
        let mut open = self.open();
        let open = open.as_mut().ok_or(Error::Unavailable { what: "anybody to close the door" })?;
        let until = open.get(&output).map_or(until, |held| held.until.max(until));
        open.insert(output, Held { until, closing: false, failures: 0 });
        self.changed.notify_one();
        Ok(())
    }

    /// Whether it is, or may be, open.
    pub(super) fn is_open(&self, output: Output) -> bool {
        self.open().iter().flatten().any(|(open, _)| *open == output)
    }

    /// When the next door is to close.
    pub(super) fn next(&self) -> Option<Instant> {
        self.open().iter().flatten().filter(|(_, held)| !held.closing).map(|(_, held)| held.until).min()
    }

    /// What is to close by now; whoever asks closes it.
    pub(super) fn due(&self, now: Instant) -> Vec<Output> {
        let mut open = self.open();
        let due = open.iter_mut().flatten().filter(|(_, held)| !held.closing && held.until <= now);
        due.map(|(output, held)| {
            held.closing = true;
            *output
        })
        .collect()
    }

    /// All that may be open; from now on nothing is opened any more.
    pub(super) fn end(&self) -> Vec<Output> {
        self.open().take().unwrap_or_default().into_keys().collect()
    }

    /// Notes that it was switched off. False when somebody has opened it meanwhile, and it must be on.
    pub(super) fn closed(&self, output: Output) -> bool {
        let mut open = self.open();
        let Some(open) = open.as_mut() else { return true };
        let over = open.get(&output).is_none_or(|held| held.closing);
        if over {
            open.remove(&output);
        }
        over
    }

    /// Notes that it could not be switched off; it is tried again, but not for ever.
    pub(super) fn stuck(&self, output: Output, error: &Error) {
        let mut open = self.open();
        // Whoever has opened it meanwhile has it closed later.
        let Some(held) = open.as_mut().and_then(|open| open.get_mut(&output)).filter(|held| held.closing) else {
            return;
        };
        held.failures += 1;
        held.closing = false;
        held.until = Instant::now() + CLOSE_AGAIN * 2_u32.pow(held.failures - 1);
        self.changed.notify_one();
        match held.failures {
            1 => tracing::error!(door.output = %output, error = error.chain(), "a door could not be closed"),
            ATTEMPTS.. => {
                tracing::error!(door.output = %output, "a door that could not be closed is given up");
                open.as_mut().and_then(|open| open.remove(&output));
            }
            _ => {}
        }
    }
}

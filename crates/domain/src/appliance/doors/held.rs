//! What is open, and until when.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, broadcast};
use tokio::time::Instant;

use super::Arrival;
use crate::{Error, Output};

/// People who wait for their doors at most; beyond that the one who waits longest is not let in.
const WAITING: usize = 32;
/// A door that cannot be closed is tried again after this time, then after twice as long, and so on.
const CLOSE_AGAIN: Duration = Duration::from_millis(500);
/// After so many attempts, the last one some eight minutes after the first, it is given up.
const ATTEMPTS: u32 = 11;

/// The doors and who waits before them.
pub(in crate::appliance) struct Doors {
    pub(super) arrivals: broadcast::Sender<Arrival>,
    open: Mutex<HashMap<Output, Held>>,
    /// Told when a door opens.
    pub(super) opened: Notify,
}

/// A door that is, or may be, open.
#[derive(Debug, Clone, Copy)]
struct Held {
    until: Instant,
    /// How often it was tried in vain to close it.
    failures: u32,
}

impl Default for Doors {
    fn default() -> Self {
        Self { arrivals: broadcast::Sender::new(WAITING), open: Mutex::default(), opened: Notify::new() }
    }
}

impl Doors {
    fn open(&self) -> MutexGuard<'_, HashMap<Output, Held>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes that it stays open until then, or for longer when that was already so.
    pub(super) fn hold(&self, output: Output, until: Instant) {
        let mut open = self.open();
        let held = open.get(&output).map_or(until, |held| held.until.max(until));
        open.insert(output, Held { until: held, failures: 0 });
        drop(open);
        self.opened.notify_one();
    }

    /// When the next door is to close.
    pub(super) fn next(&self) -> Option<Instant> {
        self.open().values().map(|held| held.until).min()
    }

    /// All that may be open; none of it is held any longer.
    pub(super) fn release(&self) -> Vec<Output> {
        self.open().drain().map(|(output, _)| output).collect()
    }

    /// What is to close by now.
    pub(super) fn due(&self, now: Instant) -> Vec<Output> {
        self.open().iter().filter(|(_, held)| held.until <= now).map(|(output, _)| *output).collect()
    }

    /// Notes that it was switched off. False when somebody has opened it meanwhile, and it must be on.
    pub(super) fn closed(&self, output: Output) -> bool {
        let mut open = self.open();
        let over = open.get(&output).is_none_or(|held| held.until <= Instant::now());
        if over {
            open.remove(&output);
        }
        over
    }

    /// Notes that it could not be switched off; it is tried again, but not for ever.
    pub(super) fn stuck(&self, output: Output, error: &Error) {
        let mut open = self.open();
        let Some(held) = open.get_mut(&output) else { return };
        held.failures += 1;
        let again = Instant::now() + CLOSE_AGAIN * 2_u32.pow(held.failures - 1);
        held.until = held.until.max(again);
        match held.failures {
            1 => tracing::error!(door.output = %output, error = error.chain(), "a door could not be closed"),
            ATTEMPTS.. => {
                tracing::error!(door.output = %output, "a door that could not be closed is given up");
                open.remove(&output);
            }
            _ => {}
        }
    }
}

//! Counts attempts to log in, each before it is checked.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::source::Source;
use crate::{Error, Result};

/// Wrong attempts for one name from one source that lock it, and from all sources after which new sources are delayed.
const ATTEMPTS: u32 = 5;
/// How long a failure counts, and how long a lock lasts.
const WINDOW: Duration = Duration::from_secs(5 * 60);
/// Interval between two attempts from unknown sources for a name that is being guessed.
const TURN: Duration = Duration::from_secs(2);
/// Maximum delay of an attempt.
const LONGEST_DELAY: Duration = Duration::from_secs(16);
/// Sources per name from which a login succeeded.
const KNOWN_SOURCES: usize = 16;
/// Maximum number of names, and of pairs of name and source, remembered; beyond that the one with the oldest failure is
/// forgotten.
const REMEMBERED: usize = 4096;
/// Characters of a name that count. Names of accounts are not longer.
const NAME: usize = 64;

/// The attempts for every name.
#[derive(Default)]
pub(crate) struct Attempts {
    /// Names with an account.
    accounts: Mutex<Table>,
    /// All other names. Callers can make up any number of them, so they are kept apart.
    others: Mutex<Table>,
    /// Held during an attempt that needs no time, so that no two are in flight.
    pub(super) instant_order: Mutex<()>,
}

#[derive(Default)]
struct Table {
    by_source: HashMap<(String, Source), Count>,
    by_name: HashMap<String, Name>,
}

/// Wrong attempts, and those being checked.
#[derive(Default)]
struct Count {
    wrong: u32,
    last: Option<Instant>,
    in_flight: u32,
}

#[derive(Default)]
struct Name {
    count: Count,
    /// Sources from which a login succeeded, the latest last.
    known: Vec<Source>,
    next_turn: Option<Instant>,
}

/// A counted attempt. Dropped without an outcome, it was not checked and does not count.
pub(super) struct Attempt {
    attempts: Arc<Attempts>,
    name: String,
    source: Source,
    has_account: bool,
    /// When it may be checked; `None`: at once.
    pub(super) turn: Option<Instant>,
}

/// Why an attempt is not checked.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// Too many wrong attempts; the lock lasts so long.
    Locked(Duration),
    /// So many attempts are being checked that another could be one too many.
    Busy,
}

impl Attempts {
    /// Counts an attempt.
    ///
    /// # Errors
    /// The attempt must not be checked.
    pub(super) fn start(self: &Arc<Self>, name: &str, source: Source, has_account: bool) -> Result<Attempt, Refusal> {
        let name: String = name.chars().take(NAME).collect();
        let turn = self.table(has_account).start(&name, source)?;
        Ok(Attempt { attempts: Arc::clone(self), name, source, has_account, turn })
    }

    /// Forgets the failures and the known sources of a name.
    pub(crate) fn forget(&self, name: &str) {
        let mut table = self.table(true);
        table.by_source.iter_mut().filter(|((of, _), _)| of == name).for_each(|(_, count)| count.wrong = 0);
        if let Some(of) = table.by_name.get_mut(name) {
            of.count.wrong = 0;
            of.known.clear();
        }
    }

    fn table(&self, has_account: bool) -> MutexGuard<'_, Table> {
        let table = if has_account { &self.accounts } else { &self.others };
        table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Attempt {
    /// The attempt was wrong. Returns whether it has locked name and source.
    pub(super) fn was_wrong(self) -> bool {
        let mut table = self.attempts.table(self.has_account);
        table.of_name(&self.name).count.fail();
        table.of_source(&self.name, self.source).fail() == ATTEMPTS
    }

    /// The attempt was right. `by_password`: it ends the count of this source. A digest comes with every request of a
    /// platform; if it ended the count, callers behind the same address could guess without end.
    pub(super) fn was_right(self, by_password: bool) {
        let mut table = self.attempts.table(self.has_account);
        if by_password {
            table.of_source(&self.name, self.source).wrong = 0;
        }
        let known = &mut table.of_name(&self.name).known;
        known.retain(|source| *source != self.source);
        known.push(self.source);
        if known.len() > KNOWN_SOURCES {
            known.remove(0);
        }
    }
}

impl Drop for Attempt {
    fn drop(&mut self) {
        let mut table = self.attempts.table(self.has_account);
        table.of_source(&self.name, self.source).land();
        table.of_name(&self.name).count.land();
        table.shrink();
    }
}

impl Table {
    /// Counts an attempt and returns its turn.
    fn start(&mut self, name: &str, source: Source) -> Result<Option<Instant>, Refusal> {
        let own = self.of_source(name, source);
        if own.wrong >= ATTEMPTS {
            return Err(Refusal::Locked(own.left()));
        }
        if own.wrong + own.in_flight >= ATTEMPTS {
            return Err(Refusal::Busy);
        }
        let is_first = own.in_flight == 0;
        let of_name = self.of_name(name);
        let turn = match of_name.is_guessed() && !of_name.known.contains(&source) {
            // One source cannot take the turns of others.
            true if !is_first => return Err(Refusal::Busy),
            true => Some(of_name.take_turn()?),
            false => None,
        };
        of_name.count.in_flight += 1;
        self.of_source(name, source).in_flight += 1;
        Ok(turn)
    }

    fn of_source(&mut self, name: &str, source: Source) -> &mut Count {
        self.by_source.entry((name.to_owned(), source)).or_default().refreshed()
    }

    fn of_name(&mut self, name: &str) -> &mut Name {
        let of_name = self.by_name.entry(name.to_owned()).or_default();
        of_name.count.refreshed();
        of_name
    }

    fn shrink(&mut self) {
        // A count that never failed says nothing.
        let is_empty = |count: &Count| count.wrong == 0 && count.in_flight == 0;
        self.by_source.retain(|_, count| !is_empty(count));
        self.by_name.retain(|_, name| !is_empty(&name.count) || !name.known.is_empty());
        forget_oldest(&mut self.by_source, |count| count);
        forget_oldest(&mut self.by_name, |name| &name.count);
    }
}

fn forget_oldest<K: Hash + Eq + Clone, V>(table: &mut HashMap<K, V>, count: impl Fn(&V) -> &Count) {
    if table.len() <= REMEMBERED {
        return;
    }
    let settled = table.iter().filter(|(_, value)| count(value).in_flight == 0);
    let oldest = settled.min_by_key(|(_, value)| count(value).last).map(|(key, _)| key.clone());
    oldest.map(|key| table.remove(&key));
}

impl Count {
    /// The count without failures that are too old to count.
    fn refreshed(&mut self) -> &mut Self {
        if self.left().is_zero() {
            self.wrong = 0;
        }
        self
    }

    /// How long the failures still count.
    fn left(&self) -> Duration {
        self.last.map_or(Duration::ZERO, |last| WINDOW.saturating_sub(last.elapsed()))
    }

    fn fail(&mut self) -> u32 {
        self.wrong += 1;
        self.last = Some(Instant::now());
        self.wrong
    }

    /// An attempt is no longer in flight.
    fn land(&mut self) {
        self.in_flight = self.in_flight.saturating_sub(1);
    }
}

impl Name {
    /// Whether so many attempts failed or are being checked that unknown sources must wait.
    fn is_guessed(&self) -> bool {
        self.count.wrong + self.count.in_flight >= ATTEMPTS
    }

    /// The next turn; `Busy` when it is too far away.
    fn take_turn(&mut self) -> Result<Instant, Refusal> {
        let now = Instant::now();
        let turn = self.next_turn.map_or(now + TURN, |next| next.max(now + TURN));
        if turn - now > LONGEST_DELAY {
            return Err(Refusal::Busy);
        }
        self.next_turn = Some(turn + TURN);
        Ok(turn)
    }
}

impl Refusal {
    /// The error of the core, with the end of a lock by the device's clock.
    pub(super) fn into_error(self, now: crate::Timestamp) -> Error {
        match self {
            Self::Locked(left) => Error::Locked { until: now.plus_millis(left.as_millis() as i64) },
            Self::Busy => Error::Busy,
        }
    }
}

#[cfg(test)]
mod tests;

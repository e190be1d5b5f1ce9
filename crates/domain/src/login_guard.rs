//! Logins that fail too often.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use crate::Timestamp;

/// Failures in a row after which a key has to wait.
const FAILURES_BEFORE_LOCK: u32 = 5;
/// How long it has to wait.
const LOCK_MILLIS: i64 = 5 * 60_000;
/// Keys remembered at most; the stalest is forgotten first.
const REMEMBERED: usize = 4096;

/// Counts failed logins by what they have in common: a user name, an address, or both. Five in a row lock it for five
/// minutes.
#[derive(Debug, Default)]
pub struct LoginGuard {
    failures: Mutex<HashMap<String, Failures>>,
}

#[derive(Debug)]
struct Failures {
    count: u32,
    last: Timestamp,
}

impl LoginGuard {
    /// When the last of these that have to wait is tried again; `None` when none has to.
    pub fn locked_until(&self, keys: &[String], now: Timestamp) -> Option<Timestamp> {
        let failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        let locked = keys.iter().filter_map(|key| failures.get(key)).filter(|f| f.count >= FAILURES_BEFORE_LOCK);
        locked.map(|f| f.last.plus_millis(LOCK_MILLIS)).filter(|until| *until > now).max()
    }

    /// Counts a failure of all of these; whether it is the one that locks.
    pub fn fail(&self, keys: &[String], now: Timestamp) -> bool {
        let mut failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        let mut locks = false;
        for key in keys {
            let entry = failures.entry(key.clone()).or_insert(Failures { count: 0, last: now });
            if now.millis_since(entry.last) >= LOCK_MILLIS {
                entry.count = 0;
            }
            entry.count += 1;
            entry.last = now;
            locks |= entry.count == FAILURES_BEFORE_LOCK;
        }
        if failures.len() > REMEMBERED {
            let stalest = failures.iter().min_by_key(|(_, f)| f.last).map(|(key, _)| key.clone());
            stalest.map(|key| failures.remove(&key));
        }
        locks
    }

    /// Forgets the failures of all of these: the login succeeded.
    pub fn forget(&self, keys: &[String]) {
        let mut failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        for key in keys {
            failures.remove(key);
        }
    }
}

//! Locks logins that fail repeatedly.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use crate::Timestamp;

/// Failures in a row that lock a key.
const FAILURES_BEFORE_LOCK: u32 = 5;
/// How long a key is locked.
const LOCK_MILLIS: i64 = 5 * 60_000;
/// Maximum number of keys remembered; beyond that the one with the oldest failure is forgotten.
const REMEMBERED: usize = 4096;

/// Counts failed logins per key: a user name, an address, or both. Five failures in a row lock the key for five
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
    /// When the last lock of these keys ends; `None` when none is locked.
    pub fn locked_until(&self, keys: &[String], now: Timestamp) -> Option<Timestamp> {
        let failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        let locked = keys.iter().filter_map(|key| failures.get(key)).filter(|f| f.count >= FAILURES_BEFORE_LOCK);
        locked.map(|f| f.last.plus_millis(LOCK_MILLIS)).filter(|until| *until > now).max()
    }

    /// Counts a failure of all these keys. Returns whether it has locked one.
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

    /// Forgets the failures of all these keys, after a successful login.
    pub fn forget(&self, keys: &[String]) {
        let mut failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        for key in keys {
            failures.remove(key);
        }
    }
}

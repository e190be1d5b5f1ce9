//! The nonces of challenges: bound to no connection and no address.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// Validity of a nonce.
const VALIDITY: Duration = Duration::from_secs(5 * 60);
/// Maximum number of nonces without a login; the oldest is dropped. Unauthenticated requests can fill this table, but drop
/// no nonce that logins are made with.
const MOST_FRESH: usize = 10_000;
/// Maximum number of nonces that logins are made with.
const MOST_USED: usize = 1_000;

/// The nonces that were given out.
#[derive(Default)]
pub(crate) struct Nonces {
    known: Mutex<Known>,
}

#[derive(Default)]
struct Known {
    /// When each was given out.
    fresh: HashMap<u64, Instant>,
    /// The fresh ones, the oldest first, and perhaps some that are fresh no more.
    order: VecDeque<u64>,
    used: HashMap<u64, Used>,
}

struct Used {
    made: Instant,
    /// The highest count that a request had.
    count: u32,
}

impl Nonces {
    /// A new nonce, hard to guess.
    pub(crate) fn give_out(&self) -> u64 {
        let nonce = rand::random();
        let mut known = self.lock();
        known.drop_old();
        known.fresh.insert(nonce, Instant::now());
        known.order.push_back(nonce);
        nonce
    }

    /// Notes a request that was proved to know the password; false when the nonce is unknown or too old, or its count
    /// was seen before: then the nonce is void.
    pub(crate) fn take(&self, nonce: u64, count: u32) -> bool {
        let mut known = self.lock();
        let (made, last) = match known.used.get(&nonce) {
            Some(used) => (used.made, used.count),
            None => match known.fresh.remove(&nonce) {
                Some(made) => (made, 0),
                None => return false,
            },
        };
        if made.elapsed() >= VALIDITY || count <= last {
            known.used.remove(&nonce);
            return false;
        }
        known.used.insert(nonce, Used { made, count });
        known.bound_used();
        true
    }

    fn lock(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Known {
    /// Drops the fresh nonces that are too old or too many.
    fn drop_old(&mut self) {
        while let Some(oldest) = self.order.front() {
            let lives = self.fresh.get(oldest).is_some_and(|made| made.elapsed() < VALIDITY);
            if lives && self.order.len() < MOST_FRESH {
                return;
            }
            self.fresh.remove(oldest);
            self.order.pop_front();
        }
    }

    fn bound_used(&mut self) {
        if self.used.len() <= MOST_USED {
            return;
        }
        self.used.retain(|_, used| used.made.elapsed() < VALIDITY);
        if self.used.len() > MOST_USED {
            let oldest = self.used.iter().min_by_key(|(_, used)| used.made).map(|(nonce, _)| *nonce);
            oldest.map(|nonce| self.used.remove(&nonce));
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::advance;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_nonce_serves_while_its_count_rises_for_five_minutes() {
        let nonces = Nonces::default();
        let nonce = nonces.give_out();
        assert!(nonces.take(nonce, 2) && nonces.take(nonce, 3) && nonces.take(nonce, 9));
        advance(VALIDITY - Duration::from_millis(1)).await;
        assert!(nonces.take(nonce, 10));
        advance(Duration::from_millis(1)).await;
        assert!(!nonces.take(nonce, 11));
    }

    #[tokio::test(start_paused = true)]
    async fn a_count_that_repeats_or_falls_voids_its_own_nonce_only() {
        let nonces = Nonces::default();
        let (one, other) = (nonces.give_out(), nonces.give_out());
        assert!(nonces.take(one, 5) && nonces.take(other, 1));
        assert!(!nonces.take(one, 5));
        assert!(!nonces.take(one, 6), "it is void");
        assert!(nonces.take(other, 2));
        let third = nonces.give_out();
        assert!(nonces.take(third, 5) && !nonces.take(third, 4));
        assert!(!nonces.take(12345, 1) && !nonces.take(nonces.give_out(), 0));
    }

    #[tokio::test(start_paused = true)]
    async fn strangers_void_no_nonce_that_is_in_use() {
        let nonces = Nonces::default();
        let (used, unused) = (nonces.give_out(), nonces.give_out());
        assert!(nonces.take(used, 1));
        for _ in 0..2 * MOST_FRESH {
            nonces.give_out();
        }
        assert!(nonces.lock().order.len() <= MOST_FRESH && nonces.lock().fresh.len() <= MOST_FRESH);
        assert!(nonces.take(used, 2));
        assert!(!nonces.take(unused, 1));
        for _ in 0..MOST_USED {
            advance(Duration::from_millis(1)).await;
            assert!(nonces.take(nonces.give_out(), 1));
        }
        assert!(!nonces.take(used, 3) && nonces.lock().used.len() == MOST_USED);
    }
}

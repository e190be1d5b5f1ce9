//! The gate before every computation of a password hash.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::source::Source;
use crate::{Error, Result};

/// Computations at a time. Each takes 19 MiB and a core.
const AT_A_TIME: usize = 2;
/// Maximum number of callers inside the gate, computing or waiting.
const INSIDE: usize = 18;
/// Maximum number of callers from one source inside the gate, so that one source cannot fill it.
const INSIDE_PER_SOURCE: usize = 4;

/// Bounds the memory and processor time that password hashes take, whatever the number of callers.
#[derive(Clone)]
pub(crate) struct Gate {
    turns: Arc<Semaphore>,
    inside: Arc<Mutex<HashMap<Source, usize>>>,
}

/// The right to compute one hash at a time, until dropped.
pub(crate) struct Pass {
    _turn: OwnedSemaphorePermit,
    _place: Place,
}

/// A place inside the gate.
struct Place {
    inside: Arc<Mutex<HashMap<Source, usize>>>,
    source: Source,
}

impl Default for Gate {
    fn default() -> Self {
        Self { turns: Arc::new(Semaphore::new(AT_A_TIME)), inside: Arc::default() }
    }
}

impl Gate {
    /// Waits for a turn, in order of arrival.
    ///
    /// # Errors
    /// `Busy` when too many callers wait already, in total or from this source.
    pub(super) async fn enter(&self, source: Source) -> Result<Pass> {
        let place = self.place(source).ok_or(Error::Busy)?;
        let turn = Arc::clone(&self.turns).acquire_owned().await.map_err(|_| Error::Busy)?;
        Ok(Pass { _turn: turn, _place: place })
    }

    fn place(&self, source: Source) -> Option<Place> {
        let mut inside = self.inside.lock().unwrap_or_else(PoisonError::into_inner);
        let own = inside.get(&source).copied().unwrap_or_default();
        if own >= INSIDE_PER_SOURCE || inside.values().sum::<usize>() >= INSIDE {
            return None;
        }
        inside.insert(source, own + 1);
        Some(Place { inside: Arc::clone(&self.inside), source })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut inside = self.inside.lock().unwrap_or_else(PoisonError::into_inner);
        match inside.get_mut(&self.source) {
            Some(own) if *own > 1 => *own -= 1,
            _ => drop(inside.remove(&self.source)),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, Ipv4Addr};
    use std::time::Duration;

    use futures_util::FutureExt;
    use tokio::time::timeout;

    use super::*;

    fn source(last: u8) -> Source {
        Some(IpAddr::V4(Ipv4Addr::new(192, 0, 2, last))).into()
    }

    #[tokio::test(start_paused = true)]
    async fn two_compute_at_a_time_and_the_next_follows_when_one_is_done() {
        let gate = Gate::default();
        let one = gate.enter(source(1)).await.ok().unwrap();
        let _two = gate.enter(source(2)).await.ok().unwrap();
        let third = gate.enter(source(3));
        tokio::pin!(third);
        assert!(timeout(Duration::from_secs(60), third.as_mut()).await.is_err());
        drop(one);
        assert!(third.await.is_ok());
    }

    #[tokio::test]
    async fn one_source_leaves_room_for_others_and_all_together_are_bounded() {
        let gate = Gate::default();
        let mut waiting = Vec::new();
        let mut busy = 0;
        for n in 0..100 {
            // The first 50 come from one source.
            let mut entering = Box::pin(gate.enter(source(if n < 50 { 0 } else { n })));
            match entering.as_mut().now_or_never() {
                Some(Err(error)) => {
                    assert!(matches!(error, Error::Busy));
                    busy += 1;
                }
                Some(Ok(pass)) => waiting.push((None, Some(pass))),
                None => waiting.push((Some(entering), None)),
            }
            if n == 49 {
                assert_eq!(busy, 50 - INSIDE_PER_SOURCE);
            }
        }
        assert_eq!(waiting.len(), INSIDE);
        drop(waiting);
        assert!(gate.inside.lock().unwrap().is_empty(), "callers that stop waiting leave");
        assert!(gate.enter(source(0)).await.is_ok());
    }
}

//! A wall clock for tests.

use std::sync::Mutex;
use std::sync::PoisonError;
use std::time::Duration;

use domain::Timestamp;
use domain::ports::Clock;
use tokio::time::Instant;

/// A clock that runs with tokio's time, so that it stops or jumps when a test pauses or advances that.
pub struct FakeClock {
    set: Mutex<(Timestamp, Instant)>,
}

impl FakeClock {
    /// Monday, 2 March 2026, 01:00:00 UTC: nine in the morning in Shanghai.
    pub const START: Timestamp = Timestamp::from_millis(1_772_413_200_000);

    /// A clock that shows [`FakeClock::START`].
    pub fn new() -> Self {
        Self { set: Mutex::new((Self::START, Instant::now())) }
    }

    /// Sets the time.
    pub fn set(&self, now: Timestamp) {
        *self.set.lock().unwrap_or_else(PoisonError::into_inner) = (now, Instant::now());
    }

    /// Advances the clock without tokio's timers.
    pub fn advance(&self, by: Duration) {
        self.set(self.now().plus_millis(by.as_millis() as i64));
    }
}

impl Default for FakeClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for FakeClock {
    fn now(&self) -> Timestamp {
        let (set, since) = *self.set.lock().unwrap_or_else(PoisonError::into_inner);
        set.plus_millis(since.elapsed().as_millis() as i64)
    }
}

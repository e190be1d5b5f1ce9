//! Intervals between retries.

use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBackoff, ExponentialBuilder};

/// Intervals between retries: each is twice the one before it, from a shortest to a longest. Jitter makes each up to
/// twice as long, so that devices do not retry at the same moment.
pub struct BackOff {
    builder: ExponentialBuilder,
    intervals: ExponentialBackoff,
    longest: Duration,
}

impl BackOff {
    /// Intervals from `shortest` to `longest`.
    pub fn new(shortest: Duration, longest: Duration) -> Self {
        let builder = ExponentialBuilder::default().with_min_delay(shortest).with_max_delay(longest);
        let builder = builder.without_max_times().with_jitter();
        Self { builder, intervals: builder.build(), longest }
    }

    /// The interval before the next retry.
    pub fn next_interval(&mut self) -> Duration {
        self.intervals.next().unwrap_or(self.longest)
    }

    /// Starts with the shortest interval again.
    pub fn reset(&mut self) {
        self.intervals = self.builder.build();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intervals_double_up_to_the_longest_and_start_again_after_a_reset() {
        let mut back_off = BackOff::new(Duration::from_secs(1), Duration::from_secs(60));
        let first = Duration::from_secs(1)..=Duration::from_secs(2);
        assert!(first.contains(&back_off.next_interval()));
        let last = (0..10).map(|_| back_off.next_interval()).last().unwrap();
        assert!(last >= Duration::from_secs(60) && last <= Duration::from_secs(120), "{last:?}");
        back_off.reset();
        assert!(first.contains(&back_off.next_interval()));
    }
}

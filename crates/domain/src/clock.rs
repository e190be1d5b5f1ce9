//! Whether the clock of a device can be believed: without a battery or a time server it may show any year.

use std::time::Duration;

use crate::Timestamp;

/// No device with this software was started before: 1 January 2025. A clock that shows an earlier time was not set.
pub(crate) const EARLIEST: Timestamp = Timestamp::from_millis(1_735_689_600_000);
/// A clock that goes ahead of what is expected by more is doubted: two days, milliseconds.
const LEAP: i64 = 2 * 24 * 3600 * 1000;
/// A doubted clock is believed after the device has run for this long with it.
const DOUBT: Duration = Duration::from_secs(7 * 24 * 3600);

/// Follows the clock, to tell one that was set ahead by mistake from time that has passed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ClockTrust {
    /// The last time that was believed, and how long the process had run then.
    known: Option<(Timestamp, Duration)>,
    /// How long the process had run when the clock was first doubted.
    doubted: Option<Duration>,
}

impl ClockTrust {
    /// Begins with the last time that was believed by the process before.
    pub(crate) fn since(known: Option<Timestamp>) -> Self {
        Self { known: known.map(|known| (known, Duration::ZERO)), doubted: None }
    }

    /// Whether `now` can be believed, after the process has run for `ran`: then what is old by it may be removed.
    pub(crate) fn believes(&mut self, now: Timestamp, ran: Duration) -> bool {
        if now < EARLIEST {
            return false;
        }
        if self.is_leap(now, ran) {
            let since = *self.doubted.get_or_insert(ran);
            if ran.saturating_sub(since) < DOUBT {
                return false;
            }
        }
        // A clock that goes back makes nothing older, and is believed at once.
        (self.known, self.doubted) = (Some((now, ran)), None);
        true
    }

    fn is_leap(&self, now: Timestamp, ran: Duration) -> bool {
        self.known.is_some_and(|(known, then)| {
            let passed = i64::try_from(ran.saturating_sub(then).as_millis()).unwrap_or(i64::MAX);
            now.millis_since(known.plus_millis(passed)) > LEAP
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: i64 = 24 * 3600 * 1000;
    const NOW: Timestamp = Timestamp::from_millis(1_772_413_200_000);

    fn later(than: Timestamp, days: i64) -> Timestamp {
        than.plus_millis(days * DAY)
    }

    fn days(days: u64) -> Duration {
        Duration::from_secs(days * 24 * 3600)
    }

    #[test]
    fn a_clock_that_was_not_set_is_never_believed() {
        let mut trust = ClockTrust::since(Some(NOW));
        for at in [Timestamp::from_millis(0), Timestamp::from_millis(946_684_800_000)] {
            assert!(!trust.believes(at, days(100)));
        }
        assert!(trust.believes(NOW, days(0)));
    }

    #[test]
    fn a_clock_that_runs_is_believed_and_one_that_leaps_is_not_for_a_week() {
        let mut trust = ClockTrust::since(Some(NOW));
        assert!(trust.believes(later(NOW, 1), days(0)), "switched off for a day");
        assert!(trust.believes(later(NOW, 31), days(30)), "running for a month");
        let late = later(NOW, 3650);
        assert!(!trust.believes(late, days(31)));
        assert!(!trust.believes(later(late, 6), days(37)));
        assert!(trust.believes(later(late, 7), days(38)));
    }

    #[test]
    fn a_clock_that_comes_back_is_believed_at_once() {
        let mut trust = ClockTrust::since(Some(NOW));
        assert!(!trust.believes(later(NOW, 3650), days(1)));
        assert!(trust.believes(later(NOW, 2), days(2)));
        assert!(!trust.believes(later(NOW, 3650), days(3)), "the doubt begins anew");
        assert!(!trust.believes(later(NOW, 3655), days(8)));
        assert!(trust.believes(NOW, days(9)), "an earlier time makes nothing older");
    }

    #[test]
    fn the_first_time_that_is_seen_is_believed() {
        assert!(ClockTrust::since(None).believes(NOW, days(0)));
    }
}

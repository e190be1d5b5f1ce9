//! A situation that lasts: when a rule about one fires, fires again and recovers.

use std::time::Duration;

use crate::time::Timestamp;

/// Longest interruption after which a situation continues: detections are missed.
const INTERRUPTED_MILLIS: i64 = 2_000;

/// The situation that a rule is about, and how far it was reported.
#[derive(Debug, Default)]
pub(super) struct Situation {
    since: Option<Timestamp>,
    /// When it was last seen.
    seen: Option<Timestamp>,
    /// When the rule last fired.
    fired: Option<Timestamp>,
}

/// A change of a rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Turn {
    Fires,
    Recovers,
}

impl Situation {
    /// Whether the rule has fired and the situation is not over.
    pub(super) fn is_reported(&self) -> bool {
        self.fired.is_some()
    }

    /// Updates the situation; `is_seen`: whether it is seen now. The rule fires when it has lasted for `after`, fires
    /// again after each `every` unless that is zero, and recovers when it is over.
    pub(super) fn update(&mut self, is_seen: bool, at: Timestamp, after: Duration, every: Duration) -> Option<Turn> {
        if !is_seen {
            let seen = self.seen?;
            if at.millis_since(seen) <= INTERRUPTED_MILLIS {
                return None;
            }
            return std::mem::take(self).fired.map(|_| Turn::Recovers);
        }
        self.seen = Some(at);
        let since = *self.since.get_or_insert(at);
        let is_due = match self.fired {
            None => passed(since, at, after),
            Some(fired) => !every.is_zero() && passed(fired, at, every),
        };
        if is_due {
            self.fired = Some(at);
        }
        is_due.then_some(Turn::Fires)
    }
}

/// Whether this time has passed.
pub(super) fn passed(since: Timestamp, at: Timestamp, time: Duration) -> bool {
    at.millis_since(since) >= i64::try_from(time.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The changes of a rule while its situation is seen (`#`) or not, one character per 500 ms: `+` fires, `-` recovers.
    fn play(seen: &str, after: u64, every: u64) -> String {
        let mut situation = Situation::default();
        let (after, every) = (Duration::from_secs(after), Duration::from_secs(every));
        let turn = |(step, seen): (usize, char)| {
            let at = Timestamp::from_millis(step as i64 * 500);
            match situation.update(seen == '#', at, after, every) {
                None => '.',
                Some(Turn::Fires) => '+',
                Some(Turn::Recovers) => '-',
            }
        };
        seen.chars().enumerate().map(turn).collect()
    }

    #[test]
    fn a_rule_fires_after_the_trigger_time_and_recovers_when_the_situation_is_over() {
        assert_eq!(play("..########.......", 2, 0), "......+.......-..");
        assert_eq!(play("#......", 0, 0), "+....-.");
    }

    #[test]
    fn a_short_interruption_neither_starts_the_trigger_time_again_nor_ends_the_situation() {
        assert_eq!(play("##..##...####....#", 3, 0), "......".to_owned() + "...+........");
        assert_eq!(play("##.....##", 3, 0), ".........", "over after more than two seconds");
    }

    #[test]
    fn a_rule_with_an_interval_fires_again_while_the_situation_lasts() {
        assert_eq!(play("###########", 1, 2), "..+...+...+");
        assert_eq!(play("###########", 1, 0), "..+........");
    }
}

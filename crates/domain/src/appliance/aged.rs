//! Which records are too old. Nothing is removed by a clock that cannot be believed, and records that were made while
//! the clock was wrong are as old as those after them in the log.

use std::time::Duration;

use tokio::time::Instant;

use super::Appliance;
use crate::clock::{ClockTrust, EARLIEST};
use crate::{Ages, RecordKind, Removal, Result, Timestamp};

/// Interval between removals by age.
const CHECK: Duration = Duration::from_secs(60);
/// Interval at which a time that was believed is stored.
const STORE: Duration = Duration::from_secs(3600);
const DAY: i64 = 24 * 3600 * 1000;
/// A record whose time is later than now by more was made while the clock was ahead.
const AHEAD: i64 = DAY;

/// Tells which records are due for removal.
pub(super) struct Aged {
    appliance: Appliance,
    started: Instant,
    checked: Option<Instant>,
    trust: Option<ClockTrust>,
    stored: Option<Instant>,
    /// Whether the log says that the clock is not believed.
    is_doubted: bool,
}

impl Aged {
    pub(super) fn new(appliance: Appliance) -> Self {
        Self { appliance, started: Instant::now(), checked: None, trust: None, stored: None, is_doubted: false }
    }

    /// What is to be removed now; nothing most of the time.
    pub(super) async fn due(&mut self) -> Result<Vec<Removal>> {
        if self.checked.is_some_and(|at| at.elapsed() < CHECK) {
            return Ok(Vec::new());
        }
        let now = self.appliance.now();
        let is_believed = self.trusts(now).await?;
        self.report(now, is_believed);
        self.checked = Some(Instant::now());
        // Without the setting nothing is removed: a removal cannot be undone.
        let ages = self.appliance.ages().await;
        Ok(ages.map(|ages| if is_believed { removals(ages, now) } else { Vec::new() }).unwrap_or_default())
    }

    async fn trusts(&mut self, now: Timestamp) -> Result<bool> {
        let trust = match &mut self.trust {
            Some(trust) => trust,
            None => {
                let known = self.appliance.call_store(|a| a.device_state().believed_time()).await?;
                self.trust.insert(ClockTrust::since(known))
            }
        };
        let is_believed = trust.believes(now, self.started.elapsed());
        if is_believed && self.stored.is_none_or(|at| at.elapsed() >= STORE) {
            self.appliance.call_store(move |a| a.device_state().believe(now)).await?;
            self.stored = Some(Instant::now());
        }
        Ok(is_believed)
    }

    fn report(&mut self, now: Timestamp, is_believed: bool) {
        if std::mem::replace(&mut self.is_doubted, !is_believed) != is_believed {
            return;
        }
        if is_believed {
            tracing::info!("the clock is believed: records are removed by age again");
        } else {
            tracing::warn!(clock.millis = now.as_millis(), "the clock is not believed: no record is removed by age");
        }
    }
}

/// Misdated records first: their age shows by others, which are removed after them.
fn removals(ages: Ages, now: Timestamp) -> Vec<Removal> {
    let limit = |days: u32| now.plus_millis(-i64::from(days) * DAY);
    let mut removals = Vec::new();
    if let (Some(people), Some(strangers)) = (ages.people_days, ages.strangers_days) {
        let before = limit(people.max(strangers));
        removals.push(Removal::Misdated { earliest: EARLIEST, latest: now.plus_millis(AHEAD), before });
    }
    for (kind, days) in [(RecordKind::People, ages.people_days), (RecordKind::Strangers, ages.strangers_days)] {
        removals.extend(days.map(|days| Removal::Before { kind, from: EARLIEST, time: limit(days) }));
    }
    removals
}

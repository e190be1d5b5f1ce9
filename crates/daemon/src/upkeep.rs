//! Nightly upkeep of the database: a good copy, which is examined. Without copies, the database is examined once a week.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use adapter::Health;
use domain::Appliance;
use jiff::civil::Date;
use jiff::{Timestamp, ToSpan, Zoned};
use metrics::{counter, gauge};
use store::{SnapshotError, Store};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::config::{self, Config};
use crate::run;

/// Between two looks at the clock.
const LOOK: Duration = Duration::from_secs(20);
/// Before another attempt after one that failed, or that a removal of people has disturbed.
const RETRY: Duration = Duration::from_secs(30 * 60);
const DISTURBED: Duration = Duration::from_secs(60);
/// A newest copy older than this is an alarm.
pub(crate) const TOO_OLD: Duration = Duration::from_secs(48 * 3600);
const WEEK: Duration = Duration::from_secs(7 * 24 * 3600);
const ALARM: &str = "database.copy";

struct Upkeep {
    config: config::Storage,
    dir: PathBuf,
    /// Bytes that a copy must leave free.
    reserve: u64,
    store: Arc<Store>,
}

/// Runs until cancelled.
pub(crate) fn run(
    config: &Config,
    store: Arc<Store>,
    appliance: Appliance,
    health: Arc<Health>,
    cancel: CancellationToken,
) -> impl Future<Output = ()> + Send + use<> {
    let reserve = 2 * run::storage_limits(config).reserve();
    let upkeep = Upkeep { config: config.storage.clone(), dir: config.storage.dir.clone(), reserve, store };
    keep_up(Arc::new(upkeep), appliance, health, cancel)
}

async fn keep_up(upkeep: Arc<Upkeep>, appliance: Appliance, health: Arc<Health>, cancel: CancellationToken) {
    counter!("polyface_database_copy_failures_total").absolute(0);
    let mut state = State { retry_at: None, failure: None, examined: Instant::now() };
    let mut looks = tokio::time::interval(LOOK);
    while cancel.run_until_cancelled(looks.tick()).await.is_some() {
        let now = Timestamp::now().to_zoned(appliance.time_zone());
        if state.may_try() && upkeep.is_due(&now, &state) {
            let (work, stop) = (Arc::clone(&upkeep), cancel.clone());
            let done = tokio::task::spawn_blocking(move || work.work(&|| stop.is_cancelled())).await;
            if cancel.is_cancelled() {
                return;
            }
            state.note(done.unwrap_or_else(|died| Err(died.to_string())));
        }
        state.report(upkeep.newest(), upkeep.config.copies > 0, &health);
    }
}

impl Upkeep {
    fn newest(&self) -> Option<SystemTime> {
        store::newest_copy(&self.dir).ok().flatten()
    }

    fn is_due(&self, now: &Zoned, state: &State) -> bool {
        if self.config.copies == 0 {
            return state.examined.elapsed() >= WEEK && now.time() >= self.config.upkeep_at;
        }
        let of_copy = self.newest().and_then(|made| Timestamp::try_from(made).ok());
        let day = |at: &Zoned| last_time(at, self.config.upkeep_at);
        of_copy.is_none_or(|made| day(&made.to_zoned(now.time_zone().clone())) != day(now))
    }

    /// Blocking. `Ok(false)`: it was disturbed.
    fn work(&self, stop: &dyn Fn() -> bool) -> Result<bool, String> {
        if self.config.copies == 0 {
            return self.store.examine().map(|()| true).map_err(|error| error.to_string());
        }
        match self.store.make_copy(self.config.copies as usize, self.reserve, stop) {
            Ok(made) => {
                tracing::info!(made, "good copy of the database");
                Ok(made)
            }
            Err(SnapshotError::Stopped) => Ok(false),
            Err(error) => Err(format!("{:#}", anyhow::Error::new(error))),
        }
    }
}

/// What became of the last attempt.
struct State {
    retry_at: Option<Instant>,
    failure: Option<String>,
    examined: Instant,
}

impl State {
    fn may_try(&self) -> bool {
        self.retry_at.is_none_or(|at| Instant::now() >= at)
    }

    fn note(&mut self, done: Result<bool, String>) {
        self.examined = Instant::now();
        let wait = match &done {
            Ok(true) => None,
            Ok(false) => Some(DISTURBED),
            Err(_) => Some(RETRY),
        };
        self.retry_at = wait.map(|wait| Instant::now() + wait);
        self.failure = done.err();
        if let Some(error) = &self.failure {
            counter!("polyface_database_copy_failures_total").increment(1);
            tracing::error!(error, "failed to make a good copy of the database");
        }
    }

    fn report(&self, newest: Option<SystemTime>, wanted: bool, health: &Health) {
        let made = newest.and_then(|made| made.duration_since(SystemTime::UNIX_EPOCH).ok());
        if let Some(made) = made {
            gauge!("polyface_database_copy_timestamp_seconds").set(made.as_secs_f64());
        }
        let now = SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default();
        match (&self.failure, made) {
            (Some(why), _) => health.raise(ALARM, &format!("the last copy of the database failed: {why}")),
            (None, Some(made)) if wanted && now.saturating_sub(made) > TOO_OLD => {
                health.raise(ALARM, "the newest good copy of the database is older than two days");
            }
            (None, _) => health.clear(ALARM),
        }
    }
}

/// The day on which it was last this time of day.
fn last_time(at: &Zoned, time: jiff::civil::Time) -> Date {
    let today = at.date();
    if at.time() >= time { today } else { today.saturating_sub(1.day()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_night_begins_at_its_time() {
        let time = jiff::civil::Time::constant(3, 0, 0, 0);
        let day = |text: &str| last_time(&text.parse().unwrap(), time).to_string();
        assert_eq!(day("2026-03-02T02:59:59+00:00[UTC]"), "2026-03-01");
        assert_eq!(day("2026-03-02T03:00:00+00:00[UTC]"), "2026-03-02");
    }
}

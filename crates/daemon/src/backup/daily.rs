//! The backup of each day.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use adapter::Health;
use domain::Appliance;
use jiff::civil::{Date, Time};
use jiff::{ToSpan, Zoned};
use metrics::{counter, gauge};
use store::StoreKey;
use tokio_util::sync::CancellationToken;

use super::manifest::Device;
use super::secrets::Lock;
use super::writing::{self, Content, Written};
use crate::config::{self, Config};

/// Between two looks at the clock.
const LOOK: Duration = Duration::from_secs(20);
/// Before another attempt after one that failed.
const RETRY: Duration = Duration::from_secs(30 * 60);
/// A newest backup older than this is an alarm.
const TOO_OLD: Duration = Duration::from_secs(48 * 3600);
const ALARM: &str = "backup";
const ENDING: &str = ".tar.age";

/// What the task needs.
struct Daily {
    config: config::Backup,
    storage: PathBuf,
    key: StoreKey,
    device: Device,
}

/// Writes a backup each day, and removes the oldest.
pub(crate) fn run(
    config: &Config,
    key: StoreKey,
    appliance: Appliance,
    health: Arc<Health>,
    cancel: CancellationToken,
) -> impl Future<Output = ()> + Send + use<> {
    let device = writing::device(config);
    let daily = Daily { config: config.backup.clone(), storage: config.storage.dir.clone(), key, device };
    keep_writing(Arc::new(daily), appliance, health, cancel)
}

async fn keep_writing(daily: Arc<Daily>, appliance: Appliance, health: Arc<Health>, cancel: CancellationToken) {
    counter!("polyface_backup_failures_total").absolute(0);
    let mut last = Last::default();
    let mut looks = tokio::time::interval(LOOK);
    while cancel.run_until_cancelled(looks.tick()).await.is_some() {
        let now = jiff::Timestamp::now().to_zoned(appliance.time_zone());
        let file = daily.file(last_time(&now, daily.config.at));
        if !file.exists() && last.may_try() {
            let (daily, stop) = (Arc::clone(&daily), cancel.clone());
            let written = tokio::task::spawn_blocking(move || daily.write(&file, &|| stop.is_cancelled())).await;
            if cancel.is_cancelled() {
                return;
            }
            last.note(written.unwrap_or_else(|died| Err(died.into())));
        }
        last.report(newest(&daily.config.dir, &daily.device.serial), &health);
    }
}

impl Daily {
    fn file(&self, date: Date) -> PathBuf {
        self.config.dir.join(format!("{}{date}{ENDING}", prefix(&self.device.serial)))
    }

    fn write(&self, file: &Path, stop: &dyn Fn() -> bool) -> anyhow::Result<()> {
        let lock = Lock::for_recipients(&self.config.recipients)?;
        let content = Content { dir: &self.storage, key: &self.key, device: self.device.clone(), with_keys: false };
        let Written { bytes, pictures } = writing::write(&content, lock, file, false, stop)?;
        tracing::info!(
            backup.file = %file.display(),
            backup.bytes = bytes,
            backup.pictures = pictures.count,
            backup.missing = pictures.missing,
            "backup written"
        );
        self.remove_oldest();
        Ok(())
    }

    fn remove_oldest(&self) {
        let Ok(mut all) = backups(&self.config.dir, &self.device.serial) else { return };
        all.sort_unstable_by_key(|(date, _)| std::cmp::Reverse(*date));
        for (_, file) in all.into_iter().skip(self.config.keep as usize) {
            match fs::remove_file(&file) {
                Ok(()) => tracing::info!(backup.file = %file.display(), "old backup removed"),
                Err(error) => tracing::warn!(backup.file = %file.display(), %error, "failed to remove old backup"),
            }
        }
    }
}

/// What became of the last attempt.
#[derive(Default)]
struct Last {
    failure: Option<String>,
    retry_at: Option<tokio::time::Instant>,
}

impl Last {
    fn may_try(&self) -> bool {
        self.retry_at.is_none_or(|at| tokio::time::Instant::now() >= at)
    }

    fn note(&mut self, written: anyhow::Result<()>) {
        let failure = written.err().map(|error| format!("{error:#}"));
        self.retry_at = failure.as_ref().map(|_| tokio::time::Instant::now() + RETRY);
        if let Some(error) = &failure {
            counter!("polyface_backup_failures_total").increment(1);
            tracing::error!(error, "failed to write backup");
        }
        self.failure = failure;
    }

    fn report(&self, newest: io::Result<Option<Duration>>, health: &Health) {
        let newest = newest.ok().flatten();
        if let Some(written) = newest {
            gauge!("polyface_backup_last_success_timestamp_seconds").set(written.as_secs_f64());
        }
        let now = UNIX_EPOCH.elapsed().unwrap_or_default();
        match (&self.failure, newest) {
            (Some(why), _) => health.raise(ALARM, &format!("the last backup failed: {why}")),
            (None, Some(written)) if now.saturating_sub(written) > TOO_OLD => {
                health.raise(ALARM, "the newest backup is older than two days");
            }
            (None, _) => health.clear(ALARM),
        }
    }
}

/// The day on which it was last this time of day.
fn last_time(now: &Zoned, at: Time) -> Date {
    let today = now.date();
    if now.time() >= at { today } else { today.saturating_sub(1.day()) }
}

/// What names of the backups of a device begin with.
fn prefix(serial: &str) -> String {
    let serial: String = serial.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
    format!("polyface-{serial}-")
}

/// The daily backups of a device in a folder, with their days.
fn backups(dir: &Path, serial: &str) -> io::Result<Vec<(Date, PathBuf)>> {
    let prefix = prefix(serial);
    let mut found = Vec::new();
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        let name = entry.file_name();
        let date = name.to_str().and_then(|name| name.strip_prefix(&prefix)?.strip_suffix(ENDING)?.parse().ok());
        found.extend(date.map(|date| (date, entry.path())));
    }
    Ok(found)
}

/// When the newest daily backup of a device was written, since 1970.
pub(crate) fn newest(dir: &Path, serial: &str) -> io::Result<Option<Duration>> {
    let mut newest = None;
    for (_, file) in backups(dir, serial)? {
        let written = fs::metadata(file)?.modified()?.duration_since(UNIX_EPOCH).unwrap_or_default();
        newest = newest.max(Some(written));
    }
    Ok(newest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_backup_is_due_from_its_time_on_and_one_that_was_missed_still() {
        let at = Time::constant(3, 30, 0, 0);
        let day = |text: &str| last_time(&text.parse().unwrap(), at).to_string();
        assert_eq!(day("2026-03-02T03:29:59+08:00[Asia/Shanghai]"), "2026-03-01");
        assert_eq!(day("2026-03-02T03:30:00+08:00[Asia/Shanghai]"), "2026-03-02");
        assert_eq!(day("2026-03-02T23:00:00+08:00[Asia/Shanghai]"), "2026-03-02");
    }

    #[test]
    fn only_backups_of_this_device_count() {
        let dir = tempfile::tempdir().unwrap();
        let names = [
            "polyface-A-1-2026-03-01.tar.age",
            "polyface-A-1-2026-03-02.tar.age",
            "polyface-A-1-2026-03-03.tar.age.part",
            "polyface-B-2026-03-03.tar.age",
            "polyface-A-1-2026-13-01.tar.age",
            "holiday.jpg",
        ];
        names.iter().for_each(|name| fs::write(dir.path().join(name), "x").unwrap());
        let mut found: Vec<_> =
            backups(dir.path(), "A/1").unwrap().into_iter().map(|(date, _)| date.to_string()).collect();
        found.sort();
        assert_eq!(found, ["2026-03-01", "2026-03-02"]);
        assert!(newest(dir.path(), "C").unwrap().is_none());
    }
}

//! Retention: removes old records, and makes room when the storage is full.

use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, Interval, MissedTickBehavior};
use tokio_util::sync::CancellationToken;

use super::aged::Aged;
use super::{Acts, Appliance};
use crate::settings::check_days;
use crate::surveillance::Recorder;
use crate::{Act, Ages, Removal, Result, StorageLimits, StorageState, Usage, WhenFull};

/// Interval between checks of the free space.
const CHECK: Duration = Duration::from_secs(2);
/// Interval between test writes: a broken file system may not show otherwise.
const WRITE_TEST: Duration = Duration::from_secs(30);
/// Records removed per transaction.
const BATCH: u32 = 32;
/// Pause between two of these transactions, in which others can write.
const PAUSE: Duration = Duration::from_millis(10);
/// Space kept free on the file system: the limit divided by this,
const RESERVE_SHARE: u64 = 50;
/// within these bounds, bytes.
const RESERVE: (u64, u64) = (16 << 20, 256 << 20);

impl Appliance {
    /// Whether records can be written, now and at every change.
    pub fn storage_state(&self) -> watch::Receiver<StorageState> {
        self.core.surveillance.recorder().state()
    }

    /// The limits of the storage, and what happens when it is full.
    pub fn storage_limits(&self) -> StorageLimits {
        *self.core.storage_limits.borrow()
    }

    /// Used and free space.
    pub async fn storage_usage(&self) -> Result<Usage> {
        self.blocking(|a| a.ports().log.usage()).await
    }

    /// Size of the largest file that fits into the folder of uploads now, bytes.
    pub async fn upload_room(&self) -> Result<u64> {
        let usage = self.storage_usage().await?;
        Ok(self.storage_limits().upload_room(&usage))
    }

    /// How long records are kept. `Unavailable` while the setting cannot be read.
    pub async fn ages(&self) -> Result<Ages> {
        self.settings().ages()
    }
}

impl Acts<'_> {
    /// Sets what happens when the storage is full, at once and over a restart.
    pub async fn set_when_full(self, when_full: WhenFull) -> Result<()> {
        let actor = self.permit(Act::STORAGE_WHEN_FULL)?;
        self.blocking(move |a| {
            let word = if when_full == WhenFull::Stop { "stop" } else { "overwrite" };
            a.change_settings(|settings| settings.when_full = Ok(Some(when_full)))?;
            a.audit(&actor, Act::STORAGE_WHEN_FULL, &word);
            Ok(())
        })
        .await
    }

    /// Sets how long records are kept; older ones are removed within a minute. `Invalid` for more than 36500 days.
    pub async fn set_ages(self, ages: Ages) -> Result<()> {
        let actor = self.permit(Act::RETENTION_AGES)?;
        for days in [ages.people_days, ages.strangers_days].into_iter().flatten() {
            check_days(days)?;
        }
        self.blocking(move |a| {
            a.change_settings(|settings| {
                settings.people_days = Ok(ages.people_days);
                settings.strangers_days = Ok(ages.strangers_days);
            })?;
            a.audit(&actor, Act::RETENTION_AGES, &"records");
            Ok(())
        })
        .await
    }
}

/// Makes room for new records until cancelled; then tries to write the queued ones.
pub async fn run(appliance: Appliance, cancel: CancellationToken) {
    let mut limits = appliance.core.storage_limits.subscribe();
    let mut retention = Retention {
        ages: Aged::new(appliance.clone()),
        appliance,
        limits: *limits.borrow_and_update(),
        cancel,
        write_tested: None,
    };
    let mut ticks = tokio::time::interval(CHECK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    while retention.cancel.clone().run_until_cancelled(next_check(&mut ticks, &mut limits)).await.is_some() {
        retention.limits = *limits.borrow_and_update();
        let device = retention.appliance.clone();
        tokio::select! {
            () = retention.check() => {}
            () = device.watch_storage() => {}
        }
    }
    let last = retention.appliance.blocking(|a| Ok(a.core.surveillance.recorder().write_waiting())).await;
    if let Ok(Some(error)) | Err(error) = last {
        tracing::error!(error = error.chain(), "failed to write queued records, records lost");
    }
}

/// Waits for the next round, or for a change of the limits.
async fn next_check(ticks: &mut Interval, limits: &mut watch::Receiver<StorageLimits>) {
    tokio::select! {
        _ = ticks.tick() => {}
        // Cannot fail: the appliance owns the sender.
        _ = limits.changed() => {}
    }
}

struct Retention {
    appliance: Appliance,
    limits: StorageLimits,
    cancel: CancellationToken,
    ages: Aged,
    write_tested: Option<Instant>,
}

impl Retention {
    fn recorder(&self) -> &Recorder {
        self.appliance.core.surveillance.recorder()
    }

    /// One round. A failure is reported by the state and retried in the next round.
    async fn check(&mut self) {
        let mut state = self.make_room().await.unwrap_or_else(|error| StorageState::failing(&error));
        if state == StorageState::Working {
            state = self.write().await.map_or_else(|error| StorageState::failing(&error), |()| StorageState::Working);
        }
        self.recorder().set_state(state);
        if let Err(error) = self.appliance.call_store(|a| a.ports().log.tidy()).await {
            tracing::debug!(error = error.chain(), "failed to tidy the log");
        }
    }

    /// Writes the queued records, after a test write when one is due.
    async fn write(&mut self) -> Result<()> {
        let failing = matches!(*self.recorder().state().borrow(), StorageState::Failing { .. });
        if failing || self.write_tested.is_none_or(|at| at.elapsed() >= WRITE_TEST) {
            self.appliance.call_store(|a| a.device_state().test_write(a.now())).await?;
            self.write_tested = Some(Instant::now());
        }
        self.appliance.call_store(|a| a.core.surveillance.recorder().write_waiting().map_or(Ok(()), Err)).await
    }

    async fn make_room(&mut self) -> Result<StorageState> {
        let usage = self.usage().await?;
        if usage.read_only {
            return Ok(StorageState::Failing { reason: "the file system is read-only".into() });
        }
        self.remove_aged().await?;
        let Some(reason) = self.limits.shortage(&usage, 0) else { return Ok(StorageState::Working) };
        if self.limits.when_full == WhenFull::Stop {
            return Ok(StorageState::Full { reason });
        }
        if self.overwrite().await? {
            return Ok(StorageState::Working);
        }
        Ok(StorageState::Failing { reason: format!("{reason}, and no records are left that could go") })
    }

    async fn usage(&self) -> Result<Usage> {
        let usage = self.appliance.call_store(|a| a.ports().log.usage()).await?;
        metrics::gauge!("polyface_storage_used_bytes").set(usage.used_bytes as f64);
        metrics::gauge!("polyface_storage_free_bytes").set(usage.free_bytes as f64);
        Ok(usage)
    }

    /// Removes records that are too old, once a minute.
    async fn remove_aged(&mut self) -> Result<()> {
        for removal in self.ages.due().await? {
            while self.remove(removal, "age").await? == BATCH && self.pause().await {}
        }
        Ok(())
    }

    /// Removes the oldest entries until there is some spare room. Returns whether there is room.
    async fn overwrite(&self) -> Result<bool> {
        let spare = self.limits.reserve();
        loop {
            let removed = self.remove(Removal::Oldest, "overwritten").await?;
            let usage = self.usage().await?;
            if self.limits.shortage(&usage, spare).is_none() || !self.pause().await {
                return Ok(true);
            }
            if removed == 0 {
                return Ok(self.limits.shortage(&usage, 0).is_none());
            }
        }
    }

    async fn remove(&self, removal: Removal, why: &'static str) -> Result<u32> {
        let removed = self.appliance.call_store(move |a| a.ports().log.remove_entries(removal, BATCH)).await?;
        metrics::counter!("polyface_records_removed_total", "why" => why).increment(removed.into());
        Ok(removed)
    }

    /// Lets others write. Returns `false` once cancelled.
    async fn pause(&self) -> bool {
        self.cancel.run_until_cancelled(tokio::time::sleep(PAUSE)).await.is_some()
    }
}

impl StorageLimits {
    /// Space kept free on the file system, bytes, so that the database never meets a full disk.
    pub fn reserve(&self) -> u64 {
        (self.max_bytes / RESERVE_SHARE).clamp(RESERVE.0, RESERVE.1)
    }

    /// Space for an upload, bytes. Where the oldest records give way to newer ones, the device is full by design: there an
    /// upload may take most of the reserve, which is made good by removing records.
    pub fn upload_room(&self, usage: &Usage) -> u64 {
        let left = match self.when_full {
            WhenFull::Stop => self.reserve(),
            WhenFull::Overwrite => self.reserve() / 4,
        };
        usage.free_bytes.saturating_sub(left)
    }

    /// Describes the shortage when `spare` more bytes are wanted; `None` when there is room.
    fn shortage(&self, usage: &Usage, spare: u64) -> Option<String> {
        const MIB: u64 = 1 << 20;
        let (max, reserve) = (self.max_bytes, self.reserve());
        // Keeps the spare room small in proportion to a small limit.
        let spare = spare.min(max / 20);
        if usage.used_bytes.saturating_add(spare) > max {
            return Some(format!("{} MiB of {} MiB are used", usage.used_bytes / MIB, max / MIB));
        }
        let wanted = reserve + spare;
        (usage.free_bytes < wanted).then(|| {
            format!("{} MiB are free on the disk, {} MiB are kept in reserve", usage.free_bytes / MIB, reserve / MIB)
        })
    }
}

//! What the parts of the device say of themselves, on the health board; and the service manager's watchdog.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use adapter::{Component, Health};
use domain::progress::{Part, Stall};
use domain::settings::Unreadable;
use domain::{Appliance, ReaderState, Readers, StorageState};
use metrics::gauge;
use store::Store;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// Between two looks at the progress of the parts.
const LOOK: Duration = Duration::from_secs(2);
/// Between two looks at the clock and at what happened to the database.
const LOOK_AT_PAST: Duration = Duration::from_secs(10);
/// Between two looks at the doors.
const LOOK_AT_DOORS: Duration = Duration::from_secs(5);
const OPENS_TO_PHOTOS: &str = "a photo of a known person opens it, because liveness is not always checked";
const OPENS_TO_NO_FACE: &str =
    "a face does not open it while liveness is not checked; set vision.liveness, or door.photos_open to accept photos";
/// A part that hangs for this long does not recover by itself: the service manager restarts the daemon.
const GIVEN_UP: Duration = Duration::from_secs(60);

/// Shows whether records are being kept.
pub(crate) async fn report_storage(appliance: Appliance, health: Arc<Health>, cancel: CancellationToken) {
    let mut state = appliance.storage_state();
    loop {
        let component = match state.borrow_and_update().clone() {
            StorageState::Working => Component::Up,
            StorageState::Full { reason } => Component::Down { reason: format!("records are refused: {reason}") },
            StorageState::Failing { reason } => Component::Down { reason: format!("records wait: {reason}") },
        };
        health.set("storage", component);
        if !matches!(cancel.run_until_cancelled(state.changed()).await, Some(Ok(()))) {
            return;
        }
    }
}

/// Shows whether every reader reads; nothing where there is none.
pub(crate) async fn report_readers(
    mut readers: watch::Receiver<Readers>,
    health: Arc<Health>,
    cancel: CancellationToken,
) {
    while let Some(Ok(())) = cancel.run_until_cancelled(readers.changed()).await {
        let not_ready = |(name, state): (&String, &ReaderState)| match state {
            ReaderState::Ready => None,
            ReaderState::Starting => Some(format!("{name}: starting")),
            ReaderState::Lost(why) => Some(format!("{name}: {why}")),
        };
        let reasons: Vec<_> = readers.borrow_and_update().iter().filter_map(not_ready).collect();
        let down = || Component::Down { reason: reasons.join("; ") };
        health.set("readers", if reasons.is_empty() { Component::Up } else { down() });
    }
}

/// An alarm for every setting that cannot be read, of the device and of adapters, until it is set again.
pub(crate) async fn report_settings(appliance: Appliance, health: Arc<Health>, cancel: CancellationToken) {
    let (mut settings, mut values) = (appliance.settings_changed(), appliance.unreadable_values());
    let mut raised = BTreeSet::new();
    loop {
        let of_device = settings.borrow_and_update().unreadable();
        let of_device = of_device.into_iter().map(|Unreadable { name, why }| (name.to_owned(), why));
        let unreadable: Vec<_> = of_device.chain(values.borrow_and_update().clone()).collect();
        for (name, why) in &unreadable {
            health.raise(name, &format!("its value cannot be read: {why}"));
        }
        let now = unreadable.into_iter().map(|(name, _)| name).collect();
        raised.difference(&now).for_each(|name: &String| health.clear(name));
        raised = now;
        let changed = async {
            tokio::select! {
                changed = settings.changed() => changed,
                changed = values.changed() => changed,
            }
        };
        if !matches!(cancel.run_until_cancelled(changed).await, Some(Ok(()))) {
            return;
        }
    }
}

/// An alarm for every door that a face alone is to open although faces are not checked for being alive.
pub(crate) async fn report_doors(appliance: Appliance, health: Arc<Health>, cancel: CancellationToken) {
    let mut raised = BTreeSet::new();
    let mut looks = tokio::time::interval(LOOK_AT_DOORS);
    while cancel.run_until_cancelled(looks.tick()).await.is_some() {
        let doors = match appliance.doors_without_liveness().await {
            Ok(doors) => doors,
            Err(error) => {
                tracing::error!(error = error.chain(), "failed to read doors");
                continue;
            }
        };
        let alarms: Vec<_> = doors.iter().map(|door| (format!("door {}", door.name), door.photos_open)).collect();
        for (name, photos_open) in &alarms {
            health.raise(name, if *photos_open { OPENS_TO_PHOTOS } else { OPENS_TO_NO_FACE });
        }
        let now = alarms.into_iter().map(|(name, _)| name).collect();
        raised.difference(&now).for_each(|name: &String| health.clear(name));
        raised = now;
    }
}

/// Shows which parts hang and which feeds are stuck, and feeds the watchdog of the service manager while no part has
/// hung for too long.
pub(crate) async fn report_progress(appliance: Appliance, health: Arc<Health>, cancel: CancellationToken) {
    let mut stuck = BTreeSet::new();
    let mut looks = tokio::time::interval(LOOK);
    while cancel.run_until_cancelled(looks.tick()).await.is_some() {
        let stalls = appliance.progress().stalls();
        health.set("inference", inference(&stalls));
        report_feeds(&appliance, &health, &mut stuck);
        if stalls.iter().all(|stall| stall.time < GIVEN_UP) {
            super::run::notify(sd_notify::NotifyState::Watchdog);
        }
    }
}

/// Ends when the database was found damaged: the daemon ends with it, and the next start replaces the database by its
/// last good copy.
pub(crate) async fn watch_database(store: Arc<Store>, health: Arc<Health>, cancel: CancellationToken) {
    let mut looks = tokio::time::interval(LOOK);
    while cancel.run_until_cancelled(looks.tick()).await.is_some() {
        if store.is_damaged() {
            let reason = "it is damaged: restarting, to replace it by its last good copy".to_owned();
            health.set("database", Component::Down { reason });
            return;
        }
    }
}

/// An alarm while it is not long ago that the database was damaged and replaced by an older copy, and while the clock
/// is not set.
pub(crate) async fn report_past(appliance: Appliance, health: Arc<Health>, cancel: CancellationToken) {
    let restoration = appliance.restoration().await.unwrap_or_else(|error| {
        tracing::error!(error = error.chain(), "failed to read when the database was replaced");
        None
    });
    let at = restoration.map_or(0, |restoration| restoration.at.as_millis());
    gauge!("polyface_database_replaced_timestamp_seconds").set(at as f64 / 1000.0);
    let mut looks = tokio::time::interval(LOOK_AT_PAST);
    while cancel.run_until_cancelled(looks.tick()).await.is_some() {
        match restoration.filter(|restoration| restoration.is_recent(appliance.now())) {
            Some(recent) => health.raise("database", &recent.describe(&appliance.time_zone())),
            None => health.clear("database"),
        }
        if appliance.is_clock_set() {
            health.clear("clock");
        } else {
            health.raise("clock", "the clock is not set: people who are valid for a time only are not admitted");
        }
    }
}

/// Removes what was stored before a backup was restored, once every component is up.
pub(crate) async fn forget_former_storage(dir: PathBuf, health: Arc<Health>, cancel: CancellationToken) {
    let mut looks = tokio::time::interval(LOOK);
    while cancel.run_until_cancelled(looks.tick()).await.is_some() {
        if health.report().is_up() {
            let forgotten = tokio::task::spawn_blocking(move || store::forget_former(&dir)).await;
            match forgotten.unwrap_or_else(|died| Err(died.into())) {
                Ok(true) => tracing::info!("what was stored before the backup was restored is removed"),
                Ok(false) => {}
                Err(error) => tracing::error!(%error, "failed to remove what was stored before the restoration"),
            }
            break;
        }
    }
    // A task that ended would be taken for one that died.
    cancel.cancelled().await;
}

/// Feeds the watchdog for a device that cannot serve, which a restart would not help.
pub(crate) async fn feed_watchdog(cancel: CancellationToken) {
    let mut looks = tokio::time::interval(LOOK);
    while cancel.run_until_cancelled(looks.tick()).await.is_some() {
        super::run::notify(sd_notify::NotifyState::Watchdog);
    }
}

fn inference(stalls: &[Stall]) -> Component {
    match stalls.iter().find(|stall| stall.part == Part::Inference) {
        Some(stall) => Component::Down { reason: stall.why.clone() },
        None => Component::Up,
    }
}

/// An alarm for every feed whose receiver refuses an entry permanently; `stuck` are those raised before.
fn report_feeds(appliance: &Appliance, health: &Health, stuck: &mut BTreeSet<String>) {
    let mut now = BTreeSet::new();
    for feed in appliance.feeds() {
        let (Some(seq), Some((why, _))) = (feed.stuck, &feed.failure) else { continue };
        let name = format!("feed {} of {}", feed.feed, feed.adapter);
        health.raise(&name, &format!("stuck at entry {seq}: {why}"));
        now.insert(name);
    }
    stuck.difference(&now).for_each(|name| health.clear(name));
    *stuck = now;
}

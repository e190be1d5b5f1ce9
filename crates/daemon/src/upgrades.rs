//! Upgrades, as far as the daemon has a part in them: what decides whether a new version is kept, and what is shown.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use adapter::{Component, Health};
use anyhow::{Context, Result};
use async_trait::async_trait;
use domain::Appliance;
use domain::ports::Host;
use domain::upgrades::{self, Fitness, GivenUp, Ledger, Terms, UpgradeState};
use tokio_util::sync::CancellationToken;
use vision::Analyzer;

use crate::config::Config;

/// Name of the alarm about an upgrade that failed.
const ALARM: &str = "software";

/// Name of the folder, beside the ledger, where packages are handed over to the privileged unit.
pub(crate) const SPOOL: &str = "spool";

/// The folder of the ledger.
pub(crate) fn folder(config: &Config) -> PathBuf {
    config.storage.dir.join(store::UPGRADES)
}

/// The health board and the models.
pub(crate) struct Wellbeing {
    pub(crate) health: Arc<Health>,
    pub(crate) analyzer: Arc<Analyzer>,
}

#[async_trait]
impl Fitness for Wellbeing {
    fn failing(&self) -> BTreeMap<String, String> {
        let down = |(name, component): (&str, Component)| match component {
            Component::Up => None,
            Component::Down { reason } => Some((String::from(name), reason)),
        };
        self.health.report().components.into_iter().filter_map(down).collect()
    }

    async fn recognises(&self) -> Result<(), String> {
        self.analyzer.self_test().await.map_err(|error| format!("{:#}", anyhow::Error::from(error)))
    }
}

/// How long a new version may take.
pub(crate) fn terms(config: &Config) -> Terms {
    let secs = Duration::from_secs;
    Terms { settle: secs(config.host.keep_after_s), limit: secs(config.host.give_up_after_s) }
}

/// An alarm while the last upgrade has failed.
pub(crate) async fn report(appliance: Appliance, health: Arc<Health>, cancel: CancellationToken) {
    let mut state = appliance.upgrade_changed();
    loop {
        match state.borrow_and_update().clone() {
            UpgradeState::Failed { version, why } => {
                health.raise(ALARM, &failure(&version, env!("CARGO_PKG_VERSION"), &why));
            }
            UpgradeState::None | UpgradeState::Succeeded { .. } => health.clear(ALARM),
            UpgradeState::Installing { .. } | UpgradeState::OnTrial { .. } => {}
        }
        if !matches!(cancel.run_until_cancelled(state.changed()).await, Some(Ok(()))) {
            return;
        }
    }
}

/// What an alarm says: a version that does not work runs nevertheless where there is no other to return to.
fn failure(version: &str, running: &str, why: &str) -> String {
    let still = if version == running { "still " } else { "" };
    format!("the upgrade to {version} failed, version {running} {still}runs: {why}")
}

/// For a start that cannot serve: returns to the version before when this one is on trial.
pub(crate) async fn fall_back(host: &dyn Host, config: &Config, why: &str) {
    match upgrades::fall_back(host, &folder(config), why).await {
        Ok(GivenUp::Kept) => {}
        Ok(GivenUp::Restarting) => tracing::error!("the machine restarts into the version before"),
        Err(error) => tracing::error!(error = error.chain(), "failed to return to the version before"),
    }
}

/// Puts the database from before an upgrade back when a later version has migrated it and was taken back. Blocking.
pub(crate) fn put_database_back(config: &Config) -> Result<()> {
    if !Ledger::in_folder(&folder(config)).is_pending()? {
        return Ok(());
    }
    let back =
        store::go_back(&config.storage.dir).context("the database from before the upgrade cannot be put back")?;
    if back {
        tracing::error!("the database of a version that was taken back is replaced by the one from before the upgrade");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_alarm_names_the_version_that_runs_after_a_failed_upgrade() {
        let returned = failure("1.2.0", "1.1.0", "models: wrong");
        assert_eq!(returned, "the upgrade to 1.2.0 failed, version 1.1.0 runs: models: wrong");
        let stayed = failure("1.2.0", "1.2.0", "models: wrong");
        assert_eq!(stayed, "the upgrade to 1.2.0 failed, version 1.2.0 still runs: models: wrong");
    }
}

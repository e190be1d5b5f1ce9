//! Software upgrades: a signed bundle into the other of two slots, or a signed package on a machine without slots.
//!
//! An upgrade is noted durably before its first byte is written (`ledger`). After the restart the new version is on
//! trial (`trial`): it is kept once it has been healthy for a while, otherwise the machine returns to the version before.

mod bundle;
mod installing;
mod ledger;
mod package;
mod trial;
mod versions;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, OnceLock};

use async_trait::async_trait;
use semver::Version;
use tokio::sync::{Mutex, watch};
use tokio_util::task::TaskTracker;

use super::Appliance;
use crate::{Error, Result};

pub use installing::Installation;
pub use ledger::Ledger;
pub use package::{is_upgrade_key, verify_package};
pub use trial::{GivenUp, Terms, fall_back, run};

/// The version that runs.
const INSTALLED: &str = env!("CARGO_PKG_VERSION");

/// How the last upgrade goes or went.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum UpgradeState {
    /// There was none.
    #[default]
    None,
    /// Software is being written.
    Installing {
        /// Its version.
        version: String,
        /// How much is done, percent.
        percent: u8,
    },
    /// Installed; the machine restarts, or the new version has to prove itself.
    OnTrial {
        /// Its version.
        version: String,
    },
    /// The new version was kept.
    Succeeded {
        /// Its version.
        version: String,
    },
    /// It was not installed, or taken back: what ran before runs. Or it does not work, and runs because there was nothing
    /// to return to.
    Failed {
        /// The version that failed.
        version: String,
        /// Why, for people.
        why: String,
    },
}

/// What decides whether a new version is kept.
#[async_trait]
pub trait Fitness: Send + Sync {
    /// The parts of the device that do not work, each with the reason.
    fn failing(&self) -> BTreeMap<String, String>;

    /// Has recognition prove itself on inputs with known results; the error is what is wrong.
    async fn recognises(&self) -> Result<(), String>;
}

/// The upgrades of the appliance.
pub(super) struct Upgrades {
    ledger: Ledger,
    state: watch::Sender<UpgradeState>,
    /// Held during an installation, so that there is one at a time.
    order: Arc<Mutex<()>>,
    /// What is being installed; it goes on when the caller is gone.
    installing: TaskTracker,
    fitness: OnceLock<Arc<dyn Fitness>>,
}

impl Upgrades {
    /// Reads the state of the last upgrade. Blocking.
    pub(super) fn load(folder: &Path) -> Self {
        let ledger = Ledger::in_folder(folder);
        let state = kept_state(&ledger).unwrap_or_else(|error| {
            tracing::error!(error = error.chain(), "failed to read how the last upgrade went");
            UpgradeState::None
        });
        Self {
            ledger,
            state: watch::Sender::new(state),
            order: Arc::default(),
            installing: TaskTracker::new(),
            fitness: OnceLock::new(),
        }
    }

    /// The parts that do not work now; empty while that is not known.
    fn broken(&self) -> Vec<String> {
        self.fitness.get().map(|fitness| fitness.failing().into_keys().collect()).unwrap_or_default()
    }

    fn set_state(&self, state: UpgradeState) {
        let percent = if let UpgradeState::Installing { percent, .. } = &state { *percent } else { 0 };
        metrics::gauge!("polyface_upgrade_percent").set(percent);
        let on_trial = matches!(state, UpgradeState::OnTrial { .. });
        metrics::gauge!("polyface_upgrade_on_trial").set(f64::from(u8::from(on_trial)));
        self.state.send_replace(state);
    }
}

fn kept_state(ledger: &Ledger) -> Result<UpgradeState> {
    if let Some(pending) = ledger.pending()? {
        return Ok(UpgradeState::OnTrial { version: pending.to });
    }
    Ok(match ledger.last()? {
        None => UpgradeState::None,
        Some(outcome) => outcome.into(),
    })
}

impl From<ledger::Outcome> for UpgradeState {
    fn from(outcome: ledger::Outcome) -> Self {
        let version = outcome.to;
        match outcome.failure {
            None => Self::Succeeded { version },
            Some(why) => Self::Failed { version, why },
        }
    }
}

fn installed() -> Result<Version> {
    INSTALLED.parse().map_err(Error::internal("reading the installed version"))
}

impl Appliance {
    /// How the last upgrade goes or went.
    pub fn upgrade_state(&self) -> UpgradeState {
        self.core.upgrades.state.borrow().clone()
    }

    /// As [`upgrade_state`](Self::upgrade_state), now and at every change.
    pub fn upgrade_changed(&self) -> watch::Receiver<UpgradeState> {
        self.core.upgrades.state.subscribe()
    }
}

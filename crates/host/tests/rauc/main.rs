//! Upgrades through the real RAUC, on plain files and a message bus of their own.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "test code may panic")]

mod interrupted;
mod kept;
mod machine;
mod refused;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use domain::ports::Ports;
use domain::upgrades::{self, Fitness, Terms};
use domain::{Appliance, Options, Result};
use testkit::actor;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use machine::SlotMachine;

/// Above every version of this program.
const NEW: &str = "99.0.0";
const TERMS: Terms = Terms { settle: Duration::from_millis(500), limit: Duration::from_secs(3) };

/// A device that is well or not.
struct Wellbeing(bool);

#[async_trait]
impl Fitness for Wellbeing {
    fn failing(&self) -> BTreeMap<String, String> {
        BTreeMap::new()
    }

    async fn recognises(&self) -> Result<(), String> {
        if self.0 { Ok(()) } else { Err("it finds nobody".to_owned()) }
    }
}

/// The appliance on this machine, with fakes for everything else.
fn appliance(machine: &SlotMachine, options: Options) -> Appliance {
    let (_, handles) = testkit::appliance().unwrap();
    let ports = Ports { host: Arc::new(machine.host()), ..handles.ports() };
    Appliance::load(ports, Options { upgrades: machine.path("ledger"), ..options }).unwrap()
}

async fn upgrade(appliance: &Appliance, bundle: &Path) -> Result<()> {
    appliance.by(&actor("platform")).upgrade(bundle).await
}

/// Runs the trial of the version that was started.
fn try_out(appliance: &Appliance, is_well: bool) -> JoinSet<()> {
    let mut tasks = JoinSet::new();
    tasks.spawn(upgrades::run(appliance.clone(), Arc::new(Wellbeing(is_well)), TERMS, CancellationToken::new()));
    tasks
}

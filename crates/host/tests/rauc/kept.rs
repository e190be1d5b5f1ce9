//! A version that works is kept, one that does not is taken back.

use domain::Error;
use domain::upgrades::{Ledger, UpgradeState};
use testkit::{eventually, options};
use tokio::task::JoinSet;

use super::{NEW, appliance, try_out, upgrade};
use crate::machine::{BOARD, SlotMachine, content, image};

const LENGTH: usize = 5 << 20;

/// Installs a bundle. There is no service that restarts this machine, which is what the act says.
async fn install(machine: &SlotMachine, seed: u64) -> Vec<u8> {
    let (appliance, image) = (appliance(machine, options()), image(seed, LENGTH));
    let bundle = machine.bundle(&machine.signer("trusted"), BOARD, NEW, &image);
    let mut states = appliance.upgrade_changed();
    let mut watching = JoinSet::new();
    watching.spawn(async move {
        let mut percents = Vec::new();
        while states.changed().await.is_ok() {
            if let UpgradeState::Installing { percent, .. } = *states.borrow_and_update() {
                percents.push(percent);
            }
        }
        percents
    });
    let done = upgrade(&appliance, &bundle).await;
    assert!(matches!(done, Err(Error::Unavailable { what: "the system's power service" })), "{done:?}");
    assert_eq!(appliance.upgrade_state(), UpgradeState::OnTrial { version: NEW.into() });
    assert!(!bundle.exists());
    drop(appliance);
    let percents = watching.join_next().await.unwrap().unwrap();
    assert!(percents.is_sorted() && !percents.is_empty(), "{percents:?}");
    image
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bundle_is_installed_into_the_other_slot_and_kept_when_it_works() {
    let Some(mut machine) = SlotMachine::start() else { return };
    let image = install(&machine, 1).await;
    assert_eq!(machine.slot("B")[..LENGTH], image);
    assert_eq!(machine.slot("A"), content("A"));
    assert_eq!(machine.boot(), "B");
    let appliance = appliance(&machine, options());
    let _trial = try_out(&appliance, true);
    let kept = UpgradeState::Succeeded { version: NEW.into() };
    eventually("the new version is kept", async || (appliance.upgrade_state() == kept).then_some(())).await;
    let floor = Ledger::in_folder(&machine.path("ledger")).floor().unwrap().unwrap();
    assert_eq!(floor.to_string(), env!("CARGO_PKG_VERSION"));
    assert_eq!(machine.boot(), "B");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_version_that_recognises_nobody_is_taken_back() {
    let Some(mut machine) = SlotMachine::start() else { return };
    install(&machine, 2).await;
    assert_eq!(machine.boot(), "B");
    {
        let appliance = appliance(&machine, options());
        let _trial = try_out(&appliance, false);
        let ledger = machine.path("ledger/pending.json");
        let given_up = || std::fs::read_to_string(&ledger).ok()?.contains("it finds nobody").then_some(());
        eventually("the reason is stored", async || given_up()).await;
    }
    assert_eq!(machine.boot(), "A", "the boot loader falls back");
    assert_eq!(machine.slot("A"), content("A"));
    let appliance = appliance(&machine, options());
    let _former = try_out(&appliance, true);
    let state = eventually("the former version knows", async || match appliance.upgrade_state() {
        UpgradeState::Failed { why, .. } => Some(why),
        _ => None,
    });
    assert!(state.await.contains("it finds nobody"));
    assert_eq!(machine.bootable(), "A");
}

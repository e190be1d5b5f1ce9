//! Power cuts during an installation.

use std::time::{Duration, Instant};

use domain::ports::Host;
use domain::{Software, upgrades::UpgradeState};
use rand::RngExt;
use testkit::{eventually, options};
use tokio::task::JoinSet;

use super::{NEW, appliance, try_out, upgrade};
use crate::machine::{BOARD, SlotMachine, content, image};

/// Number of installations that are cut off; `CUTS` sets another one.
const CUTS: u64 = 20;
const LENGTH: usize = 8 << 20;

/// How long an installation takes here that is not cut off.
async fn duration(machine: &mut SlotMachine) -> Duration {
    let bundle = machine.bundle(&machine.signer("trusted"), BOARD, NEW, &image(0, LENGTH));
    let began = Instant::now();
    machine.host().install(Software::Bundle(bundle), &|_| {}).await.unwrap();
    began.elapsed()
}

#[tokio::test(flavor = "multi_thread")]
async fn power_cuts_never_leave_a_broken_slot_to_be_started() {
    let Some(mut machine) = SlotMachine::start() else { return };
    let whole = duration(&mut machine).await;
    let (mut running, mut good) = ("B".to_owned(), image(0, LENGTH));
    assert_eq!(machine.boot(), running);
    machine.host().mark(domain::SlotMark::Good).await.unwrap();
    let (signer, mut switched) = (machine.signer("trusted"), 0);
    let cuts = std::env::var("CUTS").ok().and_then(|text| text.parse().ok()).unwrap_or(CUTS);
    for cut in 1..=cuts {
        let new = image(cut, LENGTH);
        let bundle = machine.bundle(&signer, BOARD, NEW, &new);
        let host = machine.host();
        let mut installing = JoinSet::new();
        installing.spawn(async move { host.install(Software::Bundle(bundle), &|_| {}).await });
        tokio::time::sleep(whole.mul_f64(rand::rng().random_range(0.0..1.1))).await;
        machine.kill_rauc();
        installing.shutdown().await;
        let next = machine.boot();
        let image = if next == running { &good } else { &new };
        assert!(
            machine.slot(&next)[..LENGTH] == **image,
            "cut {cut}: slot {next} is neither the former nor the new image"
        );
        if next != running {
            (running, good, switched) = (next, new, switched + 1);
        }
        machine.host().mark(domain::SlotMark::Good).await.unwrap();
    }
    eprintln!("{cuts} cuts: {switched} had switched to the new image, an installation takes {} ms", whole.as_millis());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upgrade_that_a_power_cut_interrupts_has_failed_and_can_be_repeated() {
    let Some(mut machine) = SlotMachine::start() else { return };
    let image = image(7, 16 << 20);
    let bundle = machine.bundle(&machine.signer("trusted"), BOARD, NEW, &image);
    {
        let appliance = appliance(&machine, options());
        let mut began = JoinSet::new();
        began.spawn(async move { upgrade(&appliance, &bundle).await });
        let written = || machine.log().contains("as non-bootable").then_some(());
        eventually("the slot is being written", async || written()).await;
        machine.kill_rauc();
        began.shutdown().await;
    }
    if machine.bootable() == "B" {
        eprintln!("SKIPPED: the installation ended before it was cut off");
        return;
    }
    assert_eq!(machine.boot(), "A");
    assert_eq!(machine.slot("A"), content("A"));
    let appliance = appliance(&machine, options());
    let _former = try_out(&appliance, true);
    let failed = || matches!(appliance.upgrade_state(), UpgradeState::Failed { .. }).then_some(());
    eventually("it is known to have failed", async || failed()).await;
    let marked = || (machine.bootable() == "A" && !machine.path("ledger/pending.json").exists()).then_some(());
    eventually("the running slot is marked good", async || marked()).await;
    let again = machine.bundle(&machine.signer("trusted"), BOARD, NEW, &image);
    let repeated = eventually("it is repeated", async || match upgrade(&appliance, &again).await {
        Err(domain::Error::Busy) => None,
        done => Some(done),
    });
    assert!(matches!(repeated.await, Err(domain::Error::Unavailable { .. })), "installed, not restarted");
    assert_eq!(machine.slot("B")[..image.len()], image);
}

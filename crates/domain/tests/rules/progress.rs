//! Hung parts are reported, block nothing else, and recover by themselves.

use std::time::Duration;

use domain::progress::Part;
use domain::{StorageState, retention};
use testkit::Take;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::stage::{Stage, face, secs};

#[tokio::test(start_paused = true)]
async fn a_hung_accelerator_is_reported_within_half_a_minute_until_it_responds() {
    let mut stage = Stage::playing([Take::new().show(secs(600.0), [face("alice")])]).await;
    stage.open();
    tokio::time::sleep(secs(5.0)).await;
    let appliance = stage.appliance.clone();
    let progress = appliance.progress();
    assert!(progress.age(Part::Inference).unwrap() < secs(1.0));
    stage.fakes.analyzer.set_effort(secs(100_000.0));
    tokio::time::sleep(secs(29.0)).await;
    let stalls = progress.stalls();
    assert_eq!((stalls.len(), stalls[0].part, &*stalls[0].why), (1, Part::Inference, "no result within 20 s"));
    stage.fakes.analyzer.set_effort(Duration::ZERO);
    tokio::time::sleep(secs(25.0)).await;
    assert_eq!(progress.stalls(), []);
    stage.close().await;
}

#[tokio::test(start_paused = true)]
#[allow(clippy::await_holding_lock, reason = "the lock is what makes the disk hang")]
async fn a_hung_disk_is_reported_within_half_a_minute_until_it_responds() {
    let stage = Stage::new();
    let (appliance, cancel) = (stage.appliance.clone(), CancellationToken::new());
    let mut tasks = JoinSet::new();
    tasks.spawn(retention::run(appliance.clone(), cancel.clone()));
    tokio::time::sleep(secs(5.0)).await;
    let hung = stage.fakes.store.hang();
    // Time does not pass by itself while a thread waits for the disk.
    for _ in 0..300 {
        tokio::time::advance(secs(0.1)).await;
    }
    let state = appliance.storage_state().borrow().clone();
    assert_eq!(state, StorageState::Failing { reason: "the disk has not answered for 20 s".into() });
    assert_eq!(appliance.progress().stalls()[0].part, Part::Storage);
    drop(hung);
    appliance.storage_state().wait_for(|state| *state == StorageState::Working).await.unwrap();
    assert_eq!(appliance.progress().stalls(), []);
    cancel.cancel();
    tasks.join_next().await.unwrap().unwrap();
}

#[tokio::test(start_paused = true)]
async fn every_commit_is_progress() {
    let stage = Stage::playing([Take::new().show(secs(2.0), [face("alice")]).nobody(secs(60.0))]).await;
    let appliance = stage.appliance.clone();
    assert_eq!(appliance.progress().age(Part::Commits), None);
    assert_eq!(stage.watch(secs(10.0)).await.len(), 1);
    assert!(appliance.progress().age(Part::Commits).unwrap() < secs(10.0));
}

//! Live subscribers: fast ones get everything, slow ones are let go.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests panic like tests do")]

mod passage;

use std::sync::Arc;
use std::time::Duration;

use adapter::{Live, LiveEnd};
use domain::EntryKind;
use domain::ports::LogStore;
use testkit::store_suite::samples;
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

const DEADLINE: Duration = Duration::from_secs(600);

#[tokio::test(start_paused = true)]
async fn a_subscriber_that_reads_gets_every_record_and_one_that_does_not_is_let_go() {
    let (appliance, handles) = testkit::appliance().unwrap();
    let (live, cancel, mut tasks) =
        (Arc::new(Live::new(&[EntryKind::Record], 2)), CancellationToken::new(), JoinSet::new());
    let (mut reader, mut sleeper) = (live.subscribe().unwrap(), live.subscribe().unwrap());
    assert!(live.subscribe().is_none(), "two are enough");
    let (running, token, of) = (live.clone(), cancel.clone(), appliance.clone());
    tasks.spawn(async move { running.run(of, token).await });
    // They are in the log before the first record that wakes anybody.
    tokio::task::yield_now().await;
    for second in 0..99 {
        handles.store.append_record(&samples::stranger(&*handles.store, 1, second)).unwrap();
    }
    let read = async {
        for seq in 1..=100 {
            assert_eq!(timeout(DEADLINE, reader.next()).await.unwrap().unwrap().seq.0, seq);
        }
    };
    tokio::join!(read, passage::somebody_passes(&appliance, &handles, "rtsp://gate"));
    assert_eq!(sleeper.next().await.unwrap_err(), LiveEnd::TooSlow);
    drop(sleeper);
    assert!(live.subscribe().is_some());
    cancel.cancel();
    assert_eq!(timeout(DEADLINE, reader.next()).await.unwrap().unwrap_err(), LiveEnd::Stopped);
    tasks.join_next().await.unwrap().unwrap();
}

#[tokio::test]
async fn all_subscriptions_can_be_ended_and_new_ones_begun() {
    let live = Live::new(&[EntryKind::Record], 1);
    let mut first = live.subscribe().unwrap();
    live.end_all();
    assert_eq!(timeout(DEADLINE, first.next()).await.unwrap().unwrap_err(), LiveEnd::Stopped);
    drop(first);
    let mut second = live.subscribe().unwrap();
    assert!(timeout(Duration::from_millis(50), second.next()).await.is_err(), "it goes on");
}

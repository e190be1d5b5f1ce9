//! Clocks that are wrong until a time server is reached.

use domain::ports::{Clock, LogStore};
use domain::{Ages, Seq, Timestamp, retention};
use testkit::actor;
use testkit::store_suite::samples;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::stage::{Stage, secs};

const DAY: i64 = 24 * 3600 * 1000;

/// A stage that keeps records for thirty days, and runs retention until it is dropped.
async fn keeping() -> (Stage, JoinSet<()>) {
    let stage = Stage::new();
    let ages = Ages { people_days: Some(30), strangers_days: Some(30) };
    stage.appliance.by(&actor("test")).set_ages(ages).await.unwrap();
    let mut tasks = JoinSet::new();
    tasks.spawn(retention::run(stage.appliance.clone(), CancellationToken::new()));
    tokio::time::sleep(secs(5.0)).await;
    (stage, tasks)
}

fn record(stage: &Stage, number: i64, at: Timestamp) -> Seq {
    let mut record = samples::stranger(stage.fakes.store.as_ref(), 1, number);
    record.capture.at = at;
    stage.fakes.store.append_record(&record).unwrap().seq
}

fn days(days: i64) -> std::time::Duration {
    std::time::Duration::from_millis((days * DAY) as u64)
}

async fn left(stage: &Stage) -> Vec<i64> {
    // Longer than between two removals by age.
    tokio::time::sleep(secs(70.0)).await;
    let mut left: Vec<_> = stage.records().await.iter().map(|record| record.seq.0).collect();
    left.sort_unstable();
    left
}

#[tokio::test(start_paused = true)]
async fn a_clock_that_jumps_ten_years_ahead_removes_nothing_and_one_that_comes_back_neither() {
    let (stage, _retention) = keeping().await;
    let now = stage.fakes.clock.now();
    record(&stage, 1, now);
    stage.fakes.clock.set(now.plus_millis(3650 * DAY));
    assert_eq!(left(&stage).await, [1]);
    record(&stage, 2, stage.fakes.clock.now());
    tokio::time::advance(days(1)).await;
    assert_eq!(left(&stage).await, [1, 2]);
    stage.fakes.clock.set(now.plus_millis(2 * DAY));
    assert_eq!(left(&stage).await, [1, 2]);
    record(&stage, 3, stage.fakes.clock.now());
    tokio::time::advance(days(29)).await;
    assert_eq!(left(&stage).await, [2, 3], "the first is thirty days old; nothing says how old the second is");
    tokio::time::advance(days(3)).await;
    assert!(left(&stage).await.is_empty(), "the second is older than the third, whatever its time says");
}

#[tokio::test(start_paused = true)]
async fn a_clock_that_stays_ahead_is_believed_after_a_week() {
    let (stage, _retention) = keeping().await;
    let now = stage.fakes.clock.now();
    record(&stage, 1, now);
    stage.fakes.clock.set(now.plus_millis(100 * DAY));
    assert_eq!(left(&stage).await, [1]);
    tokio::time::advance(days(6)).await;
    assert_eq!(left(&stage).await, [1]);
    tokio::time::advance(days(2)).await;
    assert!(left(&stage).await.is_empty(), "records are not kept for ever");
}

#[tokio::test(start_paused = true)]
async fn a_restart_does_not_have_a_wrong_clock_believed() {
    let (stage, retention) = keeping().await;
    let now = stage.fakes.clock.now();
    record(&stage, 1, now);
    drop(retention);
    stage.fakes.clock.set(now.plus_millis(3650 * DAY));
    let again = stage.fakes.restart(domain::Limits::default()).unwrap();
    let mut tasks = JoinSet::new();
    tasks.spawn(retention::run(again, CancellationToken::new()));
    tokio::time::advance(days(1)).await;
    assert_eq!(left(&stage).await, [1]);
}

#[tokio::test(start_paused = true)]
async fn records_from_before_the_clock_was_set_are_as_old_as_those_after_them() {
    let (stage, _retention) = keeping().await;
    let now = stage.fakes.clock.now();
    for (number, at) in [(1, 0), (2, 946_684_800_000)] {
        stage.fakes.clock.set(Timestamp::from_millis(at));
        assert!(!stage.appliance.is_clock_set());
        record(&stage, number, stage.fakes.clock.now());
        assert_eq!(left(&stage).await.len() as i64, number, "nothing is removed while the clock is not set");
    }
    stage.fakes.clock.set(now);
    assert!(stage.appliance.is_clock_set());
    assert_eq!(left(&stage).await, [1, 2], "they were made minutes ago");
    record(&stage, 3, stage.fakes.clock.now());
    tokio::time::advance(days(29)).await;
    assert_eq!(left(&stage).await, [1, 2, 3]);
    tokio::time::advance(days(2)).await;
    assert!(left(&stage).await.is_empty());
}

//! Retention, and what happens when the storage is full.

use domain::ports::{Clock, LogStore, Pictures};
use domain::{
    Ages, RecordFilter, Seq, SnapMode, StorageLimits, StorageState, Usage, Verdict, WhenFull, Window, retention,
};
use testkit::store_suite::samples;
use testkit::{Take, actor};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::stage::{GATE, Stage, face, gate, names, secs};

const MIB: u64 = 1 << 20;

fn limits(max_bytes: u64, when_full: WhenFull) -> StorageLimits {
    StorageLimits { max_bytes, when_full }
}

/// Running retention.
struct RunningRetention {
    cancel: CancellationToken,
    tasks: JoinSet<()>,
}

impl RunningRetention {
    fn start(stage: &Stage) -> Self {
        let (cancel, mut tasks) = (CancellationToken::new(), JoinSet::new());
        tasks.spawn(retention::run(stage.appliance.clone(), cancel.clone()));
        Self { cancel, tasks }
    }

    async fn end(mut self) {
        self.cancel.cancel();
        self.tasks.join_next().await.unwrap().unwrap();
    }
}

/// Waits for the state; time is paused, so the time-out passes at once.
async fn reach(stage: &Stage, wanted: impl Fn(&StorageState) -> bool) {
    let mut state = stage.appliance.storage_state();
    tokio::time::timeout(secs(60.0), state.wait_for(wanted)).await.unwrap().unwrap();
}

fn is_full(state: &StorageState) -> bool {
    matches!(state, StorageState::Full { .. })
}

fn is_failing(state: &StorageState) -> bool {
    matches!(state, StorageState::Failing { .. })
}

fn is_working(state: &StorageState) -> bool {
    *state == StorageState::Working
}

/// Appends records of a megabyte each.
fn fill(stage: &Stage, records: u32) {
    let store = stage.fakes.store.as_ref();
    for number in 0..records {
        let mut record = samples::stranger(store, 1, i64::from(number));
        record.capture.scene = store.put(&vec![number as u8; MIB as usize]).unwrap();
        store.append_record(&record).unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn the_oldest_records_are_removed_at_the_limit() {
    let stage = Stage::storing(limits(32 * MIB, WhenFull::Overwrite));
    fill(&stage, 40);
    let retention = RunningRetention::start(&stage);
    tokio::time::sleep(secs(5.0)).await;
    let left = stage.records().await;
    assert!(stage.fakes.store.usage().unwrap().used_bytes <= 32 * MIB);
    assert!(!left.is_empty(), "more were removed than necessary");
    let seqs: Vec<_> = left.iter().map(|record| record.seq.0).collect();
    assert_eq!(seqs, (41 - seqs.len() as i64..=40).collect::<Vec<_>>());
    assert!(is_working(&stage.appliance.storage_state().borrow()));
    let page = stage.appliance.records(RecordFilter::default(), Window { skip: 0, limit: 5 }).await.unwrap();
    assert_eq!(page.total, left.len() as u64);
    retention.end().await;
}

#[tokio::test(start_paused = true)]
async fn with_stop_nothing_is_removed_and_nothing_is_recorded() {
    let mut stage = Stage::storing(limits(16 * MIB, WhenFull::Stop))
        .play([Take::new().nobody(secs(3.0)).show(secs(2.0), [face("alice")])])
        .await;
    fill(&stage, 20);
    let retention = RunningRetention::start(&stage);
    reach(&stage, is_full).await;
    stage.open();
    tokio::time::sleep(secs(10.0)).await;
    stage.close().await;
    assert_eq!(stage.records().await.len(), 20);
    retention.end().await;
}

#[tokio::test(start_paused = true)]
async fn recording_resumes_when_a_stopped_device_has_room_again() {
    let stage = Stage::storing(limits(16 * MIB, WhenFull::Stop))
        .play([Take::new().nobody(secs(8.0)).show(secs(2.0), [face("alice")])])
        .await;
    fill(&stage, 20);
    let retention = RunningRetention::start(&stage);
    reach(&stage, is_full).await;
    while stage.fakes.store.remove_entries(domain::Removal::Oldest, 100).unwrap() > 0 {}
    reach(&stage, is_working).await;
    assert_eq!(stage.watch(secs(15.0)).await.len(), 1);
    retention.end().await;
}

#[tokio::test(start_paused = true)]
async fn what_happens_when_the_storage_is_full_can_be_changed_at_any_time() {
    let stage = Stage::storing(limits(16 * MIB, WhenFull::Stop));
    fill(&stage, 20);
    let retention = RunningRetention::start(&stage);
    reach(&stage, is_full).await;
    stage.appliance.by(&actor("test")).set_when_full(WhenFull::Overwrite).await.unwrap();
    reach(&stage, is_working).await;
    assert!(stage.records().await.len() < 20);
    retention.end().await;
    let again = stage.fakes.restart(domain::Limits::default()).unwrap();
    again.by(&actor("test")).set_when_full(WhenFull::Stop).await.unwrap();
    let again = stage.fakes.restart(domain::Limits::default()).unwrap();
    assert_eq!(again.storage_limits().when_full, WhenFull::Stop);
}

#[tokio::test(start_paused = true)]
async fn a_record_made_while_the_disk_is_full_is_written_later() {
    let mut stage = Stage::playing([Take::new().nobody(secs(3.0)).show(secs(2.0), [face("alice")])]).await;
    stage.enrol("alice").await;
    stage.fakes.store.fill_up(true);
    let retention = RunningRetention::start(&stage);
    reach(&stage, is_failing).await;
    stage.open();
    tokio::time::sleep(secs(10.0)).await;
    assert!(stage.records().await.is_empty());
    stage.fakes.store.fill_up(false);
    reach(&stage, is_working).await;
    assert_eq!(names(&stage.records().await), ["alice"]);
    stage.close().await;
    retention.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_write_protected_disk_is_reported_and_recovers_by_itself() {
    let mut stage = Stage::playing([Take::new().nobody(secs(1.0)).show(secs(2.0), [face("alice")])]).await;
    let retention = RunningRetention::start(&stage);
    stage.open();
    stage.fakes.store.write_protect(true);
    reach(&stage, is_failing).await;
    tokio::time::sleep(secs(10.0)).await;
    assert_eq!(stage.appliance.records(RecordFilter::default(), samples::ALL).await.unwrap().total, 0);
    stage.fakes.store.write_protect(false);
    reach(&stage, is_working).await;
    assert_eq!(stage.records().await.len(), 1);
    stage.close().await;
    retention.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_disk_that_broke_silently_is_reported_although_nothing_is_to_be_written() {
    let stage = Stage::new();
    let retention = RunningRetention::start(&stage);
    tokio::time::sleep(secs(5.0)).await;
    assert!(is_working(&stage.appliance.storage_state().borrow()));
    stage.fakes.store.break_down(true);
    reach(&stage, is_failing).await;
    stage.fakes.store.break_down(false);
    reach(&stage, is_working).await;
    retention.end().await;
}

#[tokio::test(start_paused = true)]
async fn queued_records_are_bounded_and_keep_their_order() {
    let mut stage = Stage::new();
    stage.fakes.frames.script(GATE, [Take::new().show(secs(500.0), [face("alice")])]);
    let mut camera = gate();
    camera.settings.snap_mode = SnapMode::Timed;
    stage.add(camera).await;
    stage.fakes.store.fill_up(true);
    let retention = RunningRetention::start(&stage);
    reach(&stage, is_failing).await;
    stage.open();
    tokio::time::sleep(secs(450.0)).await;
    stage.fakes.store.fill_up(false);
    reach(&stage, is_working).await;
    stage.close().await;
    let times: Vec<_> = stage.records().await.iter().map(|record| record.capture.at).collect();
    assert!((64..=68).contains(&times.len()), "{}", times.len());
    assert!(times.is_sorted());
    retention.end().await;
}

#[tokio::test(start_paused = true)]
async fn records_are_removed_when_too_old_for_their_kind() {
    let stage = Stage::new();
    let now = stage.fakes.clock.now();
    let store = stage.fakes.store.as_ref();
    let day = 24 * 3600 * 1000;
    for (verdict, days) in [(Verdict::Known, 9), (Verdict::Stranger, 9), (Verdict::Known, 40), (Verdict::Stranger, 3)] {
        let mut record = samples::stranger(store, 1, 0);
        record.capture.at = now.plus_millis(-days * day);
        record.verdict = verdict;
        store.append_record(&record).unwrap();
    }
    stage.appliance.by(&actor("test")).set_ages(Ages { people_days: Some(30), strangers_days: Some(7) }).await.unwrap();
    let retention = RunningRetention::start(&stage);
    tokio::time::sleep(secs(5.0)).await;
    let left: Vec<_> = stage.records().await.iter().map(|record| record.seq).collect();
    assert_eq!(left, [Seq(1), Seq(4)]);
    retention.end().await;
}

#[tokio::test]
async fn ages_are_stored_and_checked() {
    let stage = Stage::new();
    assert_eq!(stage.appliance.ages().await.unwrap(), Ages::default());
    let ages = Ages { people_days: Some(30), strangers_days: None };
    stage.appliance.by(&actor("test")).set_ages(ages).await.unwrap();
    assert_eq!(stage.appliance.ages().await.unwrap(), ages);
    for days in [0, 36_501] {
        let refused = stage.appliance.by(&actor("test")).set_ages(Ages { strangers_days: Some(days), ..ages }).await;
        assert!(matches!(refused, Err(domain::Error::Invalid { field: "days", .. })));
    }
    assert_eq!(stage.appliance.ages().await.unwrap(), ages);
}

#[test]
fn an_upload_fits_on_a_device_whose_storage_is_full_by_design() {
    let free = |mib: u64| Usage { used_bytes: 0, free_bytes: mib * MIB, read_only: false };
    let (overwrite, stop) = (limits(20 << 30, WhenFull::Overwrite), limits(20 << 30, WhenFull::Stop));
    assert_eq!(overwrite.reserve(), 256 * MIB);
    assert_eq!(overwrite.upload_room(&free(256)), 192 * MIB, "retention keeps no more than the reserve free");
    assert_eq!(overwrite.upload_room(&free(63)), 0);
    assert_eq!(stop.upload_room(&free(256)), 0, "no record gives way");
    assert_eq!(stop.upload_room(&free(300)), 44 * MIB);
}

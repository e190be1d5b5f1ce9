//! The short form of the torture.

use polyface_tests::torture::run;

#[tokio::test(flavor = "multi_thread")]
async fn nothing_acknowledged_is_lost_however_often_the_daemon_is_killed() {
    let report = run(6, 7, |line| println!("{line}")).await;
    assert!(report.ok, "{}", report.summary());
    assert!(report.enrolled > 0 && report.removed > 0 && report.records > 0, "{}", report.summary());
}

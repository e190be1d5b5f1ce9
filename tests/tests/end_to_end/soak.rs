//! The short form of the soak.

use polyface_tests::soak::{Plan, run};

#[tokio::test(flavor = "multi_thread")]
async fn memory_threads_and_descriptors_come_back_to_their_level() {
    let report = run(&Plan::short(), |line| println!("{line}")).await;
    assert!(report.ok, "{}", report.summary());
}

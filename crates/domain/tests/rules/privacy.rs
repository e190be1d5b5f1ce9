//! Records without pictures.

use domain::{Error, Limits, Record, RecordFilter, Window};
use testkit::{Take, actor};

use crate::stage::{Stage, face, names, secs};

fn passing() -> Take {
    Take::new().show(secs(2.0), [face("alice")]).nobody(secs(10.0)).show(secs(2.0), [face("mallory")])
}

async fn has_pictures(stage: &Stage, record: &Record) -> bool {
    let mut kept = 0;
    for picture in [&record.capture.crop, &record.capture.scene] {
        match stage.appliance.picture(picture.clone()).await {
            Ok(_) => kept += 1,
            Err(Error::NotFound { .. }) => {}
            Err(error) => panic!("{error}"),
        }
    }
    assert_eq!(kept == 2, record.capture.crop.is_kept() && record.capture.scene.is_kept(), "the record says so");
    kept > 0
}

#[tokio::test(start_paused = true)]
async fn records_without_pictures_have_everything_else() {
    let mut stage = Stage::playing([passing()]).await;
    stage.enrol("alice").await;
    stage.appliance.by(&actor("test")).keep_pictures(false).await.unwrap();
    stage.open();
    tokio::time::sleep(secs(30.0)).await;
    stage.close().await;
    let records = stage.records().await;
    assert_eq!(names(&records), ["alice", "?"]);
    for record in &records {
        assert!(!has_pictures(&stage, record).await);
    }
    let page = stage.appliance.records(RecordFilter::default(), Window { skip: 0, limit: 10 }).await.unwrap();
    assert_eq!(page.rows.len(), 2);
    let alice = stage.appliance.person_by_code("alice".parse().unwrap()).await.unwrap();
    stage.appliance.picture(alice.photo).await.expect("people keep their photos");
}

#[tokio::test(start_paused = true)]
async fn the_switch_applies_to_new_records_and_keeps_existing_pictures() {
    let mut stage = Stage::playing([passing()]).await;
    stage.open();
    tokio::time::sleep(secs(8.0)).await;
    stage.appliance.by(&actor("test")).keep_pictures(false).await.unwrap();
    tokio::time::sleep(secs(30.0)).await;
    stage.close().await;
    let records = stage.records().await;
    assert!(has_pictures(&stage, &records[0]).await && !has_pictures(&stage, &records[1]).await);
}

#[tokio::test]
async fn the_switch_is_kept_over_a_restart_and_restored_with_the_factory_settings() {
    let stage = Stage::new();
    assert!(stage.appliance.keeps_pictures());
    stage.appliance.by(&actor("test")).keep_pictures(false).await.unwrap();
    let restarted = stage.fakes.restart(Limits::default()).unwrap();
    assert!(!restarted.keeps_pictures());
    restarted.by(&actor("test")).restore_defaults(&restarted.state("one"), &[]).await.unwrap();
    assert!(restarted.keeps_pictures());
}

#[tokio::test(start_paused = true)]
async fn a_queued_record_has_no_pictures() {
    let mut stage = Stage::playing([passing()]).await;
    stage.appliance.by(&actor("test")).keep_pictures(false).await.unwrap();
    let (appliance, cancel) = (stage.appliance.clone(), tokio_util::sync::CancellationToken::new());
    let mut retention = tokio::task::JoinSet::new();
    retention.spawn(domain::retention::run(appliance, cancel.clone()));
    stage.fakes.store.write_protect(true);
    stage.open();
    tokio::time::sleep(secs(8.0)).await;
    stage.fakes.store.write_protect(false);
    tokio::time::sleep(secs(30.0)).await;
    stage.close().await;
    cancel.cancel();
    retention.join_next().await.unwrap().unwrap();
    let records = stage.records().await;
    assert_eq!(records.len(), 2);
    for record in &records {
        assert!(!has_pictures(&stage, record).await);
    }
}

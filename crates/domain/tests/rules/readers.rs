//! Scans, and readers that fail.

use std::sync::Arc;

use domain::ports::Reader;
use domain::{Event, ReaderState, Scan, readers};
use testkit::FakeReader;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::stage::{Stage, secs};

/// A stage with a reader that is ready.
async fn with_reader() -> (Stage, Arc<FakeReader>, JoinSet<()>) {
    let (stage, reader, mut tasks) = (Stage::new(), FakeReader::new("gate"), JoinSet::new());
    let all: Vec<Arc<dyn Reader>> = vec![reader.clone()];
    tasks.spawn(readers::run(stage.appliance.clone(), all, CancellationToken::new()));
    while !reader.is_read() {
        tokio::time::sleep(secs(0.01)).await;
    }
    (stage, reader, tasks)
}

#[tokio::test(start_paused = true)]
async fn a_scan_is_announced() {
    let (stage, reader, _tasks) = with_reader().await;
    let mut events = stage.appliance.events();
    assert!(reader.show(Scan::Card(1_369_406_761)));
    let Ok(Event::Scanned { reader, at, scan }) = events.recv().await else { panic!("nothing was announced") };
    assert_eq!((&*reader, at, scan), ("gate", stage.appliance.now(), Scan::Card(1_369_406_761)));
}

#[tokio::test(start_paused = true)]
async fn a_reader_that_fails_is_reopened_when_it_is_back() {
    let (stage, reader, _tasks) = with_reader().await;
    let mut readers = stage.appliance.readers_changed();
    let lost = |why: &str| ReaderState::Lost(why.to_owned());
    reader.set_plugged(false);
    readers.wait_for(|readers| readers["gate"] == lost("it is gone: unplugged")).await.unwrap();
    tokio::time::sleep(secs(600.0)).await;
    assert_eq!(readers.borrow_and_update()["gate"], lost("it cannot be opened: no such device"));
    assert!(!reader.show(Scan::Card(7)));
    reader.set_plugged(true);
    tokio::time::sleep(secs(31.0)).await;
    assert_eq!(readers.borrow_and_update()["gate"], ReaderState::Ready);
    let mut events = stage.appliance.events();
    assert!(reader.show(Scan::Card(7)));
    assert!(matches!(events.recv().await, Ok(Event::Scanned { scan: Scan::Card(7), .. })));
}

//! Cameras that fail, recover, change and are removed.

use std::io::Write;
use std::sync::{Arc, Mutex};

use domain::ports::SourceError;
use domain::{CameraChange, CameraCounters, CameraId, CameraStatus, Error, Event, Source, Thing};
use testkit::{Failure, Take, actor};

use crate::stage::{GATE, Stage, face, gate, names, secs};

const FIRST: CameraId = CameraId(1);

fn unreachable() -> Take {
    Take::refused(SourceError::Unreachable("no route".into()))
}

#[tokio::test(start_paused = true)]
async fn an_offline_camera_has_a_reason_and_reconnects_by_itself() {
    let takes = [unreachable(), unreachable(), unreachable(), Take::new().show(secs(3.0), [face("alice")])];
    let mut stage = Stage::playing(takes).await;
    let mut events = stage.appliance.events();
    assert_eq!(stage.appliance.camera_status(FIRST), CameraStatus::Connecting);
    stage.open();
    tokio::time::sleep(secs(0.3)).await;
    let offline = CameraStatus::Offline { reason: "the camera cannot be reached: no route".into() };
    assert_eq!(stage.appliance.camera_status(FIRST), offline);
    tokio::time::sleep(secs(20.0)).await;
    assert_eq!(stage.appliance.camera_status(FIRST), CameraStatus::Online);
    assert_eq!(stage.appliance.camera_counters(FIRST).reconnects, 3);
    stage.close().await;
    assert_eq!(stage.records().await.len(), 1);
    let mut announced = Vec::new();
    while let Ok(Event::CameraStatus { status, .. }) = events.try_recv() {
        announced.push(status);
    }
    assert_eq!(announced, [offline, CameraStatus::Online], "only changes are announced");
}

#[tokio::test(start_paused = true)]
async fn attempts_become_rarer_but_continue_every_minute() {
    let mut stage = Stage::playing((0..1_000).map(|_| unreachable())).await;
    stage.open();
    tokio::time::sleep(secs(10.0)).await;
    let early = stage.fakes.frames.opened(GATE);
    assert!((3..=7).contains(&early), "{early} attempts in the first ten seconds");
    tokio::time::sleep(secs(600.0)).await;
    let later = stage.fakes.frames.opened(GATE) - early;
    assert!((10..=25).contains(&later), "{later} attempts in ten minutes");
    stage.close().await;
}

#[tokio::test(start_paused = true)]
async fn a_camera_that_stays_away_is_logged_once() {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt().with_writer(move || writer.clone()).finish();
    let _guard = tracing::subscriber::set_default(subscriber);
    let mut stage = Stage::playing((0..50).map(|_| unreachable())).await;
    stage.open();
    tokio::time::sleep(secs(120.0)).await;
    stage.close().await;
    let text = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    assert_eq!(text.matches("camera offline").count(), 1, "{text}");
    assert!(!text.contains("rtsp://"), "an address may hold a password");
}

#[tokio::test(start_paused = true)]
async fn a_silent_camera_is_opened_again() {
    let takes = [Take::new().nobody(secs(1.0)).stall(), Take::new()];
    let mut stage = Stage::playing(takes).await;
    stage.open();
    tokio::time::sleep(secs(11.2)).await;
    let offline = CameraStatus::Offline { reason: "no pictures for 10 s".into() };
    assert_eq!(stage.appliance.camera_status(FIRST), offline);
    tokio::time::sleep(secs(3.0)).await;
    assert_eq!(stage.appliance.camera_status(FIRST), CameraStatus::Online);
    stage.close().await;
}

#[tokio::test(start_paused = true)]
async fn a_person_in_view_when_the_connection_breaks_is_recorded_once() {
    let visit = || Take::new().show(secs(1.0), [face("alice")]).break_off();
    let stage = Stage::playing([visit(), visit()]).await;
    stage.enrol("alice").await;
    assert_eq!(names(&stage.watch(secs(8.0)).await), ["alice"]);
}

#[tokio::test(start_paused = true)]
async fn a_file_that_ended_is_not_played_again() {
    let visit = |name| Take::new().show(secs(2.0), [face(name)]).end();
    let mut stage = Stage::playing([visit("alice"), visit("bob")]).await;
    stage.enrol("alice").await;
    stage.open();
    tokio::time::sleep(secs(60.0)).await;
    let ended = CameraStatus::Offline { reason: "the file has ended".into() };
    assert_eq!(stage.appliance.camera_status(FIRST), ended);
    assert_eq!(stage.fakes.frames.opened(GATE), 1);
    stage.close().await;
    assert_eq!(names(&stage.records().await), ["alice"]);
}

#[tokio::test(start_paused = true)]
async fn a_changed_source_reopens_the_camera() {
    const OTHER: &str = "rtsp://gate/other";
    let mut stage = Stage::playing([Take::new().show(secs(60.0), [face("alice")])]).await;
    stage.fakes.frames.script(OTHER, [Take::new()]);
    stage.open();
    tokio::time::sleep(secs(2.0)).await;
    assert_eq!(stage.fakes.frames.open_now(GATE), 1);
    let mut settings = gate().settings;
    settings.source = Source::Rtsp { url: OTHER.into() };
    let change = CameraChange { settings: Some(settings), ..CameraChange::default() };
    stage.appliance.by(&actor("test")).update_camera(FIRST, change).await.unwrap();
    tokio::time::sleep(secs(1.0)).await;
    assert_eq!((stage.fakes.frames.open_now(GATE), stage.fakes.frames.open_now(OTHER)), (0, 1));
    assert_eq!(stage.records().await.len(), 1, "the person in view is recorded");
    stage.close().await;
}

#[tokio::test(start_paused = true)]
async fn a_source_that_is_changed_to_a_dead_one_is_offline() {
    let mut stage = Stage::playing([Take::new()]).await;
    stage.open();
    tokio::time::sleep(secs(1.0)).await;
    let mut settings = gate().settings;
    settings.source = Source::Rtsp { url: "rtsp://nowhere".into() };
    let change = CameraChange { settings: Some(settings), ..CameraChange::default() };
    stage.appliance.by(&actor("test")).update_camera(FIRST, change).await.unwrap();
    tokio::time::sleep(secs(1.0)).await;
    assert!(matches!(stage.appliance.camera_status(FIRST), CameraStatus::Offline { .. }));
    stage.close().await;
}

#[tokio::test(start_paused = true)]
async fn a_removed_camera_stops_and_its_channel_is_reset() {
    let mut stage = Stage::playing([Take::new().show(secs(60.0), [face("alice")])]).await;
    stage.open();
    tokio::time::sleep(secs(2.0)).await;
    stage.appliance.by(&actor("test")).remove_camera(FIRST).await.unwrap();
    tokio::time::sleep(secs(1.0)).await;
    assert_eq!(stage.fakes.frames.open_now(GATE), 0);
    assert_eq!(stage.records().await.len(), 1, "the person in view is recorded");
    let mut camera = gate();
    camera.settings.source = Source::Rtsp { url: "rtsp://nowhere".into() };
    assert_eq!(stage.add(camera).await.id, FIRST);
    tokio::time::sleep(secs(0.1)).await;
    assert_eq!(stage.appliance.camera_counters(FIRST), CameraCounters::default());
    stage.close().await;
}

#[tokio::test(start_paused = true)]
async fn a_camera_added_while_watching_is_opened_at_once() {
    let mut stage = Stage::new();
    stage.open();
    tokio::time::sleep(secs(1.0)).await;
    stage.fakes.frames.script(GATE, [Take::new()]);
    stage.add(gate()).await;
    tokio::time::sleep(secs(0.5)).await;
    assert_eq!(stage.appliance.camera_status(FIRST), CameraStatus::Online);
    stage.close().await;
}

#[tokio::test(start_paused = true)]
async fn stopping_records_people_in_view() {
    let mut stage = Stage::playing([Take::new().show(secs(60.0), [face("alice")])]).await;
    stage.open();
    tokio::time::sleep(secs(1.0)).await;
    assert!(stage.records().await.is_empty());
    stage.close().await;
    assert_eq!(stage.records().await.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_panic_of_the_analyzer_does_not_end_surveillance() {
    const DOOR: &str = "rtsp://door/live";
    let later = |name: &str| Take::new().nobody(secs(5.0)).show(secs(2.0), [face(name)]);
    let stage = Stage::playing([later("lost"), later("alice")]).await;
    stage.fakes.frames.script(DOOR, [later("bob"), later("bob")]);
    let mut door = gate();
    door.settings.source = Source::Rtsp { url: DOOR.into() };
    stage.add(door).await;
    stage.enrol("alice").await;
    stage.enrol("bob").await;
    stage.fakes.analyzer.fail_next([Failure::Panic]);
    let records = stage.watch(secs(12.0)).await;
    assert_eq!(records.len(), 2, "{:?}", names(&records));
}

#[tokio::test(start_paused = true)]
async fn frames_that_cannot_be_analysed_are_skipped() {
    let stage = Stage::playing([Take::new().show(secs(3.0), [face("alice")])]).await;
    stage.enrol("alice").await;
    stage.fakes.analyzer.fail_next([Failure::Error, Failure::Busy, Failure::Error]);
    assert_eq!(names(&stage.watch(secs(8.0)).await), ["alice"]);
}

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, text: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(text);
        Ok(text.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test(start_paused = true)]
async fn a_snapshot_shows_the_present_frame() {
    let mut stage =
        Stage::playing([Take::new().show(secs(5.0), [face("alice")]).show(secs(60.0), [face("bob")])]).await;
    let camera = stage.appliance.cameras().await.unwrap()[0].id;
    let early = stage.appliance.snapshot(camera).await;
    assert!(matches!(early, Err(Error::Unavailable { .. })), "surveillance does not run yet: {early:?}");
    stage.open();
    tokio::time::sleep(secs(10.0)).await;
    let shot = stage.appliance.snapshot(camera).await.unwrap();
    let alike = stage.appliance.compare(shot, testkit::portrait("bob")).await.unwrap();
    assert!(alike.value() > 0.9, "{alike:?}");
    let nowhere = stage.appliance.snapshot(CameraId(7)).await;
    assert!(matches!(nowhere, Err(Error::NotFound { what: Thing::Camera })));
    stage.close().await;
}

//! Cameras that detect faces themselves and deliver pictures.

use domain::ports::SourceError;
use domain::{CameraId, CameraStatus, DeviceAddress, NewCamera, SnapMode, Source, WatchSettings};
use testkit::{Picture, Take};

use crate::stage::{Stage, face, gate, names, secs};

const DOOR: &str = "capture://10.0.0.5:80";
const FIRST: CameraId = CameraId(1);

fn door() -> NewCamera {
    let device = DeviceAddress { host: "10.0.0.5".into(), port: 80, ..DeviceAddress::default() };
    let mut door = gate();
    door.settings.source = Source::Capture { device, vendor: "acme".into(), product: String::new() };
    door.settings.snap_mode = SnapMode::First;
    door
}

async fn stage(takes: impl IntoIterator<Item = Take>, door: NewCamera) -> Stage {
    let stage = Stage::new();
    stage.fakes.frames.script(DOOR, takes);
    stage.add(door).await;
    stage
}

#[tokio::test(start_paused = true)]
async fn all_people_in_a_delivered_picture_are_recorded_at_once() {
    let both = [face("alice").at(20, 100), face("bob").at(300, 100)];
    let mut stage = stage([Take::new().show(secs(1.0), both)], door()).await;
    stage.enrol("alice").await;
    stage.open();
    tokio::time::sleep(secs(0.5)).await;
    assert_eq!(stage.records().await.len(), 2, "without further pictures");
    stage.close().await;
    let records = stage.records().await;
    let mut who = names(&records);
    who.sort_unstable();
    assert_eq!(who, ["?", "alice"]);
    assert_eq!(stage.appliance.camera_counters(FIRST).records, 2);
}

#[tokio::test(start_paused = true)]
async fn every_picture_counts_at_any_rate() {
    let people: Vec<String> = (0..20).map(|n| format!("person {n}")).collect();
    let take = people.iter().fold(Take::new(), |take, who| take.show(secs(0.0), [face(who)]));
    let records = stage([take], door()).await.watch(secs(30.0)).await;
    assert_eq!(records.len(), 20);
}

#[tokio::test(start_paused = true)]
async fn two_pictures_of_one_passage_are_one_record() {
    let take = Take::new().show(secs(1.0), [face("alice")]).show(secs(20.0), [face("alice").sized(200)]);
    let again = take.show(secs(1.0), [face("alice")]);
    let records = stage([again], door()).await.watch(secs(40.0)).await;
    assert_eq!(records.len(), 2, "the second is out of sight for longer than the re-arm time");
}

#[tokio::test(start_paused = true)]
async fn empty_pictures_and_faces_of_low_quality_are_skipped() {
    let take = Take::new().show(secs(1.0), [face("bob").quality(5)]).show(secs(1.0), [face("alice")]);
    let records = stage([take], door()).await.watch(secs(10.0)).await;
    assert_eq!(records.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_camera_is_online_before_its_first_picture_and_reconnects() {
    let nobody = Take::new().show_picture(secs(1.0), Picture::empty()).break_off();
    let refused = Take::refused(SourceError::Unauthorised);
    let mut stage = stage([refused, nobody, Take::new().show(secs(1.0), [face("alice")])], door()).await;
    stage.open();
    tokio::time::sleep(secs(0.2)).await;
    let reason = SourceError::Unauthorised.to_string();
    assert_eq!(stage.appliance.camera_status(FIRST), CameraStatus::Offline { reason });
    tokio::time::sleep(secs(30.0)).await;
    assert_eq!(stage.appliance.camera_status(FIRST), CameraStatus::Online);
    assert_eq!(stage.appliance.camera_counters(FIRST).reconnects, 2);
    stage.close().await;
    assert_eq!(stage.records().await.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_camera_that_is_not_armed_records_nothing() {
    let mut asleep = door();
    asleep.watch = WatchSettings { enabled: false, ..asleep.watch };
    let take = Take::new().show(secs(1.0), [face("alice")]);
    assert_eq!(stage([take], asleep).await.watch(secs(5.0)).await.len(), 0);
}

//! Visits that somebody waits for: at a door, and in snap mode *first*.

use std::net::SocketAddr;

use domain::{
    CameraId, Decider, DoorOptions, DoorRules, FaceReaction, LibraryId, NewPerson, NewRelay, Options, Record, RelayId,
    SnapMode, Verdict,
};
use testkit::{FakeFace, Picture, Take, actor};

use crate::stage::{GATE, Stage, face, gate, names, newcomer, secs};

/// The apparent age of a face in a picture held before the camera.
const PICTURE: u8 = 99;

fn relay() -> NewRelay {
    let address = SocketAddr::from(([192, 0, 2, 7], 5000));
    NewRelay { camera: CameraId(1), address, name: String::new(), tag: String::new() }
}

/// A stage whose gate camera has this mode and plays the take, with alice enrolled.
async fn stage(mode: SnapMode, take: Take) -> Stage {
    set_up(Stage::new(), mode, take).await
}

async fn set_up(stage: Stage, mode: SnapMode, take: Take) -> Stage {
    stage.fakes.frames.script(GATE, [take]);
    let mut camera = gate();
    camera.settings.snap_mode = mode;
    stage.add(camera).await;
    stage.enrol("alice").await;
    stage
}

async fn bind_relay(stage: &Stage) -> RelayId {
    stage.appliance.by(&actor("test")).bind_relay(relay()).await.unwrap().id
}

fn passage(face: FakeFace) -> Take {
    Take::new().show(secs(8.0), [face]).nobody(secs(30.0))
}

/// What is recorded after this time.
async fn after(stage: &mut Stage, seconds: f64) -> Vec<Record> {
    stage.open();
    tokio::time::sleep(secs(seconds)).await;
    let records = stage.records().await;
    stage.close().await;
    records
}

#[tokio::test(start_paused = true)]
async fn in_mode_first_a_known_face_is_recorded_from_its_first_picture() {
    let mut stage = stage(SnapMode::First, passage(face("alice"))).await;
    let records = after(&mut stage, 0.09).await;
    assert_eq!(names(&records), ["alice"], "before the second picture");
}

#[tokio::test(start_paused = true)]
async fn at_a_door_a_known_face_does_not_wait_for_the_best_shot() {
    for mode in [SnapMode::Best, SnapMode::Timed, SnapMode::First] {
        let mut at_the_door = stage(mode, passage(face("alice"))).await;
        bind_relay(&at_the_door).await;
        assert_eq!(names(&after(&mut at_the_door, 0.09).await), ["alice"], "{mode:?}");
    }
    let mut elsewhere = stage(SnapMode::Best, passage(face("alice"))).await;
    assert_eq!(names(&after(&mut elsewhere, 2.5).await), [""; 0], "without a door the best shot is awaited");
}

#[tokio::test(start_paused = true)]
async fn a_door_that_is_released_makes_no_camera_early() {
    let mut stage = stage(SnapMode::Best, Take::new().nobody(secs(1.0)).show(secs(8.0), [face("alice")])).await;
    let id = bind_relay(&stage).await;
    stage.open();
    stage.appliance.by(&actor("test")).release_relay(id).await.unwrap();
    tokio::time::sleep(secs(3.0)).await;
    assert!(stage.records().await.is_empty());
    stage.close().await;
}

#[tokio::test(start_paused = true)]
async fn the_own_door_makes_every_camera_early_while_faces_open_it() {
    let doors = DoorOptions { own_door: true, photos_open: true, ..DoorOptions::default() };
    let faces = DoorRules { decided_by: Decider::Face, ..DoorRules::factory() };
    let commands = DoorRules { decided_by: Decider::Remote, ..DoorRules::factory() };
    for (rules, reaction, early) in [
        (faces, FaceReaction::OpenDoors, true),
        (commands, FaceReaction::OpenDoors, false),
        (faces, FaceReaction::Nothing, false),
    ] {
        let stage = Stage::with(Options { doors, ..testkit::options() });
        let mut stage = set_up(stage, SnapMode::Best, passage(face("alice"))).await;
        stage.appliance.by(&actor("test")).set_door_rules(rules).await.unwrap();
        stage.appliance.by(&actor("test")).set_face_reaction(reaction).await.unwrap();
        assert_eq!(after(&mut stage, 0.09).await.len(), usize::from(early), "{rules:?} {reaction:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_face_that_fits_two_people_is_not_decided_early() {
    let mut stage = stage(SnapMode::Best, passage(face("alice"))).await;
    bind_relay(&stage).await;
    let photo = Picture::of([face("alice").at(210, 110).sized(190)]).png();
    let twin = NewPerson { photo, ..newcomer("twin", LibraryId::DEFAULT) };
    stage.appliance.by(&actor("test")).enrol(twin).await.unwrap();
    assert_eq!(names(&after(&mut stage, 2.5).await), [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn a_face_that_only_just_reaches_the_threshold_is_not_decided_early() {
    // A cosine of 0.525: above the threshold, without room.
    let mut stage = stage(SnapMode::Best, passage(face("alice"))).await;
    stage.fakes.analyzer.blur(|face| if face.size == 160 { 1.35 } else { 0.25 });
    bind_relay(&stage).await;
    stage.open();
    tokio::time::sleep(secs(2.5)).await;
    assert!(stage.records().await.is_empty(), "it may be a stranger's");
    tokio::time::sleep(secs(2.0)).await;
    assert_eq!(names(&stage.records().await), ["alice"], "several looks agree");
    stage.close().await;
}

#[tokio::test(start_paused = true)]
async fn a_stranger_who_is_seen_once_is_not_recorded() {
    let mut stage = stage(SnapMode::First, Take::new().show(secs(0.1), [face("mallory")]).nobody(secs(30.0))).await;
    assert_eq!(names(&after(&mut stage, 20.0).await), [""; 0], "it may be a false detection");
}

#[tokio::test(start_paused = true)]
async fn a_stranger_seen_twice_in_passing_is_recorded() {
    let mut stage = stage(SnapMode::First, Take::new().show(secs(0.5), [face("mallory")]).nobody(secs(30.0))).await;
    assert_eq!(names(&after(&mut stage, 20.0).await), ["?"]);
}

#[tokio::test(start_paused = true)]
async fn a_picture_of_a_person_is_not_decided_early_where_faces_must_be_living() {
    for (age, early) in [(30, vec![Verdict::Known]), (PICTURE, vec![])] {
        let mut stage = stage(SnapMode::Best, passage(FakeFace { age, ..face("alice") })).await;
        let score = |face: &FakeFace| Some(if face.age == PICTURE { 0.2 } else { 0.9 });
        stage.fakes.analyzer.judge_liveness(0.5, score);
        bind_relay(&stage).await;
        stage.open();
        tokio::time::sleep(secs(0.09)).await;
        let verdicts = |records: Vec<Record>| records.iter().map(|record| record.verdict).collect::<Vec<_>>();
        assert_eq!(verdicts(stage.records().await), early);
        tokio::time::sleep(secs(6.0)).await;
        let expected = if age == PICTURE { Verdict::Spoof } else { Verdict::Known };
        assert_eq!(verdicts(stage.records().await), [expected]);
        stage.close().await;
    }
}

//! Doors that open to a face only after its head has turned.

use std::sync::Arc;

use domain::ports::Reader;
use domain::{CameraId, DoorOptions, DoorRules, NewRelay, Options, Profile, Proof, Scan, SnapMode, readers};
use testkit::{FakeFace, FakeReader, Take, actor};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::stage::{GATE, Stage, face, gate, secs};

/// A device with a door of its own, a relay, and alice at its gate for ten seconds.
async fn at_the_gate(turn_head: bool, rules: DoorRules, takes: Take) -> (Stage, JoinSet<()>) {
    let options = DoorOptions { own_door: true, turn_head, ..testkit::options().doors };
    let stage = Stage::with(Options { doors: options, ..testkit::options() });
    stage.fakes.frames.script(GATE, [takes]);
    let mut camera = gate();
    camera.settings.snap_mode = SnapMode::First;
    stage.add(camera).await;
    stage.enrol("alice").await;
    let (admin, address) = (actor("test"), ([192, 0, 2, 7], 5000).into());
    let relay = NewRelay { camera: CameraId(1), address, name: "lock".into(), tag: String::new() };
    stage.appliance.by(&admin).bind_relay(relay).await.unwrap();
    stage.appliance.by(&admin).set_door_rules(rules).await.unwrap();
    let tasks = stage.run_doors(CancellationToken::new()).await;
    (stage, tasks)
}

fn alice() -> Take {
    Take::new().show(secs(10.0), [face("alice")]).nobody(secs(60.0))
}

/// How often outputs were switched on.
fn opened(stage: &Stage) -> usize {
    stage.fakes.host.switched().iter().filter(|(_, on)| *on).count()
}

/// Heads turn to both sides from this many seconds after the first frame on.
fn turn_after(stage: &Stage, seconds: f32) {
    let started = stage.appliance.now();
    stage.fakes.analyzer.turn_heads(move |_, at| {
        let passed: f32 = at.millis_since(started) as f32 / 1_000.0 - seconds;
        Some(if passed < 0.0 { 0.0 } else { 30.0 * (2.0 * passed).sin() })
    });
}

#[tokio::test(start_paused = true)]
async fn a_picture_is_known_but_opens_no_door_where_heads_have_to_turn() {
    let (mut stage, _tasks) = at_the_gate(true, DoorRules::default(), alice()).await;
    stage.open();
    tokio::time::sleep(secs(15.0)).await;
    assert_eq!(opened(&stage), 0);
    stage.close().await;
    let records = stage.records().await;
    assert_eq!(records[0].verdict, domain::Verdict::Known, "nothing says that it is no head");
}

#[tokio::test(start_paused = true)]
async fn doors_open_as_soon_as_the_head_has_turned() {
    let (mut stage, _tasks) = at_the_gate(true, DoorRules::default(), alice()).await;
    turn_after(&stage, 3.0);
    stage.open();
    tokio::time::sleep(secs(2.9)).await;
    assert_eq!((stage.records().await.len(), opened(&stage)), (1, 0), "recognised, but not turned");
    tokio::time::sleep(secs(4.0)).await;
    assert_eq!(opened(&stage), 2, "the relay and the own door");
    tokio::time::sleep(secs(8.0)).await;
    assert_eq!(opened(&stage), 2, "once");
    stage.close().await;
    assert_eq!(stage.records().await.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn without_the_option_a_turn_opens_no_door_a_second_time() {
    let (mut stage, _tasks) = at_the_gate(false, DoorRules::default(), alice()).await;
    turn_after(&stage, 3.0);
    stage.open();
    tokio::time::sleep(secs(15.0)).await;
    assert_eq!(opened(&stage), 2);
    stage.close().await;
}

#[tokio::test(start_paused = true)]
async fn a_head_that_turns_beside_the_picture_of_a_person_opens_no_door() {
    // The picture is held beside the face of its bearer.
    let both = [face("alice").at(40, 100), face("mallory").at(420, 220)];
    let takes = Take::new().show(secs(10.0), both).nobody(secs(60.0));
    let (mut stage, _tasks) = at_the_gate(true, DoorRules::default(), takes).await;
    let picture = face("alice").identity;
    stage.fakes.analyzer.turn_heads(move |face: &FakeFace, at| {
        (face.identity != picture).then(|| 30.0 * (at.as_millis() as f32 / 500.0).sin())
    });
    stage.open();
    tokio::time::sleep(secs(15.0)).await;
    assert_eq!(opened(&stage), 0);
    stage.close().await;
}

#[tokio::test(start_paused = true)]
async fn a_head_that_turns_after_the_picture_was_taken_away_opens_no_door() {
    let takes = Take::new().show(secs(3.0), [face("alice")]).show(secs(8.0), [face("mallory")]).nobody(secs(60.0));
    let (mut stage, _tasks) = at_the_gate(true, DoorRules::default(), takes).await;
    turn_after(&stage, 3.0);
    stage.open();
    tokio::time::sleep(secs(15.0)).await;
    assert_eq!(opened(&stage), 0, "another face in the same place");
    stage.close().await;
}

#[tokio::test(start_paused = true)]
async fn a_card_beside_the_face_needs_no_turn() {
    let rules = DoorRules { proof: Proof::FaceAndCard, ..DoorRules::default() };
    let (mut stage, mut tasks) = at_the_gate(true, rules, alice()).await;
    let person = stage.appliance.person_by_code("alice".parse().unwrap()).await.unwrap();
    let with_card = |profile| Profile { cards: vec!["18".into()], ..profile };
    stage.appliance.by(&actor("test")).change_profile(person.id, with_card).await.unwrap();
    let reader = FakeReader::new("gate");
    let all: Vec<Arc<dyn Reader>> = vec![reader.clone()];
    tasks.spawn(readers::run(stage.appliance.clone(), all, CancellationToken::new()));
    stage.open();
    tokio::time::sleep(secs(2.0)).await;
    assert!(reader.show(Scan::Card(18)));
    tokio::time::sleep(secs(1.0)).await;
    assert_eq!(opened(&stage), 1, "the own door");
    stage.close().await;
}

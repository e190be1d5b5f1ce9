//! People with a limited number of passes.

use domain::{
    CameraId, Decider, DoorOptions, DoorRules, Error, Options, PersonId, Profile, SnapMode, Validity, Verdict,
};
use testkit::{Take, actor};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::stage::{GATE, Stage, face, gate, newcomer, secs};

fn visits(number: usize) -> Take {
    (0..number).fold(Take::new(), |take, _| take.show(secs(2.0), [face("alice")]).nobody(secs(10.0)))
}

/// Enrols alice with this number of passes.
async fn enrol_alice(stage: &Stage, times: u32) -> PersonId {
    let mut visitor = newcomer("alice", domain::LibraryId::DEFAULT);
    visitor.profile = Profile { validity: Validity::Uses(times), ..visitor.profile };
    stage.appliance.by(&actor("test")).enrol(visitor).await.unwrap().id
}

async fn left(stage: &Stage, person: PersonId) -> Validity {
    stage.appliance.person(person).await.unwrap().profile.validity
}

async fn verdicts(stage: &Stage) -> Vec<Verdict> {
    stage.records().await.iter().map(|record| record.verdict).collect()
}

#[tokio::test(start_paused = true)]
async fn each_visit_counts_on_a_device_without_a_door() {
    let mut stage = Stage::playing([visits(4)]).await;
    let alice = enrol_alice(&stage, 2).await;
    stage.open();
    tokio::time::sleep(secs(50.0)).await;
    stage.close().await;
    assert_eq!(
        verdicts(&stage).await,
        [Verdict::Known, Verdict::Known, Verdict::NotAllowedNow, Verdict::NotAllowedNow]
    );
    assert_eq!(left(&stage, alice).await, Validity::Uses(0));
}

#[tokio::test(start_paused = true)]
async fn a_visit_that_is_recorded_repeatedly_counts_once_and_stays_known() {
    let mut stage = Stage::new();
    stage.fakes.frames.script(GATE, [Take::new().show(secs(20.0), [face("alice")]).nobody(secs(60.0))]);
    let mut camera = gate();
    camera.settings.snap_mode = SnapMode::Timed;
    stage.add(camera).await;
    let alice = enrol_alice(&stage, 1).await;
    stage.open();
    tokio::time::sleep(secs(40.0)).await;
    stage.close().await;
    let verdicts = verdicts(&stage).await;
    assert!(verdicts.len() > 2 && verdicts.iter().all(|verdict| *verdict == Verdict::Known), "{verdicts:?}");
    assert_eq!(left(&stage, alice).await, Validity::Uses(0));
}

#[tokio::test(start_paused = true)]
async fn a_return_within_the_rearm_time_is_not_counted() {
    let take = Take::new().show(secs(2.0), [face("alice")]).nobody(secs(3.0)).show(secs(2.0), [face("alice")]);
    let mut stage = Stage::playing([take.nobody(secs(60.0))]).await;
    let alice = enrol_alice(&stage, 5).await;
    stage.open();
    tokio::time::sleep(secs(30.0)).await;
    stage.close().await;
    assert_eq!(left(&stage, alice).await, Validity::Uses(4));
}

/// A device with a door of its own, whose camera plays these takes.
async fn own_door(rules: DoorRules, takes: Take) -> (Stage, JoinSet<()>) {
    let doors = DoorOptions { own_door: true, ..testkit::options().doors };
    let stage = Stage::with(Options { doors, ..testkit::options() });
    stage.fakes.frames.script(GATE, [takes]);
    let mut camera = gate();
    camera.settings.snap_mode = SnapMode::First;
    stage.add(camera).await;
    stage.appliance.by(&actor("test")).set_door_rules(rules).await.unwrap();
    let tasks = stage.run_doors(CancellationToken::new()).await;
    (stage, tasks)
}

fn openings(stage: &Stage) -> usize {
    stage.fakes.host.switched().iter().filter(|switched| **switched == crate::doors::OPEN).count()
}

#[tokio::test(start_paused = true)]
async fn a_visit_that_opens_a_door_counts_once() {
    let (mut stage, _tasks) = own_door(DoorRules::default(), visits(3)).await;
    let alice = enrol_alice(&stage, 2).await;
    stage.open();
    tokio::time::sleep(secs(40.0)).await;
    stage.close().await;
    assert_eq!((openings(&stage), left(&stage, alice).await), (2, Validity::Uses(0)));
    assert_eq!(verdicts(&stage).await, [Verdict::Known, Verdict::Known, Verdict::NotAllowedNow]);
}

#[tokio::test(start_paused = true)]
async fn a_confirmation_by_a_platform_counts_and_opens_once() {
    let rules = DoorRules { decided_by: Decider::FaceThenRemote, ..DoorRules::default() };
    let (mut stage, _tasks) = own_door(rules, visits(1).nobody(secs(60.0))).await;
    let alice = enrol_alice(&stage, 3).await;
    stage.open();
    let appliance = stage.appliance.clone();
    appliance.newest_entry().wait_for(|seq| seq.0 == 1).await.unwrap();
    assert_eq!(left(&stage, alice).await, Validity::Uses(3), "the platform may refuse");
    let capture = stage.records().await[0].capture.id;
    appliance.by(&actor("platform")).confirm_entry(capture).await.unwrap();
    for _ in 0..3 {
        let again = appliance.by(&actor("platform")).confirm_entry(capture).await;
        assert!(matches!(again, Err(Error::Invalid { field: "record", .. })), "{again:?}");
    }
    assert_eq!((openings(&stage), left(&stage, alice).await), (1, Validity::Uses(2)));
    stage.close().await;
}

#[tokio::test(start_paused = true)]
async fn a_confirmation_that_opened_nothing_may_be_repeated() {
    let rules = DoorRules { decided_by: Decider::FaceThenRemote, ..DoorRules::default() };
    let (mut stage, _tasks) = own_door(rules, visits(1).nobody(secs(60.0))).await;
    stage.enrol("alice").await;
    stage.open();
    let appliance = stage.appliance.clone();
    appliance.newest_entry().wait_for(|seq| seq.0 == 1).await.unwrap();
    let capture = stage.records().await[0].capture.id;
    stage.fakes.host.take_offline(domain::Output::Contact, true);
    appliance.by(&actor("platform")).confirm_entry(capture).await.unwrap_err();
    stage.fakes.host.take_offline(domain::Output::Contact, false);
    appliance.by(&actor("platform")).confirm_entry(capture).await.unwrap();
    stage.close().await;
}

#[tokio::test(start_paused = true)]
async fn a_face_that_proves_only_half_does_not_count() {
    let rules = DoorRules { proof: domain::Proof::FaceAndCard, ..DoorRules::default() };
    let (mut stage, _tasks) = own_door(rules, visits(1).nobody(secs(60.0))).await;
    let alice = enrol_alice(&stage, 1).await;
    stage.open();
    tokio::time::sleep(secs(20.0)).await;
    stage.close().await;
    assert_eq!((openings(&stage), left(&stage, alice).await), (0, Validity::Uses(1)));
}

#[tokio::test(start_paused = true)]
async fn cameras_share_the_passes() {
    let mut stage = Stage::playing([visits(1).nobody(secs(60.0))]).await;
    let mut yard = gate();
    yard.settings.source = domain::Source::Rtsp { url: "rtsp://yard".into() };
    stage.fakes.frames.script("rtsp://yard", [Take::new().nobody(secs(15.0)).show(secs(2.0), [face("alice")])]);
    stage.add(yard).await;
    enrol_alice(&stage, 1).await;
    stage.open();
    tokio::time::sleep(secs(40.0)).await;
    stage.close().await;
    let seen: Vec<_> = stage.records().await.iter().map(|r| (r.capture.camera, r.verdict)).collect();
    assert_eq!(seen, [(CameraId(1), Verdict::Known), (CameraId(2), Verdict::NotAllowedNow)]);
}

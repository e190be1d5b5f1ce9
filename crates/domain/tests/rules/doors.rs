//! Doors: what opens them, for how long, and what does not.

use std::net::SocketAddr;
use std::time::Duration;

use domain::{
    CameraId, ContactUse, Decider, DoorOptions, DoorRules, Error, LibraryKind, LivenessRule, NewRelay, Options, Output,
    Profile, Proof, RelayId, Similarity, SnapMode, Thing, Validity, doors,
};
use testkit::{Take, actor};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::stage::{GATE, Stage, face, gate, names, newcomer, secs};

fn lock() -> SocketAddr {
    SocketAddr::from(([192, 0, 2, 7], 5000))
}

fn relay() -> NewRelay {
    NewRelay { camera: CameraId(1), address: lock(), name: "lock".into(), tag: "7".into() }
}

/// A stage whose gate camera has a relay and plays these takes.
async fn locked(takes: Take) -> (Stage, JoinSet<()>, CancellationToken) {
    let stage = Stage::new();
    stage.fakes.frames.script(GATE, [takes]);
    let mut camera = gate();
    camera.settings.snap_mode = SnapMode::First;
    stage.add(camera).await;
    stage.appliance.by(&actor("test")).bind_relay(relay()).await.unwrap();
    let cancel = CancellationToken::new();
    let tasks = stage.run_doors(cancel.clone()).await;
    (stage, tasks, cancel)
}

/// Runs the stage for this time. Returns what was switched after every relay was switched off at the start.
async fn switched(mut stage: Stage, time: Duration) -> Vec<bool> {
    tokio::time::sleep(secs(0.1)).await;
    stage.open();
    tokio::time::sleep(time).await;
    let switched = stage.fakes.host.switched();
    stage.close().await;
    assert!(switched.iter().all(|(output, _)| *output == Output::Relay(lock())));
    assert!(!switched[0].1, "closed at the start");
    switched[1..].iter().map(|(_, on)| *on).collect()
}

#[tokio::test(start_paused = true)]
async fn a_known_face_opens_the_door_of_its_camera_for_a_while() {
    let (stage, _tasks, _cancel) = locked(Take::new().show(secs(2.0), [face("alice")]).nobody(secs(20.0))).await;
    stage.enrol("alice").await;
    let appliance = stage.appliance.clone();
    assert_eq!(switched(stage, secs(10.0)).await, [true, false]);
    let log = appliance.by(&actor("test")).audit_log(50).await.unwrap();
    let opening = log.iter().find(|entry| entry.action == "door.open").unwrap();
    assert_eq!((&*opening.actor, &*opening.subject), ("camera 1", "relay 192.0.2.7:5000 for person 1"));
}

#[tokio::test(start_paused = true)]
async fn a_face_that_is_not_checked_for_life_opens_no_door() {
    let doors = DoorOptions { own_door: true, ..DoorOptions::default() };
    for (checked, rule, opens) in
        [(false, LivenessRule::Always, false), (true, LivenessRule::Never, false), (true, LivenessRule::Always, true)]
    {
        let mut stage = Stage::with(Options { doors, ..testkit::options() });
        if checked {
            stage.fakes.analyzer.judge_liveness(0.5, |_| Some(0.9));
        }
        stage.fakes.frames.script(GATE, [Take::new().show(secs(2.0), [face("alice")]).nobody(secs(20.0))]);
        let mut camera = gate();
        camera.settings.snap_mode = SnapMode::First;
        stage.add(camera).await;
        stage.enrol("alice").await;
        let admin = actor("test");
        stage.appliance.by(&admin).bind_relay(relay()).await.unwrap();
        stage.appliance.by(&admin).set_liveness_rule(rule).await.unwrap();
        let named: Vec<_> = stage.appliance.doors_without_liveness().await.unwrap();
        let names: Vec<_> = named.iter().map(|door| (&*door.name, door.photos_open)).collect();
        let both = [("relay 192.0.2.7:5000 of camera 1", false), ("own door", false)];
        assert_eq!(names, if opens { &[][..] } else { &both[..] });
        let _tasks = stage.run_doors(CancellationToken::new()).await;
        stage.open();
        tokio::time::sleep(secs(10.0)).await;
        assert_eq!(stage.appliance.records_after(domain::Seq(0), 9).await.unwrap().len(), 1, "it is recorded");
        let opened = stage.fakes.host.switched().iter().filter(|(_, on)| *on).count();
        assert_eq!(opened, if opens { 2 } else { 0 }, "{checked} {rule:?}");
        stage.close().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_door_that_needs_more_than_a_face_is_not_one_of_photos() {
    let doors = DoorOptions { own_door: true, ..DoorOptions::default() };
    let stage = Stage::with(Options { doors, ..testkit::options() });
    for (rules, named) in [
        (DoorRules::default(), 1),
        (DoorRules { proof: Proof::FaceOrCard, ..DoorRules::default() }, 1),
        (DoorRules { proof: Proof::FaceAndCard, ..DoorRules::default() }, 0),
        (DoorRules { decided_by: Decider::Remote, ..DoorRules::default() }, 0),
        (DoorRules { decided_by: Decider::FaceThenRemote, ..DoorRules::default() }, 0),
    ] {
        stage.appliance.by(&actor("test")).set_door_rules(rules).await.unwrap();
        assert_eq!(stage.appliance.doors_without_liveness().await.unwrap().len(), named, "{rules:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn strangers_and_blocked_people_do_not_open_it() {
    let show = || Take::new().show(secs(2.0), [face("alice")]).nobody(secs(20.0));
    let (stage, _tasks, _cancel) = locked(show()).await;
    assert_eq!(switched(stage, secs(10.0)).await, [] as [bool; 0], "a stranger");
    let (stage, _tasks, _cancel) = locked(show()).await;
    let wanted = stage.library("wanted", LibraryKind::Block).await;
    stage.enrol_into("alice", wanted).await;
    let mut watch = gate().watch;
    watch.libraries = [wanted].into();
    let change = domain::CameraChange { watch: Some(watch), ..Default::default() };
    stage.appliance.by(&actor("test")).update_camera(CameraId(1), change).await.unwrap();
    assert_eq!(switched(stage, secs(10.0)).await, [] as [bool; 0], "a blocked person");
}

#[tokio::test(start_paused = true)]
async fn a_door_opened_again_stays_open_for_longer() {
    let (alice, bob) = (face("alice").at(40, 100), face("bob").at(420, 220));
    let both = [alice, bob];
    let take = Take::new().show(secs(1.0), [alice]).show(secs(3.0), both).nobody(secs(20.0));
    let (stage, _tasks, _cancel) = locked(take).await;
    stage.enrol("alice").await;
    stage.enrol("bob").await;
    let appliance = stage.appliance.clone();
    let switched = switched(stage, secs(10.0)).await;
    assert_eq!(names(&appliance.records_after(domain::Seq(0), 9).await.unwrap()), ["alice", "bob"]);
    assert_eq!(switched, [true, true, false]);
}

#[tokio::test(start_paused = true)]
async fn a_person_with_one_pass_opens_it_once() {
    let visit = |take: Take| take.show(secs(2.0), [face("alice")]).nobody(secs(20.0));
    let (stage, _tasks, _cancel) = locked(visit(visit(Take::new()))).await;
    let mut visitor = newcomer("alice", domain::LibraryId::DEFAULT);
    visitor.profile = Profile { validity: Validity::Uses(1), ..visitor.profile };
    let visitor = stage.appliance.by(&actor("test")).enrol(visitor).await.unwrap();
    let appliance = stage.appliance.clone();
    assert_eq!(switched(stage, secs(40.0)).await, [true, false]);
    assert_eq!(appliance.person(visitor.id).await.unwrap().profile.validity, Validity::Uses(0));
}

#[tokio::test(start_paused = true)]
async fn an_old_face_opens_nothing() {
    // The frames are late, or the clock was set: the face is a minute old, or from the future.
    for ahead in [-60_000, 60_000] {
        let take = Take::new().clock_ahead(ahead).show(secs(2.0), [face("alice")]).nobody(secs(20.0));
        let (stage, _tasks, _cancel) = locked(take).await;
        stage.enrol("alice").await;
        let appliance = stage.appliance.clone();
        assert_eq!(switched(stage, secs(10.0)).await, [] as [bool; 0]);
        assert_eq!(appliance.records_after(domain::Seq(0), 10).await.unwrap().len(), 1, "but it is recorded");
    }
}

#[tokio::test(start_paused = true)]
async fn closing_a_door_is_retried() {
    let (mut stage, _tasks, _cancel) = locked(Take::new().show(secs(2.0), [face("alice")]).nobody(secs(60.0))).await;
    stage.enrol("alice").await;
    let host = stage.fakes.host.clone();
    stage.open();
    while host.switched().len() < 2 {
        tokio::time::sleep(secs(0.1)).await;
    }
    host.take_offline(Output::Relay(lock()), true);
    tokio::time::sleep(secs(10.0)).await;
    assert_eq!(host.switched().last(), Some(&(Output::Relay(lock()), true)));
    host.take_offline(Output::Relay(lock()), false);
    tokio::time::sleep(secs(20.0)).await;
    assert_eq!(host.switched().last(), Some(&(Output::Relay(lock()), false)));
    stage.close().await;
}

#[tokio::test(start_paused = true)]
async fn an_open_door_is_closed_when_the_daemon_ends() {
    let (mut stage, mut tasks, cancel) = locked(Take::new().show(secs(2.0), [face("alice")])).await;
    stage.enrol("alice").await;
    stage.open();
    let host = stage.fakes.host.clone();
    while host.switched().len() < 2 {
        tokio::time::sleep(secs(0.1)).await;
    }
    cancel.cancel();
    while tasks.join_next().await.is_some() {}
    assert_eq!(host.switched().last(), Some(&(Output::Relay(lock()), false)));
    stage.close().await;
}

#[tokio::test]
async fn relays_are_bound_listed_and_released() {
    let stage = Stage::new();
    let appliance = stage.appliance.clone();
    let unbound = appliance.by(&actor("test")).bind_relay(relay()).await;
    assert!(matches!(unbound, Err(Error::NotFound { what: Thing::Camera })));
    stage.add(gate()).await;
    let bound = appliance.by(&actor("test")).bind_relay(relay()).await.unwrap();
    assert_eq!(appliance.relays().await.unwrap(), [(bound.clone(), true)]);
    stage.fakes.host.take_offline(Output::Relay(lock()), true);
    assert_eq!(appliance.relays().await.unwrap(), [(bound.clone(), false)]);
    appliance.by(&actor("test")).release_relay(bound.id).await.unwrap();
    assert_eq!(appliance.relays().await.unwrap(), []);
    let gone = appliance.by(&actor("test")).release_relay(RelayId(99)).await;
    assert!(matches!(gone, Err(Error::NotFound { what: Thing::Relay })));
    let wordy = NewRelay { name: "x".repeat(256), ..relay() };
    assert!(matches!(appliance.by(&actor("test")).bind_relay(wordy).await, Err(Error::Invalid { .. })));
}

/// A device with a door of its own by these rules, and alice at its gate.
async fn own_door(rules: DoorRules) -> (Stage, JoinSet<()>) {
    own_door_before(rules, Take::new().show(secs(2.0), [face("alice")]).nobody(secs(60.0))).await
}

/// The same, with these takes.
pub(crate) async fn own_door_before(rules: DoorRules, takes: Take) -> (Stage, JoinSet<()>) {
    let doors = DoorOptions { own_door: true, ..testkit::options().doors };
    let stage = Stage::with(Options { doors, ..testkit::options() });
    stage.fakes.frames.script(GATE, [takes]);
    let mut camera = gate();
    camera.settings.snap_mode = SnapMode::First;
    stage.add(camera).await;
    stage.enrol("alice").await;
    stage.appliance.by(&actor("test")).set_door_rules(rules).await.unwrap();
    let tasks = stage.run_doors(CancellationToken::new()).await;
    (stage, tasks)
}

pub(crate) const OPEN: (Output, bool) = (Output::Contact, true);
const CLOSED: (Output, bool) = (Output::Contact, false);

#[tokio::test(start_paused = true)]
async fn the_own_door_opens_to_faces_where_faces_decide() {
    for (rules, opens) in [
        (DoorRules::default(), true),
        (DoorRules { decided_by: Decider::FaceOrRemote, ..DoorRules::default() }, true),
        (DoorRules { decided_by: Decider::Remote, ..DoorRules::default() }, false),
        (DoorRules { decided_by: Decider::FaceThenRemote, ..DoorRules::default() }, false),
        (DoorRules { proof: Proof::Card, ..DoorRules::default() }, false),
        (DoorRules { proof: Proof::Impossible, ..DoorRules::default() }, false),
        (DoorRules { threshold: Similarity::new(1.0), ..DoorRules::default() }, false),
    ] {
        let (mut stage, _tasks) = own_door(rules).await;
        stage.open();
        tokio::time::sleep(secs(10.0)).await;
        let wanted: &[_] = if opens { &[OPEN, CLOSED] } else { &[] };
        assert_eq!(stage.fakes.host.switched(), wanted, "{rules:?}");
        stage.close().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_command_opens_the_own_door_where_commands_decide() {
    let (stage, _tasks) = own_door(DoorRules { decided_by: Decider::Remote, ..DoorRules::default() }).await;
    stage.appliance.by(&actor("platform")).open_door().await.unwrap();
    assert_eq!(stage.fakes.host.switched(), [OPEN]);
    tokio::time::sleep(secs(1.0)).await;
    assert_eq!(stage.fakes.host.switched(), [OPEN, CLOSED]);
    stage.appliance.by(&actor("test")).set_door_rules(DoorRules::default()).await.unwrap();
    assert!(matches!(stage.appliance.by(&actor("platform")).open_door().await, Err(Error::NotSupported { .. })));
    let without = Stage::new();
    let rules = DoorRules { decided_by: Decider::Remote, ..DoorRules::default() };
    without.appliance.by(&actor("test")).set_door_rules(rules).await.unwrap();
    assert!(matches!(without.appliance.by(&actor("platform")).open_door().await, Err(Error::Unavailable { .. })));
}

#[tokio::test(start_paused = true)]
async fn a_platform_confirms_a_known_face_within_ten_seconds() {
    let rules = DoorRules { decided_by: Decider::FaceThenRemote, ..DoorRules::default() };
    let (mut stage, _tasks) = own_door(rules).await;
    stage.open();
    let appliance = stage.appliance.clone();
    appliance.newest_entry().wait_for(|seq| seq.0 == 1).await.unwrap();
    let capture = stage.records().await[0].capture.id;
    appliance.by(&actor("platform")).confirm_entry(capture).await.unwrap();
    assert_eq!(stage.fakes.host.switched(), [OPEN]);
    tokio::time::sleep(secs(11.0)).await;
    assert!(matches!(
        appliance.by(&actor("platform")).confirm_entry(capture).await,
        Err(Error::Invalid { field: "record", .. })
    ));
    assert_eq!(stage.fakes.host.switched(), [OPEN, CLOSED]);
    stage.close().await;
}

#[tokio::test(start_paused = true)]
async fn rules_of_the_own_door_are_kept_over_a_restart() {
    let (stage, _tasks) = own_door(DoorRules::default()).await;
    let hold = Duration::from_secs(5);
    let rules = DoorRules {
        decided_by: Decider::FaceOrRemote,
        threshold: Similarity::new(0.9),
        hold,
        proof: Proof::FaceAndCard,
        contact: ContactUse::Opens,
        cards_reversed: true,
    };
    stage.appliance.by(&actor("test")).set_door_rules(rules).await.unwrap();
    let restarted = stage.fakes.restart(domain::Limits::default()).unwrap();
    assert_eq!(restarted.door_rules().await.unwrap(), rules);
    for hold in [Duration::ZERO, Duration::from_secs(61)] {
        let refused = restarted.by(&actor("test")).set_door_rules(DoorRules { hold, ..rules }).await;
        assert!(matches!(refused, Err(Error::Invalid { .. })));
    }
}

#[tokio::test(start_paused = true)]
async fn nothing_is_opened_after_the_doors_have_shut_down() {
    let doors = DoorOptions { own_door: true, ..testkit::options().doors };
    let stage = Stage::with(Options { doors, ..testkit::options() });
    let rules = DoorRules { decided_by: Decider::Remote, ..DoorRules::default() };
    stage.appliance.by(&actor("test")).set_door_rules(rules).await.unwrap();
    let cancel = CancellationToken::new();
    cancel.cancel();
    doors::run(stage.appliance.clone(), cancel).await;
    assert!(matches!(stage.appliance.by(&actor("platform")).open_door().await, Err(Error::Unavailable { .. })));
    assert_eq!(stage.fakes.host.switched(), []);
}

#[tokio::test(start_paused = true)]
async fn a_relay_that_does_not_respond_delays_nobody() {
    let takes = Take::new().show(secs(1.0), [face("alice").at(40, 100)]).nobody(secs(3.0));
    let takes = takes.show(secs(2.0), [face("bob").at(420, 220)]).nobody(secs(60.0));
    let (mut stage, _tasks) = own_door_before(DoorRules::default(), takes).await;
    stage.enrol("bob").await;
    stage.appliance.by(&actor("test")).bind_relay(relay()).await.unwrap();
    // It is being closed when bob appears, for longer than the maximum age of a face.
    stage.fakes.host.slow_down(Output::Relay(lock()), secs(5.0));
    stage.open();
    tokio::time::sleep(secs(6.5)).await;
    let own: Vec<_> =
        stage.fakes.host.switched().into_iter().filter(|(output, _)| *output == Output::Contact).collect();
    assert_eq!(own, [OPEN, CLOSED, OPEN, CLOSED]);
    stage.close().await;
}

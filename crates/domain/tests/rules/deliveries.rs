//! Pictures that cameras send to the device, and cameras that are reserved for permission groups.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use domain::{
    Camera, CameraChange, CameraId, CameraStatus, DoorOptions, Error, FaceReaction, NewCamera, NewRelay, Options,
    Output, PermissionGroup, Role, SnapMode, Source, Thing, Timestamp, Verdict,
};
use testkit::{Picture, actor};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::stage::{Stage, face, gate, names, newcomer, secs};

const FIRST: CameraId = CameraId(1);

fn sender(groups: &[&str]) -> NewCamera {
    let mut sender = gate();
    sender.settings.source = Source::Pushed { host: [10, 0, 0, 5].into() };
    sender.settings.snap_mode = SnapMode::First;
    sender.permission_groups = groups.iter().map(|group| (*group).to_owned()).collect();
    sender
}

fn of(name: &str) -> Bytes {
    Picture::of([face(name)]).jpeg()
}

fn lock() -> SocketAddr {
    SocketAddr::from(([192, 0, 2, 7], 5000))
}

fn alarm() -> SocketAddr {
    SocketAddr::from(([192, 0, 2, 8], 5000))
}

impl Stage {
    async fn deliver(&self, picture: Bytes, at: Timestamp) -> Result<(), Error> {
        self.appliance.by(&actor("camera")).deliver_picture(FIRST, picture, at).await
    }

    async fn group(&self, id: &str) -> Result<(), Error> {
        let group =
            PermissionGroup { id: id.into(), name: format!("name of {id}"), description: "x".into(), note: None };
        self.appliance.by(&actor("test")).create_permission_group(group).await
    }

    async fn enrol_with(&self, name: &str, groups: &[&str]) {
        let mut person = newcomer(name, domain::LibraryId::DEFAULT);
        person.profile.permission_groups = groups.iter().map(|group| (*group).to_owned()).collect();
        self.appliance.by(&actor("test")).enrol(person).await.unwrap();
    }

    async fn last_verdict(&self) -> Verdict {
        self.records().await.pop().unwrap().verdict
    }

    /// Which outputs were switched on.
    fn opened(&self) -> BTreeSet<SocketAddr> {
        let switched = self.fakes.host.switched().into_iter().filter(|(_, on)| *on);
        switched
            .filter_map(|(output, _)| if let Output::Relay(address) = output { Some(address) } else { None })
            .collect()
    }
}

/// A stage whose camera sends pictures and has a relay, with doors that are run.
async fn stage(groups: &[&str]) -> (Stage, JoinSet<()>) {
    let doors = DoorOptions { alarm: Some(alarm()), photos_open: true, ..DoorOptions::default() };
    let mut stage = Stage::with(Options { doors, ..testkit::options() });
    stage.add(sender(groups)).await;
    let relay = NewRelay { camera: FIRST, address: lock(), name: String::new(), tag: String::new() };
    stage.appliance.by(&actor("test")).bind_relay(relay).await.unwrap();
    let tasks = stage.run_doors(CancellationToken::new()).await;
    stage.open();
    (stage, tasks)
}

#[tokio::test(start_paused = true)]
async fn a_picture_is_recorded_when_its_delivery_returns_and_keeps_its_time() {
    let (mut stage, _tasks) = stage(&[]).await;
    stage.enrol("alice").await;
    let sent = stage.appliance.now();
    tokio::time::sleep(secs(1.0)).await;
    stage.deliver(of("alice"), sent).await.unwrap();
    let records = stage.records().await;
    assert_eq!((names(&records), records[0].capture.at), (vec!["alice"], sent));
    assert_eq!(stage.appliance.camera_status(FIRST), CameraStatus::Online);
    stage.deliver(Picture::empty().jpeg(), sent).await.unwrap();
    assert_eq!(stage.records().await.len(), 1);
    stage.close().await;
}

#[tokio::test(start_paused = true)]
async fn an_old_picture_opens_no_door() {
    let (mut stage, _tasks) = stage(&[]).await;
    stage.enrol("alice").await;
    stage.enrol("bob").await;
    let now = stage.appliance.now();
    stage.deliver(of("alice"), now.plus_millis(-60_000)).await.unwrap();
    tokio::time::sleep(secs(0.5)).await;
    assert_eq!((stage.last_verdict().await, stage.opened()), (Verdict::Known, BTreeSet::new()));
    stage.deliver(of("bob"), stage.appliance.now()).await.unwrap();
    tokio::time::sleep(secs(0.5)).await;
    assert_eq!(stage.opened(), [lock()].into());
    stage.close().await;
}

#[tokio::test(start_paused = true)]
async fn a_picture_that_is_not_taken_is_refused() {
    let (mut stage, _tasks) = stage(&[]).await;
    let now = stage.appliance.now();
    let bad = stage.deliver(Bytes::from_static(b"no picture"), now).await;
    assert!(matches!(bad, Err(Error::BadPicture { .. })), "{bad:?}");
    let other = stage.appliance.by(&actor("x")).deliver_picture(CameraId(9), of("alice"), now).await;
    assert!(matches!(other, Err(Error::NotFound { what: Thing::Camera })));
    stage.add(gate()).await;
    let video = stage.appliance.by(&actor("x")).deliver_picture(CameraId(2), of("alice"), now).await;
    assert!(matches!(video, Err(Error::NotSupported { .. })));
    let viewer = domain::Actor { role: Role::Viewer, ..actor("x") };
    let forbidden = stage.appliance.by(&viewer).deliver_picture(FIRST, of("alice"), now).await;
    assert!(matches!(forbidden, Err(Error::Forbidden)));
    // Queued in memory, it is not safe yet.
    stage.fakes.store.write_protect(true);
    assert!(matches!(stage.deliver(of("alice"), now).await, Err(Error::Busy)));
    stage.fakes.store.write_protect(false);
    // Nothing takes it while the cameras are not watched.
    stage.close().await;
    assert!(matches!(stage.deliver(of("alice"), now).await, Err(Error::Busy)));
}

#[tokio::test(start_paused = true)]
async fn more_pictures_than_can_wait_are_refused() {
    let stage = Stage::new();
    stage.add(sender(&[])).await;
    let mut waiting = JoinSet::new();
    for _ in 0..20 {
        let (appliance, now) = (stage.appliance.clone(), stage.appliance.now());
        waiting.spawn(async move { appliance.by(&actor("x")).deliver_picture(FIRST, of("alice"), now).await });
    }
    let mut refused_after = Vec::new();
    let begun = tokio::time::Instant::now();
    while let Some(outcome) = waiting.join_next().await {
        assert!(matches!(outcome.unwrap(), Err(Error::Busy)));
        refused_after.push(begun.elapsed() >= Duration::from_secs(30));
    }
    assert_eq!(refused_after.iter().filter(|waited| **waited).count(), 16);
}

#[tokio::test(start_paused = true)]
async fn a_reserved_camera_opens_to_people_of_its_groups_only() {
    let (mut stage, _tasks) = stage(&["day"]).await;
    for id in ["day", "night"] {
        stage.group(id).await.unwrap();
    }
    for (name, groups) in [("alice", &["day"][..]), ("bob", &["night", "day"]), ("carol", &["night"]), ("dan", &[])] {
        stage.enrol_with(name, groups).await;
    }
    for (name, verdict) in [
        ("carol", Verdict::NotAllowedNow),
        ("dan", Verdict::NotAllowedNow),
        ("alice", Verdict::Known),
        ("bob", Verdict::Known),
    ] {
        stage.deliver(of(name), stage.appliance.now()).await.unwrap();
        tokio::time::sleep(secs(10.0)).await;
        assert_eq!(stage.last_verdict().await, verdict, "{name}");
        assert_eq!(stage.opened().is_empty(), verdict != Verdict::Known, "{name}");
    }
    // The change of a camera counts at once.
    let change = |groups: &[&str]| CameraChange {
        permission_groups: Some(groups.iter().map(|group| (*group).to_owned()).collect()),
        ..CameraChange::default()
    };
    for (groups, verdict) in
        [(&["night"][..], Verdict::Known), (&["gone"], Verdict::NotAllowedNow), (&[], Verdict::Known)]
    {
        let changed = stage.appliance.by(&actor("test")).update_camera(FIRST, change(groups)).await.unwrap();
        assert_eq!(changed.permission_groups.len(), groups.len());
        tokio::time::sleep(secs(10.0)).await;
        stage.deliver(of("carol"), stage.appliance.now()).await.unwrap();
        assert_eq!(stage.last_verdict().await, verdict, "{groups:?}");
    }
    stage.close().await;
}

#[tokio::test(start_paused = true)]
async fn people_of_a_removed_group_pass_no_more() {
    let (mut stage, _tasks) = stage(&["day"]).await;
    stage.group("day").await.unwrap();
    assert!(matches!(stage.group("day").await, Err(Error::AlreadyExists { what: Thing::PermissionGroup })));
    assert!(matches!(stage.group(&"x".repeat(65)).await, Err(Error::Invalid { .. })));
    stage.enrol_with("alice", &["day"]).await;
    stage.appliance.by(&actor("test")).remove_permission_group("day").await.unwrap();
    assert_eq!(stage.appliance.permission_groups().await.unwrap(), []);
    // Not even when there is a group of that id again.
    stage.group("day").await.unwrap();
    stage.deliver(of("alice"), stage.appliance.now()).await.unwrap();
    assert_eq!(stage.last_verdict().await, Verdict::NotAllowedNow);
    let Camera { permission_groups, .. } = stage.appliance.camera(FIRST).await.unwrap();
    assert_eq!(permission_groups, ["day".to_owned()].into());
    stage.close().await;
}

#[tokio::test(start_paused = true)]
async fn what_follows_a_face_is_set() {
    let (mut stage, _tasks) = stage(&[]).await;
    for name in ["alice", "bob", "carol"] {
        stage.enrol(name).await;
    }
    assert_eq!(stage.appliance.face_reaction().await.unwrap(), FaceReaction::OpenDoors);
    for (reaction, name, opened) in [
        (FaceReaction::Nothing, "alice", &[][..]),
        (FaceReaction::Alarm, "bob", &[alarm()]),
        (FaceReaction::OpenDoors, "carol", &[alarm(), lock()]),
    ] {
        stage.appliance.by(&actor("test")).set_face_reaction(reaction).await.unwrap();
        stage.deliver(of(name), stage.appliance.now()).await.unwrap();
        tokio::time::sleep(secs(1.0)).await;
        assert_eq!(stage.opened(), opened.iter().copied().collect(), "{reaction:?}");
    }
    // It is kept.
    stage.appliance.by(&actor("test")).set_face_reaction(FaceReaction::Alarm).await.unwrap();
    let again = stage.fakes.restart(domain::Limits::default()).unwrap();
    assert_eq!(again.face_reaction().await.unwrap(), FaceReaction::Alarm);
    stage.close().await;
}

#[tokio::test(start_paused = true)]
async fn a_relay_is_switched_off_by_command_and_stays_off() {
    let stage = Stage::new();
    let acts_of = actor("platform");
    let acts = stage.appliance.by(&acts_of);
    let _tasks = stage.run_doors(CancellationToken::new()).await;
    acts.open_relay(lock(), Duration::from_secs(30)).await.unwrap();
    acts.close_relay(lock()).await.unwrap();
    assert_eq!(stage.fakes.host.switched().last(), Some(&(Output::Relay(lock()), false)));
    let switched = stage.fakes.host.switched().len();
    tokio::time::sleep(secs(60.0)).await;
    assert_eq!(stage.fakes.host.switched().len(), switched, "nothing is left to be done");
    // One that cannot be reached is tried again.
    acts.sound_alarm(alarm(), Duration::from_secs(30)).await.unwrap();
    stage.fakes.host.take_offline(Output::Relay(alarm()), true);
    assert!(matches!(acts.close_relay(alarm()).await, Err(Error::Unavailable { .. })));
    stage.fakes.host.take_offline(Output::Relay(alarm()), false);
    tokio::time::sleep(secs(2.0)).await;
    assert_eq!(stage.fakes.host.switched().last(), Some(&(Output::Relay(alarm()), false)));
    assert!(matches!(acts.sound_alarm(lock(), Duration::from_secs(61)).await, Err(Error::Invalid { .. })));
}

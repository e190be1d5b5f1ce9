//! Rights by role.

use std::path::Path;

use domain::feeds::FeedOrder;
use domain::geometry::Point;
use domain::{
    AccountId, Actor, Acts, Ages, Amendment, BehaviourKind, CameraChange, CameraDefaults, CameraId, CaptureId,
    Crossing, DoorRules, Error, LibraryChange, LibraryId, LibraryKind, LibraryName, LivenessRule, NetworkPort,
    NewLibrary, NewRelay, ObjectClass, OwnValues, PersonChange, PersonId, PictureId, RecordKind, RelayId, Result, Role,
    RuleId, RuleSettings, Seq, SightingId, TaskId, TaskKind, TaskSettings, Thing, TimeService, Timestamp,
    WatchSettings, WhenFull, WiegandFormat, WiegandFrame,
};
use futures_util::future::BoxFuture;
use testkit::actor;

use crate::stage::{Stage, gate, newcomer};

type RunAct = for<'a> fn(Acts<'a>) -> BoxFuture<'a, Result<()>>;

/// Every act, by the lowest role that may do it.
macro_rules! acts {
    ($($role:ident: $($act:ident($($of:expr),*)),+;)+) => {
        &[$($((Role::$role, stringify!($act), |acts| {
            Box::pin(async move { acts.$act($($of),*).await.map(drop) })
        })),+),+]
    };
}

const ACTS: &[(Role, &str, RunAct)] = acts! {
    Operator:
        enrol(newcomer("alice", LibraryId::DEFAULT)),
        update_person(PersonId(1), PersonChange::default()),
        change_profile(PersonId(1), |profile| profile),
        amend_person(PersonId(1), Amendment::default(), |profile| profile),
        remove_from_library(PersonId(1), LibraryId::DEFAULT),
        remove_all_from_library(LibraryId::DEFAULT, Vec::new()),
        remove_person(PersonId(1)),
        keep_picture(newcomer("alice", LibraryId::DEFAULT).photo),
        remove_picture(PictureId::not_kept()),
        create_library(library()),
        update_library(LibraryId(2), LibraryChange::default()),
        remove_library(LibraryId(2)),
        add_camera(gate()),
        update_camera(CameraId(1), CameraChange::default()),
        amend_camera(CameraId(1), |_| Ok::<_, Error>(CameraChange::default())),
        remove_camera(CameraId(1)),
        set_camera_defaults(CameraDefaults::default()),
        release_cameras(OwnValues::default()),
        add_rule(CameraId(1), rule()),
        update_rule(RuleId(1), rule()),
        remove_rule(RuleId(1)),
        add_task(task(), None),
        update_task(TaskId(1), None, |task| task),
        start_task(TaskId(1)),
        stop_task(TaskId(1)),
        remove_task(TaskId(1)),
        remove_sighting(SightingId(1)),
        remove_records_of(RecordKind::Strangers),
        remove_all_records(),
        bind_relay(relay()),
        release_relay(RelayId(1)),
        open_door(),
        confirm_entry(CaptureId::random()),
        send_number(None, &WiegandFrame::new(WiegandFormat::Bits26, 1)?),
        order_feed("vendor", "push", FeedOrder::Pause),
        order_feed("vendor", "push", FeedOrder::GoOn),
        order_feed("vendor", "push", FeedOrder::TryNow);
    Admin:
        order_feed("vendor", "push", FeedOrder::SkipOne),
        order_feed("vendor", "push", FeedOrder::GoTo(Seq(0))),
        set_door_rules(DoorRules::factory()),
        create_account("rose", Role::Viewer, "Rose_12345"),
        update_account(AccountId(1), None, None),
        set_password("rose", "Rose_23456"),
        remove_account(AccountId(2)),
        audit_log(1),
        clear_audit_log(),
        set_liveness_rule(LivenessRule::Never),
        keep_pictures(true),
        set_ages(Ages::default()),
        set_when_full(WhenFull::Stop),
        set_device_id("gate"),
        open_console(false),
        open_console(true),
        set_time(Timestamp::from_millis(0), None),
        set_time_service(TimeService::default()),
        restore_time(),
        set_port(port()),
        set_default_port("eth0", None),
        restore_network(),
        upgrade(Path::new("/nowhere")),
        restart_machine();
};

fn library() -> NewLibrary {
    NewLibrary {
        name: LibraryName::new("guests").unwrap(),
        kind: LibraryKind::Allow,
        description: String::new(),
        note: None,
    }
}

fn rule() -> RuleSettings {
    let points = vec![Point { x: 0.0, y: 0.5 }, Point { x: 1.0, y: 0.5 }];
    let (kind, object, direction) = (BehaviourKind::Line, ObjectClass::Person, Crossing::Both);
    RuleSettings { name: "line".into(), kind, object, points, direction, options: domain::RuleOptions::default() }
}

fn task() -> TaskSettings {
    TaskSettings {
        name: "roll call".into(),
        kind: TaskKind::RollCall,
        entries: vec![CameraId(1)],
        exits: Vec::new(),
        remark: String::new(),
        watch: WatchSettings::default(),
    }
}

fn relay() -> NewRelay {
    let address = "192.0.2.7:5000".parse().unwrap();
    NewRelay { camera: CameraId(1), address, name: String::new(), tag: String::new() }
}

fn port() -> NetworkPort {
    NetworkPort { name: "eth0".into(), hardware_address: String::new(), dhcp: true, subnet: None, gateway: None }
}

fn of_role(role: Role) -> Actor {
    Actor { role, ..actor("somebody") }
}

#[tokio::test]
async fn every_act_is_forbidden_below_its_role_and_allowed_from_there_on() {
    for role in [Role::Viewer, Role::Operator, Role::Admin] {
        let (stage, actor) = (Stage::new(), of_role(role));
        for (needed, name, act) in ACTS {
            let done = act(stage.appliance.by(&actor)).await;
            assert_eq!(matches!(done, Err(Error::Forbidden)), role < *needed, "{name} by {role:?}: {done:?}");
        }
    }
}

#[tokio::test]
async fn what_is_forbidden_is_not_done_and_not_in_the_audit_log() {
    let (stage, viewer) = (Stage::new(), of_role(Role::Viewer));
    for (_, _, act) in ACTS {
        act(stage.appliance.by(&viewer)).await.unwrap_err();
    }
    assert!(matches!(
        *stage.appliance.by(&viewer).enrol_all(vec![newcomer("alice", LibraryId::DEFAULT)]).await,
        [Err(Error::Forbidden)]
    ));
    let appliance = stage.appliance.by(&viewer).reading().unwrap();
    assert_eq!(appliance.cameras().await.unwrap(), []);
    assert_eq!(appliance.libraries(domain::LibraryFilter::default()).await.unwrap().len(), 1);
    assert_eq!(stage.fakes.host.acts(), []);
    assert_eq!(appliance.by(&actor("admin")).audit_log(1).await.unwrap(), []);
}

#[tokio::test]
async fn values_of_an_adapter_are_set_only_with_the_right_to_it() {
    let stage = Stage::new();
    let state = stage.appliance.state("vendor");
    let value = || Some("http://192.0.2.9/".to_owned());
    for (role, kept, configured) in
        [(Role::Viewer, false, false), (Role::Operator, true, false), (Role::Admin, true, true)]
    {
        let actor = of_role(role);
        let acts = stage.appliance.by(&actor);
        assert_eq!(acts.keep_value(&state, "note", value()).await.is_ok(), kept, "{role:?}");
        assert_eq!(acts.configure(&state, "receiver", value()).await.is_ok(), configured, "{role:?}");
        let restored = acts.restore_defaults(&state, &["receiver"]).await;
        assert_eq!(restored.is_ok(), configured, "{role:?}");
    }
    assert_eq!((state.value("note").await.unwrap(), state.value("receiver").await.unwrap()), (value(), None));
}

#[tokio::test]
async fn users_change_only_their_own_account_and_learn_nothing_about_others() {
    let stage = Stage::new();
    let admin = actor("admin");
    let rose = stage.appliance.by(&admin).create_account("rose", Role::Viewer, "Rose_12345").await.unwrap();
    let user = Actor::user(&rose, None, "console");
    let renamed =
        stage.appliance.by(&user).update_account(rose.id, Some("rosa".into()), Some("Rosa_23456".into())).await;
    assert_eq!(renamed.unwrap().name, "rosa");
    for other in [AccountId(1), AccountId(99), rose.id] {
        let refused = stage.appliance.by(&user).update_account(other, None, None).await;
        assert!(matches!(refused, Err(Error::Forbidden)), "{other}: {refused:?}");
    }
    let missing = stage.appliance.by(&admin).update_account(AccountId(99), None, None).await;
    assert!(matches!(missing, Err(Error::NotFound { what: Thing::Account })));
}

#[tokio::test]
async fn the_audit_log_names_actor_origin_and_adapter() {
    let stage = Stage::new();
    let origin = Some([192, 0, 2, 7].into());
    let user = Actor { name: "rose".into(), role: Role::Operator, origin, adapter: "console" };
    stage.appliance.by(&user).create_library(library()).await.unwrap();
    stage.appliance.by(&Actor::platform("vendor")).set_device_id("gate").await.unwrap();
    stage.appliance.by(&Actor::system()).keep_pictures(false).await.unwrap();
    for _ in 0..5 {
        stage.appliance.log_in("rose", "wrong".into(), origin).await.unwrap_err();
    }
    let log = stage.appliance.by(&actor("admin")).audit_log(10).await.unwrap();
    let who = log.iter().rev().map(|entry| (&*entry.actor, entry.role, entry.origin, entry.adapter.as_deref()));
    let expected = [
        ("rose", Some(Role::Operator), origin, Some("console")),
        ("vendor", Some(Role::Admin), None, Some("vendor")),
        ("system", Some(Role::Admin), None, Some("device")),
        ("system", Some(Role::Admin), origin, Some("device")),
    ];
    let who = who.filter(|(actor, ..)| *actor != "unknown");
    assert_eq!(who.collect::<Vec<_>>(), expected);
    let failed: Vec<_> = log.iter().filter(|entry| entry.action == "login.failed").collect();
    let of_nobody = |entry: &&domain::AuditEntry| entry.actor == "unknown" && entry.role.is_none();
    assert!(failed.len() == 5 && failed.iter().all(|entry| of_nobody(entry) && entry.origin == origin));
}

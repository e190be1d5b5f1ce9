//! The settings of the device itself, and their stored form.

use std::time::Duration;

use domain::ports::SettingsStore;
use domain::settings::DeviceSettings;
use domain::{
    Ages, Area, CameraDefaults, ContactUse, Decider, DeviceZone, DoorOptions, DoorRules, Error, FaceReaction, Limits,
    LivenessRule, Options, Proof, Similarity, TimeService, WhenFull,
};
use jiff::civil::time;
use testkit::store::MemoryStore;
use testkit::{Handles, actor};

use crate::stage::Stage;

/// Every setting in its stored form; none is a factory value.
const KEPT: [(&str, &str); 12] = [
    ("setting device.id", r#""gate \"1\"""#),
    ("setting console.open", "false"),
    (
        "setting door.rules",
        r#"{"decided_by":"face-then-remote","proof":"face-and-card","threshold":0.87,"hold_ms":1234,"contact":"opens","cards_reversed":true}"#,
    ),
    ("setting liveness.rule", r#"{"daily":["22:00:00","06:30:00"]}"#),
    (
        "setting cameras.defaults",
        r#"{"threshold":0.91,"rearm_ms":5000,"min_face_px":124,"area":{"left":0.25,"top":0.0,"right":1.0,"bottom":0.5}}"#,
    ),
    ("setting records.pictures", "false"),
    ("setting retention.people_days", "365"),
    ("setting retention.strangers_days", "7"),
    ("setting storage.when_full", r#""stop""#),
    ("setting time.zone", r#""UTC+05:30""#),
    ("setting time.service", r#"{"enabled":true,"server":"ntp.example","port":1123,"every_minutes":7}"#),
    ("setting door.reaction", r#""alarm""#),
];

/// The same values in the form of the former version, but the last, which it did not have.
const FORMER: [(&str, &str); 11] = [
    ("device.id", "gate \"1\""),
    ("console.open", "no"),
    ("door.rules", "face-then-remote face-and-card 0.87 1234 opens reversed"),
    ("liveness.rule", "22:00:00 06:30:00"),
    ("cameras.defaults", "0.91 5000 124 0.25 0 1 0.5"),
    ("records.pictures", "without"),
    ("retention.people_days", "365"),
    ("retention.strangers_days", "7"),
    ("storage.when_full", "stop"),
    ("time.zone", "UTC+05:30"),
    ("time.service", "on 7 1123 ntp.example"),
];

/// Every setting with a value other than the factory value.
fn all_set() -> DeviceSettings {
    DeviceSettings {
        device_id: Ok(Some("gate \"1\"".into())),
        console_open: Ok(Some(false)),
        door: Ok(Some(DoorRules {
            decided_by: Decider::FaceThenRemote,
            proof: Proof::FaceAndCard,
            threshold: Similarity::new(0.87),
            hold: Duration::from_millis(1_234),
            contact: ContactUse::Opens,
            cards_reversed: true,
        })),
        reaction: Ok(Some(FaceReaction::Alarm)),
        liveness: Ok(Some(LivenessRule::Daily(time(22, 0, 0, 0), time(6, 30, 0, 0)))),
        cameras: Ok(Some(CameraDefaults {
            threshold: Some(Similarity::new(0.91)),
            rearm: Some(Duration::from_secs(5)),
            min_face_px: Some(124),
            area: Some(Area { left: 0.25, top: 0.0, right: 1.0, bottom: 0.5 }),
        })),
        pictures: Ok(Some(false)),
        people_days: Ok(Some(365)),
        strangers_days: Ok(Some(7)),
        when_full: Ok(Some(WhenFull::Stop)),
        time_zone: Ok(DeviceZone::named("UTC+05:30")),
        time_service: Ok(Some(TimeService {
            enabled: true,
            server: "ntp.example".into(),
            port: 1123,
            every_minutes: 7,
        })),
    }
}

fn row(value: &str) -> String {
    format!(r#"{{"version":1,"value":{value}}}"#)
}

fn load(store: &MemoryStore) -> DeviceSettings {
    store.device_settings().unwrap()
}

/// Stores a row that the device has not written, and restarts the device.
fn restarted_with(fakes: &Handles, name: &'static str, text: &str) -> domain::Appliance {
    fakes.store.set_setting(name, Some(text)).unwrap();
    fakes.restart(Limits::default()).unwrap()
}

fn is_unavailable<T>(result: &domain::Result<T>) -> bool {
    matches!(result, Err(Error::Unavailable { .. }))
}

#[test]
fn every_setting_is_stored_in_its_own_row_and_read_back() {
    let store = MemoryStore::default();
    assert_eq!(load(&store), DeviceSettings::factory());
    store.change_settings(&all_set().changes_from(&DeviceSettings::factory()).unwrap()).unwrap();
    for (name, value) in KEPT {
        assert_eq!(store.setting(name).unwrap(), Some(row(value)));
    }
    assert_eq!(load(&store), all_set());
}

#[test]
fn only_what_changes_is_written() {
    let before = all_set();
    let now = DeviceSettings { people_days: Ok(None), strangers_days: Ok(Some(8)), ..before.clone() };
    let changes = now.changes_from(&before).unwrap();
    assert!(changes.contains(&("setting retention.people_days", None)));
    assert!(changes.contains(&("setting retention.strangers_days", Some(row("8")))));
    assert!(changes.iter().all(|(name, _)| name.contains("retention")), "{changes:?}");
}

#[test]
fn settings_of_the_former_version_apply_and_are_converted() {
    let store = MemoryStore::default();
    FORMER.iter().for_each(|(name, text)| store.set_setting(name, Some(text)).unwrap());
    let former = DeviceSettings { reaction: Ok(None), ..all_set() };
    assert_eq!(load(&store), former);
    for ((name, value), (former, _)) in KEPT.into_iter().zip(FORMER) {
        assert_eq!((store.setting(name).unwrap(), store.setting(former).unwrap()), (Some(row(value)), None));
    }
    assert_eq!(load(&store), former);
}

#[test]
fn a_write_protected_store_does_not_prevent_a_start() {
    let store = MemoryStore::default();
    FORMER.iter().for_each(|(name, text)| store.set_setting(name, Some(text)).unwrap());
    store.write_protect(true);
    assert_eq!(load(&store), DeviceSettings { reaction: Ok(None), ..all_set() });
    store.write_protect(false);
    assert_eq!(store.setting("door.rules").unwrap().as_deref(), Some(FORMER[2].1));
}

#[test]
fn an_unreadable_value_stays_stored_and_affects_no_other() {
    let store = MemoryStore::default();
    let former = [("retention.people_days", "many"), ("time.zone", "Mars")];
    let damaged = [
        ("setting door.rules", row(r#"{"decided_by":"sesame"}"#)),
        ("setting liveness.rule", r#"{"version":2,"value":"never"}"#.to_owned()),
        ("setting storage.when_full", "stop".to_owned()),
        ("setting time.service", row(r#"{"enabled":true,"server":"","port":123,"every_minutes":7}"#)),
    ];
    store.change_settings(&all_set().changes_from(&DeviceSettings::factory()).unwrap()).unwrap();
    former.iter().for_each(|(name, text)| store.set_setting(name, Some(text)).unwrap());
    damaged.iter().for_each(|(name, text)| store.set_setting(name, Some(text)).unwrap());
    let settings = load(&store);
    let names: Vec<_> = settings.unreadable().into_iter().map(|unreadable| unreadable.name).collect();
    assert_eq!(
        names,
        [
            "setting door.rules",
            "setting liveness.rule",
            "setting retention.people_days",
            "setting storage.when_full",
            "setting time.zone",
            "setting time.service"
        ]
    );
    assert_eq!((&settings.strangers_days, &settings.device_id), (&all_set().strangers_days, &all_set().device_id));
    for (name, text) in damaged.iter().map(|(name, text)| (*name, text.as_str())).chain(former) {
        assert_eq!(store.setting(name).unwrap().as_deref(), Some(text), "{name}");
    }
}

#[test]
fn a_value_that_could_not_have_been_set_is_unreadable() {
    let store = MemoryStore::default();
    let door = |threshold: &str, hold: &str| {
        row(&format!(
            r#"{{"decided_by":"face","proof":"face","threshold":{threshold},"hold_ms":{hold},"contact":"closes","cards_reversed":false}}"#
        ))
    };
    for (text, readable) in [
        (door("0.5", "200"), true),
        (door("1.5", "200"), false),
        (door("0.5", "0"), false),
        (door("0.5", "60001"), false),
    ] {
        store.set_setting("setting door.rules", Some(&text)).unwrap();
        assert_eq!(load(&store).door.is_ok(), readable, "{text}");
    }
    for (name, value) in [
        ("setting device.id", r#""""#),
        ("setting retention.people_days", "0"),
        ("setting retention.strangers_days", "36501"),
        ("setting time.zone", r#""Mars""#),
    ] {
        store.set_setting(name, Some(&row(value))).unwrap();
        assert!(load(&store).unreadable().iter().any(|unreadable| unreadable.name == name), "{name}");
    }
}

#[tokio::test]
async fn a_door_with_unreadable_rules_stays_closed_until_they_are_set_again() {
    let doors = DoorOptions { own_door: true, ..testkit::options().doors };
    let stage = Stage::with(Options { doors, ..testkit::options() });
    let device = restarted_with(&stage.fakes, "setting door.rules", "{}");
    assert_eq!(device.door_rules().await.unwrap().proof, Proof::Impossible);
    assert!(is_unavailable(&device.by(&actor("test")).open_door().await));
    assert_eq!(device.unreadable_settings()[0].name, "setting door.rules");
    device.by(&actor("test")).set_door_rules(DoorRules::factory()).await.unwrap();
    assert_eq!(device.unreadable_settings(), []);
    assert_eq!(stage.fakes.restart(Limits::default()).unwrap().door_rules().await.unwrap(), DoorRules::factory());
}

#[tokio::test]
async fn calls_that_depend_on_an_unreadable_value_are_refused() {
    let stage = Stage::new();
    for name in ["setting device.id", "setting retention.people_days", "setting time.service"] {
        stage.fakes.store.set_setting(name, Some("?")).unwrap();
    }
    let device = restarted_with(&stage.fakes, "setting storage.when_full", "?");
    assert!(is_unavailable(&device.device().await));
    assert!(is_unavailable(&device.ages().await));
    assert!(is_unavailable(&device.time_service().await));
    assert_eq!(device.storage_limits().when_full, WhenFull::Stop, "nothing is overwritten");
    device.by(&actor("test")).set_device_id("gate").await.unwrap();
    device.by(&actor("test")).set_ages(Ages::default()).await.unwrap();
    device.by(&actor("test")).set_time_service(TimeService::default()).await.unwrap();
    device.by(&actor("test")).set_when_full(WhenFull::Overwrite).await.unwrap();
    assert_eq!(device.device().await.unwrap().device_id, "gate");
    assert_eq!(device.ages().await.unwrap(), Ages::default());
    assert_eq!(device.unreadable_settings(), []);
    assert_eq!(stage.fakes.restart(Limits::default()).unwrap().unreadable_settings(), []);
}

#[tokio::test]
async fn what_was_restricted_stays_so_while_it_cannot_be_read() {
    let stage = Stage::new();
    for name in ["setting console.open", "setting liveness.rule"] {
        stage.fakes.store.set_setting(name, Some("?")).unwrap();
    }
    let device = restarted_with(&stage.fakes, "setting records.pictures", "?");
    assert!(!*device.console_open().borrow() && !device.keeps_pictures());
    assert_eq!(device.liveness_rule(), LivenessRule::Always);
    assert!(!device.by(&actor("test")).open_console(false).await.unwrap(), "it is closed already");
    assert_eq!(device.unreadable_settings().len(), 2, "that it is closed can be read now");
}

#[tokio::test]
async fn restoring_clears_every_setting_including_unreadable_ones() {
    let stage = Stage::new();
    let store = &stage.fakes.store;
    store.change_settings(&all_set().changes_from(&DeviceSettings::factory()).unwrap()).unwrap();
    store.set_setting("retention.people_days", Some("many")).unwrap();
    let device = restarted_with(&stage.fakes, "setting door.rules", "?");
    device.by(&actor("test")).restore_defaults(&device.state("one"), &[]).await.unwrap();
    assert_eq!(**device.settings_changed().borrow(), DeviceSettings::factory());
    let names = KEPT.iter().chain(&FORMER).map(|(name, _)| *name);
    assert!(names.into_iter().all(|name| store.setting(name).unwrap().is_none()));
    assert_eq!(load(store), DeviceSettings::factory());
}

#[tokio::test]
async fn an_unreadable_value_of_an_adapter_stays_until_it_is_replaced() {
    let stage = Stage::new();
    let (device, state) = (&stage.appliance, stage.appliance.state("one"));
    let number = |text: &str| text.parse::<u32>().map_err(|error| error.to_string());
    assert_eq!(state.read_value("a", number).await.unwrap(), None);
    for key in ["a", "b", "c"] {
        state.set_value(key, Some("x".into())).await.unwrap();
        assert!(is_unavailable(&state.read_value(key, number).await));
    }
    let unreadable = || device.unreadable_values().borrow().keys().cloned().collect::<Vec<_>>();
    assert_eq!(unreadable(), ["setting a of one", "setting b of one", "setting c of one"]);
    assert_eq!(state.value("a").await.unwrap().as_deref(), Some("x"), "it stays as it is");
    state.set_value("a", Some("5".into())).await.unwrap();
    assert_eq!(state.read_value("a", number).await.unwrap(), Some(5));
    device.by(&actor("test")).configure(&state, "b", None).await.unwrap();
    device.by(&actor("test")).restore_defaults(&state, &["c"]).await.unwrap();
    assert!(unreadable().is_empty());
}

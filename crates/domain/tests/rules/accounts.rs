//! Logins, locks, and the audit log.

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use domain::ports::SettingsStore;
use domain::{Appliance, Error, LibraryId, Limits, Options, Role, Secret, Thing};
use futures_util::future::join_all;
use md5::{Digest, Md5};
use testkit::actor;
use tokio::time::Instant;

use crate::stage::{Stage, gate, newcomer};

const HERE: IpAddr = address(1);
/// Another address.
const THERE: IpAddr = IpAddr::V4(Ipv4Addr::new(198, 51, 100, 1));

const fn address(last: u8) -> IpAddr {
    IpAddr::V4(Ipv4Addr::new(192, 0, 2, last))
}

fn password(text: &str) -> Secret {
    Secret::Password(text.to_owned())
}

async fn fail(appliance: &Appliance, name: &str, origin: IpAddr) {
    let refused = appliance.log_in(name, password("wrong"), Some(origin)).await;
    assert!(matches!(refused, Err(Error::WrongCredentials)), "{refused:?}");
}

#[tokio::test(start_paused = true)]
async fn the_right_password_or_its_md5_logs_in() {
    let appliance = Stage::new().appliance;
    let account = appliance.log_in("admin", password("Admin_1234"), Some(HERE)).await.unwrap();
    assert_eq!((account.name.as_str(), account.role), ("admin", Role::Admin));
    appliance.by(&actor("admin")).create_account("viewer", Role::Viewer, "hello_there").await.unwrap();
    let md5 = Secret::Md5("290E1C9CC54995453B810DFB15B853A1".into());
    assert_eq!(appliance.log_in("viewer", md5, Some(HERE)).await.unwrap().role, Role::Viewer);
}

#[tokio::test(start_paused = true)]
async fn an_unknown_user_gets_the_same_answer_as_a_wrong_password() {
    let appliance = Stage::new().appliance;
    fail(&appliance, "nobody", HERE).await;
    fail(&appliance, "admin", HERE).await;
    fail(&appliance, "", HERE).await;
}

#[tokio::test(start_paused = true)]
async fn five_failures_lock_the_name_for_that_address_for_five_minutes() {
    let stage = Stage::new();
    for _ in 0..5 {
        fail(&stage.appliance, "admin", HERE).await;
    }
    let until = stage.appliance.now().plus_millis(5 * 60_000);
    let locked = stage.appliance.log_in("admin", password("Admin_1234"), Some(HERE)).await;
    assert!(
        matches!(locked, Err(Error::Locked { until: said }) if said.millis_since(until).abs() < 1000),
        "{locked:?}"
    );
    // The clock of the device may be set; only time that passes ends the lock.
    stage.fakes.clock.advance(Duration::from_secs(3600));
    let locked = stage.appliance.log_in("admin", password("Admin_1234"), Some(HERE)).await;
    assert!(matches!(locked, Err(Error::Locked { .. })), "{locked:?}");
    stage.appliance.by(&actor("admin")).create_account("rose", Role::Viewer, "Rose_12345").await.unwrap();
    stage.appliance.log_in("rose", password("Rose_12345"), Some(HERE)).await.unwrap();
    tokio::time::advance(Duration::from_secs(5 * 60)).await;
    stage.appliance.log_in("admin", password("Admin_1234"), Some(HERE)).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn failures_from_elsewhere_delay_the_right_password_and_do_not_refuse_it() {
    let appliance = Stage::new().appliance;
    appliance.log_in("admin", password("Admin_1234"), Some(HERE)).await.unwrap();
    for n in 2..7 {
        fail(&appliance, "admin", address(n)).await;
    }
    let start = Instant::now();
    appliance.log_in("admin", password("Admin_1234"), Some(HERE)).await.unwrap();
    assert!(start.elapsed() < Duration::from_secs(1), "a known address is not delayed");
    appliance.log_in("admin", password("Admin_1234"), Some(THERE)).await.unwrap();
    let delay = start.elapsed();
    assert!((Duration::from_secs(2)..Duration::from_secs(3)).contains(&delay), "{delay:?}");
}

#[tokio::test(start_paused = true)]
async fn of_guesses_side_by_side_five_are_compared() {
    let appliance = Stage::new().appliance;
    let guess = |n| {
        let appliance = appliance.clone();
        async move { appliance.log_in("admin", password(&format!("guess{n}")), Some(HERE)).await.unwrap_err() }
    };
    let answers = join_all((0..100).map(guess)).await;
    let compared = answers.iter().filter(|error| matches!(error, Error::WrongCredentials)).count();
    assert!((1..=5).contains(&compared), "{compared}");
    assert!(answers.iter().all(|error| matches!(error, Error::WrongCredentials | Error::Locked { .. } | Error::Busy)));
    let appliance = Stage::new().appliance;
    let digest = || appliance.log_in_by_digest("admin", |_| false, Some(HERE));
    let answers = join_all((0..100).map(|_| digest())).await;
    let compared = answers.iter().filter(|answer| matches!(answer, Err(Error::WrongCredentials))).count();
    assert_eq!(compared, 5);
}

#[tokio::test(start_paused = true)]
async fn right_digests_side_by_side_all_pass() {
    let appliance = Stage::new().appliance;
    fail(&appliance, "admin", HERE).await;
    let answers = join_all((0..50).map(|_| appliance.log_in_by_digest("admin", |_| true, Some(HERE)))).await;
    assert!(answers.iter().all(Result::is_ok));
}

#[tokio::test(start_paused = true)]
async fn a_success_after_four_failures_resets_the_count() {
    let appliance = Stage::new().appliance;
    for _ in 0..2 {
        for _ in 0..4 {
            fail(&appliance, "admin", HERE).await;
        }
        appliance.log_in("admin", password("Admin_1234"), Some(HERE)).await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn a_new_password_invalidates_the_old_one_and_unlocks_the_name() {
    let appliance = Stage::new().appliance;
    for n in 0..5 {
        fail(&appliance, "admin", address(n)).await;
    }
    appliance.by(&actor("admin")).set_password("admin", "New_pass_1").await.unwrap();
    appliance.log_in("admin", password("New_pass_1"), Some(HERE)).await.unwrap();
    let old = appliance.log_in("admin", password("Admin_1234"), Some(HERE)).await;
    assert!(matches!(old, Err(Error::WrongCredentials)));
    let unknown = appliance.by(&actor("admin")).set_password("nobody", "New_pass_1").await;
    assert!(matches!(unknown, Err(Error::NotFound { what: Thing::Account })));
    assert!(matches!(appliance.by(&actor("admin")).set_password("admin", "").await, Err(Error::Invalid { .. })));
    appliance.log_in("admin", password("New_pass_1"), Some(HERE)).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn account_names_are_unique_letters_and_digits_of_any_script() {
    let appliance = Stage::new().appliance;
    let taken = appliance.by(&actor("admin")).create_account("admin", Role::Viewer, "Pass_word_1").await;
    assert!(matches!(taken, Err(Error::AlreadyExists { what: Thing::Account })));
    for name in ["", "a b", "a\nb", "a\u{202e}b", "a\u{200b}b", "\u{301}a", "a/b", "a:b", "a\"b", "😀", &"x".repeat(65)]
    {
        let refused = appliance.by(&actor("admin")).create_account(name, Role::Viewer, "x").await;
        assert!(matches!(refused, Err(Error::Invalid { field: "user name", .. })), "{name:?}");
    }
    assert_eq!(appliance.accounts().await.unwrap().len(), 1);
    let longest = "张".repeat(64);
    for name in ["张三", "Иван", "สมชายน้ำ", "विक्रम", "José", "Jose\u{301}", "٣", "a@b.c-d_1", &longest]
    {
        appliance.by(&actor("admin")).create_account(name, Role::Viewer, "Pass_word_1").await.unwrap();
        appliance.log_in(name, password("Pass_word_1"), Some(HERE)).await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn every_change_is_in_the_audit_log_without_names_or_secrets() {
    let stage = Stage::new();
    let appliance = &stage.appliance;
    let alice = appliance.by(&actor("sensor")).enrol(newcomer("alice", LibraryId::DEFAULT)).await.unwrap();
    appliance.by(&actor("sensor")).remove_person(alice.id).await.unwrap();
    let camera = appliance.by(&actor("console")).add_camera(gate()).await.unwrap();
    appliance.by(&actor("console")).remove_camera(camera.id).await.unwrap();
    appliance.by(&actor("admin")).set_password("admin", "New_pass_1").await.unwrap();
    for _ in 0..5 {
        fail(appliance, "admin", HERE).await;
    }
    let log = appliance.by(&actor("test")).audit_log(100).await.unwrap();
    let lines: Vec<_> = log.iter().rev().map(|e| format!("{} {} {}", e.actor, e.action, e.subject)).collect();
    let failed = || "admin login.failed device".to_owned();
    let wanted = [
        format!("sensor person.enrol {}", alice.id),
        format!("sensor person.remove {}", alice.id),
        "console camera.add 1".to_owned(),
        "console camera.remove 1".to_owned(),
        "admin account.password admin".to_owned(),
        failed(),
        failed(),
        failed(),
        failed(),
        failed(),
        format!("system login.locked {HERE}"),
    ];
    assert_eq!(lines, wanted);
    assert!(log.iter().all(|entry| entry.at == appliance.now()));
}

#[tokio::test(start_paused = true)]
async fn a_digest_is_kept_only_while_an_adapter_needs_it() {
    let options = Options { digest_realm: None, ..testkit::options() };
    let (appliance, handles) = testkit::appliance_of(options).unwrap();
    let digest = |name: &str| handles.store.credentials(name).unwrap().1.digest_ha1;
    assert_eq!(digest("admin"), None, "what was kept is dropped");
    appliance.by(&actor("admin")).create_account("viewer", Role::Viewer, "hello_there").await.unwrap();
    appliance.log_in("admin", password("Admin_1234"), Some(HERE)).await.unwrap();
    assert_eq!((digest("admin"), digest("viewer")), (None, None));

    let appliance = handles.restart(Limits::default()).unwrap();
    let by_digest = async |name: &'static str, secret: &'static str| {
        let ha1 = hex::encode(Md5::digest(format!("{name}:NVRDVR:{secret}")));
        appliance.log_in_by_digest(name, move |kept| kept == ha1, Some(THERE)).await.map(|account| account.role)
    };
    assert!(matches!(by_digest("viewer", "hello_there").await, Err(Error::WrongCredentials)), "it is not known yet");
    appliance.log_in("viewer", Secret::Md5("290e1c9cc54995453b810dfb15b853a1".into()), Some(HERE)).await.unwrap();
    assert_eq!(digest("viewer"), None, "an MD5 does not tell it");
    appliance.log_in("viewer", password("hello_there"), Some(HERE)).await.unwrap();
    assert_eq!(by_digest("viewer", "hello_there").await.unwrap(), Role::Viewer);
    appliance.by(&actor("admin")).set_password("admin", "another_one").await.unwrap();
    assert_eq!(by_digest("admin", "another_one").await.unwrap(), Role::Admin);
    for (name, secret) in [("admin", "Admin_1234"), ("nobody", "hello_there")] {
        assert!(matches!(by_digest(name, secret).await, Err(Error::WrongCredentials)), "{name}");
    }
    // Hashed for the former name.
    let viewer = appliance.accounts().await.unwrap().remove(1);
    appliance.by(&actor("admin")).update_account(viewer.id, Some("guest".into()), None).await.unwrap();
    assert_eq!(digest("guest"), None);
}

#[tokio::test(start_paused = true)]
async fn a_disk_that_takes_no_writes_keeps_nobody_from_logging_in() {
    let options = Options { digest_realm: None, ..testkit::options() };
    let (_, handles) = testkit::appliance_of(options).unwrap();
    let appliance = handles.restart(Limits::default()).unwrap();
    handles.store.fill_up(true);
    appliance.log_in("admin", password("Admin_1234"), Some(HERE)).await.unwrap();
    assert_eq!(handles.store.credentials("admin").unwrap().1.digest_ha1, None);
}

#[tokio::test(start_paused = true)]
async fn wrong_digests_lock_as_wrong_passwords_do() {
    let appliance = Stage::new().appliance;
    for _ in 0..5 {
        let refused = appliance.log_in_by_digest("admin", |_| false, Some(HERE)).await;
        assert!(matches!(refused, Err(Error::WrongCredentials)), "{refused:?}");
    }
    let locked = appliance.log_in_by_digest("admin", |_| true, Some(HERE)).await;
    assert!(matches!(locked, Err(Error::Locked { .. })), "{locked:?}");
}

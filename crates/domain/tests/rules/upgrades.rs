//! Upgrades: what is installed, what is kept, and what is taken back.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use domain::upgrades::{self, Fitness, GivenUp, Ledger, Terms, UpgradeState};
use domain::{Appliance, Error, Options, SlotMark, Topic, notices};
use testkit::{Act, BOARD, Handles, actor, bundle, until};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

const TERMS: Terms = Terms { settle: Duration::from_secs(120), limit: Duration::from_secs(600) };
/// Above every version of this program.
const NEW: &str = "99.0.0";

/// A device that is as well as it is told.
#[derive(Default)]
struct Health {
    failing: Mutex<BTreeMap<String, String>>,
    blind: Mutex<bool>,
}

impl Health {
    fn fail(&self, part: &str, why: &str) {
        self.failing.lock().unwrap().insert(part.to_owned(), why.to_owned());
    }
}

#[async_trait]
impl Fitness for Health {
    fn failing(&self) -> BTreeMap<String, String> {
        self.failing.lock().unwrap().clone()
    }

    async fn recognises(&self) -> Result<(), String> {
        if *self.blind.lock().unwrap() { Err("it finds nobody".to_owned()) } else { Ok(()) }
    }
}

/// A machine over its restarts.
struct Machine {
    handles: Handles,
    appliance: Appliance,
    health: Arc<Health>,
    tasks: JoinSet<()>,
    files: tempfile::TempDir,
}

impl Machine {
    fn with_slots(options: Options) -> Self {
        let (appliance, handles) = testkit::appliance_of(options).unwrap();
        handles.host.equip_with_slots();
        let files = tempfile::tempdir().unwrap();
        let mut machine = Self { handles, appliance, health: Arc::default(), tasks: JoinSet::new(), files };
        machine.run();
        machine
    }

    fn new() -> Self {
        Self::with_slots(testkit::options())
    }

    fn run(&mut self) {
        let (health, cancel) = (Arc::clone(&self.health) as Arc<dyn Fitness>, CancellationToken::new());
        self.tasks.spawn(upgrades::run(self.appliance.clone(), health, TERMS, cancel.clone()));
        self.tasks.spawn(notices::run(self.appliance.clone(), cancel));
    }

    /// Ends the process and starts it again, healthy.
    async fn restart_process(&mut self) {
        self.tasks.shutdown().await;
        self.health = Arc::default();
        self.appliance = self.handles.restart_with(testkit::options()).unwrap();
    }

    /// Restarts the machine; returns the slot that runs.
    async fn boot(&mut self) -> String {
        self.restart_process().await;
        self.handles.host.boot()
    }

    fn file(&self, content: &str) -> PathBuf {
        let file = self.files.path().join("package");
        std::fs::write(&file, content).unwrap();
        file
    }

    async fn upgrade(&self, content: &str) -> Result<(), Error> {
        let file = self.file(content);
        let done = self.appliance.by(&actor("platform")).upgrade(&file).await;
        until("the file is removed", async || !file.exists()).await;
        done
    }

    async fn upgrade_to(&self, version: &str) -> Result<(), Error> {
        self.upgrade(&bundle(BOARD, version, true)).await
    }

    fn installed(&self) -> usize {
        self.handles.host.acts().iter().filter(|act| matches!(act, Act::Install(_))).count()
    }

    fn marks(&self) -> Vec<SlotMark> {
        let mark = |act| if let Act::Mark(mark) = act { Some(mark) } else { None };
        self.handles.host.acts().into_iter().filter_map(mark).collect()
    }

    fn restarts(&self) -> usize {
        self.handles.host.acts().iter().filter(|act| **act == Act::Restart).count()
    }

    fn ledger(&self) -> Ledger {
        Ledger::in_folder(self.handles.upgrades.path())
    }

    async fn noticed(&self) -> Vec<(bool, String)> {
        let entries = self.appliance.entries_after(domain::Seq(0), &[domain::EntryKind::Notice], 99).await.unwrap();
        let notices = entries.into_iter().filter_map(|entry| match entry.what {
            domain::What::Notice(notice) if notice.topic == Topic::Software => Some((notice.raised, notice.reason)),
            _ => None,
        });
        notices.collect()
    }

    async fn audited(&self) -> Vec<String> {
        let log = self.appliance.by(&actor("test")).audit_log(20).await.unwrap();
        log.into_iter().filter(|entry| entry.action.contains("upgrade")).map(|entry| entry.action).rev().collect()
    }
}

async fn pass(secs: u64) {
    tokio::time::sleep(Duration::from_secs(secs)).await;
}

fn version() -> String {
    env!("CARGO_PKG_VERSION").to_owned()
}

#[tokio::test(start_paused = true)]
async fn a_new_version_is_kept_after_two_healthy_minutes_and_raises_the_floor() {
    let mut machine = Machine::new();
    machine.upgrade_to(NEW).await.unwrap();
    assert_eq!((machine.installed(), machine.restarts()), (1, 1));
    assert_eq!(machine.appliance.upgrade_state(), UpgradeState::OnTrial { version: NEW.into() });
    assert_eq!(machine.boot().await, "B");
    machine.run();
    pass(110).await;
    assert_eq!(machine.marks(), []);
    assert!(machine.ledger().floor().unwrap().is_none());
    pass(20).await;
    assert_eq!(machine.marks(), [SlotMark::Good]);
    assert_eq!(machine.appliance.upgrade_state(), UpgradeState::Succeeded { version: NEW.into() });
    assert_eq!(machine.ledger().floor().unwrap().unwrap().to_string(), version());
    assert_eq!(machine.audited().await, ["machine.upgrade", "machine.upgraded"]);
    assert_eq!(machine.noticed().await, []);
    assert_eq!(machine.boot().await, "B", "the boot loader starts it from now on");
    assert_eq!(machine.appliance.upgrade_state(), UpgradeState::Succeeded { version: NEW.into() });
}

#[tokio::test(start_paused = true)]
async fn a_version_that_is_never_healthy_is_taken_back_loudly() {
    let mut machine = Machine::new();
    machine.upgrade_to(NEW).await.unwrap();
    assert_eq!(machine.boot().await, "B");
    machine.health.fail("inference", "no result within 20 s");
    machine.run();
    pass(590).await;
    assert_eq!(machine.restarts(), 1);
    pass(20).await;
    assert_eq!((machine.restarts(), machine.marks()), (2, vec![SlotMark::Bad]));
    assert_eq!(machine.boot().await, "A");
    machine.run();
    pass(5).await;
    let why = "inference: no result within 20 s";
    let failed = UpgradeState::Failed { version: NEW.into(), why: why.to_owned() };
    assert_eq!(machine.appliance.upgrade_state(), failed);
    assert_eq!(machine.noticed().await, [(true, why.to_owned())]);
    assert_eq!(machine.audited().await, ["machine.upgrade", "machine.upgrade_failed"]);
    // It stands over restarts until an upgrade succeeds.
    assert_eq!(machine.boot().await, "A");
    assert_eq!(machine.appliance.upgrade_state(), failed);
    machine.run();
    pass(130).await;
    machine.upgrade_to("99.0.1").await.unwrap();
    assert_eq!(machine.boot().await, "B");
    machine.run();
    pass(130).await;
    assert_eq!(machine.noticed().await.last(), Some(&(false, String::new())));
}

#[tokio::test(start_paused = true)]
async fn a_version_that_recognises_nobody_is_taken_back_and_a_break_starts_the_two_minutes_anew() {
    let mut machine = Machine::new();
    machine.upgrade_to(NEW).await.unwrap();
    machine.boot().await;
    machine.run();
    pass(100).await;
    machine.health.fail("storage", "records wait");
    pass(10).await;
    machine.health.failing.lock().unwrap().clear();
    pass(100).await;
    assert_eq!(machine.marks(), [], "100 s are not enough");
    *machine.health.blind.lock().unwrap() = true;
    pass(600).await;
    assert_eq!(machine.marks(), [SlotMark::Bad]);
    assert_eq!(machine.boot().await, "A");
    machine.run();
    pass(5).await;
    let state = machine.appliance.upgrade_state();
    assert!(matches!(&state, UpgradeState::Failed { why, .. } if why.contains("it finds nobody")), "{state:?}");
}

#[tokio::test(start_paused = true)]
async fn what_was_broken_before_an_upgrade_need_not_work_after_it() {
    let mut machine = Machine::new();
    machine.health.fail("broker", "not connected");
    pass(2).await;
    machine.upgrade_to(NEW).await.unwrap();
    machine.boot().await;
    machine.health.fail("broker", "not connected");
    machine.run();
    pass(130).await;
    assert_eq!(machine.marks(), [SlotMark::Good]);
}

#[tokio::test(start_paused = true)]
async fn a_version_that_never_starts_is_found_out_by_the_one_before() {
    let mut machine = Machine::new();
    machine.upgrade_to(NEW).await.unwrap();
    assert_eq!(machine.boot().await, "B");
    assert_eq!(machine.boot().await, "A", "it ended before it could say anything");
    machine.run();
    pass(5).await;
    assert_eq!(machine.marks()[0], SlotMark::OtherBad);
    let state = machine.appliance.upgrade_state();
    assert!(matches!(&state, UpgradeState::Failed { why, .. } if why.contains("did not start")), "{state:?}");
}

#[tokio::test(start_paused = true)]
async fn a_start_that_cannot_serve_gives_a_new_version_up_at_once_and_only_once() {
    let mut machine = Machine::new();
    let fall_back = |handles: &Handles| {
        let (host, folder) = (Arc::clone(&handles.host), handles.upgrades.path().to_owned());
        async move { upgrades::fall_back(host.as_ref(), &folder, "models: wrong").await.unwrap() }
    };
    assert_eq!(fall_back(&machine.handles).await, GivenUp::Kept, "there is no upgrade");
    machine.upgrade_to(NEW).await.unwrap();
    machine.boot().await;
    assert_eq!(fall_back(&machine.handles).await, GivenUp::Restarting);
    assert_eq!(machine.marks(), [SlotMark::Bad]);
    // The boot loader started it nevertheless.
    assert_eq!(fall_back(&machine.handles).await, GivenUp::Kept, "or it would restart for ever");
    assert_eq!(machine.boot().await, "A");
    machine.run();
    pass(5).await;
    let failed = UpgradeState::Failed { version: NEW.into(), why: "models: wrong".into() };
    assert_eq!(machine.appliance.upgrade_state(), failed);
}

#[tokio::test(start_paused = true)]
async fn refused_bundles_change_nothing() {
    let machine = Machine::new();
    std::fs::write(machine.handles.upgrades.path().join("min-version"), "50.0.0\n").unwrap();
    for (content, field) in [
        (bundle(BOARD, NEW, false), "package"),
        (bundle("another-board", NEW, true), "package product"),
        (bundle(BOARD, "0.0.1", true), "package version"),
        (bundle(BOARD, "49.9.9", true), "package version"),
        (bundle(BOARD, "latest", true), "package version"),
        ("hsqs".to_owned(), "package content"),
        ("new software".to_owned(), "package content"),
        ("new software\nuntrusted comment: signature".to_owned(), "package"),
    ] {
        let refused = machine.upgrade(&content).await;
        assert!(matches!(&refused, Err(Error::Invalid { field: f, .. }) if *f == field), "{content}: {refused:?}");
    }
    assert_eq!((machine.handles.host.acts(), machine.ledger().is_pending().unwrap()), (vec![], false));
    assert_eq!(machine.appliance.upgrade_state(), UpgradeState::None);
}

#[tokio::test(start_paused = true)]
async fn the_slot_to_return_to_is_not_overwritten() {
    let mut machine = Machine::new();
    machine.upgrade_to(NEW).await.unwrap();
    assert!(matches!(machine.upgrade_to("99.0.1").await, Err(Error::Busy)), "it waits for the restart");
    machine.boot().await;
    machine.run();
    pass(60).await;
    assert!(matches!(machine.upgrade_to("99.0.1").await, Err(Error::Busy)), "it is on trial");
    pass(70).await;
    machine.upgrade_to("99.0.1").await.unwrap();
    assert_eq!(machine.installed(), 2);
}

#[tokio::test(start_paused = true)]
async fn an_installation_that_was_interrupted_has_failed_unless_the_machine_has_finished_it() {
    let mut machine = Machine::new();
    machine.handles.host.fail_to_install(true);
    assert!(matches!(machine.upgrade_to(NEW).await, Err(Error::Internal { .. })));
    assert!(matches!(machine.appliance.upgrade_state(), UpgradeState::Failed { .. }));
    machine.handles.host.fail_to_install(false);
    let pending = r#"{"from": "1", "to": "99.0.0", "slot": "A", "boot": "0", "installed": false}"#;
    let interrupt = |machine: &Machine| {
        std::fs::write(machine.handles.upgrades.path().join("pending.json"), pending).unwrap();
    };
    interrupt(&machine);
    machine.restart_process().await;
    machine.run();
    pass(5).await;
    let state = machine.appliance.upgrade_state();
    assert!(matches!(&state, UpgradeState::Failed { why, .. } if why.contains("interrupted")), "{state:?}");
    // The daemon dies after the slot was switched and before it has noted that.
    machine.upgrade_to(NEW).await.unwrap();
    interrupt(&machine);
    machine.restart_process().await;
    machine.run();
    pass(5).await;
    assert_eq!(machine.restarts(), 2, "the machine is restarted again");
    assert_eq!(machine.boot().await, "B");
    machine.run();
    pass(130).await;
    assert_eq!(machine.appliance.upgrade_state(), UpgradeState::Succeeded { version: NEW.into() });
}

#[tokio::test(start_paused = true)]
async fn a_version_that_was_kept_stays_when_a_platform_is_away() {
    let mut machine = Machine::new();
    machine.upgrade_to(NEW).await.unwrap();
    machine.boot().await;
    machine.run();
    pass(130).await;
    assert_eq!(machine.boot().await, "B");
    machine.health.fail("broker", "not connected");
    machine.run();
    pass(2).await;
    assert_eq!(machine.marks(), [SlotMark::Good, SlotMark::Good], "at once, because the power may fail");
    pass(2000).await;
    assert_eq!(machine.restarts(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_version_that_was_installed_by_other_means_is_on_trial_too() {
    let mut machine = Machine::new();
    pass(130).await;
    std::fs::write(machine.handles.upgrades.path().join("min-version"), "0.0.1\n").unwrap();
    let file = machine.file(&bundle(BOARD, NEW, true));
    let install = domain::Software::Bundle(file);
    domain::ports::Host::install(machine.handles.host.as_ref(), install, &|_| {}).await.unwrap();
    assert_eq!(machine.boot().await, "B");
    machine.health.fail("models", "wrong");
    machine.run();
    pass(610).await;
    assert_eq!(machine.boot().await, "A");
    machine.run();
    pass(5).await;
    assert!(matches!(machine.appliance.upgrade_state(), UpgradeState::Failed { .. }));
}

//! An appliance on fakes.

use std::sync::{Arc, OnceLock};

use domain::ports::{Clock, Ports, SettingsStore};
use domain::{
    Actor, Appliance, DoorOptions, Error, Limits, Matching, NewAccount, Options, PasswordHashes, Result, Role,
    SoundFolders, StorageLimits, WhenFull, hash_password,
};
use jiff::tz::TimeZone;
use tempfile::TempDir;

use crate::store::MemoryStore;
use crate::{FakeAnalyzer, FakeClock, FakeDetector, FakeDiscovery, FakeFrames, FakeHost};

/// The administrator that every fake appliance has.
pub const ADMIN: (&str, &str) = ("admin", "Admin_1234");
/// The realm of digest logins.
const REALM: &str = "NVRDVR";

/// An administrator with this name.
pub fn actor(name: &str) -> Actor {
    Actor { name: name.to_owned(), role: Role::Admin, origin: None, adapter: "test" }
}

/// The fakes of an appliance.
#[derive(Clone)]
pub struct Handles {
    /// Clock.
    pub clock: Arc<FakeClock>,
    /// Face analyzer.
    pub analyzer: Arc<FakeAnalyzer>,
    /// Object detector.
    pub detector: Arc<FakeDetector>,
    /// Cameras.
    pub frames: Arc<FakeFrames>,
    /// Camera discovery.
    pub discovery: Arc<FakeDiscovery>,
    /// Store.
    pub store: Arc<MemoryStore>,
    /// Machine.
    pub host: Arc<FakeHost>,
    /// Folder of the ledger of upgrades.
    pub upgrades: Arc<TempDir>,
}

/// Default options: in Shanghai, with the default limits and a gibibyte for records.
pub fn options() -> Options {
    Options {
        name: "polyface".into(),
        serial: "PF0001".into(),
        time_zone: TimeZone::fixed(jiff::tz::offset(8)),
        digest_realm: Some(REALM.into()),
        matching: Matching::default(),
        sip_id: "34020000002000000001".into(),
        limits: Limits::default(),
        doors: DoorOptions { photos_open: true, ..DoorOptions::default() },
        storage: StorageLimits { max_bytes: 1 << 30, when_full: WhenFull::Overwrite },
        upgrade_key: None,
        allow_downgrade: false,
        // Replaced by a folder of each appliance.
        upgrades: std::env::temp_dir().join("polyface-no-upgrades"),
        uploads: std::env::temp_dir(),
        sounds: SoundFolders::default(),
        initial_password: std::env::temp_dir().join("polyface-no-initial-password"),
    }
}

/// An appliance with [`options`] and the account [`ADMIN`], without people and cameras.
///
/// # Errors
/// Only when the fakes are broken.
pub fn appliance() -> Result<(Appliance, Handles)> {
    appliance_of(options())
}

/// As [`appliance`], with other limits.
///
/// # Errors
/// Only when the fakes are broken.
pub fn appliance_with(limits: Limits) -> Result<(Appliance, Handles)> {
    appliance_of(Options { limits, ..options() })
}

/// As [`appliance`], with other options.
///
/// # Errors
/// Only when the fakes are broken.
pub fn appliance_of(options: Options) -> Result<(Appliance, Handles)> {
    let clock = Arc::new(FakeClock::new());
    let upgrades = tempfile::tempdir().map_err(Error::internal("making a temporary directory"))?;
    let handles = Handles {
        frames: Arc::new(FakeFrames::new(clock.clone())),
        analyzer: Arc::new(FakeAnalyzer::new()),
        detector: Arc::default(),
        discovery: Arc::new(FakeDiscovery::default()),
        store: Arc::new(MemoryStore::default()),
        host: Arc::new(FakeHost::new(clock.clone())),
        clock,
        upgrades: Arc::new(upgrades),
    };
    add_admin(&handles)?;
    Ok((handles.restart_with(options)?, handles))
}

impl Handles {
    /// Another appliance on the same fakes, as after a restart.
    ///
    /// # Errors
    /// As [`Appliance::load`].
    pub fn restart(&self, limits: Limits) -> Result<Appliance> {
        self.restart_with(Options { limits, ..options() })
    }

    /// As [`restart`](Self::restart), with these options.
    ///
    /// # Errors
    /// As [`Appliance::load`].
    pub fn restart_with(&self, options: Options) -> Result<Appliance> {
        Appliance::load(self.ports(), Options { upgrades: self.upgrades.path().to_owned(), ..options })
    }

    /// As [`restart`](Self::restart), without an object detector.
    ///
    /// # Errors
    /// As [`Appliance::load`].
    pub fn restart_without_detector(&self) -> Result<Appliance> {
        Appliance::load(Ports { objects: None, ..self.ports() }, options())
    }

    /// What such an appliance works with, for one of which a part is another.
    pub fn ports(&self) -> Ports {
        Ports {
            clock: self.clock.clone(),
            frames: self.frames.clone(),
            discovery: self.discovery.clone(),
            analyzer: self.analyzer.clone(),
            objects: Some(self.detector.clone()),
            people: self.store.clone(),
            gallery: self.store.clone(),
            log: self.store.clone(),
            settings: self.store.clone(),
            tasks: self.store.clone(),
            adapters: self.store.clone(),
            pictures: self.store.clone(),
            host: self.host.clone(),
        }
    }
}

/// Hashing is slow on purpose, so it is done once.
fn add_admin(handles: &Handles) -> Result<()> {
    static HASHES: OnceLock<PasswordHashes> = OnceLock::new();
    let hashes = match HASHES.get() {
        Some(hashes) => hashes.clone(),
        None => {
            let hashes = hash_password(ADMIN.0, Some(REALM), ADMIN.1)?;
            HASHES.get_or_init(|| hashes).clone()
        }
    };
    let account = NewAccount { name: ADMIN.0.into(), role: Role::Admin, hashes, at: handles.clock.now() };
    handles.store.insert_account(&account).map(drop)
}

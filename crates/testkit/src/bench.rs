//! An appliance on fakes.

use std::sync::{Arc, OnceLock};

use domain::ports::{Clock, Ports, SettingsStore};
use domain::{Appliance, Limits, NewAccount, Options, PasswordHashes, Result, Role, hash_password};
use jiff::tz::TimeZone;

use crate::store::MemoryStore;
use crate::{FakeAnalyzer, FakeClock, FakeFrames};

/// The administrator that every fake appliance has.
pub const ADMIN: (&str, &str) = ("admin", "Admin_123");
const REALM: &str = "polyface";

/// What an appliance is made of, for a test to reach into.
#[derive(Clone)]
pub struct Handles {
    /// Its clock.
    pub clock: Arc<FakeClock>,
    /// Its eyes.
    pub analyzer: Arc<FakeAnalyzer>,
    /// Its cameras.
    pub frames: Arc<FakeFrames>,
    /// Its memory.
    pub store: Arc<MemoryStore>,
}

/// An appliance in Shanghai with the usual limits, nobody enrolled and no camera, and the account [`ADMIN`].
///
/// # Errors
/// None that a test could meet, unless the fakes are broken.
pub fn appliance() -> Result<(Appliance, Handles)> {
    appliance_with(Limits::default())
}

/// The same with room for less.
///
/// # Errors
/// None that a test could meet, unless the fakes are broken.
pub fn appliance_with(limits: Limits) -> Result<(Appliance, Handles)> {
    let clock = Arc::new(FakeClock::new());
    let handles = Handles {
        frames: Arc::new(FakeFrames::new(clock.clone())),
        analyzer: Arc::new(FakeAnalyzer::new()),
        store: Arc::new(MemoryStore::default()),
        clock,
    };
    add_admin(&handles)?;
    Ok((handles.restart(limits)?, handles))
}

impl Handles {
    /// Another appliance on the same fakes, as after a restart.
    ///
    /// # Errors
    /// As [`Appliance::load`].
    pub fn restart(&self, limits: Limits) -> Result<Appliance> {
        let ports = Ports {
            clock: self.clock.clone(),
            frames: self.frames.clone(),
            analyzer: self.analyzer.clone(),
            people: self.store.clone(),
            gallery: self.store.clone(),
            records: self.store.clone(),
            settings: self.store.clone(),
            adapters: self.store.clone(),
            pictures: self.store.clone(),
        };
        let options = Options {
            name: "polyface".into(),
            serial: "PF0001".into(),
            time_zone: TimeZone::fixed(jiff::tz::offset(8)),
            digest_realm: REALM.into(),
            thresholds_rise: true,
            limits,
        };
        Appliance::load(ports, options)
    }
}

/// Hashing is slow by intention, so it is done once.
fn add_admin(handles: &Handles) -> Result<()> {
    static HASHES: OnceLock<PasswordHashes> = OnceLock::new();
    let hashes = match HASHES.get() {
        Some(hashes) => hashes.clone(),
        None => {
            let hashes = hash_password(ADMIN.0, REALM, ADMIN.1)?;
            HASHES.get_or_init(|| hashes).clone()
        }
    };
    let account = NewAccount { name: ADMIN.0.into(), role: Role::Admin, hashes, at: handles.clock.now() };
    handles.store.insert_account(&account).map(drop)
}

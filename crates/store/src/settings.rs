//! Cameras, rules, accounts, the audit log and single settings: `SettingsStore`.

use domain::ports::SettingsStore;
use domain::settings::Change;
use domain::{
    Account, AccountChange, AccountId, AuditEntry, Camera, CameraChange, CameraId, Defaults, NewAccount, NewCamera,
    NewRelay, OwnValues, PasswordHashes, Relay, RelayId, Reset, Result, Rule, RuleId, RuleSettings, Timestamp,
};
use rusqlite::{OptionalExtension, params};

use crate::connection::View;
use crate::error::Fault;
use crate::seal::Place;
use crate::{Store, accounts, audit, cameras, relays, reset, rules};

impl SettingsStore for Store {
    fn cameras(&self) -> Result<Vec<Camera>> {
        self.database.read("reading cameras", |db| cameras::cameras(db, None))
    }

    fn insert_camera(&self, camera: &NewCamera, channels: u32, at: Timestamp) -> Result<Camera> {
        self.database.write("adding a camera", |db| cameras::insert(db, camera, channels, at))
    }

    fn update_camera(&self, id: CameraId, change: &CameraChange) -> Result<Camera> {
        self.database.write("changing a camera", |db| cameras::update(db, id, change))
    }

    fn release_cameras(&self, values: OwnValues) -> Result<()> {
        self.database.write("removing own values of cameras", |db| cameras::release(db, values))
    }

    fn remove_camera(&self, id: CameraId) -> Result<()> {
        self.database.write("removing a camera", |db| cameras::remove(db, id))
    }

    fn rules(&self) -> Result<Vec<Rule>> {
        self.database.read("reading rules", |db| rules::rules(db))
    }

    fn insert_rule(&self, camera: CameraId, rule: &RuleSettings, limit: u32) -> Result<Rule> {
        self.database.write("adding a rule", |db| rules::insert(db, camera, rule, limit))
    }

    fn update_rule(&self, id: RuleId, rule: &RuleSettings) -> Result<Rule> {
        self.database.write("changing a rule", |db| rules::update(db, id, rule))
    }

    fn remove_rule(&self, id: RuleId) -> Result<()> {
        self.database.write("removing a rule", |db| rules::remove(db, id))
    }

    fn relays(&self) -> Result<Vec<Relay>> {
        self.database.read("reading relays", |db| relays::relays(db))
    }

    fn insert_relay(&self, relay: &NewRelay, limit: u32) -> Result<Relay> {
        self.database.write("adding a relay", |db| relays::insert(db, relay, limit))
    }

    fn remove_relay(&self, id: RelayId) -> Result<()> {
        self.database.write("removing a relay", |db| relays::remove(db, id))
    }

    fn accounts(&self) -> Result<Vec<Account>> {
        self.database.read("reading accounts", |db| accounts::accounts(db))
    }

    fn account(&self, id: AccountId) -> Result<Account> {
        self.database.read("reading an account", |db| accounts::account(db, id))
    }

    fn insert_account(&self, account: &NewAccount) -> Result<Account> {
        self.database.write("creating an account", |db| accounts::insert(db, account))
    }

    fn credentials(&self, name: &str) -> Result<(Account, PasswordHashes)> {
        self.database.read("reading an account", |db| accounts::credentials(db, name))
    }

    fn update_account(&self, id: AccountId, change: &AccountChange) -> Result<Account> {
        self.database.write("changing an account", |db| accounts::update(db, id, change))
    }

    fn remove_account(&self, id: AccountId) -> Result<()> {
        self.database.write("removing an account", |db| accounts::remove(db, id))
    }

    fn set_password(&self, name: &str, hashes: &PasswordHashes) -> Result<()> {
        self.database.write("setting a password", |db| accounts::set_password(db, name, hashes))
    }

    fn set_digest(&self, name: &str, checked: &PasswordHashes, digest: &str) -> Result<()> {
        self.database.write("setting a digest", |db| accounts::set_digest(db, name, checked, digest))
    }

    fn setting(&self, name: &str) -> Result<Option<String>> {
        self.database.read("reading a setting", |db| value(db, name))
    }

    fn change_settings(&self, changes: &[Change]) -> Result<()> {
        self.database.write("changing settings", |db| Ok(change(db, changes)?))
    }

    fn restore(&self, defaults: &Defaults<'_>) -> Result<()> {
        self.database.write("restoring the default settings", |db| {
            change(db, defaults.changes)?;
            let (adapter, keys) = defaults.values;
            for key in keys {
                db.prepare_cached("DELETE FROM adapter_value WHERE adapter = ? AND key = ?")?
                    .execute([adapter, key])?;
            }
            match &defaults.password {
                Some((name, hashes)) if accounts::exists(db, name)? => accounts::set_password(db, name, hashes),
                _ => Ok(()),
            }
        })
    }

    fn restore_all(&self, changes: &[Change], password: Option<&(String, PasswordHashes)>) -> Result<()> {
        self.database.write("restoring all default settings", |db| {
            change(db, changes)?;
            db.execute("DELETE FROM adapter_value", [])?;
            match password {
                Some((name, hashes)) if accounts::exists(db, name)? => accounts::set_password(db, name, hashes),
                _ => Ok(()),
            }
        })
    }

    fn want_reset(&self, reset: Reset) -> Result<()> {
        reset::want(&self.dir, reset).map_err(|error| Fault::from(error).while_doing("noting a reset"))
    }

    fn audit(&self, entry: &AuditEntry) -> Result<()> {
        self.database.write("writing the audit log", |db| audit::append(db, entry))
    }

    fn clear_audit_log(&self, entry: &AuditEntry) -> Result<()> {
        self.database.write("clearing the audit log", |db| {
            audit::clear(db)?;
            audit::append(db, entry)
        })
    }

    fn audit_log(&self, limit: u32) -> Result<Vec<AuditEntry>> {
        self.database.read("reading the audit log", |db| audit::newest(db, limit))
    }
}

fn change(db: &View<'_>, changes: &[Change]) -> rusqlite::Result<()> {
    for (name, value) in changes {
        match value {
            Some(value) => put(db, name, value)?,
            None => drop(db.prepare_cached("DELETE FROM setting WHERE name = ?")?.execute([name])?),
        }
    }
    Ok(())
}

/// The value of a setting.
pub(crate) fn value(db: &View<'_>, name: &str) -> Result<Option<String>, Fault> {
    let mut statement = db.prepare_cached("SELECT sealed FROM setting WHERE name = ?")?;
    let sealed: Option<Vec<u8>> = statement.query_row([name], |row| row.get(0)).optional()?;
    sealed.map(|sealed| db.keys.open_text(place(name), &sealed)).transpose()
}

/// Sets a setting.
pub(crate) fn put(db: &View<'_>, name: &str, value: &str) -> rusqlite::Result<()> {
    db.prepare_cached("INSERT OR REPLACE INTO setting (name, sealed) VALUES (?, ?)")?
        .execute(params![name, db.keys.sealed(place(name), value)])
        .map(drop)
}

fn place(name: &str) -> Place<'_> {
    Place::new("setting", 0).part(name)
}

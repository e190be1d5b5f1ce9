//! `SettingsStore`.

use domain::ports::SettingsStore;
use domain::settings::Change;
use domain::{
    Account, AccountChange, AccountId, AuditEntry, Camera, CameraChange, CameraId, Defaults, Error, NewAccount,
    NewCamera, NewRelay, OwnValues, PasswordHashes, Relay, RelayId, Reset, Result, Rule, RuleId, RuleSettings, Thing,
    Timestamp, Watch, WatchId,
};

use super::{MemoryStore, State, next};

impl SettingsStore for MemoryStore {
    fn cameras(&self) -> Result<Vec<Camera>> {
        let state = self.read();
        if state.unreadable {
            return Err(Error::internal("reading")("the database is damaged here"));
        }
        Ok(state.cameras.values().cloned().collect())
    }

    fn insert_camera(&self, camera: &NewCamera, channels: u32, at: Timestamp) -> Result<Camera> {
        let mut state = self.write()?;
        let id = state.free_channel(camera.id, channels)?;
        state.require_libraries(&camera.watch.libraries)?;
        let watch = Watch { id: WatchId(next(&mut state.last.watch)), settings: camera.watch.clone() };
        state.keep_note(id, camera.note.as_ref());
        let (settings, own, permission_groups) =
            (camera.settings.clone(), camera.own, camera.permission_groups.clone());
        let camera = Camera { id, settings, watch, own, permission_groups, created_at: at };
        state.cameras.insert(id, camera.clone());
        Ok(camera)
    }

    fn update_camera(&self, id: CameraId, change: &CameraChange) -> Result<Camera> {
        let mut state = self.write()?;
        let mut camera = state.cameras.get(&id).cloned().ok_or(Error::NotFound { what: Thing::Camera })?;
        if let Some(settings) = &change.settings {
            if !camera.settings.source.may_become(&settings.source) {
                return Err(Error::invalid("source", "the kind of a camera's source cannot change"));
            }
            camera.settings = settings.clone();
        }
        if let Some(watch) = &change.watch {
            state.require_libraries(&watch.libraries)?;
            camera.watch.settings = watch.clone();
        }
        if let Some(groups) = &change.permission_groups {
            camera.permission_groups.clone_from(groups);
        }
        camera.own = camera.own.and(change.own);
        state.cameras.insert(id, camera.clone());
        state.keep_note(id, change.note.as_ref());
        Ok(camera)
    }

    fn release_cameras(&self, values: OwnValues) -> Result<()> {
        self.write()?.cameras.values_mut().for_each(|camera| camera.own = camera.own.without(values));
        Ok(())
    }

    fn remove_camera(&self, id: CameraId) -> Result<()> {
        let mut state = self.write()?;
        if state.tasks.values().any(|task| task.direction(id).is_some()) {
            return Err(Error::InUse { by: Thing::Task });
        }
        state.cameras.remove(&id).ok_or(Error::NotFound { what: Thing::Camera })?;
        state.remove_notes(id);
        state.relays.retain(|_, relay| relay.camera != id);
        state.rules.retain(|_, rule| rule.camera != id);
        Ok(())
    }

    fn rules(&self) -> Result<Vec<Rule>> {
        Ok(self.read().rules.values().cloned().collect())
    }

    fn insert_rule(&self, camera: CameraId, new: &RuleSettings, limit: u32) -> Result<Rule> {
        let mut state = self.write()?;
        if !state.cameras.contains_key(&camera) {
            return Err(Error::NotFound { what: Thing::Camera });
        }
        state.require_free_rule_name(camera, &new.name, None)?;
        if state.rules.values().filter(|rule| rule.camera == camera).count() >= limit as usize {
            return Err(Error::LimitReached { what: Thing::Rule });
        }
        let id = RuleId(next(&mut state.last.rule));
        let rule = Rule { id, camera, settings: new.clone() };
        state.rules.insert(id, rule.clone());
        Ok(rule)
    }

    fn update_rule(&self, id: RuleId, settings: &RuleSettings) -> Result<Rule> {
        let mut state = self.write()?;
        let camera = state.rules.get(&id).ok_or(Error::NotFound { what: Thing::Rule })?.camera;
        state.require_free_rule_name(camera, &settings.name, Some(id))?;
        let rule = Rule { id, camera, settings: settings.clone() };
        state.rules.insert(id, rule.clone());
        Ok(rule)
    }

    fn remove_rule(&self, id: RuleId) -> Result<()> {
        self.write()?.rules.remove(&id).map(drop).ok_or(Error::NotFound { what: Thing::Rule })
    }

    fn relays(&self) -> Result<Vec<Relay>> {
        Ok(self.read().relays.values().cloned().collect())
    }

    fn insert_relay(&self, new: &NewRelay, limit: u32) -> Result<Relay> {
        let mut state = self.write()?;
        if !state.cameras.contains_key(&new.camera) {
            return Err(Error::NotFound { what: Thing::Camera });
        }
        if state.relays.len() >= limit as usize {
            return Err(Error::LimitReached { what: Thing::Relay });
        }
        let id = RelayId(next(&mut state.last.relay));
        let NewRelay { camera, address, name, tag } = new.clone();
        let relay = Relay { id, camera, address, name, tag };
        state.relays.insert(id, relay.clone());
        Ok(relay)
    }

    fn remove_relay(&self, id: RelayId) -> Result<()> {
        self.write()?.relays.remove(&id).map(drop).ok_or(Error::NotFound { what: Thing::Relay })
    }

    fn accounts(&self) -> Result<Vec<Account>> {
        Ok(self.read().accounts.iter().map(|(account, _)| account.clone()).collect())
    }

    fn account(&self, id: AccountId) -> Result<Account> {
        let state = self.read();
        let found = state.accounts.iter().find(|(account, _)| account.id == id);
        found.map(|(account, _)| account.clone()).ok_or(Error::NotFound { what: Thing::Account })
    }

    fn insert_account(&self, new: &NewAccount) -> Result<Account> {
        let mut state = self.write()?;
        if state.accounts.iter().any(|(account, _)| account.name == new.name) {
            return Err(Error::AlreadyExists { what: Thing::Account });
        }
        let id = AccountId(next(&mut state.last.account));
        let account = Account { id, name: new.name.clone(), role: new.role, created_at: new.at, revision: 1 };
        state.accounts.push((account.clone(), new.hashes.clone()));
        Ok(account)
    }

    fn credentials(&self, name: &str) -> Result<(Account, PasswordHashes)> {
        let state = self.read();
        let found = state.accounts.iter().find(|(account, _)| account.name == name);
        found.cloned().ok_or(Error::NotFound { what: Thing::Account })
    }

    fn update_account(&self, id: AccountId, change: &AccountChange) -> Result<Account> {
        let mut state = self.write()?;
        let taken = |name: &String| state.accounts.iter().any(|(other, _)| other.name == *name && other.id != id);
        if change.name.as_ref().is_some_and(taken) {
            return Err(Error::AlreadyExists { what: Thing::Account });
        }
        let found = state.accounts.iter_mut().find(|(account, _)| account.id == id);
        let (account, hashes) = found.ok_or(Error::NotFound { what: Thing::Account })?;
        change.name.iter().for_each(|name| account.name.clone_from(name));
        change.hashes.iter().for_each(|new| replace_hashes(account, hashes, new));
        Ok(account.clone())
    }

    fn remove_account(&self, id: AccountId) -> Result<()> {
        let mut state = self.write()?;
        let place = state.accounts.iter().position(|(account, _)| account.id == id);
        state.accounts.remove(place.ok_or(Error::NotFound { what: Thing::Account })?);
        Ok(())
    }

    fn set_password(&self, name: &str, hashes: &PasswordHashes) -> Result<()> {
        let mut state = self.write()?;
        let found = state.accounts.iter_mut().find(|(account, _)| account.name == name);
        let (account, kept) = found.ok_or(Error::NotFound { what: Thing::Account })?;
        replace_hashes(account, kept, hashes);
        Ok(())
    }

    fn set_digest(&self, name: &str, checked: &PasswordHashes, digest: &str) -> Result<()> {
        let mut state = self.write()?;
        let same = |kept: &PasswordHashes| kept.password == checked.password && kept.md5 == checked.md5;
        let found = state.accounts.iter_mut().find(|(account, kept)| account.name == name && same(kept));
        found.into_iter().for_each(|(_, kept)| kept.digest_ha1 = Some(digest.to_owned()));
        Ok(())
    }

    fn setting(&self, name: &str) -> Result<Option<String>> {
        Ok(self.read().settings.get(name).cloned())
    }

    fn change_settings(&self, changes: &[Change]) -> Result<()> {
        self.write()?.change_settings(changes);
        Ok(())
    }

    fn restore(&self, defaults: &Defaults<'_>) -> Result<()> {
        let mut state = self.write()?;
        state.change_settings(defaults.changes);
        let (adapter, keys) = defaults.values;
        for key in keys {
            state.values.remove(&(adapter.to_owned(), (*key).to_owned()));
        }
        if let Some((name, hashes)) = &defaults.password
            && let Some((account, kept)) = state.accounts.iter_mut().find(|(account, _)| account.name == *name)
        {
            replace_hashes(account, kept, hashes);
        }
        Ok(())
    }

    fn restore_all(&self, changes: &[Change], password: Option<&(String, PasswordHashes)>) -> Result<()> {
        self.write()?.values.clear();
        self.restore(&Defaults { changes, values: ("", &[]), password: password.cloned() })
    }

    fn want_reset(&self, reset: Reset) -> Result<()> {
        self.write()?.reset = Some(reset);
        Ok(())
    }

    fn audit(&self, entry: &AuditEntry) -> Result<()> {
        self.write()?.audit.push(entry.clone());
        Ok(())
    }

    fn clear_audit_log(&self, entry: &AuditEntry) -> Result<()> {
        let audit = &mut self.write()?.audit;
        audit.retain(|entry| !entry.class.is_cleared());
        audit.push(entry.clone());
        Ok(())
    }

    fn audit_log(&self, limit: u32) -> Result<Vec<AuditEntry>> {
        Ok(self.read().audit.iter().rev().take(limit as usize).cloned().collect())
    }
}

/// Digests are no part of what makes a password another.
fn replace_hashes(account: &mut Account, kept: &mut PasswordHashes, new: &PasswordHashes) {
    account.revision += u64::from(kept.password != new.password || kept.md5 != new.md5);
    kept.clone_from(new);
}

impl State {
    /// `AlreadyExists(Rule)` when another rule of the camera than `but` has the name.
    fn require_free_rule_name(&self, camera: CameraId, name: &str, but: Option<RuleId>) -> Result<()> {
        let taken = |rule: &Rule| rule.camera == camera && rule.settings.name == name && Some(rule.id) != but;
        if self.rules.values().any(taken) { Err(Error::AlreadyExists { what: Thing::Rule }) } else { Ok(()) }
    }

    fn change_settings(&mut self, changes: &[Change]) {
        for (name, value) in changes {
            match value {
                Some(value) => self.settings.insert((*name).to_owned(), value.clone()),
                None => self.settings.remove(*name),
            };
        }
    }

    fn free_channel(&self, wanted: Option<CameraId>, channels: u32) -> Result<CameraId> {
        match wanted {
            Some(CameraId(id)) if !(1..=channels).contains(&id) => {
                Err(Error::invalid("channel", format!("not 1 to {channels}")))
            }
            Some(id) if self.cameras.contains_key(&id) => Err(Error::AlreadyExists { what: Thing::Camera }),
            Some(id) => Ok(id),
            None => {
                let lowest = (1..=channels).map(CameraId).find(|id| !self.cameras.contains_key(id));
                lowest.ok_or(Error::LimitReached { what: Thing::Camera })
            }
        }
    }
}

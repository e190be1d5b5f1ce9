//! Internal values of the device in the store, beside the settings.

use crate::ports::SettingsStore;
use crate::settings::Change;
use crate::{PasswordHashes, RESTORATION, Restoration, Result, Timestamp};

/// Present while a change of the network is on trial.
const NETWORK_ON_TRIAL: &str = "network.on_trial";
/// Present while restored settings are not applied to the machine yet.
const MACHINE_DUE: &str = "host.due";
/// The factory account and the hashes of its password: four lines.
const FACTORY_LOGIN: &str = "account.factory";
/// Written as a test; its value is the time, milliseconds.
const WRITE_TEST: &str = "storage.proven";
/// The last time that was believed, milliseconds.
const BELIEVED: &str = "clock.believed";
/// Value of a key that only has to be present.
const YES: &str = "yes";

/// Access to these values in the store; every call blocks.
pub(crate) struct DeviceState<'a>(pub(crate) &'a dyn SettingsStore);

impl DeviceState<'_> {
    /// Whether a change of the network is on trial, or is still to be undone.
    pub(crate) fn network_on_trial(&self) -> Result<bool> {
        Ok(self.0.setting(NETWORK_ON_TRIAL)?.is_some())
    }

    pub(crate) fn set_network_on_trial(&self, on_trial: bool) -> Result<()> {
        self.0.set_setting(NETWORK_ON_TRIAL, on_trial.then_some(YES))
    }

    /// Whether restored settings are not applied to the machine yet.
    pub(crate) fn machine_due(&self) -> Result<bool> {
        Ok(self.0.setting(MACHINE_DUE)?.is_some())
    }

    /// The change that marks the machine as due, to be committed with the restored settings.
    pub(crate) fn making_machine_due() -> Change {
        (MACHINE_DUE, Some(YES.to_owned()))
    }

    pub(crate) fn machine_has_followed(&self) -> Result<()> {
        self.0.set_setting(MACHINE_DUE, None)
    }

    /// The factory account and the hashes of its password; `None` until it is stored. An unreadable value is logged and
    /// counts as `None`.
    pub(crate) fn factory_login(&self) -> Result<Option<(String, PasswordHashes)>> {
        let Some(text) = self.0.setting(FACTORY_LOGIN)? else { return Ok(None) };
        let [name, password, digest_ha1, md5] = text.split('\n').collect::<Vec<_>>()[..] else {
            tracing::error!("factory password unreadable, ignored");
            return Ok(None);
        };
        let [password, digest, md5] = [password, digest_ha1, md5].map(str::to_owned);
        let digest_ha1 = Some(digest).filter(|digest| !digest.is_empty());
        Ok(Some((name.to_owned(), PasswordHashes { password, digest_ha1, md5 })))
    }

    pub(crate) fn keep_factory_login(&self, name: &str, hashes: &PasswordHashes) -> Result<()> {
        let digest = hashes.digest_ha1.as_deref().unwrap_or_default();
        let lines = [name, &hashes.password, digest, &hashes.md5].join("\n");
        self.0.set_setting(FACTORY_LOGIN, Some(&lines))
    }

    pub(crate) fn forget_factory_login(&self) -> Result<()> {
        self.0.set_setting(FACTORY_LOGIN, None)
    }

    /// The last time of the clock that was believed.
    pub(crate) fn believed_time(&self) -> Result<Option<Timestamp>> {
        let text = self.0.setting(BELIEVED)?;
        Ok(text.and_then(|text| text.parse().ok()).map(Timestamp::from_millis))
    }

    pub(crate) fn believe(&self, at: Timestamp) -> Result<()> {
        self.0.set_setting(BELIEVED, Some(&at.as_millis().to_string()))
    }

    /// The last restoration of the database from a copy.
    pub(crate) fn restoration(&self) -> Result<Option<Restoration>> {
        Ok(self.0.setting(RESTORATION)?.and_then(|text| Restoration::read(&text)))
    }

    /// Writes a value, to test that the store can be written.
    pub(crate) fn test_write(&self, at: Timestamp) -> Result<()> {
        self.0.set_setting(WRITE_TEST, Some(&at.as_millis().to_string()))
    }
}

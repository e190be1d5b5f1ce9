//! What the device remembers of itself that nobody sets: single values of the store beside the settings.

use crate::ports::SettingsStore;
use crate::settings::Change;
use crate::{PasswordHashes, Result, Timestamp};

/// There while a change of the network is on trial.
const NETWORK_ON_TRIAL: &str = "network.on_trial";
/// There while the machine does not yet follow restored settings.
const MACHINE_DUE: &str = "host.due";
/// The first login, and what is kept of its password: four lines.
const FACTORY_LOGIN: &str = "account.factory";
/// Written as a proof that something can be; its value is the time, milliseconds.
const PROVEN: &str = "storage.proven";
/// What a value says that only has to be there.
const YES: &str = "yes";

/// A view of these values in the store; every call blocks.
pub(crate) struct DeviceState<'a>(pub(crate) &'a dyn SettingsStore);

impl DeviceState<'_> {
    /// Whether a change of the network is on trial, or is still to be undone.
    pub(crate) fn network_on_trial(&self) -> Result<bool> {
        Ok(self.0.setting(NETWORK_ON_TRIAL)?.is_some())
    }

    pub(crate) fn set_network_on_trial(&self, on_trial: bool) -> Result<()> {
        self.0.set_setting(NETWORK_ON_TRIAL, on_trial.then_some(YES))
    }

    /// Whether the machine does not yet follow restored settings.
    pub(crate) fn machine_due(&self) -> Result<bool> {
        Ok(self.0.setting(MACHINE_DUE)?.is_some())
    }

    /// What makes the machine due, to be committed with what it is to follow.
    pub(crate) fn making_machine_due() -> Change {
        (MACHINE_DUE, Some(YES.to_owned()))
    }

    pub(crate) fn machine_has_followed(&self) -> Result<()> {
        self.0.set_setting(MACHINE_DUE, None)
    }

    /// The account that the device was delivered with, and what is kept of its first password; `None` until it is
    /// known. One that cannot be read is in the log, and no reason to refuse what would have used it.
    pub(crate) fn factory_login(&self) -> Result<Option<(String, PasswordHashes)>> {
        let Some(text) = self.0.setting(FACTORY_LOGIN)? else { return Ok(None) };
        let [name, password, digest_ha1, md5] = text.split('\n').collect::<Vec<_>>()[..] else {
            tracing::error!("the first account's first password cannot be read");
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

    /// Writes something, to prove that the store takes it.
    pub(crate) fn prove_writing(&self, at: Timestamp) -> Result<()> {
        self.0.set_setting(PROVEN, Some(&at.as_millis().to_string()))
    }
}

//! Restores the factory settings.

use super::{Acts, Appliance, State};
use crate::{Act, PasswordHashes, Result, TimeService};

impl Appliance {
    /// Stores the password of this account as the factory password. `NotFound(Account)`.
    pub async fn keep_factory_login(&self, name: &str) -> Result<()> {
        let name = name.to_owned();
        self.blocking(move |a| {
            let (_, hashes) = a.ports().settings.credentials(&name)?;
            a.device_state().keep_factory_login(&name, &hashes)
        })
        .await
    }

    /// Renames the factory account.
    pub(super) fn rename_factory_login(&self, from: &str, to: &str) -> Result<()> {
        let kept = self.device_state().factory_login()?;
        let Some((_, hashes)) = kept.filter(|(name, _)| name == from && from != to) else { return Ok(()) };
        // The former name is part of the digest.
        let hashes = PasswordHashes { digest_ha1: None, ..hashes };
        self.device_state().keep_factory_login(to, &hashes)
    }

    async fn restore_machine(&self) -> Result<()> {
        let host = &self.ports().host;
        host.set_time_service(&TimeService::default()).await?;
        if let Some(name) = self.options().time_zone.iana_name() {
            host.set_time_zone(name).await?;
        }
        self.blocking(|a| a.device_state().machine_has_followed()).await
    }

    /// Applies to the machine the settings of the time that it has missed or does not remember. Failures are logged.
    pub async fn resume_machine(&self) {
        let resume = async {
            if self.blocking(|a| a.device_state().machine_due()).await? {
                self.restore_machine().await?;
            }
            self.resume_time_service().await
        };
        if let Err(error) = resume.await {
            tracing::warn!(error = error.chain(), "failed to apply time settings to the machine");
        }
    }
}

impl Acts<'_> {
    /// Restores the factory values of the settings that a platform may change, in one transaction: the device's id, the
    /// rules of its door, the liveness rule, the camera defaults, time zone and time service, what happens when the
    /// storage is full, how long records are kept and whether with pictures, whether the management page is open, the
    /// first account's password, and these values of one adapter. People, libraries, cameras, records and the network
    /// stay.
    ///
    /// When the time settings cannot be applied to the machine now, that is retried at the next start.
    pub async fn restore_defaults(self, adapter: &State, values: &'static [&'static str]) -> Result<()> {
        let actor = self.permit(Act::DEVICE_RESTORE)?;
        let adapter = adapter.clone();
        let machine_due = self
            .blocking(move |a| {
                let due = a.restore_settings(&adapter, values)?;
                a.audit(&actor, Act::DEVICE_RESTORE, &"settings");
                Ok(due)
            })
            .await?;
        if machine_due && let Err(error) = self.appliance.restore_machine().await {
            tracing::warn!(
                error = error.chain(),
                "failed to restore time settings of the machine, retrying at the next start"
            );
        }
        Ok(())
    }

    /// Restores the factory values of time zone and time service only. When they cannot be applied to the machine now,
    /// that is retried at the next start.
    pub async fn restore_time(self) -> Result<()> {
        let actor = self.permit(Act::TIME_RESTORE)?;
        self.blocking(move |a| {
            a.restore_time_settings()?;
            a.audit(&actor, Act::TIME_RESTORE, &"clock and zone");
            Ok(())
        })
        .await?;
        if let Err(error) = self.appliance.restore_machine().await {
            tracing::warn!(
                error = error.chain(),
                "failed to restore time settings of the machine, retrying at the next start"
            );
        }
        Ok(())
    }
}

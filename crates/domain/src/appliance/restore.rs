//! Back to how the device was when it was new.

use super::camera_defaults::CAMERA_DEFAULTS;
use super::device::DEVICE_ID;
use super::liveness::LIVENESS;
use super::machine::CONSOLE_OPEN;
use super::privacy::PICTURES;
use super::retention::{PEOPLE_DAYS, STRANGERS_DAYS, WHEN_FULL};
use super::time::{TIME_SERVICE, TIME_ZONE};
use super::{Acts, Appliance, State};
use crate::door::DOOR_RULES;
use crate::{Act, CameraDefaults, Defaults, LivenessRule, PasswordHashes, Result, TimeService};

/// The setting that holds the first login and what is kept of its password.
const FACTORY_LOGIN: &str = "account.factory";
/// The setting that is there while the machine does not yet follow the restored settings.
const HOST_DUE: &str = "host.due";
/// What a platform may set of the device itself.
const SETTINGS: [&str; 11] = [
    CAMERA_DEFAULTS,
    DEVICE_ID,
    CONSOLE_OPEN,
    DOOR_RULES,
    LIVENESS,
    PEOPLE_DAYS,
    PICTURES,
    STRANGERS_DAYS,
    WHEN_FULL,
    TIME_SERVICE,
    TIME_ZONE,
];

impl Appliance {
    /// Remembers the password of this account as the one the device was delivered with. `NotFound(Account)`.
    pub async fn keep_factory_login(&self, name: &str) -> Result<()> {
        let name = name.to_owned();
        self.blocking(move |a| {
            let (_, hashes) = a.ports().settings.credentials(&name)?;
            a.ports().settings.set_setting(FACTORY_LOGIN, Some(&write(&name, &hashes)))
        })
        .await
    }

    /// Commits the restored settings and lives by them; answers whether the machine has to follow.
    fn restore(&self, adapter: &'static str, values: &'static [&'static str]) -> Result<bool> {
        let store = &self.ports().settings;
        let time = [TIME_ZONE, TIME_SERVICE].map(|name| store.setting(name));
        let machine_due = time.into_iter().collect::<Result<Vec<_>>>()?.iter().any(Option::is_some);
        let login = store.setting(FACTORY_LOGIN)?;
        store.restore(&Defaults {
            removed: &SETTINGS,
            set: if machine_due { &[(HOST_DUE, "yes")] } else { &[] },
            values: (adapter, values),
            password: login.as_deref().and_then(read),
        })?;
        self.use_time_zone(self.options().time_zone.clone());
        self.use_liveness_rule(LivenessRule::default());
        self.use_camera_defaults(CameraDefaults::default());
        self.use_keeping_pictures(true);
        self.use_when_full(self.options().storage.when_full);
        self.show_console(true);
        Ok(machine_due)
    }

    /// The account that the device was delivered with has another name now.
    pub(super) fn rename_factory_login(&self, from: &str, to: &str) -> Result<()> {
        let store = &self.ports().settings;
        let kept =
            store.setting(FACTORY_LOGIN)?.as_deref().and_then(read).filter(|(name, _)| name == from && from != to);
        let Some((_, hashes)) = kept else { return Ok(()) };
        // Hashed for the former name, as the one that is in use.
        let hashes = PasswordHashes { digest_ha1: super::accounts::nobodys_digest(), ..hashes };
        store.set_setting(FACTORY_LOGIN, Some(&write(to, &hashes)))
    }

    async fn restore_machine(&self) -> Result<()> {
        let host = &self.ports().host;
        host.set_time_service(&TimeService::default()).await?;
        if let Some(name) = self.options().time_zone.iana_name() {
            host.set_time_zone(name).await?;
        }
        self.blocking(|a| a.ports().settings.set_setting(HOST_DUE, None)).await
    }

    /// Has the machine do what it is to do since before the start. What fails is logged.
    pub async fn resume_machine(&self) {
        let resume = async {
            if self.blocking(|a| a.ports().settings.setting(HOST_DUE)).await?.is_some() {
                self.restore_machine().await?;
            }
            self.resume_time_service().await
        };
        if let Err(error) = resume.await {
            tracing::warn!(error = error.chain(), "the machine does not follow the settings of the time");
        }
    }
}

impl Acts<'_> {
    /// Puts the settings that a platform may change back to what they were when the device was new, all at once: the
    /// device's id, the rules of its door, when faces must be alive, what is set for all cameras, time zone and time
    /// service, what happens when the storage is full, how long records are kept and whether with pictures, whether the
    /// management page is open, the first account's password, and these values of one adapter. People,
    /// libraries, cameras, records and the network stay.
    ///
    /// When the machine cannot follow now, it is asked again at the next start.
    pub async fn restore_defaults(self, adapter: &State, values: &'static [&'static str]) -> Result<()> {
        let actor = self.permit(Act::DEVICE_RESTORE)?;
        let adapter = adapter.adapter();
        let machine_due = self
            .blocking(move |a| {
                let due = a.restore(adapter, values)?;
                a.audit(&actor, Act::DEVICE_RESTORE, &"settings");
                Ok(due)
            })
            .await?;
        if machine_due && let Err(error) = self.appliance.restore_machine().await {
            tracing::warn!(error = error.chain(), "the machine keeps its time settings until the next start");
        }
        Ok(())
    }

    /// Puts time zone and time service back to what they were when the device was new, and nothing else. When the
    /// machine cannot follow now, it is asked again at the next start.
    pub async fn restore_time(self) -> Result<()> {
        let actor = self.permit(Act::TIME_RESTORE)?;
        self.blocking(move |a| {
            let store = &a.ports().settings;
            store.set_setting(HOST_DUE, Some("yes"))?;
            [TIME_ZONE, TIME_SERVICE].into_iter().try_for_each(|name| store.set_setting(name, None))?;
            a.use_time_zone(a.options().time_zone.clone());
            a.audit(&actor, Act::TIME_RESTORE, &"clock and zone");
            Ok(())
        })
        .await?;
        if let Err(error) = self.appliance.restore_machine().await {
            tracing::warn!(error = error.chain(), "the machine keeps its time settings until the next start");
        }
        Ok(())
    }
}

fn write(name: &str, hashes: &PasswordHashes) -> String {
    [name, &hashes.password, &hashes.digest_ha1, &hashes.md5].join("\n")
}

fn read(kept: &str) -> Option<(String, PasswordHashes)> {
    let mut lines = kept.split('\n').map(str::to_owned);
    let name = lines.next()?;
    let (password, digest_ha1, md5) = (lines.next()?, lines.next()?, lines.next()?);
    Some((name, PasswordHashes { password, digest_ha1, md5 }))
}

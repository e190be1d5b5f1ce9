//! Installing software, from the file to the restart.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use semver::Version;
use tokio::task::JoinHandle;
use uuid::Uuid;

use super::ledger::{Outcome, Pending};
use super::versions::{Versions, reading};
use super::{INSTALLED, UpgradeState, bundle, installed, verify_package};
use crate::appliance::{Acts, Appliance};
use crate::{Act, Actor, Error, Result, Slots, Software};

/// An installation that has begun. It goes on when this is dropped.
#[must_use]
pub struct Installation(JoinHandle<Result<()>>);

impl Installation {
    /// Waits until the software is installed and the machine about to restart.
    ///
    /// # Errors
    /// `Unavailable` when the machine cannot install it or cannot be restarted, `Internal` when that fails.
    pub async fn finish(self) -> Result<()> {
        self.0.await.map_err(Error::internal("installing software"))?
    }
}

impl Acts<'_> {
    /// Installs software and restarts the machine; the new version is on trial then. On a machine with two slots it is
    /// a RAUC bundle, elsewhere a package: any file followed by its minisign signature, whose trusted comment is
    /// `polyface VERSION`. The file is removed in any case.
    ///
    /// # Errors
    /// `Invalid` with the field `package` without a signature that counts, `package product` when it was made for
    /// something else, `package version` when it is not above what runs (bundles: below it) or below what ran here
    /// before, unless `Options::allow_downgrade` is set, `package content` when it is damaged; `Busy` while another
    /// upgrade is not decided; `Unavailable` when the machine cannot install software. Nothing has changed then.
    pub async fn upgrade(self, package: &Path) -> Result<()> {
        self.begin_upgrade(package).await?.finish().await
    }

    /// As [`upgrade`](Self::upgrade), but returns once the installation has begun: with everything checked and nothing
    /// written yet.
    pub async fn begin_upgrade(self, package: &Path) -> Result<Installation> {
        let actor = self.permit(Act::MACHINE_UPGRADE)?;
        let file = Taken::take(package)?;
        let order = Arc::clone(&self.appliance.core.upgrades.order);
        let order = order.try_lock_owned().map_err(|_| Error::Busy)?;
        let Admitted { software, version, pending } = self.appliance.admit_software(&file).await?;
        tracing::info!(package.version = %version, "software verified");
        let appliance = self.appliance.clone();
        let installing = async move {
            let (_order, _file) = (order, file);
            appliance.install(&actor, software, pending).await
        };
        Ok(Installation(self.appliance.core.upgrades.installing.spawn(installing)))
    }
}

/// A file under a name of its own, which is removed in the end.
struct Taken(PathBuf);

impl Taken {
    /// Whoever delivered the file does not reach it any more.
    fn take(file: &Path) -> Result<Self> {
        let own = file.with_file_name(format!("{}.taken", Uuid::new_v4()));
        std::fs::rename(file, &own).map_err(reading)?;
        Ok(Self(own))
    }
}

impl Drop for Taken {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_file(&self.0)
            && error.kind() != io::ErrorKind::NotFound
        {
            tracing::warn!(file = %self.0.display(), %error, "failed to remove a software package");
        }
    }
}

/// Software that may be installed.
struct Admitted {
    software: Software,
    version: Version,
    pending: Pending,
}

impl Appliance {
    /// Checks everything that can be checked before the first byte is written.
    async fn admit_software(&self, file: &Taken) -> Result<Admitted> {
        if self.blocking(|a| a.core.upgrades.ledger.is_pending()).await? {
            return Err(Error::Busy);
        }
        let versions = self.blocking(Self::versions).await?;
        let slots = self.ports().host.slots().await?;
        let (software, version) = match &slots {
            Some(slots) => {
                let version = bundle::admit(self.ports().host.as_ref(), &file.0, slots, &versions).await?;
                (Software::Bundle(file.0.clone()), version)
            }
            None => self.admit_package(&file.0, versions).await?,
        };
        let pending = self.pending(&version, slots);
        Ok(Admitted { software, version, pending })
    }

    async fn admit_package(&self, path: &Path, versions: Versions) -> Result<(Software, Version)> {
        let path = path.to_owned();
        self.blocking(move |a| {
            let package = verify_package(open(&path)?, a.options().upgrade_key.as_deref())?;
            versions.admit_newer(package.version())?;
            let version = package.version().clone();
            Ok((Software::Package(package), version))
        })
        .await
    }

    /// What versions are compared with. Blocking.
    fn versions(&self) -> Result<Versions> {
        let allow_downgrade = self.options().allow_downgrade;
        Ok(Versions { installed: installed()?, floor: self.core.upgrades.ledger.floor()?, allow_downgrade })
    }

    fn pending(&self, to: &Version, slots: Option<Slots>) -> Pending {
        let (slot, boot) = slots.map(|slots| (slots.running, slots.boot)).unzip();
        Pending {
            from: INSTALLED.to_owned(),
            to: to.to_string(),
            slot,
            boot: boot.unwrap_or_default(),
            installed: false,
            broken_before: self.core.upgrades.broken(),
            failure: None,
        }
    }

    async fn install(&self, actor: &Actor, software: Software, mut pending: Pending) -> Result<()> {
        let version = pending.to.clone();
        self.set_pending(pending.clone()).await?;
        let (upgrades, name) = (&self.core.upgrades, version.clone());
        let on_percent = move |percent| {
            upgrades.set_state(UpgradeState::Installing { version: name.clone(), percent });
        };
        on_percent(0);
        if let Err(error) = self.ports().host.install(software, &on_percent).await {
            tracing::error!(package.version = version, error = error.chain(), "software not installed");
            self.decide(pending, Some(error.chain())).await?;
            return Err(error);
        }
        pending.installed = true;
        self.set_pending(pending).await?;
        upgrades.set_state(UpgradeState::OnTrial { version });
        self.note(actor, Act::MACHINE_UPGRADE, "machine").await?;
        self.ports().host.restart().await
    }

    pub(super) async fn set_pending(&self, pending: Pending) -> Result<()> {
        self.blocking(move |a| a.core.upgrades.ledger.set_pending(&pending)).await
    }

    /// Ends an upgrade: `failure` is why it failed. Noted in the audit log, and in the log by
    /// [`notices`](crate::notices).
    pub(super) async fn decide(&self, pending: Pending, failure: Option<String>) -> Result<()> {
        let outcome = Outcome { from: pending.from, to: pending.to, failure };
        let act = if outcome.failure.is_none() { Act::MACHINE_UPGRADED } else { Act::MACHINE_UPGRADE_FAILED };
        let result = if outcome.failure.is_none() { "kept" } else { "failed" };
        let subject = format!("machine {} to {}", outcome.from, outcome.to);
        let state = outcome.clone().into();
        self.blocking(move |a| a.core.upgrades.ledger.decide(&outcome)).await?;
        metrics::counter!("polyface_upgrades_total", "result" => result).increment(1);
        self.core.upgrades.set_state(state);
        self.note(&Actor::part("upgrade"), act, &subject).await
    }
}

/// Opens a package and removes its name, so that nothing else reaches its content. Blocking.
fn open(path: &Path) -> Result<File> {
    let file = File::open(path).map_err(reading);
    std::fs::remove_file(path).map_err(reading)?;
    file
}

//! New software (chapter 10).

use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use adapter::{Form, FormError, FormLimits, Spool};
use axum::extract::Request;
use domain::Error;
use domain::upgrades::UpgradeState;

use crate::codes::{Code, Fault};
use crate::device::UPGRADE;
use crate::request::Caller;
use crate::wire::device::UpgradeStatus;
use crate::wire::{Answer, Done};

/// The part with the package.
const FILE: &str = "file";
/// The largest package, bytes.
const MAX_PACKAGE: u64 = 4 << 30;
/// Room for what a client sends besides.
const FORM: FormLimits = FormLimits { parts: 16, part_bytes: 64 << 10, total_bytes: 256 << 10 };

/// How long an upload waits for an installation that fails at its beginning.
const EARLY: Duration = Duration::from_secs(5);

const TRANSFERRING: u8 = 1;
const UPGRADING: u8 = 2;
const SUCCEEDED: u8 = 3;
const FAILED: u8 = 4;
/// What the core says counts.
const UNKNOWN: u8 = 0;

/// Checks software and begins to install it; the machine restarts with it (/upgrade, section 10.1). Its status tells
/// how that goes.
pub(crate) async fn upload(caller: Caller, request: Request) -> Result<Done, Fault> {
    let _running = caller.device.upgrading.try_lock().map_err(|_| Code::Busy)?;
    caller.device.upgrade_status.store(TRANSFERRING, Relaxed);
    let outcome = install(&caller, request).await;
    // While another upgrade is on trial, its outcome counts.
    let refused = match &outcome {
        Err(fault) if !matches!(fault.code, Code::Busy) => Some(FAILED),
        Ok(()) | Err(_) => None,
    };
    caller.device.upgrade_status.store(refused.unwrap_or(UNKNOWN), Relaxed);
    caller.device.state().set_value(UPGRADE, refused.map(|status| status.to_string())).await?;
    outcome.map(|()| Done::DONE)
}

async fn install(caller: &Caller, request: Request) -> Result<(), Fault> {
    let room = caller.device.appliance.upload_room().await?;
    let spool = Spool {
        folder: caller.device.appliance.options().uploads.clone(),
        bytes: usize::try_from(room.min(MAX_PACKAGE)).unwrap_or(usize::MAX),
        wanted: |_, name| name == FILE,
    };
    let (_, package) = Form::read_with_upload(request, FORM, Some(spool)).await.map_err(|error| match error {
        FormError::TooLarge | FormError::NotKept => Code::UpgradeResources.into(),
        other => Fault::argument(other.to_string()),
    })?;
    let package = package.ok_or_else(|| Fault::argument("part file is missing"))?;
    let length = tokio::fs::metadata(package.path()).await.map_err(Error::internal("reading a software package"))?;
    if length.len() == 0 {
        return Err(Fault::argument("part file is empty"));
    }
    caller.device.upgrade_status.store(UPGRADING, Relaxed);
    let begun = async {
        let installation = caller.acts().begin_upgrade(package.path()).await?;
        // It goes on by itself.
        tokio::time::timeout(EARLY, installation.finish()).await.unwrap_or(Ok(()))
    };
    begun.await.map_err(|error| match error {
        Error::Invalid { field: "package product", .. } => Code::PackageDevice.into(),
        Error::Invalid { field: "package version", .. } => Code::PackageVersion.into(),
        Error::Invalid { field: "package content", .. } => Code::PackageDamaged.into(),
        Error::Invalid { .. } => Code::PackageSignature.into(),
        Error::Unavailable { .. } => Code::UpgradeResources.into(),
        Error::Internal { .. } => Fault::from(error).with_code(Code::Upgrade),
        other => other.into(),
    })
}

/// Reads how the last upgrade went, also after a restart (/upgrade/status, section 10.2).
pub(crate) async fn status(caller: &Caller) -> Result<Answer<UpgradeStatus>, Fault> {
    caller.reading()?;
    let own = match caller.device.upgrade_status.load(Relaxed) {
        UNKNOWN => caller.device.last_upgrade().await?,
        known => Some(known),
    };
    let status = match (own, caller.device.appliance.upgrade_state()) {
        (Some(status), _) => status,
        (None, UpgradeState::None) => return Err(Code::UpgradeProgress.into()),
        (None, UpgradeState::Installing { .. } | UpgradeState::OnTrial { .. }) => UPGRADING,
        (None, UpgradeState::Succeeded { .. }) => SUCCEEDED,
        (None, UpgradeState::Failed { .. }) => FAILED,
    };
    Ok(Answer::of(UpgradeStatus { status }))
}

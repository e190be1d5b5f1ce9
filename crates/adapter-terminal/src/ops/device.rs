//! The device itself: its version, its clock, restarting, resetting, upgrading.

use domain::{Error, RecordKind, Timestamp};

use super::{doors, failed, people, settings};
use crate::codes::{self, set_time, upgrade};
use crate::convert::time;
use crate::request::{Call, Outcome};
use crate::settings::{REPORTS, SOUND, SUBSCRIPTION};
use crate::wire::replies::{Reboot, SysTime, Upgraded, Versions};
use crate::wire::{Fault, Reply};

/// The largest package, bytes.
const LARGEST_PACKAGE: u64 = 1 << 30;
/// The extension of packages.
const PACKAGE: &str = ".swx";

/// Reports the version (Versions, section 7.3).
pub(crate) async fn versions(call: Call) -> Outcome {
    let version = call.device.appliance.device().await.map_err(|error| failed(&error))?.version;
    let built = time::text_with_slash(built().await, &call.device.zone());
    Ok(Reply::with(Versions { name: format!("polyface {version}"), buildtime: built }))
}

/// The modification time of the program's file; the epoch when it is unknown.
async fn built() -> Timestamp {
    let program = std::env::current_exe().ok();
    let changed = match program {
        Some(program) => tokio::fs::metadata(program).await.and_then(|file| file.modified()).ok(),
        None => None,
    };
    let changed = changed.and_then(|changed| jiff::Timestamp::try_from(changed).ok());
    changed.map_or(Timestamp::from_millis(0), Timestamp::from)
}

/// Restarts the machine (RebootDevice, section 9.7).
pub(crate) async fn reboot_device(call: Call) -> Outcome {
    call.device.acts().restart_machine().await.map_err(|error| failed(&error))?;
    Ok(Reply::default())
}

/// Reports the time (GetSysTime, section 9.8).
pub(crate) async fn get_sys_time(call: Call) -> Outcome {
    let now = call.device.appliance.now();
    Ok(Reply::with(SysTime { sys_time: time::text_with_t(now, &call.device.zone()) }))
}

/// Sets the clock (SetSysTime, section 9.8.3).
pub(crate) async fn set_sys_time(call: Call) -> Outcome {
    let text = call.info.filled("SysTime").ok_or(set_time::NO_TIME)?;
    let to = time::instant(&text, &call.device.zone());
    let to = to.ok_or_else(|| set_time::NO_TIME.because("SysTime must be a time, YYYY-MM-DDTHH:MM:SS"))?;
    call.device.acts().set_time(to, None).await.map_err(|error| match error {
        Error::Invalid { why, .. } => set_time::NO_TIME.because(format_args!("SysTime {why}")),
        error => failed(&error),
    })?;
    Ok(Reply::default())
}

/// The parts that can be reset to factory settings.
const PARTS: [&str; 10] = [
    "DefaltDoorSet",
    "DefaltSoundSet",
    "DefaltNetPar",
    "DefaltCenterPar",
    "DefaltCapture",
    "DefaltLog",
    "DefaltPerson",
    "DefaltRecord",
    "DefaltMaintainTime",
    "DefaltSystemSettings",
];

/// Resets parts of the device to factory settings (SetFactoryDefault, section 9.9).
pub(crate) async fn set_factory_default(call: Call) -> Outcome {
    let switch = |name: &&str| call.info.is_sent(name) && !matches!(call.info.int(name), Some(0 | 1));
    if let Some(wrong) = PARTS.iter().find(|name| switch(name)) {
        return Err(codes::NO_INFO.because(format_args!("{wrong} must be 0 or 1")));
    }
    let wanted = |name| call.info.int(name) == Some(1);
    let device = &call.device;
    let emptied = empty(&call).await?;
    if wanted("DefaltSoundSet") {
        settings::forget(device, &[&SOUND]).await?;
    }
    if wanted("DefaltCenterPar") {
        settings::forget(device, &[&REPORTS, &SUBSCRIPTION]).await?;
    }
    if wanted("DefaltSystemSettings") {
        settings::forget_system(device).await?;
        settings::forget_faces(device).await?;
    }
    if wanted("DefaltDoorSet") {
        doors::forget(device).await?;
    }
    if wanted("DefaltMaintainTime") {
        device.acts().restore_time().await.map_err(|error| failed(&error))?;
    }
    if wanted("DefaltLog") {
        device.acts().clear_audit_log().await.map_err(|error| failed(&error))?;
    }
    // Last, because it may cut the connection; connecting again shows that the network works.
    if wanted("DefaltNetPar") {
        device.acts().restore_network().await.map_err(|error| failed(&error))?;
    }
    let restart = emptied || wanted("DefaltNetPar");
    Ok(Reply { restart, ..Reply::with(Reboot::of(restart)) })
}

/// Removes the people and records of the parts to reset; returns whether any part contains them.
async fn empty(call: &Call) -> Result<bool, Fault> {
    let wanted = |name| call.info.int(name) == Some(1);
    let (acts, people, all) = (call.device.acts(), wanted("DefaltPerson"), wanted("DefaltCapture"));
    if people {
        people::remove_all(call).await?;
    }
    let removed = match (all, people || wanted("DefaltRecord")) {
        (true, _) => acts.remove_all_records().await,
        (false, true) => acts.remove_records_of(RecordKind::People).await,
        (false, false) => return Ok(false),
    };
    removed.map_err(|error| failed(&error))?;
    Ok(true)
}

/// Fetches software, checks it and begins to install it (Upgrade, section 7.1): the answer says that the instruction was
/// taken.
pub(crate) async fn upgrade(call: Call) -> Outcome {
    let name = call.info.filled("name").ok_or(upgrade::NO_NAME)?;
    let url = call.info.filled("path").ok_or(upgrade::NO_PATH)?;
    let file = url.split(['?', '#']).next().unwrap_or_default();
    if !file.to_ascii_lowercase().ends_with(PACKAGE) {
        return Err(upgrade::NO_UPGRADE.because(format_args!("path must end in {PACKAGE}")));
    }
    let appliance = &call.device.appliance;
    let package = appliance.options().uploads.join(format!("terminal-{}.package", call.device.id));
    if let Err(error) = call.device.outbound.download(&url, &package, LARGEST_PACKAGE).await {
        tracing::warn!(%error, "failed to download a software package");
        return Err(upgrade::DOWNLOAD.because(error));
    }
    match call.device.acts().begin_upgrade(&package).await {
        // It goes on by itself; the log and the audit log tell how.
        Ok(_installation) => Ok(Reply::with(Upgraded { name })),
        Err(error) => {
            tracing::warn!(error = error.chain(), "software package not installed");
            Err(upgrade::NO_UPGRADE.because(error))
        }
    }
}

//! The device itself: its version, its clock, restarting, resetting, upgrading.

use domain::{Error, RecordKind, Timestamp};
use serde_json::json;

use super::{Call, Outcome, doors, failed, people, settings};
use crate::codes::{self, set_time, upgrade};
use crate::convert::time;
use crate::wire::{Fault, Reply};

/// The largest package, bytes.
const LARGEST_PACKAGE: u64 = 1 << 30;
/// What packages are called.
const PACKAGE: &str = ".swx";

/// Tells the version (Versions, section 7.3).
pub(crate) async fn versions(call: Call) -> Outcome {
    let version = call.core.appliance.device().await.map_err(|error| failed(&error))?.version;
    let built = time::text_with_slash(built().await, &call.core.zone());
    Ok(Reply::with(json!({ "name": format!("polyface {version}"), "buildtime": built })))
}

/// When the program was made, as far as the file says.
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
    call.core.acts().restart_machine().await.map_err(|error| failed(&error))?;
    Ok(Reply::default())
}

/// Tells the time (GetSysTime, section 9.8).
pub(crate) async fn get_sys_time(call: Call) -> Outcome {
    let now = call.core.appliance.now();
    Ok(Reply::with(json!({ "SysTime": time::text_with_t(now, &call.core.zone()) })))
}

/// Sets the clock (SetSysTime, section 9.8.3).
pub(crate) async fn set_sys_time(call: Call) -> Outcome {
    let text = call.info.filled("SysTime").ok_or(set_time::NO_TIME)?;
    let to = time::instant(&text, &call.core.zone());
    let to = to.ok_or_else(|| set_time::NO_TIME.because("SysTime must be a time, YYYY-MM-DDTHH:MM:SS"))?;
    call.core.acts().set_time(to, None).await.map_err(|error| match error {
        Error::Invalid { why, .. } => set_time::NO_TIME.because(format_args!("SysTime {why}")),
        error => failed(&error),
    })?;
    Ok(Reply::default())
}

/// The parts that can be put back to what they were when the device was new.
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

/// Puts parts of the device back to what they were when it was new (SetFactoryDefault, section 9.9).
pub(crate) async fn set_factory_default(call: Call) -> Outcome {
    let switch = |name: &&str| call.info.is_sent(name) && !matches!(call.info.int(name), Some(0 | 1));
    if let Some(wrong) = PARTS.iter().find(|name| switch(name)) {
        return Err(codes::NO_INFO.because(format_args!("{wrong} must be 0 or 1")));
    }
    let wanted = |name| call.info.int(name) == Some(1);
    let core = &call.core;
    let emptied = empty(&call).await?;
    if wanted("DefaltSoundSet") {
        settings::forget(core, &[&settings::SOUND]).await?;
    }
    if wanted("DefaltCenterPar") {
        settings::forget(core, &[&settings::REPORTS, &super::http::SUBSCRIPTION]).await?;
    }
    if wanted("DefaltSystemSettings") {
        settings::forget_system(core).await?;
        settings::forget_faces(core).await?;
    }
    if wanted("DefaltDoorSet") {
        doors::forget(core).await?;
    }
    if wanted("DefaltMaintainTime") {
        core.acts().restore_time().await.map_err(|error| failed(&error))?;
    }
    if wanted("DefaltLog") {
        core.acts().clear_audit_log().await.map_err(|error| failed(&error))?;
    }
    // The last, because it may cut the connection; the reconnect shows that the network works.
    if wanted("DefaltNetPar") {
        core.acts().restore_network().await.map_err(|error| failed(&error))?;
    }
    let restart = emptied || wanted("DefaltNetPar");
    Ok(Reply { restart, ..Reply::with(json!({ "reboot": u8::from(restart).to_string() })) })
}

/// Removes the people and records that are to go; answers whether any were.
async fn empty(call: &Call) -> Result<bool, Fault> {
    let wanted = |name| call.info.int(name) == Some(1);
    let (acts, people, all) = (call.core.acts(), wanted("DefaltPerson"), wanted("DefaltCapture"));
    if people {
        people::remove_everybody(call).await?;
    }
    let removed = match (all, people || wanted("DefaltRecord")) {
        (true, _) => acts.remove_all_records().await,
        (false, true) => acts.remove_records_of(RecordKind::People).await,
        (false, false) => return Ok(false),
    };
    removed.map_err(|error| failed(&error))?;
    Ok(true)
}

/// Fetches a signed package and installs it (Upgrade, section 7.1).
pub(crate) async fn upgrade(call: Call) -> Outcome {
    let name = call.info.filled("name").ok_or(upgrade::NO_NAME)?;
    let url = call.info.filled("path").ok_or(upgrade::NO_PATH)?;
    let file = url.split(['?', '#']).next().unwrap_or_default();
    if !file.to_ascii_lowercase().ends_with(PACKAGE) {
        return Err(upgrade::NO_UPGRADE.because(format_args!("path must end in {PACKAGE}")));
    }
    let appliance = &call.core.appliance;
    let package = appliance.options().uploads.join(format!("terminal-{}.package", call.core.id));
    if let Err(error) = call.core.outbound.download(&url, &package, LARGEST_PACKAGE).await {
        tracing::warn!(%error, "failed to download a software package");
        return Err(upgrade::DOWNLOAD.because(error));
    }
    match call.core.acts().upgrade(&package).await {
        Ok(()) => Ok(Reply::with(json!({ "name": name }))),
        Err(error) => {
            tracing::warn!(error = error.chain(), "software package not installed");
            Err(upgrade::NO_UPGRADE.because(error))
        }
    }
}

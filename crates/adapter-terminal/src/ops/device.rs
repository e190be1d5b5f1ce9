//! The device itself: its version, its clock, restarting, resetting, upgrading.

use domain::{DoorRules, Error, RecordKind, Timestamp};
use serde_json::json;

use super::{Call, Outcome, failed, people, settings};
use crate::codes::{set_time, upgrade};
use crate::convert::time;
use crate::core::NAME;
use crate::wire::Reply;

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
    call.core.appliance.restart_machine(NAME).await.map_err(|error| failed(&error))?;
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
    let to = time::instant(&text, &call.core.zone()).ok_or(set_time::NO_TIME)?;
    call.core.appliance.set_time(NAME, to, None).await.map_err(|error| match error {
        Error::Invalid { .. } => set_time::NO_TIME.into(),
        error => failed(&error),
    })?;
    Ok(Reply::default())
}

/// Puts parts of the device back to what they were when it was new (SetFactoryDefault, section 9.9).
pub(crate) async fn set_factory_default(call: Call) -> Outcome {
    let wanted = |name| call.info.int(name) == Some(1);
    let (core, appliance) = (&call.core, &call.core.appliance);
    let people = wanted("DefaltPerson");
    if people {
        people::remove_everybody(&call).await?;
    }
    let all = wanted("DefaltCapture");
    let removed = match (all, people || wanted("DefaltRecord")) {
        (true, _) => appliance.remove_all_records(NAME).await,
        (false, true) => appliance.remove_records_of(NAME, RecordKind::People).await,
        (false, false) => Ok(0),
    };
    removed.map_err(|error| failed(&error))?;
    let groups = [
        ("DefaltSoundSet", &[&settings::SOUND][..]),
        ("DefaltCenterPar", &[&settings::REPORTS, &super::http::SUBSCRIPTION]),
        ("DefaltSystemSettings", &[&settings::SYSTEM, &settings::FACE]),
        ("DefaltDoorSet", &[&settings::DOOR]),
    ];
    for (_, groups) in groups.into_iter().filter(|(name, _)| wanted(name)) {
        settings::forget(core, groups).await?;
    }
    if wanted("DefaltDoorSet") {
        appliance.set_door_rules(NAME, DoorRules::default()).await.map_err(|error| failed(&error))?;
    }
    let restart = all || people || wanted("DefaltRecord");
    Ok(Reply { restart, ..Reply::with(json!({ "reboot": u8::from(restart).to_string() })) })
}

/// Fetches a signed package and installs it (Upgrade, section 7.1).
pub(crate) async fn upgrade(call: Call) -> Outcome {
    let name = call.info.filled("name").ok_or(upgrade::NO_NAME)?;
    let url = call.info.filled("path").ok_or(upgrade::NO_PATH)?;
    let file = url.split(['?', '#']).next().unwrap_or_default();
    if !file.to_ascii_lowercase().ends_with(PACKAGE) {
        return Err(upgrade::NO_UPGRADE.into());
    }
    let appliance = &call.core.appliance;
    let package = appliance.options().uploads.join(format!("terminal-{}.package", call.core.id));
    if let Err(error) = call.core.outbound.download(&url, &package, LARGEST_PACKAGE).await {
        tracing::warn!(%error, "a software package cannot be fetched");
        return Err(upgrade::DOWNLOAD.into());
    }
    match appliance.upgrade(NAME, &package).await {
        Ok(()) => Ok(Reply::with(json!({ "name": name }))),
        Err(error) => {
            tracing::warn!(error = error.chain(), "a software package is not installed");
            Err(upgrade::NO_UPGRADE.into())
        }
    }
}

//! The groups that need little more than to be kept. Settings of a screen, a lamp or a sensor that the device lacks are
//! kept, reported, and sent to the front end, where there is one.

use super::liveness;
use crate::codes::{Refusal, up_config, up_sound, up_temperature};
use crate::device::Device;
use crate::ops::failed;
use crate::push;
use crate::request::{Call, Outcome};
use crate::settings::{Group, REPORTS, SOUND, SUBSCRIPTION, SYSTEM, TEMPERATURE, Values};
use crate::wire::replies::Reboot;
use crate::wire::{Fault, Reply};

async fn get(call: &Call, group: &Group) -> Outcome {
    Ok(Reply::with(call.device.values(group).await.map_err(|error| failed(&error))?.into_map()))
}

/// Changes the values that were sent, all or none; returns the values before and after.
async fn up(call: &Call, group: &Group, wrong: Refusal) -> Result<(Values, Values), Fault> {
    let before = Values::load_to_set(&call.device.state(), group).await.map_err(|error| failed(&error))?;
    let mut after = before.clone();
    let changed = after.put(group, &call.info).map_err(|why| wrong.because(why))?;
    call.device.keep_values(group, &after, &changed).await.map_err(|error| failed(&error))?;
    Ok((before, after))
}

/// The setting whether pictures of captures are kept.
const PICTURES: &str = "DataBaseEnable";

/// Reads the system's settings (Getconfig, section 9.1).
pub(crate) async fn get_config(call: Call) -> Outcome {
    let mut reply = get(&call, &SYSTEM).await?;
    if let Some(kind) = liveness::in_force(&call.device) {
        reply.info.insert(liveness::TYPE.to_owned(), kind.into());
    }
    let keeps = u8::from(call.device.appliance.keeps_pictures()).to_string();
    reply.info.insert(PICTURES.to_owned(), keeps.into());
    Ok(reply)
}

/// Changes the system's settings; another language starts a new session (Upconfig, section 9.1.3).
pub(crate) async fn up_config(call: Call) -> Outcome {
    let (before, after) = up(&call, &SYSTEM, up_config::FAILED).await?;
    if liveness::NAMES.iter().any(|name| call.info.filled(name).is_some()) {
        liveness::follow(&call.device, &after).await.map_err(|error| failed(&error))?;
    }
    if call.info.is_sent(PICTURES) {
        let keep = after.number(PICTURES) == 1;
        call.device.acts().keep_pictures(keep).await.map_err(|error| failed(&error))?;
    }
    let restart = before.text("Language") != after.text("Language");
    Ok(Reply { restart, ..Reply::with(Reboot::of(restart)) })
}

/// Reads the settings of sounds and screen (GetSoundconfig, section 9.2).
pub(crate) async fn get_sound_config(call: Call) -> Outcome {
    get(&call, &SOUND).await
}

/// Changes the settings of sounds and screen (UpSoundconfig, section 9.2.3).
pub(crate) async fn up_sound_config(call: Call) -> Outcome {
    up(&call, &SOUND, up_sound::NO_INFO).await?;
    Ok(Reply::default())
}

/// Reads the settings of temperature measurement (GetTPTconfig, section 9.5).
pub(crate) async fn get_tpt_config(call: Call) -> Outcome {
    let mut reply = get(&call, &TEMPERATURE).await?;
    // The former name of the same setting.
    let width = reply.info.get("TempFaceMinW").cloned().unwrap_or_default();
    reply.info.insert("Distance".to_owned(), width);
    Ok(reply)
}

/// Changes the settings of temperature measurement (UpTPTconfig, section 9.5.3).
pub(crate) async fn up_tpt_config(mut call: Call) -> Outcome {
    if call.info.get("TempFaceMinW").is_none()
        && let Some(distance) = call.info.get("Distance").cloned()
    {
        call.info.insert("TempFaceMinW", distance);
    }
    up(&call, &TEMPERATURE, up_temperature::NO_INFO).await?;
    Ok(Reply::default())
}

/// Resets the system's settings to factory settings.
pub(crate) async fn forget_system(device: &Device) -> Result<(), Fault> {
    forget(device, &[&SYSTEM]).await?;
    liveness::forget(device).await.map_err(|error| failed(&error))?;
    device.acts().keep_pictures(true).await.map_err(|error| failed(&error))
}

/// Resets these groups to factory settings.
pub(crate) async fn forget(device: &Device, groups: &[&Group]) -> Result<(), Fault> {
    for group in groups {
        device.acts().configure(&device.state(), group.key, None).await.map_err(|error| failed(&error))?;
        let feeds = [(&REPORTS, &push::TO_BROKER), (&SUBSCRIPTION, &push::TO_SUBSCRIBER)];
        for (_, feeds) in feeds.into_iter().filter(|(of, _)| of.key == group.key) {
            push::forget_resume(device, feeds).await.map_err(|error| failed(&error))?;
        }
    }
    device.note_settings_changed();
    Ok(())
}

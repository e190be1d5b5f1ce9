//! Sounds.

use domain::{Error, Sound, SoundKind};
use serde_json::json;

use super::settings::{SOUND, Values};
use super::{Call, Outcome, failed};
use crate::codes::{get_audio, voice_play};
use crate::core::Core;
use crate::wire::{Fault, Reply};

/// How the names of customers' sounds end.
const CUSTOMERS: &str = "_C.wav";
/// Told of a device that cannot play anything; no table has a line for it.
const SILENT: &str = "no sound device";

/// Lists the sounds there are (GetAudio, section 13.1).
pub(crate) async fn get_audio(call: Call) -> Outcome {
    let (built_in, customers) = (names(&call.core, false).await?, names(&call.core, true).await?);
    if built_in.is_empty() && customers.is_empty() {
        return Err(get_audio::NONE.into());
    }
    Ok(Reply::with(json!({
        "AudioNum": built_in.len().to_string(),
        "AudioName": built_in,
        "AudioCustomerNum": customers.len().to_string(),
        "AudioCustomerName": customers,
    })))
}

async fn names(core: &Core, customers: bool) -> Result<Vec<String>, Fault> {
    Ok(sounds(core, customers).await?.into_iter().map(|sound| sound.name).collect())
}

async fn sounds(core: &Core, customers: bool) -> Result<Vec<Sound>, Fault> {
    let kind = if customers { SoundKind::Own } else { SoundKind::BuiltIn };
    let mut sounds = core.appliance.sounds(kind).await.map_err(|error| failed(&error))?;
    sounds.retain(|sound| !customers || sound.name.ends_with(CUSTOMERS));
    Ok(sounds)
}

/// Plays a sound as loud as set (voiceplay, section 13.3).
pub(crate) async fn voice_play(call: Call) -> Outcome {
    let wanted = call.info.filled("voicetype").ok_or(voice_play::NO_NAME)?;
    let customers = call.info.int("UsrType") == Some(2);
    let sounds = sounds(&call.core, customers).await?;
    let sound = sounds.into_iter().find(|sound| sound.name == wanted).ok_or(voice_play::NO_FILE)?;
    play(&call.core, &sound).await.map_err(|error| match error {
        Error::Invalid { .. } => voice_play::NO_FILE.into(),
        Error::Unavailable { .. } => Fault { detail: Some(SILENT.to_owned()), ..failed(&error) },
        error => failed(&error),
    })?;
    Ok(Reply::default())
}

/// Plays a sound as loud as set.
pub(crate) async fn play(core: &Core, sound: &Sound) -> domain::Result<()> {
    let volume = Values::load(core, &SOUND).await?.number("Volume");
    core.appliance.play(sound, volume.clamp(0, 100) as u8).await
}

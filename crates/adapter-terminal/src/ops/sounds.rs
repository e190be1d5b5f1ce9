//! Sounds.

use domain::{Error, Sound, SoundKind};

use super::failed;
use crate::codes::{get_audio, voice_play};
use crate::device::Device;
use crate::request::{Call, Outcome};
use crate::wire::replies::Sounds;
use crate::wire::{Fault, Reply};
use crate::work::sounds::play;

/// The ending of the names of customers' sounds.
const CUSTOMERS: &str = "_C.wav";
/// The text for a device without a sound output; the tables have none.
const SILENT: &str = "no sound device";

/// Lists the sounds (GetAudio, section 13.1).
pub(crate) async fn get_audio(call: Call) -> Outcome {
    let (built_in, customers) = (names(&call.device, false).await?, names(&call.device, true).await?);
    if built_in.is_empty() && customers.is_empty() {
        return Err(get_audio::NONE.into());
    }
    Ok(Reply::with(Sounds {
        audio_num: built_in.len().to_string(),
        audio_name: built_in,
        audio_customer_num: customers.len().to_string(),
        audio_customer_name: customers,
    }))
}

async fn names(device: &Device, customers: bool) -> Result<Vec<String>, Fault> {
    Ok(sounds(device, customers).await?.into_iter().map(|sound| sound.name).collect())
}

async fn sounds(device: &Device, customers: bool) -> Result<Vec<Sound>, Fault> {
    let kind = if customers { SoundKind::Own } else { SoundKind::BuiltIn };
    let mut sounds = device.appliance.sounds(kind).await.map_err(|error| failed(&error))?;
    sounds.retain(|sound| !customers || sound.name.ends_with(CUSTOMERS));
    Ok(sounds)
}

/// Plays a sound at the set volume (voiceplay, section 13.3).
pub(crate) async fn voice_play(call: Call) -> Outcome {
    let wanted = call.info.filled("voicetype").ok_or(voice_play::NO_NAME)?;
    let customers = call.info.int("UsrType") == Some(2);
    let sounds = sounds(&call.device, customers).await?;
    let sound = sounds.into_iter().find(|sound| sound.name == wanted).ok_or(voice_play::NO_FILE)?;
    play(&call.device, &sound).await.map_err(|error| match error {
        Error::Invalid { .. } => voice_play::NO_FILE.into(),
        Error::Unavailable { .. } => Fault { detail: Some(SILENT.to_owned()), ..failed(&error) },
        error => failed(&error),
    })?;
    Ok(Reply::default())
}

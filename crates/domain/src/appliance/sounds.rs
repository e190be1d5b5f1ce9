//! Sounds that can be played.

use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use super::Appliance;
use crate::{Error, Result};

/// Sounds of a kind at most; those beyond are not seen.
const MOST: usize = 1000;

/// Where sounds lie, as files whose names end in `.wav`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SoundFolders {
    /// Those that came with the device.
    pub built_in: PathBuf,
    /// Those of its owner.
    pub own: PathBuf,
}

/// Whose a sound is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SoundKind {
    /// It came with the device.
    BuiltIn,
    /// The device's owner put it there.
    Own,
}

/// A sound that can be played.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Sound {
    /// The file's name.
    pub name: String,
    path: PathBuf,
}

impl Appliance {
    /// The sounds of a kind, by name; none when their folder is missing.
    pub async fn sounds(&self, kind: SoundKind) -> Result<Vec<Sound>> {
        let folders = &self.options().sounds;
        let folder = match kind {
            SoundKind::BuiltIn => folders.built_in.clone(),
            SoundKind::Own => folders.own.clone(),
        };
        self.blocking(move |_| sounds(&folder).map_err(Error::internal("looking for sounds"))).await
    }

    /// Begins to play a sound in place of the one being played, `volume` percent (to 100) of its own loudness.
    ///
    /// # Errors
    /// `Invalid` for a file that holds no sound; `Unavailable` when there is nothing to play it on.
    pub async fn play(&self, sound: &Sound, volume: u8) -> Result<()> {
        self.ports().host.play(&sound.path, volume.min(100)).await
    }
}

fn sounds(folder: &Path) -> io::Result<Vec<Sound>> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries?,
    };
    let mut sounds = Vec::new();
    for entry in entries.take(MOST) {
        let path = entry?.path();
        let name = path.file_name().and_then(|name| name.to_str()).map(str::to_owned);
        if let Some(name) = name.filter(|name| name.ends_with(".wav") && path.is_file()) {
            sounds.push(Sound { name, path });
        }
    }
    sounds.sort_unstable();
    Ok(sounds)
}

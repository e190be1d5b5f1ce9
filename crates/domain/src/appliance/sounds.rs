//! Sounds that can be played.

use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use super::Appliance;
use crate::{Error, Result};

/// Maximum number of sounds of a kind; further files are ignored.
const MAX_SOUNDS: usize = 1000;

/// Folders of sounds: files whose names end in `.wav`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SoundFolders {
    /// The sounds supplied with the device.
    pub built_in: PathBuf,
    /// The owner's sounds.
    pub own: PathBuf,
}

/// Origin of a sound.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SoundKind {
    /// Supplied with the device.
    BuiltIn,
    /// Added by the owner.
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
    /// The sounds of a kind, ordered by name; none when their folder is missing.
    pub async fn sounds(&self, kind: SoundKind) -> Result<Vec<Sound>> {
        let folders = &self.options().sounds;
        let folder = match kind {
            SoundKind::BuiltIn => folders.built_in.clone(),
            SoundKind::Own => folders.own.clone(),
        };
        self.blocking(move |_| sounds(&folder).map_err(Error::internal("looking for sounds"))).await
    }

    /// Starts to play a sound, replacing the one that is playing. `volume`: percent of its recorded loudness, at most
    /// 100.
    ///
    /// # Errors
    /// `Invalid` for a file that is not a sound; `Unavailable` when there is no audio output.
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
    for entry in entries.take(MAX_SOUNDS) {
        let path = entry?.path();
        let name = path.file_name().and_then(|name| name.to_str()).map(str::to_owned);
        if let Some(name) = name.filter(|name| name.ends_with(".wav") && path.is_file()) {
            sounds.push(Sound { name, path });
        }
    }
    sounds.sort_unstable();
    Ok(sounds)
}

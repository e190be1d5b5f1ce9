//! Plays sounds. Files are decoded here and ALSA's player receives raw samples, so it never parses an uploaded file.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use domain::{Error, Result};
use hound::{SampleFormat, WavReader};
use tokio::io::AsyncWriteExt;
use tokio::process::{Child, Command};
use tokio::sync::Mutex;
use tokio::task::JoinSet;

/// Maximum size of a file, bytes: two minutes at 16 kHz.
const LARGEST: u64 = 4 << 20;
/// Time after which a player that has not failed is considered playing.
const BEGUN: Duration = Duration::from_millis(400);
/// Maximum playing time; a player still running then hangs.
const LONGEST: Duration = Duration::from_secs(300);

/// Decoded samples.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Samples {
    /// Samples per second.
    rate: u32,
    channels: u16,
    /// 16-bit little-endian samples.
    bytes: Vec<u8>,
}

impl Samples {
    /// Reads a WAV file with 16 bits and one or two channels; `Invalid` for any other.
    pub(crate) async fn load(file: &Path, volume: u8) -> Result<Self> {
        let file = file.to_owned();
        let read = tokio::task::spawn_blocking(move || Self::read(&file, volume)).await;
        read.map_err(Error::internal("reading a sound"))?
    }

    fn read(file: &Path, volume: u8) -> Result<Self> {
        let refuse = |why: &str| Error::invalid("sound", why);
        let size = file.metadata().map_err(Error::internal("reading a sound file"))?.len();
        if size > LARGEST {
            return Err(refuse("it is larger than 4 MiB"));
        }
        let reader = WavReader::open(file).map_err(|error| refuse(&error.to_string()))?;
        let spec = reader.spec();
        let usual = spec.sample_format == SampleFormat::Int && spec.bits_per_sample == 16;
        if !usual || !(1..=2).contains(&spec.channels) || !(8_000..=48_000).contains(&spec.sample_rate) {
            return Err(refuse("it must have 16 bits, one or two channels and 8 to 48 kHz"));
        }
        let mut bytes = Vec::new();
        for sample in reader.into_samples::<i16>() {
            let sample = sample.map_err(|error| refuse(&error.to_string()))?;
            bytes.extend(quieter(sample, volume).to_le_bytes());
        }
        Ok(Self { rate: spec.sample_rate, channels: spec.channels, bytes })
    }

    /// Duration, milliseconds.
    pub(crate) fn millis(&self) -> u64 {
        self.bytes.len() as u64 * 500 / u64::from(self.rate) / u64::from(self.channels)
    }
}

fn quieter(sample: i16, volume: u8) -> i16 {
    (i32::from(sample) * i32::from(volume.min(100)) / 100) as i16
}

/// Plays one sound at a time.
pub(crate) struct Speaker {
    player: PathBuf,
    /// ALSA configuration file; `None` for the system's.
    configuration: Option<PathBuf>,
    playing: Mutex<JoinSet<()>>,
}

impl Default for Speaker {
    /// The system's default device.
    fn default() -> Self {
        Self { player: "aplay".into(), configuration: None, playing: Mutex::default() }
    }
}

impl Speaker {
    /// Starts playing and stops the current sound.
    pub(crate) async fn play(&self, samples: Samples) -> Result<()> {
        let mut playing = self.playing.lock().await;
        playing.shutdown().await;
        let player = self.player(&samples).map_err(|error| silent(&error.to_string()))?;
        let mut end = Box::pin(feed(player, samples));
        match tokio::time::timeout(BEGUN, &mut end).await {
            Ok(Ok(status)) if status.success() => {}
            Ok(Ok(status)) => return Err(silent(&status.to_string())),
            Ok(Err(error)) => return Err(silent(&error.to_string())),
            Err(_) => {
                playing.spawn(async move {
                    let ended = tokio::time::timeout(LONGEST, end).await;
                    tracing::debug!(?ended, "sound played");
                });
            }
        }
        Ok(())
    }

    fn player(&self, samples: &Samples) -> std::io::Result<Child> {
        let Samples { rate, channels, .. } = samples;
        let mut player = Command::new(&self.player);
        player.args(["--quiet", "--file-type=raw", "--format=S16_LE"]);
        player.arg(format!("--rate={rate}")).arg(format!("--channels={channels}")).arg("-");
        player.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).kill_on_drop(true);
        if let Some(configuration) = &self.configuration {
            player.env("ALSA_CONFIG_PATH", configuration);
        }
        player.spawn()
    }
}

/// Sends the samples to the player and waits for it to exit.
async fn feed(mut player: Child, samples: Samples) -> std::io::Result<ExitStatus> {
    if let Some(mut input) = player.stdin.take() {
        match input.write_all(&samples.bytes).await {
            // The exit status reports why the player closed its input.
            Err(error) if error.kind() != ErrorKind::BrokenPipe => return Err(error),
            Ok(()) | Err(_) => {}
        }
    }
    player.wait().await
}

fn silent(why: &str) -> Error {
    tracing::warn!(host.lacks = "a sound device, or the package alsa-utils", why, "failed to play sound");
    Error::Unavailable { what: "a loudspeaker" }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sound(folder: &Path, samples: &[i16], bits: u16) -> PathBuf {
        let (file, spec) = (
            folder.join("a.wav"),
            hound::WavSpec {
                channels: 1,
                sample_rate: 16_000,
                bits_per_sample: bits,
                sample_format: SampleFormat::Int,
            },
        );
        let mut writer = hound::WavWriter::create(&file, spec).unwrap();
        samples.iter().for_each(|sample| writer.write_sample(*sample).unwrap());
        writer.finalize().unwrap();
        file
    }

    /// ALSA with only a default device of this definition.
    fn speaker(folder: &Path, device: &str) -> Speaker {
        let configuration = folder.join("asound.conf");
        std::fs::write(&configuration, format!("pcm.!default {device}\n")).unwrap();
        Speaker { configuration: Some(configuration), ..Speaker::default() }
    }

    #[tokio::test]
    async fn alsa_gets_the_samples_as_loud_as_asked_for() {
        let folder = tempfile::tempdir().unwrap();
        let heard = folder.path().join("heard");
        let device = format!("{{ type file slave.pcm {{ type null }} file \"{}\" format raw }}", heard.display());
        let samples = Samples::load(&sound(folder.path(), &[1000, -1000, 30_000].repeat(2000), 16), 50).await.unwrap();
        assert_eq!(samples.millis(), 375);
        let speaker = speaker(folder.path(), &device);
        speaker.play(samples.clone()).await.unwrap();
        while speaker.playing.lock().await.join_next().await.is_some() {}
        let heard = std::fs::read(heard).unwrap();
        assert_eq!(heard[..samples.bytes.len()], samples.bytes);
        assert_eq!(heard[..4], [500_i16.to_le_bytes(), (-500_i16).to_le_bytes()].concat());
    }

    #[tokio::test]
    async fn a_machine_without_a_sound_device_or_player_says_so() {
        let folder = tempfile::tempdir().unwrap();
        let samples = Samples::load(&sound(folder.path(), &[0; 100], 16), 100).await.unwrap();
        let none = speaker(folder.path(), "{ type hw card 31 }");
        let missing = Speaker { player: folder.path().join("missing"), ..Speaker::default() };
        for speaker in [none, missing] {
            let refused = speaker.play(samples.clone()).await;
            assert!(matches!(refused, Err(Error::Unavailable { .. })), "{refused:?}");
        }
    }

    #[tokio::test]
    async fn a_new_sound_takes_the_place_of_the_one_being_played() {
        let folder = tempfile::tempdir().unwrap();
        let player = folder.path().join("player");
        std::fs::write(&player, "#!/bin/sh\nexec sleep 60\n").unwrap();
        let executable = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        std::fs::set_permissions(&player, executable).unwrap();
        let speaker = Speaker { player, ..Speaker::default() };
        let samples = Samples::load(&sound(folder.path(), &[0; 100], 16), 100).await.unwrap();
        speaker.play(samples.clone()).await.unwrap();
        speaker.play(samples).await.unwrap();
        assert_eq!(speaker.playing.lock().await.len(), 1);
    }

    #[tokio::test]
    async fn what_is_no_sound_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let refused =
            |file: PathBuf| async move { matches!(Samples::load(&file, 100).await, Err(Error::Invalid { .. })) };
        let text = folder.path().join("text.wav");
        std::fs::write(&text, "RIFF, perhaps").unwrap();
        assert!(refused(text).await);
        assert!(refused(sound(folder.path(), &[1, 2], 24)).await);
        let cut = sound(folder.path(), &[1; 1000], 16);
        let whole = std::fs::read(&cut).unwrap();
        std::fs::write(&cut, &whole[..500]).unwrap();
        assert!(refused(cut).await);
        let huge = folder.path().join("huge.wav");
        std::fs::File::create(&huge).unwrap().set_len(LARGEST + 1).unwrap();
        assert!(refused(huge).await);
    }
}

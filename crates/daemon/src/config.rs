//! The configuration file: how the process runs. What an operator or platform may change while it runs lives
//! in the store instead.

use std::path::{Path, PathBuf};

use bytesize::ByteSize;
use domain::{Matching, OutboundPolicy};
use jiff::civil::Time;
use serde::Deserialize;

mod backup;
mod document;
mod door;
mod http;
mod keys;
mod ports;
mod problem;
mod reader;
mod sections;
mod shapes;
mod sip;
mod sophon;
mod terminal;
mod trial;
mod video;

use document::Document;
use problem::{Problem, Problems};

pub(crate) use backup::{Backup, NO_RECIPIENT};
pub(crate) use door::Door;
pub(crate) use http::Http;
pub(crate) use ports::USELESS;
pub(crate) use reader::Reader;
pub(crate) use sections::{Clear, Console, Interface, Place, SenseTime};
pub(crate) use sip::Sip;
pub(crate) use sophon::Sophon;
pub(crate) use terminal::Terminal;
pub(crate) use video::Video;

/// Good copies of the database kept at most.
const MOST_COPIES: u32 = 30;
/// Less does not hold the database and a handful of pictures.
const MIN_STORAGE: ByteSize = ByteSize::mib(16);

/// The whole file. Every key may be left out; the defaults are those of `Default`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Config {
    pub(crate) device: Device,
    pub(crate) storage: Storage,
    pub(crate) backup: Backup,
    pub(crate) accounts: Accounts,
    pub(crate) models: Models,
    pub(crate) inference: Inference,
    pub(crate) vision: Vision,
    pub(crate) video: Video,
    pub(crate) door: Door,
    pub(crate) reader: Vec<Reader>,
    pub(crate) outbound: Outbound,
    pub(crate) host: Host,
    pub(crate) http: Http,
    pub(crate) console: Console,
    pub(crate) sip: Sip,
    pub(crate) sensetime: SenseTime,
    pub(crate) uniview: Interface,
    pub(crate) facebox: Interface,
    pub(crate) sophon: Sophon,
    pub(crate) terminal: Terminal,
}

#[derive(Debug, Deserialize)]
#[serde(default)]
pub(crate) struct Device {
    /// Display name.
    pub(crate) name: String,
    /// Serial number; the machine id when left out.
    pub(crate) serial: Option<String>,
    /// Local time of plans, records and platforms, by its name in the time zone database.
    pub(crate) time_zone: String,
    /// Cameras at most: 8 or 16.
    pub(crate) channels: Option<u32>,
}

impl Default for Device {
    fn default() -> Self {
        Self { name: "polyface".into(), serial: None, time_zone: "Asia/Shanghai".into(), channels: None }
    }
}

#[derive(Debug, Clone, Deserialize)]
#[serde(default)]
pub(crate) struct Storage {
    /// Where everything durable lies.
    pub(crate) dir: PathBuf,
    /// The file with the key that it is sealed with; see `key.rs` for what is used without.
    pub(crate) key: Option<PathBuf>,
    /// The most that database and pictures may take.
    #[serde(deserialize_with = "shapes::size")]
    pub(crate) max_bytes: ByteSize,
    /// What happens then.
    pub(crate) when_full: WhenFull,
    /// Good copies of the database that are kept.
    pub(crate) copies: u32,
    /// When they are made, in local time.
    #[serde(deserialize_with = "shapes::clock_time")]
    pub(crate) upkeep_at: Time,
}

impl Default for Storage {
    fn default() -> Self {
        Self {
            dir: "/var/lib/polyface".into(),
            key: None,
            max_bytes: ByteSize::gib(20),
            when_full: WhenFull::Overwrite,
            copies: 3,
            upkeep_at: Time::constant(3, 0, 0, 0),
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum WhenFull {
    /// The oldest records go.
    Overwrite,
    /// Nothing more is recorded.
    Stop,
}

/// Read only when the device has no account yet.
#[derive(Deserialize)]
#[serde(default)]
pub(crate) struct Accounts {
    pub(crate) admin_user: String,
    pub(crate) admin_password_file: Option<PathBuf>,
    pub(crate) admin_password: Option<String>,
}

impl Default for Accounts {
    fn default() -> Self {
        Self { admin_user: "admin".into(), admin_password_file: None, admin_password: None }
    }
}

/// Never shows the password.
impl std::fmt::Debug for Accounts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Accounts").field("admin_user", &self.admin_user).finish_non_exhaustive()
    }
}

#[derive(Debug, Deserialize)]
#[serde(default)]
pub(crate) struct Models {
    /// Manifests, models and the inference library.
    pub(crate) dir: PathBuf,
    /// Which set of the directory is used.
    pub(crate) set: String,
}

impl Default for Models {
    fn default() -> Self {
        Self { dir: "/usr/share/polyface/models".into(), set: "default".into() }
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Inference {
    /// What inference runs on; what is not there falls back to the processor.
    pub(crate) provider: vision::Provider,
    /// The device that OpenVINO computes on, when it is the provider.
    pub(crate) openvino_device: vision::OpenVinoDevice,
    /// Inference threads; 0 is one per core.
    pub(crate) threads: usize,
}

#[derive(Debug, Deserialize)]
#[serde(default)]
pub(crate) struct Vision {
    /// The shortest time between two frames of a camera that are searched for faces, milliseconds.
    pub(crate) detect_every_ms: u64,
    /// The smallest face taken when a camera does not say otherwise, pixels.
    pub(crate) min_face_px: u32,
    /// Whether thresholds rise where many people are watched for.
    pub(crate) thresholds_rise: bool,
    /// Whether thresholds fall where few people are watched for and no door opens.
    pub(crate) thresholds_fall: bool,
    /// Whether each look of a visit is searched beside their mean.
    pub(crate) each_look: bool,
    /// Whether faces are checked for being alive.
    pub(crate) liveness: Liveness,
}

impl Default for Vision {
    fn default() -> Self {
        let Matching { thresholds_rise, thresholds_fall, each_look } = Matching::default();
        let liveness = Liveness::Off;
        Self { detect_every_ms: 200, min_face_px: 60, thresholds_rise, thresholds_fall, each_look, liveness }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Liveness {
    Off,
    Passive,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(default)]
pub(crate) struct Outbound {
    /// Whether pushes and picture fetches may go to private networks.
    pub(crate) allow_private: bool,
    /// Whether they may go to this machine or to link-local addresses.
    pub(crate) allow_loopback: bool,
}

impl Outbound {
    /// As all who connect have it.
    pub(crate) fn policy(self) -> OutboundPolicy {
        OutboundPolicy { allow_private: self.allow_private, allow_loopback: self.allow_loopback }
    }
}

impl Default for Outbound {
    fn default() -> Self {
        Self { allow_private: true, allow_loopback: false }
    }
}

#[derive(Debug, Deserialize)]
#[serde(default)]
pub(crate) struct Host {
    pub(crate) backend: HostBackend,
    /// The public key (minisign) whose signatures on software packages count; without one none is taken.
    pub(crate) upgrade_key: Option<String>,
    /// Whether packages of the installed version and earlier ones are taken too.
    pub(crate) allow_downgrade: bool,
    /// How long a new version must be healthy to be kept, seconds.
    pub(crate) keep_after_s: u64,
    /// After how long it is given up, seconds.
    pub(crate) give_up_after_s: u64,
    /// Where the sounds lie that came with the device.
    pub(crate) sounds: PathBuf,
}

impl Default for Host {
    fn default() -> Self {
        let sounds = "/usr/share/polyface/sounds".into();
        Self {
            backend: HostBackend::Auto,
            upgrade_key: None,
            allow_downgrade: false,
            keep_after_s: 120,
            give_up_after_s: 600,
            sounds,
        }
    }
}

impl Host {
    fn check(&self, problems: &mut Problems<'_>) {
        let keep = self.keep_after_s;
        problems.require((1..=600).contains(&keep), "host.keep_after_s", "must be 1 to 600");
        let limit = self.give_up_after_s;
        // polyface-fallback.timer takes over after 25 minutes.
        let fits = (keep..=600).contains(&limit);
        problems.require(fits, "host.give_up_after_s", "must be keep_after_s to 600");
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum HostBackend {
    /// Acts on the machine.
    Auto,
    /// Logs what it would do.
    Recording,
}

impl Config {
    /// Reads and checks the file. On failure: one line for every problem, with key, line and what would be right.
    pub(crate) fn read(file: &Path) -> Result<Self, Vec<String>> {
        let (config, document, problems) = Self::examine(file)?;
        told(file, Problems::new(&document, problems)).map(|()| config)
    }

    /// Cameras at most.
    pub(crate) fn channels(&self) -> u32 {
        self.device.channels.or(self.sensetime.channels).unwrap_or(16)
    }

    /// What the file says in a way that a later version will not understand, a line each.
    pub(crate) fn warnings(&self) -> Vec<&'static str> {
        let moved = self.sensetime.channels.map(|_| "sensetime.channels is now device.channels; move it there");
        moved.into_iter().collect()
    }

    /// As [`Config::read`], and tries what can be tried without starting: folders, files, models, devices.
    pub(crate) fn read_and_try(file: &Path) -> Result<Self, Vec<String>> {
        let (config, problems) = Self::diagnose(file)?;
        if problems.is_empty() { Ok(config) } else { Err(problems) }
    }

    /// As [`Config::read_and_try`], but the values with their defaults for whatever has a problem, and the problems.
    pub(crate) fn diagnose(file: &Path) -> Result<(Self, Vec<String>), Vec<String>> {
        let (config, document, problems) = Self::examine(file)?;
        let mut problems = Problems::new(&document, problems);
        trial::run(&config, &mut problems);
        Ok((config, told(file, problems).err().unwrap_or_default()))
    }

    /// What the file says, with its default for whatever has a problem.
    fn examine(file: &Path) -> Result<(Self, Document, Vec<Problem>), Vec<String>> {
        let bytes = std::fs::read(file).map_err(|e| vec![format!("{}: {e}", file.display())])?;
        let text = String::from_utf8(bytes).map_err(|error| vec![not_utf8(&error).line_in(file)])?;
        let (document, mut problems) = Document::parse(&text);
        let (config, mistyped) = document.typed::<Self>();
        problems.extend(mistyped);
        let mut problems = Problems::new(&document, problems);
        config.check(&mut problems);
        let found = problems.into_found();
        Ok((config, document, found))
    }

    fn check(&self, problems: &mut Problems<'_>) {
        let zone = &self.device.time_zone;
        if jiff::tz::TimeZone::get(zone).is_err() {
            problems.add("device.time_zone", keys::unknown_zone(zone));
        }
        let every = self.vision.detect_every_ms;
        problems.require((20..=10_000).contains(&every), "vision.detect_every_ms", "must be 20 to 10000");
        let few = self.storage.copies <= MOST_COPIES;
        problems.require(few, "storage.copies", format!("must be 0 to {MOST_COPIES}"));
        let enough = self.storage.max_bytes >= MIN_STORAGE;
        problems.require(enough, "storage.max_bytes", format!("must be at least {MIN_STORAGE}"));
        let face = self.vision.min_face_px;
        problems.require((20..=1_000).contains(&face), "vision.min_face_px", "must be 20 to 1000");
        for (key, channels) in
            [("device.channels", self.device.channels), ("sensetime.channels", self.sensetime.channels)]
        {
            problems.require(matches!(channels, None | Some(8 | 16)), key, "must be 8 or 16");
        }
        problems.require(self.sip.is_usable(), "sip.id", "must be 20 digits");
        let both = self.accounts.admin_password.is_some() && self.accounts.admin_password_file.is_some();
        problems.require(!both, "accounts.admin_password", "must not be set together with admin_password_file");
        self.host.check(problems);
        self.backup.check(&self.storage.dir, problems);
        self.door.check(problems);
        for (key, why) in self.terminal.settings().problems() {
            problems.add(format!("terminal.{key}"), why);
        }
        reader::check(&self.reader, problems);
        self.sophon.check(problems);
        ports::check(self, problems);
    }

    /// Where everything that is enabled and served over HTTP is reached.
    pub(crate) fn places(&self) -> Vec<Place> {
        let enabled = [
            (true, self.console.place()),
            (self.sensetime.enabled, self.sensetime.place()),
            (self.uniview.enabled, self.uniview.place("uniview")),
            (self.facebox.enabled, self.facebox.place("facebox")),
            (self.sophon.enabled, self.sophon.place()),
        ];
        enabled.into_iter().filter_map(|(enabled, place)| enabled.then_some(place)).collect()
    }
}

fn told(file: &Path, problems: Problems<'_>) -> Result<(), Vec<String>> {
    let lines: Vec<_> = problems.into_found().iter().map(|problem| problem.line_in(file)).collect();
    if lines.is_empty() { Ok(()) } else { Err(lines) }
}

fn not_utf8(error: &std::string::FromUtf8Error) -> Problem {
    let good = error.utf8_error().valid_up_to();
    let line = 1 + error.as_bytes().iter().take(good).filter(|byte| **byte == b'\n').count();
    Problem { key: String::new(), line: Some(line), why: "is not UTF-8; save the file in that encoding".to_owned() }
}

#[cfg(test)]
mod tests;

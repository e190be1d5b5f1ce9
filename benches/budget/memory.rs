//! The built daemon with many people and four cameras: how much memory it takes.

use std::fmt::{self, Display, Formatter};
use std::num::ParseFloatError;
use std::ops::Sub;
use std::path::Path;
use std::process::Command;
use std::str::FromStr;
use std::time::{Duration, Instant};

use gstreamer::prelude::*;
use polyface_tests::{Figures, Report, cast, eventually_within};
use testkit::clip::{Film, Passages};
use testkit::rtsp::{RtspOptions, RtspServer};

use crate::networks::BARE_MEMORY;
use crate::rig::FULL_HD;
use crate::start::{model, populated};

const PEOPLE: u64 = 50_000;
const CAMERAS: usize = 4;
/// How long the cameras are watched.
const OBSERVED: Duration = Duration::from_secs(60);
/// How long decoders alone are watched; the film is longer.
const DECODED: Duration = Duration::from_secs(10);

/// What this program is called with, and a film, to print [`bare_decoding`] and do nothing else.
pub(crate) const BARE_DECODING: &str = "bare-decoding";

/// Memory of a process, megabytes.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Memory {
    resident: f64,
    /// Of it what belongs to no file: pages of programs and libraries the kernel takes back when memory is short.
    anonymous: f64,
}

impl Memory {
    pub(crate) fn of(process: u32) -> Self {
        let figures = Figures::of(process).unwrap();
        Self { resident: figures.resident_bytes as f64 / 1e6, anonymous: figures.anonymous_bytes as f64 / 1e6 }
    }

    fn or_more(self, other: Self) -> Self {
        Self { resident: self.resident.max(other.resident), anonymous: self.anonymous.max(other.anonymous) }
    }
}

impl Sub for Memory {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        Self { resident: self.resident - other.resident, anonymous: self.anonymous - other.anonymous }
    }
}

/// As one process prints it for another.
impl Display for Memory {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.resident, self.anonymous)
    }
}

impl FromStr for Memory {
    type Err = ParseFloatError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (resident, anonymous) = text.split_once(' ').unwrap_or((text, ""));
        Ok(Self { resident: resident.parse()?, anonymous: anonymous.parse()? })
    }
}

pub(crate) async fn measure(report: &mut Report) {
    let dir = tempfile::tempdir().unwrap();
    let film = film(dir.path());
    let whole = memory(&model(), &film).await;
    let networks = alone(&[BARE_MEMORY]);
    let decoding = alone(&[BARE_DECODING, film.file.to_str().unwrap()]);
    let beyond = whole - networks;
    report.row("memory with 50000 people and 4 cameras, MB", whole.resident, None, None);
    report.row("memory of the same networks in ONNX Runtime alone, MB", networks.resident, None, None);
    report.row("memory beyond the models with 50000 people and 4 cameras, MB", beyond.resident, None, Some(250.0));
    report.row("of it without pages of files, MB", beyond.anonymous, None, None);
    report.row("memory of the same decoders in gstreamer alone, MB", decoding.resident, None, None);
    report.row("memory beyond models and decoders, MB", (beyond - decoding).resident, None, None);
}

/// What this program prints when it is called so.
fn alone(arguments: &[&str]) -> Memory {
    let program = std::env::current_exe().unwrap();
    let printed = Command::new(program).args(arguments).output().unwrap().stdout;
    String::from_utf8(printed).unwrap().trim().parse().unwrap()
}

/// What gstreamer takes to decode the film as often at a time as there are cameras, one picture kept of each.
pub(crate) fn bare_decoding(film: &str) -> Memory {
    let before = Memory::of(std::process::id());
    gstreamer::init().unwrap();
    let decoder = format!(
        "filesrc location={film} ! qtdemux ! h264parse ! avdec_h264 max-threads=1 \
         ! appsink max-buffers=1 drop=true enable-last-sample=false"
    );
    let decoders: Vec<_> = (0..CAMERAS).map(|_| gstreamer::parse::launch(&decoder).unwrap()).collect();
    let set = |state| decoders.iter().for_each(|decoder| assert!(decoder.set_state(state).is_ok()));
    set(gstreamer::State::Playing);
    let (watched, mut most) = (Instant::now(), Memory::default());
    while watched.elapsed() < DECODED {
        most = most.or_more(Memory::of(std::process::id()));
        std::thread::sleep(Duration::from_millis(200));
    }
    set(gstreamer::State::Null);
    most - before
}

fn film(dir: &Path) -> Film {
    let passages = Passages::new(FULL_HD, 1.5);
    let film = cast().iter().fold(passages, |film, actor| film.one(actor.name, &actor.seen, 4.0));
    film.render(&dir.join("film.mp4")).unwrap()
}

/// The most memory while four cameras show people.
async fn memory(model: &str, film: &Film) -> Memory {
    let device = populated(PEOPLE, model).await;
    let client = device.log_in().await;
    let server = RtspServer::start(&[&film.file], &RtspOptions::default()).unwrap();
    for camera in 0..CAMERAS {
        client.add_camera(&format!("gate {camera}"), &server.url(), 1).await;
    }
    eventually_within(film.length + OBSERVED, "a first capture", async || {
        (!client.captures().await.is_empty()).then_some(())
    })
    .await;
    let (watched, mut most) = (Instant::now(), Memory::default());
    while watched.elapsed() < OBSERVED {
        most = most.or_more(Memory::of(device.pid()));
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    most
}

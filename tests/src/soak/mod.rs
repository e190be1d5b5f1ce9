//! Hours of ordinary life: cameras, a platform that comes and goes, enrolments, queries; and whether memory, threads
//! and descriptors stay what they were.

mod load;
mod platform;
mod report;
mod verdict;

use std::path::Path;
use std::time::{Duration, Instant};

use serde::Serialize;
use testkit::clip::{Codec, Film, Passages, Shape};
use testkit::rtsp::{RtspOptions, RtspServer};
use tokio_util::sync::CancellationToken;

use crate::{Device, Figures, SenseTime, cast, eventually_within};
use load::{Load, Tally};
pub use verdict::{Limits, Trend};

/// How long, how much, and what is allowed.
#[derive(Debug, Clone, Copy)]
pub struct Plan {
    /// How long the load lasts, warm-up included.
    pub length: Duration,
    /// How much of it does not count.
    pub warm_up: Duration,
    /// From one sample to the next.
    pub sample_every: Duration,
    /// How long the platform and the fourth camera stay, and stay away.
    pub phase: Duration,
    /// Size of the pictures.
    pub shape: Shape,
    /// What is allowed.
    pub limits: Limits,
    /// How many descriptors and threads may be left over when all load has ended.
    pub left_over: u64,
}

/// One look at the daemon.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Sample {
    /// Since the load began.
    pub at_seconds: f64,
    /// What the daemon uses.
    #[serde(flatten)]
    pub figures: Figures,
}

/// What a run found.
#[derive(Debug, Serialize)]
pub struct Report {
    /// Whether everything was as it must be.
    pub ok: bool,
    /// What was not; one line each.
    pub faults: Vec<String>,
    /// How long the load lasted, seconds.
    pub length_seconds: f64,
    /// How much of it did not count, seconds.
    pub warm_up_seconds: f64,
    /// Processor time used over time passed, in cores.
    pub cores: f64,
    /// One for each figure.
    pub trends: Vec<Trend>,
    /// Before the load.
    pub before: Figures,
    /// When all load had ended and what it needs was given back.
    pub after: Figures,
    /// What was done.
    pub done: Tally,
    /// Everything that was seen.
    pub samples: Vec<Sample>,
}

/// Cameras; the last one comes and goes.
const CAMERAS: usize = 4;
/// How long the daemon has to give back what the load needed.
const SETTLING: Duration = Duration::from_secs(45);

/// Runs the plan on a device of its own; `tell` hears of every sample.
pub async fn run(plan: &Plan, mut tell: impl FnMut(&str)) -> Report {
    let mut device = Device::start_with_storage("max_bytes = \"256MiB\"").await;
    let film = film(device.storage().parent().expect("a parent"), plan.shape);
    let client = device.log_in().await;
    let library = enrol_cast(&client).await;
    let before = figures(&device);
    let steady = RtspServer::start(&[&film.file], &RtspOptions::default()).expect("an RTSP server");
    let (cancel, started) = (CancellationToken::new(), Instant::now());
    let mut load = Load::start(&device, &client, library, *plan, &film, &cancel).await;
    for camera in 1..CAMERAS {
        load.channels.push(client.add_camera(&format!("gate {camera}"), &steady.url(), library).await);
    }
    let samples = watch(&device, plan, started, &load, &mut tell).await;
    let length_seconds = started.elapsed().as_secs_f64();
    cancel.cancel();
    let (done, mut faults) = load.end(&client).await;
    drop(steady);
    let after = settle(&device, before, plan.left_over).await;
    faults.extend(left_over(before, after, plan.left_over));
    faults.extend(leave(&mut device));
    report::judge(plan, length_seconds, samples, before, after, done, faults)
}

fn film(dir: &Path, shape: Shape) -> Film {
    let passages = cast().iter().fold(Passages::new(shape, 1.0), |film, actor| film.one(actor.name, &actor.seen, 3.0));
    let stranger = crate::photo("Eileen_Collins/astronaut.png");
    passages.one("stranger", &stranger, 3.0).render(&dir.join("film.mp4")).expect("a film")
}

async fn enrol_cast(client: &SenseTime) -> i64 {
    let library = client.add_library("staff", 2).await;
    for actor in cast() {
        let photo = std::fs::read(&actor.enrolled).expect("a photo");
        client.enrol(library, actor.name, actor.name, &photo).await.ok();
    }
    library
}

fn figures(device: &Device) -> Figures {
    Figures::of(device.pid()).unwrap_or_else(|error| panic!("the daemon is gone: {error}\n{}", device.log()))
}

/// Samples until the time is over.
async fn watch(
    device: &Device,
    plan: &Plan,
    started: Instant,
    load: &Load,
    tell: &mut impl FnMut(&str),
) -> Vec<Sample> {
    let mut samples = Vec::new();
    let mut ticks = tokio::time::interval(plan.sample_every);
    while started.elapsed() < plan.length {
        ticks.tick().await;
        let sample = Sample { at_seconds: started.elapsed().as_secs_f64(), figures: figures(device) };
        tell(&report::line(&sample, &load.tally()));
        samples.push(sample);
    }
    samples
}

/// Waits until the daemon has given back what the load needed, but not for ever.
async fn settle(device: &Device, before: Figures, slack: u64) -> Figures {
    let started = Instant::now();
    eventually_within(SETTLING + Duration::from_secs(5), "the daemon settles", async || {
        let now = figures(device);
        (left_over(before, now, slack).is_empty() || started.elapsed() > SETTLING).then_some(now)
    })
    .await
}

fn left_over(before: Figures, after: Figures, slack: u64) -> Vec<String> {
    let pairs = [("threads", before.threads, after.threads), ("descriptors", before.descriptors, after.descriptors)];
    let grown = pairs.into_iter().filter(|(_, before, after)| *after > before + slack);
    grown.map(|(name, before, after)| format!("{name}: {before} before the load, {after} after it")).collect()
}

/// Ends the daemon as the service manager does.
fn leave(device: &mut Device) -> Option<String> {
    let status = device.terminate();
    (!status.success()).then(|| format!("the daemon ended with {status}"))
}

impl Plan {
    /// A full run of this length.
    pub fn of(length: Duration) -> Self {
        const MIB: f64 = 1024.0 * 1024.0;
        let limits = Limits {
            resident_bytes: 16.0 * MIB,
            resident_share: 0.05,
            threads: 2.0,
            descriptors: 4.0,
            resident_peak_bytes: 700.0 * MIB,
        };
        Self {
            length,
            warm_up: length / 4,
            sample_every: Duration::from_secs(10),
            phase: Duration::from_secs(45),
            shape: Shape { width: 1280, height: 720, fps: 25, codec: Codec::H264 },
            limits,
            left_over: 8,
        }
    }

    /// Half a minute, for the tests: it finds what leaks fast.
    pub fn short() -> Self {
        const MIB: f64 = 1024.0 * 1024.0;
        let long = Self::of(Duration::from_secs(30));
        let limits = Limits { resident_bytes: 96.0 * MIB, threads: 16.0, descriptors: 16.0, ..long.limits };
        Self {
            warm_up: Duration::from_secs(12),
            sample_every: Duration::from_millis(500),
            phase: Duration::from_secs(3),
            shape: Shape { width: 640, height: 360, ..long.shape },
            limits,
            ..long
        }
    }
}

impl Report {
    /// The verdict in a few lines.
    pub fn summary(&self) -> String {
        report::summary(self)
    }
}

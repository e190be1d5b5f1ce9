//! Kills the daemon at random moments under load, starts it again, and compares what it then knows with what it had
//! acknowledged.

mod disk;
mod load;
mod log;
mod people;

use std::fmt::Write;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use axum::http::StatusCode;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde::Serialize;
use serde_json::json;
use testkit::clip::{Codec, Passages, Shape};

use crate::{Device, PushReceiver, cast, eventually_within};
use disk::Disk;
use load::Load;
use log::Deliveries;
use people::Register;

/// How long the last records may take to the platform.
const BACKLOG: Duration = Duration::from_secs(60);
/// How long the first acknowledgement of a round is waited for.
const PATIENCE: Duration = Duration::from_secs(20);
/// In milliseconds from the end of the checks, or from the first acknowledgement, to the kill.
const LIFE_MS: std::ops::Range<u64> = 200..2_500;
/// In milliseconds from the start to a kill that comes before the daemon serves.
const STARTING_MS: std::ops::Range<u64> = 0..800;
/// One round in so many has such an early kill too.
const EARLY_KILL: u32 = 5;

/// What a run found.
#[derive(Debug, Default, Serialize)]
pub struct Report {
    /// Whether everything was as it must be.
    pub ok: bool,
    /// What was not; one line each.
    pub faults: Vec<String>,
    /// Gives the same moments again.
    pub seed: u64,
    /// Rounds run.
    pub rounds: u32,
    /// Kills, those before the daemon served included.
    pub kills: u32,
    /// Acknowledged enrolments.
    pub enrolled: u64,
    /// Acknowledged removals.
    pub removed: u64,
    /// Enrolments and removals cut off by a kill, and how many of them had been committed.
    pub cut_off: u64,
    /// See `cut_off`.
    pub cut_off_committed: u64,
    /// Records in the log at the end.
    pub records: usize,
    /// Pushes that the platform acknowledged.
    pub pushes: usize,
    /// Of them repeats of the push before.
    pub repeats: usize,
    /// Picture files without a row that kills left behind and starts removed.
    pub orphans_swept: usize,
    /// From the start of the process to healthy: the median and the longest, milliseconds.
    pub start_ms: (u64, u64),
}

/// One run.
struct Torture {
    device: Device,
    receiver: PushReceiver,
    random: StdRng,
    library: i64,
    register: Register,
    disk: Disk,
    starts: Vec<u64>,
    report: Report,
}

/// Runs so many rounds on a device of its own; `tell` hears of every round. Stops at the first round with a fault.
pub async fn run(rounds: u32, seed: u64, mut tell: impl FnMut(&str)) -> Report {
    let mut torture = Torture::prepare(seed).await;
    for round in 1..=rounds {
        let line = torture.round(round).await;
        tell(&line);
        if !torture.report.faults.is_empty() {
            tell(&format!("the daemon's last words:\n{}", last_lines(&torture.device.log())));
            break;
        }
    }
    torture.finish().await
}

impl Torture {
    async fn prepare(seed: u64) -> Self {
        let device = Device::start().await;
        let client = device.log_in().await;
        let library = client.add_library("staff", 2).await;
        let receiver = PushReceiver::start_without_pictures_on(SocketAddr::from(([127, 0, 0, 1], 0))).await;
        client.call(json!({"msg_id": "1298", "url": receiver.url(), "key": "k"})).await.ok();
        for (camera, order) in [1, 5].into_iter().enumerate() {
            let film = film(&device, order);
            client.add_camera_in_mode(&format!("gate {camera}"), &film, library, 3).await;
        }
        let disk = Disk::of(&device);
        let report = Report { seed, ..Report::default() };
        let random = StdRng::seed_from_u64(seed);
        let register = Register::default();
        Self { device, receiver, random, library, register, disk, starts: Vec::new(), report }
    }

    /// Load, kill, look at the disk, start, compare.
    async fn round(&mut self, round: u32) -> String {
        let client = self.device.log_in().await;
        let life = Duration::from_millis(self.random.random_range(LIFE_MS));
        let refuses = self.random.random_range(0..4) == 0;
        self.receiver.answer_with(if refuses { StatusCode::SERVICE_UNAVAILABLE } else { StatusCode::OK });
        let load = Load::start(&client, self.library, round, self.register.clone());
        // Half of the lives are counted from the first acknowledgement, so that there is something to lose on the
        // slowest machine; the others may end before it.
        if round.is_multiple_of(2) {
            self.register.wait_for_news(PATIENCE).await;
        }
        tokio::time::sleep(life).await;
        self.kill();
        load.end().await;
        if round.is_multiple_of(EARLY_KILL) {
            self.device.launch();
            tokio::time::sleep(Duration::from_millis(self.random.random_range(STARTING_MS))).await;
            self.kill();
        }
        let truth = self.disk.look(&mut self.report);
        let started = Instant::now();
        self.device.restart().await;
        self.starts.push(started.elapsed().as_millis() as u64);
        self.report.orphans_swept += self.disk.check_swept(&truth, &mut self.report.faults);
        let client = self.device.log_in().await;
        self.register.compare(&client, self.library, &truth, &mut self.report).await;
        self.report.rounds = round;
        format!(
            "round {round}: killed after {} ms; {} people, {} records, {} pushed",
            life.as_millis(),
            truth.people.len(),
            truth.captures.len(),
            self.receiver.captures().len()
        )
    }

    fn kill(&mut self) {
        if !self.device.is_running() {
            self.report.faults.push("the daemon ended by itself".into());
        }
        self.device.kill();
        self.report.kills += 1;
    }

    /// Lets the backlog out and compares the whole log with what arrived.
    async fn finish(mut self) -> Report {
        self.receiver.answer_with(StatusCode::OK);
        let client = self.device.log_in().await;
        for channel in [1, 2] {
            client.call(json!({"msg_id": "514", "channel": channel})).await;
        }
        // What is in view of a camera that is taken away is recorded by then.
        tokio::time::sleep(Duration::from_secs(1)).await;
        let total = client.record_count().await;
        let arrived = async || {
            let captures = Deliveries::of(&self.receiver).distinct();
            (captures >= total).then_some(())
        };
        if tokio::time::timeout(BACKLOG, eventually_within(BACKLOG * 2, "the backlog", arrived)).await.is_err() {
            self.report.faults.push(format!("not everything arrived: {total} records"));
        }
        self.kill();
        let truth = self.disk.look(&mut self.report);
        Deliveries::of(&self.receiver).compare(&truth.captures, &mut self.report);
        self.starts.sort_unstable();
        let median = self.starts.get(self.starts.len() / 2).copied().unwrap_or_default();
        self.report.start_ms = (median, self.starts.last().copied().unwrap_or_default());
        self.report.ok = self.report.faults.is_empty();
        self.report
    }
}

/// A film in which everybody passes quickly, again and again, in an order of its own.
pub fn film(device: &Device, first: usize) -> String {
    let shape = Shape { width: 640, height: 360, fps: 25, codec: Codec::H264 };
    let actors = cast();
    let turned = actors.iter().cycle().skip(first).take(actors.len());
    let film = turned.fold(Passages::new(shape, 0.2), |film, actor| film.one(actor.name, &actor.seen, 1.2));
    let file = device.storage().parent().expect("a parent").join(format!("film-{first}.mp4"));
    let film = film.render(&file).expect("a film");
    format!("file://{}?loop=1", film.file.display())
}

fn last_lines(log: &str) -> String {
    let lines: Vec<_> = log.lines().collect();
    lines[lines.len().saturating_sub(40)..].join("\n")
}

impl Report {
    /// The verdict in a few lines.
    pub fn summary(&self) -> String {
        let mut text = format!(
            "{}: {} rounds, {} kills, seed {}\n",
            if self.ok { "nothing was lost" } else { "FAULTS" },
            self.rounds,
            self.kills,
            self.seed
        );
        let _ = writeln!(
            text,
            "  {} enrolments and {} removals acknowledged, {} cut off ({} of them committed)\n  \
             {} records, {} pushes acknowledged ({} repeats), {} orphaned pictures swept\n  \
             start to healthy: median {} ms, longest {} ms",
            self.enrolled,
            self.removed,
            self.cut_off,
            self.cut_off_committed,
            self.records,
            self.pushes,
            self.repeats,
            self.orphans_swept,
            self.start_ms.0,
            self.start_ms.1
        );
        for fault in &self.faults {
            let _ = writeln!(text, "  fault: {fault}");
        }
        text
    }
}

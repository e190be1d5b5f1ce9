//! What the built daemon costs and how soon it tells: processor and memory with one and four cameras, and the time
//! from a face's first pixel in the picture to the push, by snap mode. `cargo bench --package polyface-tests`

#![allow(clippy::unwrap_used, reason = "a benchmark may die of what it did not expect")]

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use polyface_tests::{Device, PushReceiver, SenseTime, cast, eventually_within};
use serde_json::json;
use testkit::clip::{Codec, Film, Passages, Shape};
use testkit::rtsp::{RtspOptions, RtspServer};

const FULL_HD: Shape = Shape { width: 1920, height: 1080, fps: 25, codec: Codec::H264 };
const OBSERVED: Duration = Duration::from_secs(30);

#[tokio::main]
async fn main() {
    let dir = tempfile::tempdir().unwrap();
    let film = film(dir.path());
    for cameras in [1, 4] {
        cost(&film, cameras).await;
    }
    for (mode, name) in [(1, "best shot"), (3, "first good shot")] {
        latency(&film, mode, name).await;
    }
}

fn film(dir: &Path) -> Film {
    let passages =
        cast().iter().fold(Passages::new(FULL_HD, 1.5), |film, actor| film.one(actor.name, &actor.seen, 4.0));
    passages.render(&dir.join("film.mp4")).unwrap()
}

async fn enrol_cast(client: &SenseTime) -> i64 {
    let library = client.add_library("staff", 2).await;
    for actor in cast() {
        client.enrol(library, actor.name, actor.name, &fs::read(&actor.enrolled).unwrap()).await.ok();
    }
    library
}

/// Processor and memory while cameras are watched.
async fn cost(film: &Film, cameras: usize) {
    let device = Device::start().await;
    let client = device.log_in().await;
    let library = enrol_cast(&client).await;
    let server = RtspServer::start(&[&film.file], &RtspOptions::default()).unwrap();
    for camera in 0..cameras {
        client.add_camera(&format!("gate {camera}"), &server.url(), library).await;
    }
    wait_for_first_capture(&client, film).await;
    let (before, started) = (processor_seconds(device.pid()), Instant::now());
    tokio::time::sleep(OBSERVED).await;
    let cores = (processor_seconds(device.pid()) - before) / started.elapsed().as_secs_f64();
    let megabytes = resident_megabytes(device.pid());
    println!("{cameras} x 1080p25 H.264 over RTSP: {cores:.2} cores, {megabytes:.0} MB resident");
}

/// From the first pixel of a face to the push that names it.
async fn latency(film: &Film, snap_mode: u8, name: &str) {
    let device = Device::start().await;
    let client = device.log_in().await;
    let library = enrol_cast(&client).await;
    let receiver = PushReceiver::start().await;
    client.call(json!({"msg_id": "1298", "url": receiver.url(), "key": "k"})).await.ok();
    let request = json!({"msg_id": "513", "protocol": "rtsp", "camera_mode": "VIDEO", "camera_name": "gate",
        "url": format!("file://{}", film.file.display()), "lib_ids": library.to_string(), "threshold": 80,
        "snap_mode": snap_mode});
    let channel = client.call(request).await.ok()["channel"].as_i64().unwrap();
    eventually_within(Duration::from_secs(10), "the camera is online", async || {
        (client.camera(channel).await?["status"] == 1).then_some(())
    })
    .await;
    let shown = Instant::now();
    tokio::time::sleep(film.length + Duration::from_secs(3)).await;
    let pushes = receiver.captures();
    let mut waits: Vec<f64> = Vec::new();
    for passage in &film.passages {
        let named = pushes.iter().find(|push| push.field("person_name") == passage.who.as_str());
        waits.extend(named.map(|push| (push.at - (shown + passage.from)).as_secs_f64()));
    }
    waits.sort_by(f64::total_cmp);
    let recognised = waits.len();
    let (median, worst) =
        (waits.get(recognised / 2).copied().unwrap_or(f64::NAN), waits.last().copied().unwrap_or(f64::NAN));
    let passages = film.passages.len();
    println!(
        "first pixel to push, {name}: median {median:.2} s, worst {worst:.2} s, {recognised} of {passages} recognised"
    );
}

async fn wait_for_first_capture(client: &SenseTime, film: &Film) {
    eventually_within(film.length + OBSERVED, "a first capture", async || {
        (!client.captures().await.is_empty()).then_some(())
    })
    .await;
}

/// User and system time of a process so far.
fn processor_seconds(pid: u32) -> f64 {
    const TICKS_PER_SECOND: f64 = 100.0;
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    // The second field is the name in parentheses and may hold spaces; user and system time are fields 14 and 15.
    let fields: Vec<_> = stat.rsplit_once(')').unwrap().1.split_whitespace().collect();
    fields[11..13].iter().map(|ticks| ticks.parse::<f64>().unwrap()).sum::<f64>() / TICKS_PER_SECOND
}

fn resident_megabytes(pid: u32) -> f64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<f64>().unwrap() / 1024.0
}

//! The built daemon with many people and four cameras: how much memory it takes.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use polyface_tests::{Figures, Report, cache, cast, eventually_within};
use testkit::clip::Passages;
use testkit::rtsp::{RtspOptions, RtspServer};

use crate::rig::FULL_HD;
use crate::start::{model, populated};

const PEOPLE: u64 = 50_000;
const CAMERAS: usize = 4;
/// How long the cameras are watched.
const OBSERVED: Duration = Duration::from_secs(60);

pub(crate) async fn measure(report: &mut Report) {
    let beyond = memory(&model()).await - models_megabytes();
    report.row("memory beyond the models with 50000 people and 4 cameras, MB", beyond, None, Some(250.0));
}

/// The most resident memory while four cameras show people, megabytes.
async fn memory(model: &str) -> f64 {
    let device = populated(PEOPLE, model).await;
    let client = device.log_in().await;
    let dir = tempfile::tempdir().unwrap();
    let film = cast()
        .iter()
        .fold(Passages::new(FULL_HD, 1.5), |film, actor| film.one(actor.name, &actor.seen, 4.0))
        .render(&dir.path().join("film.mp4"))
        .unwrap();
    let server = RtspServer::start(&[&film.file], &RtspOptions::default()).unwrap();
    for camera in 0..CAMERAS {
        client.add_camera(&format!("gate {camera}"), &server.url(), 1).await;
    }
    eventually_within(film.length + OBSERVED, "a first capture", async || {
        (!client.captures().await.is_empty()).then_some(())
    })
    .await;
    let (watched, mut most) = (Instant::now(), 0.0f64);
    while watched.elapsed() < OBSERVED {
        most = most.max(Figures::of(device.pid()).unwrap().resident_bytes as f64 / 1e6);
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    most
}

/// What the files of the networks take, megabytes.
fn models_megabytes() -> f64 {
    let set: toml::Table = fs::read_to_string(cache().join("models/sets.toml")).unwrap().parse().unwrap();
    let networks = set["default"].as_table().unwrap().values().filter_map(toml::Value::as_str);
    let size = |network: &str| fs::metadata(Path::new(&cache()).join(format!("models/{network}.onnx"))).unwrap().len();
    networks.map(size).sum::<u64>() as f64 / 1e6
}

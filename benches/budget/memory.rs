//! The built daemon with many people and four cameras: how much memory it takes.

use std::time::{Duration, Instant};

use polyface_tests::{Figures, Report, cast, eventually_within};
use testkit::clip::Passages;
use testkit::rtsp::{RtspOptions, RtspServer};

use crate::networks::bare_memory_alone;
use crate::rig::FULL_HD;
use crate::start::{model, populated};

const PEOPLE: u64 = 50_000;
const CAMERAS: usize = 4;
/// How long the cameras are watched.
const OBSERVED: Duration = Duration::from_secs(60);

pub(crate) async fn measure(report: &mut Report) {
    let (whole, networks) = (memory(&model()).await, bare_memory_alone());
    report.row("memory with 50000 people and 4 cameras, MB", whole, None, None);
    report.row("memory of the same networks in ONNX Runtime alone, MB", networks, None, None);
    report.row("memory beyond the models with 50000 people and 4 cameras, MB", whole - networks, None, Some(250.0));
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

//! From the frame that decides to the record on disk, and on to the push on the wire.

use std::sync::Arc;
use std::time::{Duration, Instant};

use adapter::{Adapter, Encryption, ExportLimits, Exports, Outbound, Policy};
use adapter_sensetime::SenseTime;
use domain::frame::Frame;
use domain::ports::{FaceAnalyzer, Lane, Search};
use domain::{CameraSettings, LibraryId, NewCamera, Role, SnapMode, Source, WatchSettings, surveillance};
use polyface_tests::{PushReceiver, Report, SenseTime as Client, eventually};
use serde_json::json;
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::rig::{Rig, quantile, taken_now};

/// Visits; with twenty and more the 95th percentile is not the worst one.
const VISITS: usize = 40;
/// From one picture to the next: longer than any record takes, so that the picture that decided is known.
const INTERVAL: Duration = Duration::from_millis(500);
/// Pictures of an empty room that end a visit.
const PAUSE: usize = 4;

pub(crate) async fn measure(report: &mut Report, room: &Frame, face: &Frame) {
    let rig = Rig::new();
    let (cancel, mut tasks) = (CancellationToken::new(), JoinSet::new());
    let receiver = push_to_platform(&rig, &cancel, &mut tasks).await;
    rig.appliance.add_camera("bench", gate()).await.unwrap();
    let options = surveillance::Options { detect_every: Duration::from_millis(200) };
    tasks.spawn(surveillance::run(rig.appliance.clone(), options, cancel.clone()));

    let mut inference = inference(&rig, face).await;
    let (mut to_record, mut to_push) = (Vec::new(), Vec::new());
    for visit in 0..VISITS {
        let (shown, committed) = one_visit(&rig, room, face).await;
        let pushed = eventually("the push arrives", async || receiver.captures().get(visit).map(|push| push.at)).await;
        to_record.push(committed - shown);
        to_push.push(pushed - committed);
    }
    let networks = quantile(&mut inference, 0.5);
    let beyond = quantile(&mut to_record, 0.95) - networks;
    report.row("inference of one frame with a face, ms p50", networks, None, None);
    report.row("frame to record committed beyond inference, ms p95", beyond, None, Some(30.0));
    report.row("record committed to push on the wire, ms p95", quantile(&mut to_push, 0.95), None, Some(20.0));
    cancel.cancel();
    tasks.join_all().await;
}

/// Detection and description of the frame, the device being idle.
async fn inference(rig: &Rig, face: &Frame) -> Vec<Duration> {
    let mut samples = Vec::new();
    for _ in 0..VISITS {
        let start = Instant::now();
        let found = rig.analyzer.detect(face.clone(), Search::ANYWHERE, Lane::Live).await.unwrap();
        rig.analyzer.describe(face.clone(), found, Lane::Live).await.unwrap();
        samples.push(start.elapsed());
    }
    samples
}

/// Shows an empty room, then the face until it is recorded: when the picture that decided was shown, and when its
/// record was committed.
async fn one_visit(rig: &Rig, room: &Frame, face: &Frame) -> (Instant, Instant) {
    for _ in 0..PAUSE {
        rig.hand.send(taken_now(room)).await.unwrap();
        tokio::time::sleep(INTERVAL).await;
    }
    let mut newest = rig.appliance.newest_record();
    newest.mark_unchanged();
    loop {
        let shown = Instant::now();
        rig.hand.send(taken_now(face)).await.unwrap();
        if tokio::time::timeout(INTERVAL, newest.changed()).await.is_ok() {
            return (shown, Instant::now());
        }
    }
}

/// A camera that records every visit at its first good picture.
fn gate() -> NewCamera {
    let settings = CameraSettings {
        name: "gate".into(),
        position: String::new(),
        description: String::new(),
        source: Source::Rtsp { url: "rtsp://gate/live".into() },
        region: None,
        min_face_px: 60,
        max_face_px: 4_000,
        snap_mode: SnapMode::First,
    };
    let watch = WatchSettings { libraries: [LibraryId::DEFAULT].into(), rearm: Duration::ZERO, ..Default::default() };
    NewCamera { id: None, settings, watch }
}

/// Serves the device to a client that subscribes a receiver.
async fn push_to_platform(rig: &Rig, cancel: &CancellationToken, tasks: &mut JoinSet<()>) -> PushReceiver {
    rig.appliance.create_account("bench", "admin", Role::Admin, "Bench_1234").await.unwrap();
    let outbound = Outbound::new(Policy { allow_private: true, allow_loopback: true }).unwrap();
    let config = adapter_sensetime::Config { channels: 16 };
    let downloads = rig.storage.path().join("exports");
    let exports = Exports::open(downloads, ExportLimits::default()).unwrap();
    let encryption = Encryption::new(rig.storage.path().join("tls"));
    let adapter = Arc::new(SenseTime::new(config, rig.appliance.clone(), outbound, exports, encryption));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let routes = adapter.routes().unwrap();
    tasks.spawn(adapter::serve(listener, routes, adapter::Limits::default(), cancel.clone()));
    let (appliance, until) = (rig.appliance.clone(), cancel.clone());
    tasks.spawn(async move { adapter.run(appliance, until).await });
    let receiver = PushReceiver::start().await;
    let client = Client::log_in(address, "admin", "Bench_1234").await;
    client.call(json!({"msg_id": "1298", "url": receiver.url(), "key": "k"})).await.ok();
    receiver
}

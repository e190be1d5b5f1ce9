//! From the frame that decides to the record on disk, and on to the push on the wire.

use std::sync::Arc;
use std::time::{Duration, Instant};

use adapter::{Adapter, Encryption, ExportLimits, Exports, Outbound, Policy};
use adapter_sensetime::SenseTime;
use domain::frame::Frame;
use domain::{CameraSettings, LibraryId, NewCamera, Role, SnapMode, Source, WatchSettings, surveillance};
use polyface_tests::{PushReceiver, Report, SenseTime as Client, eventually};
use serde_json::json;
use testkit::actor;
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
    rig.appliance.by(&actor("bench")).add_camera(gate()).await.unwrap();
    let options = surveillance::Options { detect_every: Duration::from_millis(200) };
    tasks.spawn(surveillance::run(rig.appliance.clone(), options, cancel.clone()));

    let (mut networks, mut beyond, mut to_push) = (Vec::new(), Vec::new(), Vec::new());
    for visit in 0..VISITS {
        let Visit { shown, in_networks, committed } = one_visit(&rig, room, face).await;
        let pushed = eventually("the push arrives", async || receiver.captures().get(visit).map(|push| push.at)).await;
        to_push.push(pushed - committed);
        // On a busy machine the picture before was still being looked at: nobody can tell the two apart.
        if let Some(rest) = (committed - shown).checked_sub(in_networks) {
            networks.push(in_networks);
            beyond.push(rest);
        }
    }
    report.row("inference of a frame with a face, ms p50", quantile(&mut networks, 0.5), None, None);
    report.row("frame to record committed beyond inference, ms p95", quantile(&mut beyond, 0.95), None, Some(30.0));
    report.row("record committed to push on the wire, ms p95", quantile(&mut to_push, 0.95), None, Some(20.0));
    cancel.cancel();
    tasks.join_all().await;
}

/// One visit: when the picture that decided was shown, the time the networks took for it, and when its record was
/// committed.
struct Visit {
    shown: Instant,
    in_networks: Duration,
    committed: Instant,
}

/// Shows an empty room, then the face until it is recorded.
async fn one_visit(rig: &Rig, room: &Frame, face: &Frame) -> Visit {
    for _ in 0..PAUSE {
        rig.hand.send(taken_now(room)).await.unwrap();
        tokio::time::sleep(INTERVAL).await;
    }
    let mut newest = rig.appliance.newest_entry();
    newest.mark_unchanged();
    loop {
        let (shown, before) = (Instant::now(), rig.analyzer.counters().in_networks);
        rig.hand.send(taken_now(face)).await.unwrap();
        if tokio::time::timeout(INTERVAL, newest.changed()).await.is_ok() {
            let in_networks = rig.analyzer.counters().in_networks - before;
            return Visit { shown, in_networks, committed: Instant::now() };
        }
    }
}

/// A camera that records every visit at its first good picture.
pub(crate) fn gate() -> NewCamera {
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
    NewCamera { id: None, settings, watch, own: domain::OwnValues::default(), note: None }
}

/// Serves the device to a client that subscribes a receiver.
async fn push_to_platform(rig: &Rig, cancel: &CancellationToken, tasks: &mut JoinSet<()>) -> PushReceiver {
    rig.appliance.by(&actor("bench")).create_account("admin", Role::Admin, "Bench_1234").await.unwrap();
    let outbound = Outbound::new(Policy { allow_private: true, allow_loopback: true }).unwrap();
    let config = adapter_sensetime::Config { channels: 16, sip_default_password: false };
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

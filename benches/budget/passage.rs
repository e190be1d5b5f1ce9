//! From the first look, and from the frame that decides, to the record on disk, and on to the push on the wire; and from
//! a face's first pixel.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use adapter::{Adapter, Encryption, ExportLimits, Exports, Outbound, Policy};
use adapter_sensetime::SenseTime;
use domain::frame::Frame;
use domain::{
    CameraSettings, LibraryId, NewCamera, NewPerson, NewRelay, Role, Seq, SeveralFaces, SnapMode, Source, Timestamp,
    WatchSettings, surveillance,
};
use polyface_tests::{PushReceiver, Report, SenseTime as Client, cast, eventually};
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

/// A camera and where it watches.
#[derive(Debug, Clone, Copy)]
enum Place {
    /// Snap mode *first*.
    First,
    /// Snap mode *best*, with a relay bound to the camera.
    Door,
}

impl Place {
    fn name(self) -> &'static str {
        match self {
            Self::First => "mode first",
            Self::Door => "mode best at a door",
        }
    }

    async fn set_up(self, rig: &Rig) {
        let mut camera = gate();
        if let Self::Door = self {
            camera.settings.snap_mode = SnapMode::Best;
        }
        let actor = actor("bench");
        let camera = rig.appliance.by(&actor).add_camera(camera).await.unwrap().id;
        if let Self::Door = self {
            let address = SocketAddr::from(([192, 0, 2, 1], 5000));
            let relay = NewRelay { camera, address, name: String::new(), tag: String::new() };
            rig.appliance.by(&actor).bind_relay(relay).await.unwrap();
        }
    }
}

pub(crate) async fn measure(report: &mut Report, room: &Frame, face: &Frame) {
    for place in [Place::First, Place::Door] {
        measure_at(place, report, room, face).await;
    }
}

async fn measure_at(place: Place, report: &mut Report, room: &Frame, face: &Frame) {
    let rig = Rig::new();
    let (cancel, mut tasks) = (CancellationToken::new(), JoinSet::new());
    let receiver = push_to_platform(&rig, &cancel, &mut tasks).await;
    enrol(&rig).await;
    place.set_up(&rig).await;
    let options = surveillance::Options { detect_every: Duration::from_millis(200) };
    tasks.spawn(surveillance::run(rig.appliance.clone(), options, cancel.clone()));

    let mut times = Times::default();
    for number in 0..VISITS {
        let visit = one_visit(&rig, room, face).await;
        let pushed = eventually("the push arrives", async || receiver.captures().get(number).map(|push| push.at)).await;
        times.add(&visit, pushed);
    }
    let records = rig.appliance.records_after(Seq(0), VISITS as u32).await.unwrap();
    assert!(records.iter().all(|record| record.accepted().is_some()), "the face is known");
    times.tell(place, report);
    cancel.cancel();
    tasks.join_all().await;
}

/// Enrols the person of the film.
async fn enrol(rig: &Rig) {
    let actor_in_film = &cast()[0];
    let person = NewPerson {
        code: Some(actor_in_film.name.parse().unwrap()),
        libraries: vec![LibraryId::DEFAULT],
        photo: std::fs::read(&actor_in_film.enrolled).unwrap().into(),
        several_faces: SeveralFaces::TakeLargest,
        ..NewPerson::default()
    };
    rig.appliance.by(&actor("bench")).enrol(person).await.unwrap();
}

/// What each visit took.
#[derive(Default)]
struct Times {
    networks: Vec<Duration>,
    frame_to_record: Vec<Duration>,
    look_to_record: Vec<Duration>,
    record_to_push: Vec<Duration>,
    pixel_to_push: Vec<Duration>,
}

impl Times {
    fn add(&mut self, visit: &Visit, pushed: Instant) {
        self.record_to_push.push(pushed - visit.committed);
        self.pixel_to_push.extend(visit.shown.first().map(|first| pushed - first.at));
        let look = visit.shown.iter().find(|shown| Some(shown.taken) == visit.first_look);
        self.look_to_record.extend(look.and_then(|look| visit.beyond_networks(look)));
        // On a busy machine the picture before was still being looked at: nobody can tell the two apart.
        if let Some((last, rest)) = visit.shown.last().and_then(|last| Some((last, visit.beyond_networks(last)?))) {
            self.networks.push(visit.networks - last.networks);
            self.frame_to_record.push(rest);
        }
    }

    fn tell(&mut self, place: Place, report: &mut Report) {
        let of = |what: &str| format!("{what}, {}", place.name());
        let mut row = |what: &str, samples: &mut [Duration], share, budget| {
            report.row(what, quantile(samples, share), None, budget);
        };
        if let Place::First = place {
            row("inference of a frame with a face, ms p50", &mut self.networks, 0.5, None);
            let beyond = "frame to record committed beyond inference, ms p95";
            row(beyond, &mut self.frame_to_record, 0.95, Some(30.0));
            row("record committed to push on the wire, ms p95", &mut self.record_to_push, 0.95, Some(20.0));
        }
        let look = of("first usable look to record beyond inference, ms p95");
        row(&look, &mut self.look_to_record, 0.95, Some(50.0));
        row(&of("first pixel to push, ms p50"), &mut self.pixel_to_push, 0.5, None);
        row(&of("first pixel to push, ms p95"), &mut self.pixel_to_push, 0.95, None);
    }
}

/// A picture with the face.
struct Shown {
    at: Instant,
    taken: Timestamp,
    /// Time that the networks had taken until then.
    networks: Duration,
}

/// One visit: the pictures until it was recorded, which of them was the first that a face was described from, and when
/// the record was committed.
struct Visit {
    shown: Vec<Shown>,
    first_look: Option<Timestamp>,
    committed: Instant,
    networks: Duration,
}

impl Visit {
    /// Time from a picture to the record, without that of the networks.
    fn beyond_networks(&self, since: &Shown) -> Option<Duration> {
        (self.committed - since.at).checked_sub(self.networks - since.networks)
    }
}

/// Shows an empty room, then the face until it is recorded.
async fn one_visit(rig: &Rig, room: &Frame, face: &Frame) -> Visit {
    for _ in 0..PAUSE {
        rig.hand.send(taken_now(room)).await.unwrap();
        tokio::time::sleep(INTERVAL).await;
    }
    let networks = || rig.analyzer.counters().in_networks;
    let mut newest = rig.appliance.newest_entry();
    newest.mark_unchanged();
    rig.first_look.take();
    let mut shown = Vec::new();
    loop {
        let frame = taken_now(face);
        shown.push(Shown { at: Instant::now(), taken: frame.at(), networks: networks() });
        rig.hand.send(frame).await.unwrap();
        if tokio::time::timeout(INTERVAL, newest.changed()).await.is_ok() {
            let (committed, networks) = (Instant::now(), networks());
            return Visit { shown, first_look: rig.first_look.take(), committed, networks };
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
    NewCamera { id: None, settings, watch, own: domain::OwnValues::default(), permission_groups: [].into(), note: None }
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

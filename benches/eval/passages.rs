//! People walking past the cameras of a whole device: real video, real models, real store.

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use domain::frame::Frame;
use domain::ports::{Clock, FrameSource, FrameStream, Ports, SourceError};
use domain::{
    Appliance, CameraSettings, CameraStatus, Event, LibraryId, NewCamera, NewPerson, OwnValues, Record, Seq,
    SeveralFaces, SnapMode, Source, Timestamp, Verdict, WatchSettings, surveillance,
};
use polyface_tests::Report;
use store::Store;
use tempfile::TempDir;
use testkit::{FakeClock, FakeDiscovery, FakeHost};
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;
use video::VideoSource;
use vision::Analyzer;

use crate::faces::PhotoFace;
use crate::scenes::{self, Scene};

/// Cameras watched at once, unless the environment names another number as `CAMERAS`.
const CAMERAS: usize = 4;
/// Empty picture at the end of each film, seconds: the last visit is decided in it.
const TAIL: f64 = 4.5;
/// A film that has not ended so long after it should have is given up.
const PATIENCE: Duration = Duration::from_secs(60);
const REARM: Duration = Duration::from_secs(2);
/// What is said of a face at its place counts for a walk this near, face widths.
const NEAR: f32 = 1.5;

/// What happened to the passages of one film.
#[derive(Debug, Default, Clone, Copy)]
struct Outcome {
    passages: u32,
    known: u32,
    missed: u32,
    doubled: u32,
    unrecognised: u32,
    /// Of those, called strangers.
    strange: u32,
    /// Strangers who were not called so, because the shot is too poor.
    unclear: u32,
    wrong: u32,
    false_alarms: u32,
    nobody: u32,
}

/// Renders the films whose names contain `part`, shows them to a device and adds what it made of them to the report.
pub(crate) async fn tell(analyzer: Arc<Analyzer>, faces: &[PhotoFace], part: &str, report: &mut Report) {
    let folder = tempfile::tempdir().unwrap();
    let mut scenes = scenes::named(part, faces, folder.path());
    render(&mut scenes);
    let device = Device::start(analyzer, folder.path()).await;
    device.enrol().await;
    for batch in scenes.chunks(cameras()) {
        device.show(batch).await;
    }
    let (records, opened) = device.stop().await;
    let mut sum = Outcome::default();
    for scene in &scenes {
        let outcome = judge(scene, &records, opened[&scene.url()]);
        outcome.tell(&scene.name, scene.promised, report);
        sum.add(&outcome);
    }
    sum.tell("all", false, report);
}

fn cameras() -> usize {
    std::env::var("CAMERAS").ok().and_then(|cameras| cameras.parse().ok()).unwrap_or(CAMERAS)
}

/// On all cores: composing pictures takes longer than showing them.
fn render(scenes: &mut [Scene]) {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let share = scenes.len().div_ceil(threads);
    std::thread::scope(|scope| {
        for part in scenes.chunks_mut(share) {
            scope.spawn(move || {
                for scene in part {
                    scene.film = Some(scene.street.render(&scene.file, TAIL).unwrap());
                }
            });
        }
    });
}

struct Device {
    appliance: Appliance,
    opened: Arc<Opened>,
    cancel: CancellationToken,
    tasks: JoinSet<()>,
    _storage: TempDir,
}

impl Device {
    async fn start(analyzer: Arc<Analyzer>, folder: &Path) -> Self {
        let storage = tempfile::tempdir_in(folder).unwrap();
        let clock: Arc<dyn Clock> = Arc::new(Running(Instant::now()));
        let video = VideoSource::new(Arc::clone(&clock), video::Options::default()).unwrap();
        let opened = Arc::new(Opened { video, first: Mutex::default() });
        let dir = storage.path().to_owned();
        let store = tokio::task::spawn_blocking(move || {
            Store::open(&dir, &store::StoreKey::new([7; 32]), store::Options::default())
        });
        let store = Arc::new(store.await.unwrap().unwrap());
        let ports = Ports {
            clock,
            frames: Arc::clone(&opened) as Arc<dyn FrameSource>,
            discovery: Arc::new(FakeDiscovery::default()),
            analyzer,
            objects: None,
            people: store.clone(),
            log: store.clone(),
            settings: store.clone(),
            tasks: store.clone(),
            adapters: store.clone(),
            pictures: store.clone(),
            gallery: store,
            host: Arc::new(FakeHost::new(Arc::new(FakeClock::new()))),
        };
        let options = domain::Options { time_zone: jiff::tz::TimeZone::UTC, ..testkit::options() };
        let appliance = tokio::task::spawn_blocking(move || Appliance::load(ports, options)).await.unwrap().unwrap();
        let (cancel, mut tasks) = (CancellationToken::new(), JoinSet::new());
        let sampling = surveillance::Options { detect_every: Duration::from_millis(200) };
        tasks.spawn(surveillance::run(appliance.clone(), sampling, cancel.clone()));
        Self { appliance, opened, cancel, tasks, _storage: storage }
    }

    async fn enrol(&self) {
        for actor in scenes::enrolled() {
            let person = NewPerson {
                code: Some(actor.name.parse().unwrap()),
                profile: domain::Profile::default(),
                libraries: vec![LibraryId::DEFAULT],
                photo: std::fs::read(&actor.enrolled).unwrap().into(),
                several_faces: SeveralFaces::TakeLargest,
                ..NewPerson::default()
            };
            self.appliance.by(&testkit::actor("eval")).enrol(person).await.unwrap();
        }
    }

    /// Plays the films at once, one in each camera, to their ends.
    async fn show(&self, scenes: &[Scene]) {
        let mut events = self.appliance.events();
        let mut cameras = Vec::new();
        for scene in scenes {
            cameras.push(self.appliance.by(&testkit::actor("eval")).add_camera(camera(scene)).await.unwrap().id);
        }
        let longest = scenes.iter().filter_map(|scene| scene.film.as_ref()).map(|film| film.length).max().unwrap();
        let all_ended = async {
            let mut playing = cameras.clone();
            while !playing.is_empty() {
                let event = events.recv().await;
                if let Ok(Event::CameraStatus { camera, status: CameraStatus::Offline { .. } }) = event {
                    playing.retain(|id| *id != camera);
                }
            }
        };
        timeout(longest + PATIENCE, all_ended).await.expect("the films end");
        for camera in cameras {
            self.appliance.by(&testkit::actor("eval")).remove_camera(camera).await.unwrap();
        }
    }

    /// Everything recorded, and when each film's first frame was seen, by its URL.
    async fn stop(mut self) -> (Vec<Record>, HashMap<String, Timestamp>) {
        self.cancel.cancel();
        while self.tasks.join_next().await.is_some() {}
        let records = self.appliance.records_after(Seq(0), 10_000).await.unwrap();
        (records, self.opened.first.lock().unwrap().clone())
    }
}

fn camera(scene: &Scene) -> NewCamera {
    let settings = CameraSettings {
        name: scene.name.clone(),
        position: String::new(),
        description: String::new(),
        source: Source::File { url: scene.url() },
        region: None,
        min_face_px: scene.min_face_px,
        max_face_px: 1_000,
        snap_mode: SnapMode::Best,
    };
    let libraries = [LibraryId::DEFAULT].into();
    let watch = WatchSettings { libraries, rearm: REARM, ..WatchSettings::default() };
    NewCamera { id: None, settings, watch, own: OwnValues::default(), permission_groups: [].into(), note: None }
}

/// Compares what was recorded with who was to be seen.
fn judge(scene: &Scene, records: &[Record], first: Timestamp) -> Outcome {
    let walks = &scene.street.walks;
    let mut outcome = Outcome { passages: walks.len() as u32, ..Outcome::default() };
    let mut seen = vec![0_u32; walks.len()];
    let mut recognised = vec![false; walks.len()];
    for record in records.iter().filter(|record| record.capture.camera_name == scene.name) {
        let Some(walk) = walk_of(scene, record, first) else {
            outcome.nobody += 1;
            continue;
        };
        seen[walk] += 1;
        match record.accepted() {
            Some(candidate) if walks[walk].who.is_empty() => {
                println!("{}: stranger {walk} taken for {} ({:?})", scene.name, candidate.code, candidate.similarity);
                outcome.false_alarms += 1;
            }
            Some(candidate) if candidate.code.as_str() == walks[walk].who => recognised[walk] = true,
            Some(_) => outcome.wrong += 1,
            None => {
                let (known, quality) = (!walks[walk].who.is_empty(), record.capture.quality);
                println!("{}: passage {walk} ({:?}) is {}, {quality:?}", scene.name, walks[walk].who, record.verdict);
                outcome.strange += u32::from(known && record.verdict == Verdict::Stranger);
                outcome.unclear += u32::from(!known && record.verdict == Verdict::Unclear);
            }
        }
    }
    for (walk, records) in seen.iter().enumerate().filter(|(_, records)| **records != 1) {
        println!("{}: passage {walk} ({:?}) has {records} records", scene.name, walks[walk].who);
    }
    outcome.known = walks.iter().filter(|walk| !walk.who.is_empty()).count() as u32;
    outcome.missed = seen.iter().filter(|records| **records == 0).count() as u32;
    outcome.doubled = seen.iter().filter(|records| **records > 1).count() as u32;
    let named = walks.iter().zip(&recognised).filter(|(walk, _)| !walk.who.is_empty());
    outcome.unrecognised = named.filter(|(_, recognised)| !**recognised).count() as u32;
    outcome
}

/// Which walk a record shows: the one whose face was nearest at that moment.
fn walk_of(scene: &Scene, record: &Record, first: Timestamp) -> Option<usize> {
    let seconds = record.capture.at.millis_since(first) as f64 / 1_000.0;
    let center = record.capture.face_box.center();
    let away = |walk: &testkit::clip::Walk| {
        let spot = [0.0, -0.3, 0.3].into_iter().find_map(|slip| walk.spot(seconds + slip))?;
        let apart = (spot.x - center.x).hypot(spot.y - center.y) / spot.face;
        (apart <= NEAR).then_some(apart)
    };
    let near = scene.street.walks.iter().enumerate().filter_map(|(index, walk)| Some((index, away(walk)?)));
    near.min_by(|a, b| a.1.total_cmp(&b.1)).map(|(index, _)| index)
}

impl Outcome {
    fn add(&mut self, other: &Self) {
        self.passages += other.passages;
        self.known += other.known;
        self.missed += other.missed;
        self.doubled += other.doubled;
        self.unrecognised += other.unrecognised;
        self.strange += other.strange;
        self.unclear += other.unclear;
        self.wrong += other.wrong;
        self.false_alarms += other.false_alarms;
        self.nobody += other.nobody;
    }

    fn tell(&self, name: &str, promised: bool, report: &mut Report) {
        let budget = promised.then_some(0.0);
        let of = |what: &str, all: u32| format!("passages, {name}: {what}, of {all} passages");
        report.row(&of("missed", self.passages), self.missed.into(), None, budget);
        report.row(&of("recorded twice", self.passages), self.doubled.into(), None, budget);
        report.row(&of("known not recognised", self.known), self.unrecognised.into(), None, budget);
        report.row(&of("known called strangers", self.known), self.strange.into(), None, budget);
        report.row(&of("wrong person", self.passages), self.wrong.into(), None, budget);
        let strangers = self.passages - self.known;
        report.row(&of("stranger taken for known", strangers), self.false_alarms.into(), None, budget);
        report.row(&of("strangers called unclear", strangers), self.unclear.into(), None, None);
        report.row(&format!("passages, {name}: records of nobody, records"), self.nobody.into(), None, budget);
    }
}

/// A clock that starts somewhere and only runs.
struct Running(Instant);

impl Clock for Running {
    fn now(&self) -> Timestamp {
        const START: i64 = 1_790_000_000_000;
        Timestamp::from_millis(START + self.0.elapsed().as_millis() as i64)
    }
}

/// Real video that notes when the first frame of each film was shown.
struct Opened {
    video: VideoSource,
    first: Mutex<HashMap<String, Timestamp>>,
}

#[async_trait]
impl FrameSource for Opened {
    async fn open(&self, source: &Source) -> Result<Box<dyn FrameStream>, SourceError> {
        let Source::File { url } = source else { return Err(SourceError::NotSupported) };
        let mut stream = self.video.open(source).await?;
        let first = stream.next().await?;
        if let Some(frame) = &first {
            self.first.lock().unwrap().insert(url.clone(), frame.at());
        }
        Ok(Box::new(Started { first, stream }))
    }
}

/// A stream whose first frame was taken already.
struct Started {
    first: Option<Frame>,
    stream: Box<dyn FrameStream>,
}

#[async_trait]
impl FrameStream for Started {
    async fn next(&mut self) -> Result<Option<Frame>, SourceError> {
        match self.first.take() {
            Some(frame) => Ok(Some(frame)),
            None => self.stream.next().await,
        }
    }
}

//! A device inside this process: the real store, networks and rules, with a camera that shows what it is handed.

use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use domain::frame::Frame;
use domain::ports::{Clock, FrameSource, FrameStream, ObjectDetector, Ports, SourceError};
use domain::{Appliance, Options, Source, Timestamp};
use jiff::tz::TimeZone;
use polyface_tests::cache;
use store::Store;
use tempfile::TempDir;
use testkit::clip::{Codec, Passages, Shape};
use testkit::{FakeClock, FakeDiscovery, FakeHost};
use tokio::sync::{Mutex, mpsc};
use video::VideoSource;
use vision::Analyzer;

use crate::first_look::FirstLook;

pub(crate) const FULL_HD: Shape = Shape { width: 1920, height: 1080, fps: 25, codec: Codec::H264 };

pub(crate) fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// The time below which this share of the samples lies, milliseconds.
pub(crate) fn quantile(samples: &mut [Duration], share: f64) -> f64 {
    samples.sort();
    let index = (samples.len() as f64 * share).ceil() as usize;
    samples[index.clamp(1, samples.len()) - 1].as_secs_f64() * 1e3
}

/// Runs a tool of the store that makes data up on a storage directory: it lies beside the directory of the benchmarks.
pub(crate) fn run_tool(name: &str, storage: &Path, arguments: &[&str]) {
    let bench = std::env::current_exe().unwrap();
    let tool = bench.ancestors().nth(2).unwrap().join("examples").join(name);
    assert!(tool.exists(), "run `cargo build --release --package store --examples` first");
    let done = Command::new(&tool).arg(storage).args(arguments).status().unwrap();
    assert!(done.success(), "{} failed", tool.display());
}

pub(crate) struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        jiff::Timestamp::now().into()
    }
}

/// An appliance, and the hand that holds pictures before its camera.
pub(crate) struct Rig {
    pub(crate) appliance: Appliance,
    pub(crate) analyzer: Arc<Analyzer>,
    pub(crate) first_look: Arc<FirstLook>,
    pub(crate) hand: mpsc::Sender<Frame>,
    pub(crate) storage: TempDir,
}

impl Rig {
    /// A device with the default models and an empty store, whose cameras show what the hand holds before them.
    pub(crate) fn new() -> Self {
        let (hand, shown) = mpsc::channel(1);
        Self { hand, ..Self::over(Arc::new(HandCamera { shown: Arc::new(Mutex::new(shown)) })) }
    }

    /// The same with cameras of this source; the hand holds nothing before them.
    pub(crate) fn over(frames: Arc<dyn FrameSource>) -> Self {
        let storage = tempfile::tempdir().unwrap();
        let analyzer = Arc::new(Analyzer::open(vision::Options::new(cache().join("models"))).unwrap());
        let first_look = Arc::new(FirstLook::new(analyzer.clone()));
        let store =
            Arc::new(Store::open(storage.path(), &store::StoreKey::new([7; 32]), store::Options::default()).unwrap());
        let ports = Ports {
            clock: Arc::new(SystemClock),
            frames,
            discovery: Arc::new(FakeDiscovery::default()),
            analyzer: first_look.clone(),
            objects: analyzer.objects().map(|objects| Arc::new(objects) as Arc<dyn ObjectDetector>),
            people: store.clone(),
            gallery: store.clone(),
            log: store.clone(),
            settings: store.clone(),
            tasks: store.clone(),
            adapters: store.clone(),
            pictures: store,
            host: Arc::new(FakeHost::new(Arc::new(FakeClock::new()))),
        };
        let options = Options { time_zone: TimeZone::UTC, ..testkit::options() };
        let appliance = Appliance::load(ports, options).unwrap();
        Self { appliance, analyzer, first_look, hand: mpsc::channel(1).0, storage }
    }
}

/// A camera that delivers what is handed to it, whatever its address.
struct HandCamera {
    shown: Arc<Mutex<mpsc::Receiver<Frame>>>,
}

struct Shown(Arc<Mutex<mpsc::Receiver<Frame>>>);

#[async_trait]
impl FrameSource for HandCamera {
    async fn open(&self, _: &Source) -> Result<Box<dyn FrameStream>, SourceError> {
        Ok(Box::new(Shown(self.shown.clone())))
    }
}

#[async_trait]
impl FrameStream for Shown {
    async fn next(&mut self) -> Result<Option<Frame>, SourceError> {
        Ok(self.0.lock().await.recv().await)
    }
}

/// The picture as if it came from the camera now.
pub(crate) fn taken_now(picture: &Frame) -> Frame {
    let now = SystemClock.now();
    Frame::new(now, picture.width(), picture.height(), picture.format(), picture.planes().to_vec()).unwrap()
}

/// Decoded full-HD pictures, each at its time in the film: an empty room, and one face in it.
pub(crate) async fn room_and_face(still: &Path) -> (Frame, Frame) {
    let dir = tempfile::tempdir().unwrap();
    let film = Passages::new(FULL_HD, 2.0).one("somebody", still, 4.0).render(&dir.path().join("film.mp4")).unwrap();
    let source = VideoSource::new(Arc::new(SystemClock), video::Options::default()).unwrap();
    let url = format!("file://{}", film.file.display());
    let mut stream = source.open(&Source::File { url }).await.unwrap();
    let face_at = film.passages[0].from + Duration::from_secs(2);
    let (opened, mut room) = (Instant::now(), None);
    let face = loop {
        let frame = stream.next().await.unwrap().expect("the face comes before the film ends");
        room.get_or_insert_with(|| frame.detached());
        if opened.elapsed() >= face_at {
            break frame.detached();
        }
    };
    source.close().await;
    (room.unwrap(), face)
}

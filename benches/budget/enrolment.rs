//! Enrolment from photos: how close the whole way comes to the networks alone.

use std::time::{Duration, Instant};

use bytes::Bytes;
use domain::frame::Frame;
use domain::ports::{FaceAnalyzer, Lane, Search};
use domain::{LibraryId, NewPerson, Profile, Timestamp};
use futures_util::{StreamExt, stream};
use polyface_tests::{Report, cast};
use tempfile::TempDir;
use testkit::actor;
use vision::Analyzer;

use crate::networks::detector_and_embedder;
use crate::rig::{Rig, cores, quantile};

/// Photos of each turn: each of the cast's so often.
const COPIES: usize = 6;
/// How often the sides take turns, so that a busy machine is busy for both; of the turns the median counts.
const TURNS: usize = 9;
/// Enrolments under way at the same time, for each core: a platform that sends batches.
const AHEAD: usize = 2;

pub(crate) async fn measure(report: &mut Report) {
    let photos: Vec<Bytes> = cast().iter().map(|actor| std::fs::read(&actor.enrolled).unwrap().into()).collect();
    let (rig, bare) = (Rig::new(), Bare::new(&photos).await);
    let (mut enrolling, mut looking, mut reading) = (Vec::new(), Vec::new(), Vec::new());
    for turn in 0..TURNS {
        enrolling.push(time_to_enrol(&rig, turn, &photos).await);
        looking.push(bare.time_to_look(async |number| bare.frames[number].clone()).await);
        reading.push(bare.time_to_look(async |number| bare.read(&photos[number]).await).await);
    }
    let rate = |mut turns: Vec<Duration>| (COPIES * photos.len()) as f64 * 1e3 / quantile(&mut turns, 0.5);
    let (enrolling, looking, reading) = (rate(enrolling), rate(looking), rate(reading));
    report.row_at_least("enrolment from photos, 1/s", enrolling, Some(looking), Some(0.90));
    let name = "enrolment from photos against networks that wait for the photos to be read, 1/s";
    report.row_at_least(name, enrolling, Some(reading), None);
}

async fn time_to_enrol(rig: &Rig, turn: usize, photos: &[Bytes]) -> Duration {
    let (start, count) = (Instant::now(), photos.len() * COPIES);
    let bench = actor("bench");
    let enrolments = (0..count).map(|number| rig.appliance.by(&bench).enrol(newcomer(turn * count + number, photos)));
    stream::iter(enrolments).buffer_unordered(AHEAD * cores()).for_each(async |done| drop(done.unwrap())).await;
    start.elapsed()
}

fn newcomer(number: usize, photos: &[Bytes]) -> NewPerson {
    NewPerson {
        code: Some(number.to_string().parse().unwrap()),
        profile: Profile::default(),
        libraries: vec![LibraryId::DEFAULT],
        photo: photos[number % photos.len()].clone(),
        ..NewPerson::default()
    }
}

/// Detector and embedder on the same photos, already decoded; nothing else.
struct Bare {
    analyzer: Analyzer,
    frames: Vec<Frame>,
    _folder: TempDir,
}

impl Bare {
    async fn new(photos: &[Bytes]) -> Self {
        let folder = detector_and_embedder();
        let analyzer = Analyzer::open(vision::Options::new(folder.path())).unwrap();
        let mut bare = Self { analyzer, frames: Vec::new(), _folder: folder };
        for photo in photos {
            bare.frames.push(bare.read(photo).await);
        }
        bare
    }

    async fn read(&self, photo: &Bytes) -> Frame {
        self.analyzer.decode(photo.clone(), Timestamp::from_millis(0)).await.unwrap()
    }

    /// `frame` gives the photo of a number.
    async fn time_to_look(&self, frame: impl AsyncFn(usize) -> Frame) -> Duration {
        let start = Instant::now();
        let looks = (0..self.frames.len() * COPIES).map(async |number| {
            let frame = frame(number % self.frames.len()).await;
            let found = self.analyzer.detect(frame.clone(), Search::ANYWHERE, Lane::Photo).await.unwrap();
            self.analyzer.describe(frame, found, Lane::Photo).await.unwrap();
        });
        stream::iter(looks).buffer_unordered(AHEAD * cores()).for_each(async |()| ()).await;
        start.elapsed()
    }
}

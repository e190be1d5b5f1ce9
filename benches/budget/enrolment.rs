//! Enrolment from photos: how close the whole way comes to the networks alone.

use std::time::Instant;

use bytes::Bytes;
use domain::ports::{FaceAnalyzer, Lane, Search};
use domain::{LibraryId, NewPerson, Profile, SeveralFaces, Timestamp};
use futures_util::{StreamExt, stream};
use polyface_tests::{Report, cast};
use vision::Analyzer;

use crate::networks::detector_and_embedder;
use crate::rig::{Rig, cores};

/// Photos enrolled: each of the cast's so often.
const COPIES: usize = 12;
/// Enrolments under way at the same time, for each core: a platform that sends batches.
const AHEAD: usize = 2;

pub(crate) async fn measure(report: &mut Report) {
    let photos: Vec<Bytes> = cast().iter().map(|actor| std::fs::read(&actor.enrolled).unwrap().into()).collect();
    let whole = enrolments_a_second(&photos).await;
    let bare = networks_a_second(&photos).await;
    report.row_at_least("enrolment from photos, 1/s", whole, Some(bare), Some(0.90));
}

async fn enrolments_a_second(photos: &[Bytes]) -> f64 {
    let rig = Rig::new();
    let count = photos.len() * COPIES;
    let start = Instant::now();
    let enrolments = (0..count).map(|number| rig.appliance.enrol("bench", newcomer(number, photos)));
    stream::iter(enrolments).buffer_unordered(AHEAD * cores()).for_each(async |done| drop(done.unwrap())).await;
    count as f64 / start.elapsed().as_secs_f64()
}

fn newcomer(number: usize, photos: &[Bytes]) -> NewPerson {
    NewPerson {
        code: Some(number.to_string().parse().unwrap()),
        profile: Profile::default(),
        libraries: vec![LibraryId::DEFAULT],
        photo: photos[number % photos.len()].clone(),
        several_faces: SeveralFaces::Refuse,
    }
}

/// Detector and embedder on the same photos, already decoded; nothing else.
async fn networks_a_second(photos: &[Bytes]) -> f64 {
    let folder = detector_and_embedder();
    let analyzer = Analyzer::open(vision::Options::new(folder.path())).unwrap();
    let mut frames = Vec::new();
    for photo in photos {
        frames.push(analyzer.decode(photo.clone(), Timestamp::from_millis(0)).await.unwrap());
    }
    let count = photos.len() * COPIES;
    let start = Instant::now();
    let looks = (0..count).map(|number| frames[number % frames.len()].clone()).map(async |frame| {
        let found = analyzer.detect(frame.clone(), Search::ANYWHERE, Lane::Photo).await.unwrap();
        analyzer.describe(frame, found, Lane::Photo).await.unwrap();
    });
    stream::iter(looks).buffer_unordered(AHEAD * cores()).for_each(async |()| ()).await;
    count as f64 / start.elapsed().as_secs_f64()
}

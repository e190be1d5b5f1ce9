//! The 1:N search, against reading the same bytes from memory and against comparing everybody in floating point.

use std::hint::black_box;
use std::time::Instant;

use domain::gallery::{Gallery, Query, Scope, dot};
use domain::{Embedding, LibraryId, Membership, ModelId, PersonId, Template};
use polyface_tests::Report;
use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};
use testkit::memory::read_once;

use crate::rig::{cores, quantile};

const DIMENSIONS: usize = 512;
const SIZES: [usize; 2] = [50_000, 200_000];
const TURNS: usize = 41;
/// More than any processor's caches hold, numbers of 64 bits: between two searches a device has looked at frames.
const BEYOND_CACHES: usize = (256 << 20) / 8;
/// Probes whose best person is compared with the one that floating point finds.
const PROBES: usize = 300;

pub(crate) fn measure(report: &mut Report) {
    for people in SIZES {
        let mut random = SmallRng::seed_from_u64(people as u64);
        let faces: Vec<Embedding> = (0..people).map(|_| random_face(&mut random)).collect();
        let gallery = filled(&faces);
        let probe = random_face(&mut random);
        let (search, read) = search_and_read(&gallery, &probe);
        let name = format!("1:N search, {people} people x {DIMENSIONS}, {}, ms", gallery.instructions());
        report.row(&name, search, Some(read), Some(1.3));
        if people == SIZES[0] {
            let equal = equal_share(&gallery, &faces, &mut random);
            report.row_at_least("best person equal to that of 32-bit floating point, share", equal, None, Some(0.999));
        }
    }
}

fn random_face(random: &mut SmallRng) -> Embedding {
    let vector = (0..DIMENSIONS).map(|_| random.random_range(-1.0..1.0)).collect();
    Embedding::normalised(ModelId("bench".into()), vector).unwrap()
}

fn filled(faces: &[Embedding]) -> Gallery {
    let gallery = Gallery::new(ModelId("bench".into()));
    gallery.insert_all(faces.iter().zip(0..).map(|(face, id)| Template {
        person: PersonId(id),
        membership: Membership { libraries: vec![LibraryId(1 + id % 3)], ..Membership::default() },
        embedding: face.clone(),
    }));
    gallery
}

fn everybody() -> Query {
    Query { scope: Scope::libraries((1..=3).map(LibraryId)), limit: 5 }
}

/// Median milliseconds of a search, and of reading as many bytes from memory by the faster of one thread and all; in
/// turns, so that what else the machine does meets both alike.
fn search_and_read(gallery: &Gallery, probe: &Embedding) -> (f64, f64) {
    let memory: Vec<u64> = (0..gallery.scanned_bytes() as u64 / 8).collect();
    let other: Vec<u64> = (0..BEYOND_CACHES as u64).collect();
    let timed_from_memory = |work: &dyn Fn()| {
        read_once(&other, cores());
        let start = Instant::now();
        work();
        start.elapsed()
    };
    let (mut searches, mut alone, mut shared) = (vec![], vec![], vec![]);
    for _ in 0..TURNS {
        searches.push(timed_from_memory(&|| drop(black_box(gallery.search(probe, &[everybody()])))));
        alone.push(timed_from_memory(&|| read_once(&memory, 1)));
        shared.push(timed_from_memory(&|| read_once(&memory, cores())));
    }
    (quantile(&mut searches, 0.5), quantile(&mut alone, 0.5).min(quantile(&mut shared, 0.5)))
}

/// Half of the probes are somebody seen through noise, half are strangers: for these the nearest are close together.
fn equal_share(gallery: &Gallery, faces: &[Embedding], random: &mut SmallRng) -> f64 {
    let equal = (0..PROBES).filter(|number| {
        let probe = if number % 2 == 0 { seen_again(&faces[number * 97], random) } else { random_face(random) };
        let found = gallery.search(&probe, &[everybody()])[0][0].person;
        let cosine = |id: PersonId| dot(probe.vector(), faces[id.0 as usize].vector());
        let nearest = (0..faces.len() as i64).map(PersonId).max_by(|a, b| cosine(*a).total_cmp(&cosine(*b))).unwrap();
        found == nearest
    });
    equal.count() as f64 / PROBES as f64
}

fn seen_again(face: &Embedding, random: &mut SmallRng) -> Embedding {
    let noisy = face.vector().iter().map(|component| component + random.random_range(-0.05..0.05)).collect();
    Embedding::normalised(ModelId("bench".into()), noisy).unwrap()
}

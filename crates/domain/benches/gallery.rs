//! Time of a search relative to the time to read the scanned bytes from memory once with as many threads; both are
//! measured alternately, and their ratio is printed. `POLYFACE_BENCH_PEOPLE` sets the number of people, 200000 by
//! default.

#![expect(clippy::expect_used, reason = "a benchmark may panic like a test")]

use std::hint::black_box;
use std::time::{Duration, Instant};

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use domain::gallery::{Gallery, Query, Scope};
use domain::{Embedding, LibraryId, Membership, ModelId, PersonId, Template};
use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};
use testkit::memory::read_once;

const DIMENSIONS: usize = 512;
/// Measurements of each kind, of which the median is used.
const TURNS: usize = 41;
/// Cameras that search at the same time.
const CAMERAS: usize = 8;

fn embedding(random: &mut SmallRng) -> Embedding {
    let vector = (0..DIMENSIONS).map(|_| random.random_range(-1.0..1.0)).collect();
    Embedding::normalised(ModelId("bench".into()), vector).expect("random vectors have a direction")
}

fn query() -> Query {
    Query { scope: Scope::libraries((1..=3).map(LibraryId)), limit: 5 }
}

fn timed(work: impl FnOnce()) -> Duration {
    let started = Instant::now();
    work();
    started.elapsed()
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}

fn search_from_all_cameras(gallery: &Gallery, probe: &Embedding) {
    std::thread::scope(|scope| {
        for _ in 0..CAMERAS {
            scope.spawn(|| black_box(gallery.search(probe, &[query()])));
        }
    });
}

fn search(criterion: &mut Criterion) {
    let people = std::env::var("POLYFACE_BENCH_PEOPLE").map_or(200_000, |text| text.parse().expect("a number"));
    let mut random = SmallRng::seed_from_u64(7);
    let gallery = Gallery::new(ModelId("bench".into()));
    gallery.insert_all((0..people).map(|person| Template {
        person: PersonId(person),
        membership: Membership { libraries: vec![LibraryId(1 + person % 3)], ..Membership::default() },
        embedding: embedding(&mut random),
    }));
    let probe = embedding(&mut random);
    let memory: Vec<u64> = (0..gallery.scanned_bytes() as u64 / 8).collect();
    print_ratio(&gallery, &probe, &memory);

    let mut group = criterion.benchmark_group(format!("{people} people, {}", gallery.instructions()));
    group.sample_size(10).throughput(Throughput::Bytes(gallery.scanned_bytes() as u64));
    group.bench_function("search", |b| b.iter(|| gallery.search(&probe, &[query()])));
    group.bench_function("eight searches at once", |b| b.iter(|| search_from_all_cameras(&gallery, &probe)));
    group.bench_function("limit: read once, one thread", |b| b.iter(|| read_once(&memory, 1)));
    group.bench_function("limit: read once, two threads", |b| b.iter(|| read_once(&memory, 2)));
    let stranger = embedding(&mut random);
    let new_person =
        || Template { person: PersonId(people), membership: Membership::default(), embedding: stranger.clone() };
    group.bench_function("insert or replace one", |b| b.iter(|| gallery.insert(new_person())));
    group.finish();
}

/// Measures alternately, so that other load affects all measurements alike.
fn print_ratio(gallery: &Gallery, probe: &Embedding, memory: &[u64]) {
    let (mut searches, mut together, mut alone, mut shared) = (vec![], vec![], vec![], vec![]);
    for _ in 0..TURNS {
        searches.push(timed(|| drop(black_box(gallery.search(probe, &[query()])))));
        alone.push(timed(|| read_once(memory, 1)));
        together.push(timed(|| search_from_all_cameras(gallery, probe)));
        shared.push(timed(|| read_once(memory, 2)));
    }
    let [search, together, alone, shared] = [searches, together, alone, shared].map(median);
    let limit = alone.min(shared);
    println!(
        "search {search:?}, {CAMERAS} at once {together:?}; reading {} bytes {limit:?} (one thread {alone:?}, two \
         {shared:?}); ratio {:.2}",
        gallery.scanned_bytes(),
        search.as_secs_f64() / limit.as_secs_f64()
    );
}

criterion_group!(benches, search);
criterion_main!(benches);

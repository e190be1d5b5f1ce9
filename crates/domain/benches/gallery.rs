//! How long a search takes, against the time to read the same templates from memory once.

#![expect(clippy::expect_used, reason = "a benchmark may die of what a test may die of")]

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use domain::gallery::{Gallery, Query, Scope};
use domain::{Embedding, LibraryId, ModelId, PersonId, Template};
use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};

const PEOPLE: usize = 50_000;
const DIMENSIONS: usize = 512;

fn embedding(random: &mut SmallRng) -> Embedding {
    let vector = (0..DIMENSIONS).map(|_| random.random_range(-1.0..1.0)).collect();
    Embedding::normalised(ModelId("bench".into()), vector).expect("random vectors have a direction")
}

fn search(criterion: &mut Criterion) {
    let mut random = SmallRng::seed_from_u64(7);
    let gallery = Gallery::new(ModelId("bench".into()));
    gallery.insert_all((0..PEOPLE).map(|person| Template {
        person: PersonId(person as i64),
        libraries: vec![LibraryId(1 + (person % 3) as i64)],
        embedding: embedding(&mut random),
    }));
    let probe = embedding(&mut random);
    let query = Query { scope: Scope::Libraries(vec![LibraryId(1), LibraryId(2), LibraryId(3)]), limit: 5 };
    let flat: Vec<f32> = (0..PEOPLE * DIMENSIONS).map(|_| random.random()).collect();

    let mut group = criterion.benchmark_group("gallery 50k x 512 f32");
    group.throughput(Throughput::Bytes((PEOPLE * DIMENSIONS * size_of::<f32>()) as u64));
    group.bench_function("search", |b| b.iter(|| gallery.search(&probe, std::slice::from_ref(&query))));
    group.bench_function("limit: read once", |b| b.iter(|| domain::gallery::dot(&flat, &flat[..DIMENSIONS * PEOPLE])));
    group.finish();
}

criterion_group!(benches, search);
criterion_main!(benches);

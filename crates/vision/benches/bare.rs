//! How long the bare networks take in ONNX Runtime: what `benches/analyzer.rs` is to be held against. Needs the
//! models of `models/fetch.sh`; `POLYFACE_THREADS` sets the threads of a run.

#![expect(clippy::unwrap_used, reason = "a benchmark may die of what a test may die of")]

#[path = "../tests/with_models/support.rs"]
#[allow(dead_code, clippy::expect_used, reason = "the tests use all of it")]
mod support;

use criterion::{Criterion, criterion_group, criterion_main};
use ort::environment::Environment;
use ort::session::Session;
use ort::value::TensorRef;

use support::models;

/// Networks of the default set, with their input.
const NETWORKS: [(&str, &str, [usize; 4]); 7] = [
    ("centerface", "input", [1, 3, 384, 640]),
    ("face_embed_512", "input", [1, 3, 112, 112]),
    ("age", "images", [1, 3, 64, 64]),
    ("gender", "images", [1, 3, 32, 32]),
    ("emotion", "input", [1, 1, 64, 64]),
    ("head_pose", "input", [1, 3, 224, 224]),
    ("liveness_minifasnet", "input", [1, 3, 128, 128]),
];
/// Pictures in a run.
const BATCHES: [usize; 3] = [1, 4, 8];

fn session(environment: &Environment, name: &str) -> Session {
    let threads = std::env::var("POLYFACE_THREADS").ok().and_then(|threads| threads.parse().ok()).unwrap_or(2);
    let builder = Session::builder(environment).unwrap().with_intra_threads(threads).unwrap();
    let builder = builder.with_intra_op_spinning(false).unwrap().with_flush_to_zero().unwrap();
    builder.with_log_level(ort::logging::LogLevel::Error).unwrap().commit_from_file(models().join(name)).unwrap()
}

fn run(criterion: &mut Criterion) {
    let environment = ort::init_from(models().join("onnxruntime/libonnxruntime.so")).unwrap().build().unwrap();
    let mut group = criterion.benchmark_group("bare");
    group.sample_size(40);
    for (name, tensor, shape) in NETWORKS {
        let mut session = session(&environment, &format!("{name}.onnx"));
        let batches = if matches!(name, "centerface" | "face_embed_512") { BATCHES.as_slice() } else { &[1] };
        for batch in batches {
            let shape = [*batch, shape[1], shape[2], shape[3]];
            let input: Vec<f32> = (0..shape.iter().product()).map(|i: usize| (i % 251) as f32 / 125.0 - 1.0).collect();
            group.bench_function(format!("{name} x{batch}"), |bencher| {
                bencher.iter(|| {
                    let input = TensorRef::from_array_view((shape, input.as_slice())).unwrap();
                    session.run(ort::inputs![tensor => input]).unwrap();
                });
            });
        }
    }
    group.finish();
}

criterion_group!(benches, run);
criterion_main!(benches);

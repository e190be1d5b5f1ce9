//! How long a frame takes, and how much longer than its networks alone. Needs the models and photographs of
//! `models/fetch.sh --photos`; `POLYFACE_THREADS` sets the threads.

#![allow(clippy::expect_used, clippy::unwrap_used, reason = "a benchmark may die of what a test may die of")]

#[path = "../tests/with_models/support.rs"]
#[allow(dead_code, unreachable_pub, reason = "the tests use all of it")]
mod support;

use std::hint::black_box;
use std::time::Instant;

use criterion::{Criterion, criterion_group, criterion_main};
use domain::frame::{Frame, PixelFormat};
use domain::ports::{FaceAnalyzer, Lane, Search};
use image::RgbImage;
use tempfile::TempDir;
use tokio::runtime::Runtime;
use vision::{Analyzer, Options};

use support::{as_video, frame, image, models, photo};

/// Calls the ratio is measured over.
const CALLS: u32 = 60;

fn threads() -> usize {
    let given = std::env::var("POLYFACE_THREADS").ok().and_then(|threads| threads.parse().ok());
    given.unwrap_or_else(|| std::thread::available_parallelism().map_or(1, usize::from))
}

/// A set of detector and embedder alone.
fn detector_and_embedder() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let networks = ["centerface", "centerface_int8", "face_embed_512"];
    let files = networks.iter().flat_map(|network| [format!("{network}.toml"), format!("{network}.onnx")]);
    for file in files.chain(["onnxruntime".to_owned()]) {
        std::os::unix::fs::symlink(models().join(&file), folder.path().join(file)).unwrap();
    }
    let sets =
        "[default]\ndetector = \"centerface\"\nlive_detector = \"centerface_int8\"\nembedder = \"face_embed_512\"\n";
    std::fs::write(folder.path().join("sets.toml"), sets).unwrap();
    folder
}

/// A face of 150 pixels in a frame of 1920×1080 from a camera.
fn camera_frame(runtime: &Runtime, analyzer: &Analyzer) -> Frame {
    let portrait = image(&runtime.block_on(photo(analyzer, "Eileen_Collins/astronaut.png")));
    let mut picture = RgbImage::from_pixel(1920, 1080, [90, 110, 100].into());
    let portrait = image::imageops::resize(&portrait, 900, 900, image::imageops::FilterType::Triangle);
    image::imageops::overlay(&mut picture, &portrait, 700, 100);
    as_video(&frame(picture), PixelFormat::I420)
}

fn analyse(criterion: &mut Criterion) {
    let runtime = Runtime::new().unwrap();
    let folder = detector_and_embedder();
    let options = Options { threads: threads(), ..Options::new(folder.path()) };
    let analyzer = Analyzer::open(options).unwrap();
    let frame = camera_frame(&runtime, &analyzer);
    let detect = || runtime.block_on(analyzer.detect(frame.clone(), Search::ANYWHERE, Lane::Live)).unwrap();
    let found = detect();
    assert_eq!(found.len(), 1);
    let describe = || runtime.block_on(analyzer.describe(frame.clone(), found.clone(), Lane::Live)).unwrap();

    let mut group = criterion.benchmark_group("1080p");
    group.sample_size(40);
    group.bench_function("detect", |bencher| bencher.iter(detect));
    group.bench_function("embed", |bencher| bencher.iter(describe));
    group.finish();
    report(&analyzer, "detect", detect);
    report(&analyzer, "embed", describe);
}

/// Prints the time of a call as a multiple of the time its networks take.
fn report<T>(analyzer: &Analyzer, name: &str, call: impl Fn() -> T) {
    let (start, before) = (Instant::now(), analyzer.counters().in_networks);
    (0..CALLS).for_each(|_| drop(black_box(call())));
    let (all, networks) = (start.elapsed(), analyzer.counters().in_networks - before);
    let ratio = all.as_secs_f64() / networks.as_secs_f64();
    println!("{name}: {:?} a call, {ratio:.3} times its networks alone", all / CALLS);
}

criterion_group!(benches, analyse);
criterion_main!(benches);

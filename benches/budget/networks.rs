//! Detect, align, embed: what the code around the networks costs.

use std::hint::black_box;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use domain::frame::Frame;
use domain::ports::{FaceAnalyzer, Lane, Search};
use ort::environment::Environment;
use ort::session::Session;
use ort::value::TensorRef;
use polyface_tests::{Report, cache};
use tempfile::TempDir;
use vision::Analyzer;

use crate::rig::cores;

/// Calls of each side, taken in turns so that a busy machine is busy for both.
const ROUNDS: usize = 60;
const EMBEDDER_INPUT: [usize; 4] = [1, 3, 112, 112];

pub(crate) async fn measure(report: &mut Report, face: &Frame) {
    let folder = detector_and_embedder();
    let analyzer = Analyzer::open(vision::Options::new(folder.path())).unwrap();
    let found = analyzer.detect(face.clone(), Search::ANYWHERE, Lane::Live).await.unwrap();
    assert_eq!(found.len(), 1);
    let (mut whole, before) = (Duration::ZERO, analyzer.counters().in_networks);
    for _ in 0..ROUNDS {
        let start = Instant::now();
        let found = analyzer.detect(face.clone(), Search::ANYWHERE, Lane::Live).await.unwrap();
        black_box(analyzer.describe(face.clone(), found, Lane::Live).await.unwrap());
        whole += start.elapsed();
    }
    let networks = analyzer.counters().in_networks - before;
    report.row("detect + align + embed, ms", millis(whole), Some(millis(networks)), Some(1.10));

    let inside = embedding_alone(&analyzer, face).await;
    report.row("embedding network, ms", inside, Some(bare_embedder_alone()), Some(1.10));
}

fn millis(rounds: Duration) -> f64 {
    rounds.as_secs_f64() * 1e3 / ROUNDS as f64
}

/// A set of detector and embedder alone.
pub(crate) fn detector_and_embedder() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for file in ["centerface.toml", "centerface.onnx", "face_embed_512.toml", "face_embed_512.onnx", "onnxruntime"] {
        symlink(cache().join("models").join(file), folder.path().join(file)).unwrap();
    }
    let sets = "[default]\ndetector = \"centerface\"\nembedder = \"face_embed_512\"\n";
    std::fs::write(folder.path().join("sets.toml"), sets).unwrap();
    folder
}

/// Milliseconds that the device spends inside the embedding network for one face.
async fn embedding_alone(analyzer: &Analyzer, face: &Frame) -> f64 {
    let found = analyzer.detect(face.clone(), Search::ANYWHERE, Lane::Live).await.unwrap();
    let before = analyzer.counters().in_networks;
    for _ in 0..ROUNDS {
        black_box(analyzer.describe(face.clone(), found.clone(), Lane::Live).await.unwrap());
    }
    millis(analyzer.counters().in_networks - before)
}

/// What this program is called with to print [`bare_embedder`] and do nothing else.
pub(crate) const BARE_EMBEDDER: &str = "bare-embedder";

/// The same by a process of its own: ONNX Runtime allows a process one environment, and that is the analyzer's here.
fn bare_embedder_alone() -> f64 {
    let program = std::env::current_exe().unwrap();
    let printed = Command::new(program).arg(BARE_EMBEDDER).output().unwrap().stdout;
    String::from_utf8(printed).unwrap().trim().parse().unwrap()
}

/// Milliseconds of the embedding network alone in ONNX Runtime, on as many threads as the device uses.
pub(crate) fn bare_embedder() -> f64 {
    let mut session = bare_session(&cache().join("models/face_embed_512.onnx"));
    let input: Vec<f32> = (0..EMBEDDER_INPUT.iter().product()).map(|i| (i % 251) as f32 / 125.0 - 1.0).collect();
    let mut run = || {
        let input = TensorRef::from_array_view((EMBEDDER_INPUT, input.as_slice())).unwrap();
        session.run(ort::inputs!["input" => input]).unwrap();
    };
    run();
    let start = Instant::now();
    (0..ROUNDS).for_each(|_| run());
    millis(start.elapsed())
}

fn bare_session(network: &Path) -> Session {
    let library = cache().join("models/onnxruntime/libonnxruntime.so");
    let environment: Environment = ort::init_from(library).unwrap().build().unwrap();
    let builder = Session::builder(&environment).unwrap().with_intra_threads(cores().min(2)).unwrap();
    let builder = builder.with_flush_to_zero().unwrap().with_log_level(ort::logging::LogLevel::Error).unwrap();
    let mut builder = builder.with_intra_op_spinning(false).unwrap();
    builder.commit_from_file(network).unwrap()
}

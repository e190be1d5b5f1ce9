//! Detect, align, embed: what the code around the networks costs.

use std::fs;
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

use crate::memory::Memory;
use crate::rig::cores;

/// Calls of each side at a time.
const ROUNDS: usize = 20;
/// How often the sides take turns, so that a busy machine is busy for both.
const TURNS: u8 = 3;
/// What the detector is asked about a full-HD frame, and the embedder about a face.
const DETECTOR_INPUT: [usize; 4] = [1, 3, 736, 1280];
const EMBEDDER_INPUT: [usize; 4] = [1, 3, 112, 112];
/// What the detector is asked about a full-HD frame when it is to find faces of 60 pixels, as cameras are.
const CAMERA_INPUT: [usize; 4] = [1, 3, 544, 960];
/// What this program is called with to print [`bare`] and do nothing else.
pub(crate) const BARE: &str = "bare-networks";
/// What this program is called with to print [`bare_memory`] and do nothing else.
pub(crate) const BARE_MEMORY: &str = "bare-memory";

pub(crate) async fn measure(report: &mut Report, face: &Frame) {
    let folder = detector_and_embedder();
    let analyzer = Analyzer::open(vision::Options::new(folder.path())).unwrap();
    let found = analyzer.detect(face.clone(), Search::ANYWHERE, Lane::Live).await.unwrap();
    assert_eq!(found.len(), 1);
    let (mut whole, mut limit) = (Duration::ZERO, 0.0);
    for _ in 0..TURNS {
        let start = Instant::now();
        for _ in 0..ROUNDS {
            let found = analyzer.detect(face.clone(), Search::ANYWHERE, Lane::Live).await.unwrap();
            black_box(analyzer.describe(face.clone(), found, Lane::Live).await.unwrap());
        }
        whole += start.elapsed();
        limit += bare_alone() / f64::from(TURNS);
    }
    report.row("detect + align + embed, ms", millis(whole) / f64::from(TURNS), Some(limit), Some(1.10));
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

/// [`bare`] by a process of its own: ONNX Runtime allows a process one environment, and that is the analyzer's here.
fn bare_alone() -> f64 {
    alone(BARE).parse().unwrap()
}

/// [`bare_memory`] by a process of its own.
pub(crate) fn bare_memory_alone() -> Memory {
    alone(BARE_MEMORY).parse().unwrap()
}

/// What this program prints when it is called so.
fn alone(argument: &str) -> String {
    let program = std::env::current_exe().unwrap();
    let printed = Command::new(program).arg(argument).output().unwrap().stdout;
    String::from_utf8(printed).unwrap().trim().to_owned()
}

/// Milliseconds that detector and embedder take in ONNX Runtime alone, on as many threads as the device uses.
pub(crate) fn bare() -> f64 {
    let library = cache().join("models/onnxruntime/libonnxruntime.so");
    let environment = ort::init_from(library).unwrap().build().unwrap();
    let mut detector = Bare::load(&environment, "centerface", "input", DETECTOR_INPUT);
    let mut embedder = Bare::load(&environment, "face_embed_512", "input", EMBEDDER_INPUT);
    let mut run = || {
        detector.run();
        embedder.run();
    };
    run();
    let start = Instant::now();
    (0..ROUNDS).for_each(|_| run());
    millis(start.elapsed())
}

/// What a camera's networks take in ONNX Runtime alone: the library, the networks as it holds them, and what
/// it works in. Each is asked once, as the device asks it.
pub(crate) fn bare_memory() -> Memory {
    let before = Memory::of(std::process::id());
    let library = cache().join("models/onnxruntime/libonnxruntime.so");
    let environment = ort::init_from(library).unwrap().build().unwrap();
    let networks = default_set().into_iter().map(|network| {
        let manifest = manifest(&network);
        let (tensor, shape) = question(&manifest);
        let mut network = Bare::load(&environment, &network, tensor, shape);
        network.run();
        network
    });
    let networks: Vec<_> = networks.collect();
    let taken = Memory::of(std::process::id()) - before;
    drop(networks);
    taken
}

/// The networks that run when liveness is off.
fn default_set() -> Vec<String> {
    let sets: toml::Table = fs::read_to_string(cache().join("models/sets.toml")).unwrap().parse().unwrap();
    let roles = sets["default"].as_table().unwrap().iter().filter(|(role, _)| *role != "liveness");
    roles.map(|(_, network)| network.as_str().unwrap().to_owned()).collect()
}

fn manifest(network: &str) -> toml::Table {
    fs::read_to_string(cache().join(format!("models/{network}.toml"))).unwrap().parse().unwrap()
}

/// The input tensor of a network, and its shape: [`CAMERA_INPUT`] where the size is free.
fn question(manifest: &toml::Table) -> (String, [usize; 4]) {
    let input = manifest["input"].as_table().unwrap();
    let side = |name: &str| input[name].as_integer().unwrap() as usize;
    let channels = if input["colour"].as_str() == Some("grey") { 1 } else { 3 };
    let shape = match (side("width"), side("height")) {
        (0, _) => CAMERA_INPUT,
        (width, height) if input["layout"].as_str() == Some("nhwc") => [1, height, width, channels],
        (width, height) => [1, channels, height, width],
    };
    (input["tensor"].as_str().unwrap().to_owned(), shape)
}

/// A network and a question to it.
struct Bare {
    session: Session,
    tensor: String,
    shape: [usize; 4],
    input: Vec<f32>,
}

impl Bare {
    fn load(environment: &Environment, network: &str, tensor: impl Into<String>, shape: [usize; 4]) -> Self {
        let session = bare_session(environment, &cache().join(format!("models/{network}.onnx")));
        let input = (0..shape.iter().product()).map(|i: usize| (i % 251) as f32 / 125.0 - 1.0).collect();
        Self { session, tensor: tensor.into(), shape, input }
    }

    fn run(&mut self) {
        let input = TensorRef::from_array_view((self.shape, self.input.as_slice())).unwrap();
        black_box(self.session.run(ort::inputs![self.tensor.as_str() => input]).unwrap());
    }
}

fn bare_session(environment: &Environment, network: &Path) -> Session {
    let builder = Session::builder(environment).unwrap().with_intra_threads(cores().min(2)).unwrap();
    let builder = builder.with_flush_to_zero().unwrap().with_log_level(ort::logging::LogLevel::Error).unwrap();
    let builder = builder.with_memory_pattern(false).unwrap();
    let mut builder = builder.with_intra_op_spinning(false).unwrap();
    builder.commit_from_file(network).unwrap()
}

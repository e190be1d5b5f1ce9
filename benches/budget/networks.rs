//! Detect, align, embed, and detect objects: what the code around the networks costs.

use std::fs;
use std::hint::black_box;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::symlink;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use domain::ObjectClass;
use domain::frame::Frame;
use domain::ports::{FaceAnalyzer, Lane, ObjectDetector, Search};
use polyface_tests::{Report, cache};
use tempfile::TempDir;
use vision::Analyzer;

use crate::bare::{self, Bare};
use crate::memory::Memory;
use crate::rig::{cores, quantile};

/// Calls of each side. They take turns, call by call, so that a machine that is busy for a second is busy for both.
pub(crate) const ROUNDS: usize = 60;
/// What the detector of camera frames is asked about a full-HD frame, in squares of 2 × 2 pixels, and the embedder about a
/// face.
pub(crate) const DETECTOR_INPUT: [usize; 4] = [1, 368, 640, 12];
pub(crate) const EMBEDDER_INPUT: [usize; 4] = [1, 3, 112, 112];
/// What the detector of objects is asked about a full-HD frame.
const OBJECTS_INPUT: [usize; 4] = [1, 3, 288, 512];
/// What a network of any size is asked about a full-HD frame when it is to find faces of 60 pixels, as cameras are: the
/// detector, and that of camera frames.
const CAMERA_INPUT: [usize; 4] = [1, 3, 544, 960];
const CAMERA_SQUARES: [usize; 4] = [1, 240, 400, 12];
/// The networks that look at faces, and the one that finds objects.
const FACES: &str = "faces";
const OBJECTS: &str = "objects_centernet";
const PHOTO_DETECTOR: &str = "centerface";
/// What this program is called with to do [`serve_bare`] and nothing else.
pub(crate) const BARE: &str = "bare-networks";
/// What this program is called with to print [`bare_memory`] and do nothing else.
pub(crate) const BARE_MEMORY: &str = "bare-memory";

pub(crate) async fn measure(report: &mut Report, face: &Frame) {
    let folders = [detector_and_embedder(), first_detector_and_embedder()];
    let [now, before] = folders.each_ref().map(|folder| Analyzer::open(vision::Options::new(folder.path())).unwrap());
    let (mut whole, mut limit, mut former) = (Vec::new(), Vec::new(), Vec::new());
    let mut bare = BareProcess::start();
    for _ in 0..ROUNDS {
        whole.push(analyse(&now, face).await);
        limit.push(bare.run(FACES));
        former.push(analyse(&before, face).await);
    }
    let [whole, limit, former] = [whole, limit, former].map(|mut times| quantile(&mut times, 0.5));
    report.row("detect + align + embed, ms", whole, Some(limit), Some(1.10));
    report.row("detect + align + embed, against the networks of version 0.1", whole, Some(former), Some(0.50));
    drop((now, before));
    measure_objects(report, face, bare).await;
}

/// The time that a frame with one face takes.
async fn analyse(analyzer: &Analyzer, face: &Frame) -> Duration {
    let start = Instant::now();
    let found = analyzer.detect(face.clone(), Search::ANYWHERE, Lane::Live).await.unwrap();
    assert_eq!(found.len(), 1);
    black_box(analyzer.describe(face.clone(), found, Lane::Live).await.unwrap());
    start.elapsed()
}

async fn measure_objects(report: &mut Report, frame: &Frame, mut bare: BareProcess) {
    let folder = set_of(&["centerface", "face_embed_512", OBJECTS], "objects = \"objects_centernet\"\n");
    let detector = Analyzer::open(vision::Options::new(folder.path())).unwrap().objects().unwrap();
    let (mut whole, mut limit) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let start = Instant::now();
        black_box(detector.detect(frame.clone(), &ObjectClass::ALL).await.unwrap());
        whole.push(start.elapsed());
        limit.push(bare.run(OBJECTS));
    }
    let (whole, limit) = (quantile(&mut whole, 0.5), quantile(&mut limit, 0.5));
    report.row("detect objects, ms", whole, Some(limit), Some(1.10));
}

/// A set of detectors and embedder alone.
pub(crate) fn detector_and_embedder() -> TempDir {
    set_of(&["centerface", "centerface_int8", "face_embed_512"], "live_detector = \"centerface_int8\"\n")
}

/// The set that version 0.1 had, as far as it is still made: its embedder, and its detector with fewer operations.
fn first_detector_and_embedder() -> TempDir {
    let folder = set_of(&["centerface"], "");
    let mut embedder = manifest("face_embed_512");
    let first = embedder.remove("architecture").unwrap()["aarch64"].clone();
    for key in ["file", "bytes", "sha256"] {
        embedder.insert(key.to_owned(), first[key].clone());
    }
    std::fs::write(folder.path().join("face_embed_512.toml"), embedder.to_string()).unwrap();
    let file = first["file"].as_str().unwrap();
    symlink(cache().join("models").join(file), folder.path().join(file)).unwrap();
    folder
}

/// A folder of these models, with a set of detector, embedder and these other roles.
fn set_of(models: &[&str], roles: &str) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let files = models.iter().flat_map(|model| [format!("{model}.toml"), format!("{model}.onnx")]);
    for file in files.chain(["onnxruntime".to_owned()]) {
        symlink(cache().join("models").join(&file), folder.path().join(file)).unwrap();
    }
    let sets = format!("[default]\ndetector = \"centerface\"\nembedder = \"face_embed_512\"\n{roles}");
    std::fs::write(folder.path().join("sets.toml"), sets).unwrap();
    folder
}

/// Detector and embedder, and the detector of objects, in ONNX Runtime alone, on as many threads as the device uses, in a process of their own: ONNX
/// Runtime allows a process one environment, and that is the analyzer's here.
struct BareProcess {
    process: Child,
    questions: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
}

impl BareProcess {
    fn start() -> Self {
        let mut program = Command::new(std::env::current_exe().unwrap());
        let mut process = program.arg(BARE).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let (questions, answers) = (process.stdin.take(), BufReader::new(process.stdout.take().unwrap()));
        Self { process, questions, answers }
    }

    /// The time that these networks take once: [`FACES`] or [`OBJECTS`].
    fn run(&mut self, networks: &str) -> Duration {
        writeln!(self.questions.as_ref().unwrap(), "{networks}").unwrap();
        let mut micros = String::new();
        self.answers.read_line(&mut micros).unwrap();
        Duration::from_micros(micros.trim().parse().unwrap())
    }
}

impl Drop for BareProcess {
    /// Who is asked nothing more ends.
    fn drop(&mut self) {
        drop(self.questions.take());
        self.process.wait().unwrap();
    }
}

/// Runs the networks that each line read names once, and prints the microseconds it took.
pub(crate) fn serve_bare() {
    let environment = bare::environment();
    let load = |network, shape| Bare::load(&environment, &bare::model(network), "input", shape, cores().min(2));
    let mut detector = load("centerface_int8", DETECTOR_INPUT);
    let mut embedder = load("face_embed_512", EMBEDDER_INPUT);
    let mut objects = load(OBJECTS, OBJECTS_INPUT);
    let mut run = |networks: &str| {
        if networks == OBJECTS {
            return objects.run();
        }
        detector.run();
        embedder.run();
    };
    run(FACES);
    run(OBJECTS);
    for networks in std::io::stdin().lines() {
        let networks = networks.unwrap();
        let start = Instant::now();
        run(&networks);
        println!("{}", start.elapsed().as_micros());
    }
}

/// What a camera's networks take in ONNX Runtime alone: the library, the networks as it holds them, and what
/// it works in. Each is asked once, as the device asks it.
pub(crate) fn bare_memory() -> Memory {
    let before = Memory::of(std::process::id());
    let environment = bare::environment();
    let networks = default_set().into_iter().map(|network| {
        let manifest = manifest(&network);
        let (tensor, shape) = question(&manifest);
        let mut bare = Bare::load(&environment, &bare::model(&network), &tensor, shape, cores().min(2));
        // Without rules nothing is searched for objects, and without enrolments no photo for faces.
        if network != OBJECTS && network != PHOTO_DETECTOR {
            bare.run();
        }
        bare
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
        (0, _) if input["layout"].as_str() == Some("squares") => CAMERA_SQUARES,
        (0, _) => CAMERA_INPUT,
        (width, height) if input["layout"].as_str() == Some("nhwc") => [1, height, width, channels],
        (width, height) => [1, channels, height, width],
    };
    (input["tensor"].as_str().unwrap().to_owned(), shape)
}

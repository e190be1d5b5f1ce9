//! How long networks take on OpenVINO and in the default build of ONNX Runtime, by turns, and what the start costs.
//!
//! `cargo bench --package vision --bench providers -- [ROUNDS]`. Needs `models/fetch.sh --runtime openvino`;
//! `POLYFACE_THREADS` sets the threads of a run. A process loads one library, so each has a process of its own.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a benchmark may die of what a test may die of")]

#[path = "../tests/with_models/support.rs"]
#[allow(dead_code, unreachable_pub, reason = "the tests use all of it")]
mod support;

use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Instant;

use ort::ep;
use ort::session::{Session, SessionInputValue};
use ort::value::TensorRef;
use vision::{Analyzer, Options, Provider};

use support::{cache, models};

/// Networks with their input. The smaller frame is a tile or a near camera's, the larger a whole camera frame.
const CASES: [(&str, [usize; 4]); 7] = [
    ("centerface", [1, 3, 384, 640]),
    ("centerface", [1, 3, 544, 960]),
    ("centerface_int8", [1, 192, 320, 12]),
    ("centerface_int8", [1, 272, 480, 12]),
    ("face_embed_512", [1, 3, 112, 112]),
    ("face_embed_512", [4, 3, 112, 112]),
    ("liveness_minifasnet", [1, 3, 128, 128]),
];
/// Runs of a network in a turn; the median counts.
const RUNS: usize = 15;
/// Turns of each provider, unless stated otherwise.
const ROUNDS: usize = 7;
/// Clock ticks of `/proc` per second.
const TICKS: f64 = 100.0;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["runs", provider] => serve_runs(provider),
        ["start", provider] => measure_start(provider),
        [] => compare(ROUNDS),
        [rounds] => compare(rounds.parse().unwrap()),
        _ => panic!("usage: providers [ROUNDS]"),
    }
}

fn threads() -> usize {
    std::env::var("POLYFACE_THREADS").ok().and_then(|threads| threads.parse().ok()).unwrap_or(2)
}

fn library(provider: &str) -> PathBuf {
    match provider {
        "openvino" => cache().join("onnxruntime-openvino/libonnxruntime.so"),
        _ => models().join("onnxruntime/libonnxruntime.so"),
    }
}

// ---- the parent -----------------------------------------------------------------------------------------------------

fn compare(rounds: usize) {
    compare_runs(rounds);
    for _ in 0..3 {
        for provider in ["cpu", "openvino"] {
            let output = child("start", provider).wait_with_output().unwrap();
            print!("{provider}: {}", String::from_utf8(output.stdout).unwrap());
        }
    }
}

fn compare_runs(rounds: usize) {
    let mut providers = ["cpu", "openvino"].map(|provider| Turns::of(child("runs", provider)));
    println!("network, input: ms on cpu, on openvino, ratio (least to most); processor ms on cpu, on openvino");
    for (case, (name, shape)) in CASES.iter().enumerate() {
        let mut turns: Vec<[(f64, f64); 2]> = Vec::new();
        for _ in 0..rounds {
            turns.push([providers[0].take(case), providers[1].take(case)]);
        }
        let of = |provider: usize| turns.iter().map(move |turn| turn[provider]);
        let [cpu, openvino] = [0, 1].map(|provider| median(of(provider).map(|(wall, _)| wall).collect()));
        let busy = [0, 1].map(|provider| of(provider).map(|(_, busy)| busy).sum::<f64>() / rounds as f64);
        let mut ratios: Vec<f64> = turns.iter().map(|[cpu, openvino]| openvino.0 / cpu.0).collect();
        ratios.sort_by(f64::total_cmp);
        let (least, most) = (ratios[0], ratios[rounds - 1]);
        let ratio = median(ratios);
        println!(
            "{name} {shape:?}: {cpu:.1} {openvino:.1} {ratio:.2} ({least:.2} to {most:.2}); {:.1} {:.1}",
            busy[0], busy[1]
        );
    }
}

fn child(what: &str, provider: &str) -> Child {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args([what, provider]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap()
}

/// A process that runs networks when it is told to.
struct Turns {
    child: Child,
    answers: std::io::Lines<BufReader<std::process::ChildStdout>>,
}

impl Turns {
    fn of(mut child: Child) -> Self {
        let answers = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { child, answers }
    }

    /// Milliseconds of a run and of the processor for it.
    fn take(&mut self, case: usize) -> (f64, f64) {
        writeln!(self.child.stdin.as_ref().unwrap(), "{case}").unwrap();
        let line = self.answers.next().unwrap().unwrap();
        let (wall, busy) = line.split_once(' ').unwrap();
        (wall.parse().unwrap(), busy.parse().unwrap())
    }
}

impl Drop for Turns {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        let _ = self.child.wait();
    }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

// ---- the children ---------------------------------------------------------------------------------------------------

/// Loads all networks as the analyzer does and runs those that the lines of the standard input name.
fn serve_runs(provider: &str) {
    let environment = ort::init_from(library(provider)).unwrap().build().unwrap();
    let session = |name: &str| {
        let builder = Session::builder(&environment).unwrap().with_intra_threads(threads()).unwrap();
        let builder = builder.with_intra_op_spinning(false).unwrap().with_memory_pattern(false).unwrap();
        let mut builder = builder.with_flush_to_zero().unwrap();
        if provider == "openvino" {
            let openvino = ep::OpenVINO::default().with_device_type("CPU").with_precision("FP32");
            let openvino = openvino.with_num_threads(threads()).build().error_on_failure();
            builder = builder.with_execution_providers([openvino]).unwrap();
        }
        builder.commit_from_file(models().join(format!("{name}.onnx"))).unwrap()
    };
    let mut sessions = CASES.map(|(name, _)| session(name));
    for line in std::io::stdin().lines() {
        let case: usize = line.unwrap().parse().unwrap();
        let (wall, busy) = measure_runs(&mut sessions[case], CASES[case].1);
        println!("{wall} {busy}");
    }
}

fn measure_runs(session: &mut Session, shape: [usize; 4]) -> (f64, f64) {
    let bytes: Vec<u8> = (0..shape.iter().product()).map(|i: usize| (i % 251) as u8).collect();
    let floats: Vec<f32> = bytes.iter().map(|byte| f32::from(*byte) / 125.0 - 1.0).collect();
    let tensor = session.inputs()[0].name().to_owned();
    // The layout of 8-bit networks has the channels of four pixels last.
    let is_bytes = shape[3] == 12;
    let mut run = || {
        let input: SessionInputValue<'_> = if is_bytes {
            TensorRef::from_array_view((shape, bytes.as_slice())).unwrap().into()
        } else {
            TensorRef::from_array_view((shape, floats.as_slice())).unwrap().into()
        };
        let start = Instant::now();
        session.run(ort::inputs![tensor.as_str() => input]).unwrap();
        start.elapsed().as_secs_f64() * 1000.0
    };
    // The first run of a size allocates, and compiles on OpenVINO.
    run();
    let before = processor_ms();
    let times = (0..RUNS).map(|_| run()).collect();
    (median(times), (processor_ms() - before) / RUNS as f64)
}

/// Processor time of this process so far, milliseconds.
fn processor_ms() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let fields: Vec<&str> = stat.rsplit_once(')').unwrap().1.split_whitespace().collect();
    let ticks: f64 = fields[11..13].iter().map(|ticks| ticks.parse::<f64>().unwrap()).sum();
    ticks * 1000.0 / TICKS
}

/// Opens the default set and lets it test itself, as at the daemon's start.
fn measure_start(provider: &str) {
    let start = Instant::now();
    let options = Options {
        runtime_library: Some(library(provider)),
        provider: Provider::Auto,
        threads: threads(),
        liveness: true,
        ..Options::new(models())
    };
    let analyzer = Analyzer::open(options).unwrap();
    let opened = start.elapsed();
    tokio::runtime::Runtime::new().unwrap().block_on(analyzer.self_test()).unwrap();
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let resident = status.lines().filter(|line| line.starts_with("VmRSS") || line.starts_with("RssAnon"));
    let resident: Vec<String> = resident.map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
    println!(
        "{} opened in {opened:.2?}, tested in {:.2?}, {}",
        analyzer.provider(),
        start.elapsed() - opened,
        resident.join(", ")
    );
}

//! The accelerator path on an execution provider other than the CPU's: OpenVINO's build of ONNX Runtime, which computes
//! on the processor of any x86-64 machine. A process loads only one such library, so these tests have a program of
//! their own. Needs the files of `models/fetch.sh --photos`.

#![cfg(target_arch = "x86_64")]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests panic like tests do")]

mod agreement;
mod fall_back;
mod placement;
#[path = "../with_models/support.rs"]
#[allow(dead_code, reason = "other tests use the rest")]
mod support;

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use vision::{Analyzer, Options, Provider};

/// The daemon's, for the whole process. OpenVINO aborts such a process unless hwloc is loaded before.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Longest time for a child process. It needs a few seconds; one that hangs is what the tests are to find.
const DEADLINE: Duration = Duration::from_secs(180);

/// The folder of the library built with OpenVINO.
fn runtime() -> PathBuf {
    support::existing(support::cache().join("onnxruntime-openvino"), "libonnxruntime.so")
}

/// All networks of the default set, on the provider that this library and these options select.
fn options(runtime: &Path) -> Options {
    let library = Some(runtime.join("libonnxruntime.so"));
    Options { runtime_library: library, liveness: true, ..Options::new(support::models()) }
}

fn open(provider: Provider) -> Analyzer {
    Analyzer::open(Options { provider, ..options(&runtime()) }).unwrap()
}

/// Runs an ignored test of this program in a process of its own; returns what it prints.
fn run_apart(test: &str, folder: &Path) -> String {
    let output = tempfile::NamedTempFile::new().unwrap();
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", test, "--ignored", "--nocapture"])
        .env(FOLDER, folder)
        .stdout(output.reopen().unwrap())
        .stderr(Stdio::inherit())
        .spawn()
        .unwrap();
    let started = Instant::now();
    let status = loop {
        if let Some(status) = child.try_wait().unwrap() {
            break status;
        }
        if started.elapsed() > DEADLINE {
            child.kill().unwrap();
            child.wait().unwrap();
            panic!("{test} hangs: {}", std::fs::read_to_string(output.path()).unwrap());
        }
        std::thread::sleep(Duration::from_millis(20));
    };
    let printed = std::fs::read_to_string(output.path()).unwrap();
    assert!(status.success(), "{test} ended with {status}: {printed}");
    printed
}

/// The environment variable that names the library's folder to a child process.
const FOLDER: &str = "POLYFACE_TEST_RUNTIME";

/// In a child process: the library's folder.
fn given_runtime() -> PathBuf {
    std::env::var_os(FOLDER).unwrap().into()
}

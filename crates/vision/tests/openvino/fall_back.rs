//! The CPU takes over when OpenVINO cannot be used.

use std::fs;
use std::path::Path;

use domain::ports::{FaceAnalyzer, Lane, Search};
use tempfile::TempDir;
use vision::{Analyzer, OpenVinoDevice, Options, Provider, Role};

use crate::support::photo;
use crate::{given_runtime, options, run_apart, runtime};

/// The files without which OpenVINO does not compute, beside ONNX Runtime itself.
const NEEDED: [&str; 5] = [
    "libonnxruntime_providers_openvino.so",
    "libonnxruntime_providers_shared.so",
    "libopenvino.so.2541",
    "libopenvino_intel_cpu_plugin.so",
    "libopenvino_onnx_frontend.so.2541",
];
/// Used only where OpenCV is built without it: the loader takes the library of this name that is there first.
const SHARED_WITH_OPENCV: &str = "libtbb.so.12";

#[test]
fn the_files_are_all_that_is_fetched() {
    let files = fs::read_dir(runtime()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut files: Vec<String> =
        files.filter(|file| file != "libonnxruntime.so" && file != SHARED_WITH_OPENCV).collect();
    files.sort();
    assert_eq!(files, NEEDED);
}

#[test]
fn without_one_of_its_files_the_processor_is_used() {
    for file in NEEDED {
        let printed = run_apart("fall_back::working_with_what_is_there", without(file).path());
        assert!(printed.contains("runs on cpu in place of Some(OpenVino)"), "without {file}: {printed}");
        assert!(printed.contains("failed to load models on the accelerator"), "without {file}: {printed}");
        let because = printed.lines().find(|line| line.starts_with("because")).expect("a reason");
        assert!(because.contains(file) || because.contains("Device CPU is not available"), "without {file}: {because}");
    }
}

/// OpenVINO rounds the sums of 8-bit networks elsewhere than ONNX Runtime. Where that gives other results than those in
/// the manifest, as on the processors tried, camera frames are searched in 32 bits.
#[test]
fn the_detector_in_8_bits_is_exact_or_reported_and_not_used() {
    let printed = run_apart("fall_back::working_with_what_is_there", &runtime());
    assert!(printed.contains("runs on openvino in place of None"), "{printed}");
    let reported = printed.contains("live detector not used");
    let detectors = if reported { "centerface" } else { "centerface, centerface_int8" };
    assert!(printed.contains(&format!("searches with {detectors}\n")), "{printed}");
}

#[tokio::test]
async fn a_device_that_is_not_there_is_replaced_by_the_processor() {
    let wanted = Options { provider: Provider::OpenVino, openvino_device: OpenVinoDevice::Gpu, ..options(&runtime()) };
    let analyzer = Analyzer::open(wanted).unwrap();
    assert_eq!(analyzer.provider(), Provider::Cpu);
    let fall_back = analyzer.fallen_back().expect("a reason");
    assert_eq!(fall_back.from, Provider::OpenVino);
    assert!(fall_back.why.contains("GPU is not available"), "{}", fall_back.why);
    assert_eq!(analyzer.self_test().await, Ok(()));
}

/// Not a test: the process that the tests above start, because a library once loaded stays.
#[tokio::test]
#[ignore = "started by the tests beside it"]
async fn working_with_what_is_there() {
    tracing_subscriber::fmt().with_ansi(false).init();
    let analyzer = Analyzer::open(options(&given_runtime())).unwrap();
    println!("runs on {} in place of {:?}", analyzer.provider(), analyzer.fallen_back().map(|lost| lost.from));
    println!("because {:?}", analyzer.fallen_back().map(|lost| &lost.why));
    let detectors = analyzer.models().iter().filter(|model| model.role == Role::Detector);
    println!("searches with {}", detectors.map(|model| model.name.as_str()).collect::<Vec<_>>().join(", "));
    assert_eq!(analyzer.self_test().await, Ok(()));
    let frame = photo(&analyzer, "Eileen_Collins/astronaut.png").await;
    assert_eq!(analyzer.detect(frame, Search::ANYWHERE, Lane::Live).await.unwrap().len(), 1);
}

/// A copy of the library's folder without this file. OpenVINO would follow symbolic links to the folder that has it.
fn without(missing: &str) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for entry in fs::read_dir(runtime()).unwrap().map(Result::unwrap).filter(|entry| entry.file_name() != missing) {
        let copy = folder.path().join(entry.file_name());
        link_or_copy(&entry.path(), &copy);
    }
    folder
}

/// Links saves copying 130 MB, where both folders are on one file system.
fn link_or_copy(from: &Path, to: &Path) {
    fs::hard_link(from, to).or_else(|_| fs::copy(from, to).map(drop)).unwrap();
}

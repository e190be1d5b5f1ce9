//! Which part of each network OpenVINO computes. ONNX Runtime's own kernels silently take what a provider does not
//! support.

use std::path::Path;

use ort::ep;
use ort::session::Session;

use crate::support::models;
use crate::{given_runtime, run_apart, runtime};

#[test]
fn openvino_computes_every_node_of_every_network() {
    let printed = run_apart("placement::loading_without_kernels_of_onnx_runtime", &runtime());
    assert_eq!(printed.matches("all of ").count(), networks().count(), "{printed}");
}

/// Not a test: the process that the test above starts, because a process has one environment and the analyzer's is not
/// public.
#[test]
#[ignore = "started by the test beside it"]
fn loading_without_kernels_of_onnx_runtime() {
    // As the analyzer does: see `Provider::prepare`.
    let _ = ort::util::preload_dylib("libhwloc.so.15");
    let library = given_runtime().join("libonnxruntime.so");
    let environment = ort::init_from(library).unwrap().build().unwrap();
    for network in networks() {
        let provider = ep::OpenVINO::default().with_device_type("CPU").build().error_on_failure();
        let builder = Session::builder(&environment).unwrap().with_execution_providers([provider]).unwrap();
        let mut builder = builder.with_disable_cpu_fallback().unwrap();
        builder.commit_from_file(models().join(&network)).unwrap();
        println!("all of {network}");
    }
}

/// The files of all networks.
fn networks() -> impl Iterator<Item = String> {
    let files = std::fs::read_dir(models()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    files.filter(|file| Path::new(file).extension().is_some_and(|extension| extension == "onnx"))
}

//! The device reports to nobody that its owner did not name: ONNX Runtime would, unless it is told not to.

use polyface_tests::Device;

#[tokio::test(flavor = "multi_thread")]
async fn the_daemon_runs_with_the_telemetry_of_onnx_runtime_switched_off() {
    let device = Device::start().await;
    let environment = std::fs::read(format!("/proc/{}/environ", device.pid())).unwrap();
    assert!(environment.split(|byte| *byte == 0).any(|variable| variable == b"ORT_DISABLE_TELEMETRY=1"));
}

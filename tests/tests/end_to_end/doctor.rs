//! `polyfaced doctor` finds what an installer has to correct.

use std::process::Output;

use polyface_tests::Device;
use serde_json::Value;

fn checks(output: &Output) -> Vec<Value> {
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["healthy"], output.status.success());
    report["checks"].as_array().unwrap().clone()
}

fn states<'a>(checks: &'a [Value], check: &str) -> Vec<&'a str> {
    checks.iter().filter(|found| found["check"] == check).map(|found| found["state"].as_str().unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_running_device_is_examined() {
    let device = Device::start().await;
    let output = device.command(&["doctor", "--json"], "");
    let found = checks(&output);
    for check in ["configuration", "models", "storage", "daemon"] {
        assert!(states(&found, check).contains(&"ok"), "{check}: {found:?}");
    }
    // The test's key lies beside the storage.
    assert_eq!(states(&found, "storage key"), ["ok", "warning"]);
    assert_eq!(states(&found, "camera"), [""; 0]);
    let lines = device.command(&["doctor"], "").stdout;
    assert_eq!(String::from_utf8(lines).unwrap().lines().count(), found.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_camera_that_does_not_answer_and_a_broken_storage_are_problems() {
    let mut device = Device::start().await;
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    device.log_in().await.add_camera("gate", &format!("rtsp://{closed}/a"), 1).await;
    let found = checks(&device.command(&["doctor", "--json"], ""));
    assert_eq!(states(&found, "camera"), ["problem"]);
    let camera = found.iter().find(|found| found["check"] == "camera").unwrap();
    assert!(camera["found"].as_str().unwrap().contains("gate") && camera["remedy"].is_string(), "{camera}");

    device.terminate();
    std::fs::write(device.storage().with_added_extension("key"), "5a".repeat(32)).unwrap();
    let output = device.command(&["doctor"], "");
    let lines = String::from_utf8(output.stdout).unwrap();
    assert!(!output.status.success());
    assert!(lines.lines().any(|line| line.starts_with("problem  storage key: ")), "{lines}");
    assert!(lines.lines().any(|line| line.starts_with("warning  daemon: it is not running")), "{lines}");
}

#[tokio::test(flavor = "multi_thread")]
async fn mistakes_of_the_configuration_are_listed_and_the_rest_is_examined() {
    let device = Device::start().await;
    device.reconfigure("[device]", "[device]\nchannels = 12");
    let found = checks(&device.command(&["doctor", "--json"], ""));
    assert_eq!(states(&found, "configuration"), ["problem"]);
    assert!(states(&found, "daemon").contains(&"ok"), "{found:?}");
}

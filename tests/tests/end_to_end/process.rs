//! The life of the process: health, the storage's lock, passwords.

use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Stdio};

use polyface_tests::{ADMIN_PASSWORD, Device, SenseTime, polyfaced};
use serde_json::{Value, json};

#[tokio::test(flavor = "multi_thread")]
async fn health_and_metrics_are_told_without_a_login() {
    let device = Device::start().await;
    let console = device.listener("console");
    let health: Value = reqwest::get(format!("http://{console}/healthz")).await.unwrap().json().await.unwrap();
    assert_eq!(health["status"], "ok");
    let metrics = reqwest::get(format!("http://{console}/metrics")).await.unwrap().text().await.unwrap();
    assert!(metrics.contains("# TYPE "), "{metrics}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_daemon_on_the_same_storage_is_refused() {
    let device = Device::start().await;
    let output = Command::new(polyfaced()).args(["run", "--config"]).arg(device.config()).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(told.contains(&format!("in use by process {}", device.pid())), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn check_finds_nothing_wrong_with_a_running_device() {
    let device = Device::start().await;
    let output = Command::new(polyfaced()).args(["check", "--config"]).arg(device.config()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[tokio::test(flavor = "multi_thread")]
async fn passwd_changes_the_password_of_a_running_device() {
    let device = Device::start().await;
    let mut passwd = Command::new(polyfaced());
    passwd.args(["passwd", "--config"]).arg(device.config()).arg("admin").stdin(Stdio::piped());
    let mut child = passwd.spawn().unwrap();
    child.stdin.take().unwrap().write_all(b"Other_5678\n").unwrap();
    assert!(child.wait().unwrap().success());

    SenseTime::log_in(device.listener("sensetime"), "admin", "Other_5678").await;
    let old = json!({"msg_id": "257", "user_name": "admin", "user_pwd": ADMIN_PASSWORD});
    assert_eq!(device.anonymous().call(old).await.code, -113);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_configured_password_one_is_made_and_written_once() {
    let device = Device::start_without_password().await;
    let file = device.storage().join("initial-password");
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    let password = std::fs::read_to_string(&file).unwrap();
    SenseTime::log_in(device.listener("sensetime"), "admin", password.trim()).await;
    assert!(!device.log().contains(password.trim()));
}

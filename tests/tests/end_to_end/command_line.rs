//! The command line, the configuration and the life of the process.

use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Output, Stdio};

use polyface_tests::{ADMIN_PASSWORD, Device, SenseTime, polyfaced};
use serde_json::{Value, json};

fn check(text: &str) -> Output {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("polyface.toml");
    std::fs::write(&file, text).unwrap();
    Command::new(polyfaced()).args(["check", "--config"]).arg(file).output().unwrap()
}

#[test]
fn check_accepts_the_documented_file_and_tells_every_problem_of_another() {
    let documented = include_str!("../../../config/polyface.toml");
    assert!(check(documented).status.success());
    let output = check("[console]\nlisen = \"127.0.0.1:1\"\n[vision]\ndetect_every_ms = 1\n");
    assert_eq!(output.status.code(), Some(1));
    let problems = String::from_utf8(output.stderr).unwrap();
    assert_eq!(problems.lines().count(), 2, "{problems}");
    assert!(problems.contains("did you mean console.listen?"), "{problems}");
}

#[test]
fn version_is_printed() {
    let output = Command::new(polyfaced()).arg("version").output().unwrap();
    assert!(String::from_utf8(output.stdout).unwrap().starts_with("polyfaced 0."));
}

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

//! What a platform sets of the device itself, and what is left of it after a power cut.

use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

use polyface_tests::{ADMIN_PASSWORD, Device, eventually_within};
use reqwest::multipart::{Form, Part};
use serde_json::{Value, json};

/// Where the platform reaches the device over HTTPS, once it is told.
async fn https(device: &Device) -> SocketAddr {
    let told = device.storage().join("run/listeners.json");
    eventually_within(Duration::from_secs(20), "the device listens for HTTPS", async || {
        let told: Value = serde_json::from_slice(&std::fs::read(&told).ok()?).ok()?;
        told["sensetime-https"].as_str()?.parse().ok()
    })
    .await
}

/// A login and one call over HTTPS; the answer's data.
async fn ask_securely(address: SocketAddr, msg_id: &str) -> Value {
    let client = reqwest::Client::builder().tls_danger_accept_invalid_certs(true).build().unwrap();
    let url = format!("https://{address}/api/json");
    let login = json!({"msg_id": "257", "user_name": "admin", "user_pwd": ADMIN_PASSWORD});
    let session: Value = client.post(&url).json(&login).send().await.unwrap().json().await.unwrap();
    let session = session["data"].as_str().unwrap();
    let call = client.post(&url).header("sessionid", session).json(&json!({"msg_id": msg_id}));
    let answer: Value = call.send().await.unwrap().json().await.unwrap();
    assert_eq!(answer["code"], 0, "{answer}");
    answer["data"].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_device_switched_to_https_stays_so_over_a_power_cut() {
    let mut device = Device::start().await;
    let client = device.log_in().await;
    let key = rcgen::KeyPair::generate().unwrap();
    let certificate = rcgen::CertificateParams::new(["device".to_owned()]).unwrap().self_signed(&key).unwrap();
    for (kind, file) in [("crt", certificate.pem()), ("key", key.serialize_pem())] {
        let file = Part::bytes(file.into_bytes()).file_name(format!("server.{kind}"));
        let form = Form::new().text("msg_id", "1302").text("file_type", kind).part("file", file);
        let answer: Value = client.post("/api/form").multipart(form).send().await.unwrap().json().await.unwrap();
        assert_eq!(answer["code"], 0, "{answer}");
    }
    let kept = std::fs::metadata(device.storage().join("tls/sensetime/key.pem")).unwrap();
    assert_eq!(kept.permissions().mode() & 0o777, 0o600);
    client.call(json!({"msg_id": "1305", "prot_mode": "https"})).await.ok();
    for round in ["switched", "restarted"] {
        assert_eq!(ask_securely(https(&device).await, "1306").await, json!({"https_stat": "https"}), "{round}");
        let clear = device.anonymous().post("/api/json").json(&json!({"msg_id": "1306"})).send().await.unwrap();
        assert_eq!(clear.status(), 403, "{round}");
        device.kill();
        device.restart().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_management_page_and_the_machine_obey_the_platform() {
    let mut device = Device::start().await;
    let client = device.log_in().await;
    client.call(json!({"msg_id": "1316"})).await.ok();
    client.call(json!({"msg_id": "1287", "storage_strategy": 2})).await.ok();
    client.call(json!({"msg_id": "1282", "sys_time": "2026-01-14 12:23:45", "time_zone": "GMT+05:30"})).await.ok();
    assert!(device.log().contains("recorded, not done"), "the machine itself is left alone");
    device.kill();
    device.restart().await;
    let page = async |device: &Device| {
        reqwest::get(format!("http://{}/login", device.listener("console"))).await.unwrap().status().as_u16()
    };
    assert_eq!((page(&device).await, device.health().await.unwrap().0), (403, 200));
    let client = device.log_in().await;
    assert_eq!(client.call(json!({"msg_id": "1288"})).await.ok()["storage_strategy"], 2);
    assert_eq!(client.call(json!({"msg_id": "1283"})).await.ok()["time_zone"], "GMT+05:30");
    assert!(client.call(json!({"msg_id": "1314"})).await.ok()["total_memory"].as_u64().unwrap() > 1 << 28);
    client.call(json!({"msg_id": "1317"})).await.ok();
    assert_eq!(page(&device).await, 200);
    assert_eq!(client.call(json!({"msg_id": "1283"})).await.ok()["time_zone"], "GMT+00:00");
    client.call(json!({"msg_id": "1294"})).await.ok();
    assert_eq!(client.call(json!({"msg_id": "1281"})).await.code, -141, "all sessions end");
}

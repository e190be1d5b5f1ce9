//! The device itself (chapter 9) and its software (chapter 10).

use std::collections::BTreeMap;
use std::io::Cursor;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use domain::Options;
use domain::upgrades::{self, Fitness, Terms};
use minisign::KeyPair;
use reqwest::multipart::{Form, Part};
use serde_json::{Value, json};
use testkit::contract::Ledger;
use testkit::{Act, until};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use crate::device::{Device, full};

const UPGRADE: &str = "/upgrade";
const STATUS: &str = "/upgrade/status";

pub(crate) async fn the_device_presents_itself(ledger: &Arc<Ledger>) {
    let device = Device::start(ledger).await;
    let about = device.ok("/device/get", json!({})).await;
    assert_eq!((&about["device_name"], &about["device_code"]), (&json!("polyface"), &json!(1)));
    assert_eq!(about["serial_number"], "PF0001");
    let update = json!({"device_name": "ECS-B501@8HA-SF", "device_code": "255", "custom_code": "c"});
    device.ok("/device/update", update).await;
    device.ok("/device/update", json!({"device_name": "other", "device_code": 7})).await;
    let device = device.restart().await;
    let about = device.ok("/device/get", json!({})).await;
    let told = ["device_name", "device_code", "custom_code"].map(|field| about[field].clone());
    assert_eq!(told, [json!("other"), json!(7), json!("c")]);
    for bad in [
        json!({"device_code": 1}),
        json!({"device_name": "a"}),
        json!({"device_name": "", "device_code": 1}),
        json!({"device_name": "x".repeat(65), "device_code": 1}),
        json!({"device_name": "a", "device_code": 0}),
        json!({"device_name": "a", "device_code": 256}),
        json!({"device_name": "a", "device_code": 1, "custom_code": "x".repeat(65)}),
    ] {
        device.refused("/device/update", bad, 2).await;
    }
    assert_eq!(device.ok("/device/get", json!({})).await, about);
    device.stop().await;
}

pub(crate) async fn a_device_that_cannot_be_read_or_set_says_so(ledger: &Arc<Ledger>) {
    let device = Device::start(ledger).await;
    let update = json!({"device_name": "box", "device_code": 7});
    device.ok("/device/update", update.clone()).await;
    device.handles.store.break_down(true);
    device.refused("/device/update", json!({"device_name": "other", "device_code": 8}), 1801).await;
    device.handles.store.break_down(false);
    assert_eq!(device.ok("/device/get", json!({})).await["device_name"], "box");
    device.appliance.state("uniview").set_value("device", Some("garbled".to_owned())).await.unwrap();
    device.refused("/device/get", json!({}), 1800).await;
    device.refused("/device/update", update, 1801).await;
    device.stop().await;
}

/// Sends a package as a stream: a digest client must be challenged before.
async fn upload(device: &Device, part: &'static str, package: &[u8]) -> Value {
    device.ok("/device/get", json!({})).await;
    let form = Form::new().part(part, Part::bytes(package.to_vec()).file_name("package.bin"));
    let proof = device.admin().answer(&reqwest::Method::POST, &full(UPGRADE)).await.unwrap();
    let request = device.client().post(device.url(&full(UPGRADE))).header("authorization", proof).multipart(form);
    request.send().await.unwrap().json().await.unwrap()
}

async fn status(device: &Device) -> Value {
    let request = device.client().post(device.url(&full(STATUS)));
    let request = request.header("content-type", "application/x-www-form-urlencoded");
    device.send_as(device.admin(), request).await.json().await.unwrap()
}

pub(crate) async fn a_signed_package_is_installed_and_anything_else_is_not(ledger: &Arc<Ledger>) {
    let keys = KeyPair::generate_unencrypted_keypair().unwrap();
    let uploads = tempfile::tempdir().unwrap();
    let options =
        Options { upgrade_key: Some(keys.pk.to_base64()), uploads: uploads.path().to_owned(), ..testkit::options() };
    let device = Device::start_as(ledger, options).await;
    device.note_refusal(STATUS, &status(&device).await, 1906, &json!({}));
    let signed = |comment| {
        let signature = minisign::sign(None, &keys.sk, Cursor::new(b"new software"), Some(comment), None).unwrap();
        [b"new software", signature.into_string().as_bytes()].concat()
    };
    let package = signed("polyface 99.0.0");
    for (comment, code) in [("polyface 0.0.1", 1902), ("another 99.0.0", 1903)] {
        device.note_refusal(UPGRADE, &upload(&device, "file", &signed(comment)).await, code, &json!({}));
    }
    device.note_refusal(UPGRADE, &upload(&device, "file", b"new software").await, 1905, &json!({}));
    assert_eq!(device.note_success(STATUS, status(&device).await), json!({"status": 4}));
    device.note_refusal(UPGRADE, &upload(&device, "other", &package).await, 2, &json!({}));
    device.note_refusal(UPGRADE, &upload(&device, "file", b"").await, 2, &json!({}));
    device.refused(UPGRADE, json!({}), 2).await;
    let damaged = [b"new softwore", &package[12..]].concat();
    device.note_refusal(UPGRADE, &upload(&device, "file", &damaged).await, 1901, &json!({}));
    device.handles.host.fail_to_install(true);
    device.note_refusal(UPGRADE, &upload(&device, "file", &package).await, 1900, &json!({}));
    device.handles.host.fail_to_install(false);
    device.handles.host.forbid(true);
    device.note_refusal(UPGRADE, &upload(&device, "file", &package).await, 1904, &json!({}));
    device.handles.host.forbid(false);
    assert!(!device.handles.host.acts().iter().any(|act| matches!(act, Act::Install(_))));
    device.note_success(UPGRADE, upload(&device, "file", &package).await);
    assert!(device.handles.host.acts().contains(&Act::Install(b"new software".to_vec())));
    assert_eq!(std::fs::read_dir(uploads.path()).unwrap().count(), 0);
    assert!(device.handles.host.acts().ends_with(&[Act::Restart]));
    assert_eq!(device.note_success(STATUS, status(&device).await), json!({"status": 2}));
    let mut device = device.restart().await;
    assert_eq!(device.note_success(STATUS, status(&device).await), json!({"status": 2}), "it is on trial");
    device.run(|appliance, cancel| upgrades::run(appliance, Arc::new(Fit), TERMS, cancel));
    until("the new version is kept", async || status(&device).await["data"]["status"] == 3).await;
    device.stop().await;
}

/// How long the new version is on trial.
const TERMS: Terms = Terms { settle: Duration::from_millis(50), limit: Duration::from_secs(30) };

/// A device that is well.
struct Fit;

#[async_trait]
impl Fitness for Fit {
    fn failing(&self) -> BTreeMap<String, String> {
        BTreeMap::new()
    }

    async fn recognises(&self) -> Result<(), String> {
        Ok(())
    }
}

pub(crate) async fn one_upgrade_runs_at_a_time(ledger: &Arc<Ledger>) {
    let uploads = tempfile::tempdir().unwrap();
    let device = Device::start_as(ledger, Options { uploads: uploads.path().to_owned(), ..testkit::options() }).await;
    device.ok("/device/get", json!({})).await;
    let proof = device.admin().answer(&reqwest::Method::POST, &full(UPGRADE)).await.unwrap();
    let mut slow = TcpStream::connect(device.address()).await.unwrap();
    let head = format!(
        "POST {} HTTP/1.1\r\nhost: box\r\nauthorization: {proof}\r\ncontent-length: 1000\r\n\
         content-type: multipart/form-data; boundary=b\r\n\r\n--b\r\n",
        full(UPGRADE)
    );
    slow.write_all(head.as_bytes()).await.unwrap();
    until("the upload has begun", async || status(&device).await["data"]["status"] == 1).await;
    device.note_refusal(UPGRADE, &upload(&device, "file", b"software").await, 6, &json!({}));
    drop(slow);
    until("it has failed", async || status(&device).await["data"]["status"] == 4).await;
    device.note_refusal(UPGRADE, &upload(&device, "file", b"software").await, 1905, &json!({}));
    device.stop().await;
}

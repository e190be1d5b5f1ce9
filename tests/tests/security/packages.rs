//! A software package is installed only when what is signed names this product and a version above the one that runs.

use std::io::Cursor;

use minisign::KeyPair;
use polyface_tests::{Device, SenseTime, eventually};
use reqwest::multipart::{Form, Part};
use serde_json::Value;

const INSTALLED: &str = "host.act=\"install\"";

fn signed(comment: &str, keys: &KeyPair) -> Vec<u8> {
    let signature = minisign::sign(None, &keys.sk, Cursor::new(b"software"), Some(comment), None).unwrap();
    [b"software", signature.into_string().as_bytes()].concat()
}

async fn upgrade(client: &SenseTime, package: Vec<u8>) -> (i64, String) {
    let form = Form::new().text("msg_id", "1292").part("file", Part::bytes(package).file_name("package"));
    let answer: Value = client.post("/api/form").multipart(form).send().await.unwrap().json().await.unwrap();
    (answer["code"].as_i64().unwrap(), answer["msg"].as_str().unwrap().to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn only_a_newer_version_of_this_product_is_installed() {
    let keys = KeyPair::generate_unencrypted_keypair().unwrap();
    let key = format!("[host]\nupgrade_key = {:?}", keys.pk.to_base64());
    let mut device = Device::start_changed(|text| text.replace("[host]", &key)).await;
    let running = env!("CARGO_PKG_VERSION");
    let client = device.log_in().await;
    let mut forged = signed("polyface 0.0.1", &keys);
    let version = forged.windows(5).rposition(|part| part == b"0.0.1").unwrap();
    forged[version] = b'9';
    for (package, why) in [
        (signed("polyface 0.0.1", &keys), "is not above"),
        (signed(&format!("polyface {running}"), &keys), "is not above"),
        (signed("another 9.0.0", &keys), "polyface VERSION"),
        (signed("timestamp:1764380000\tfile:image", &keys), "polyface VERSION"),
        (forged, "it is not what was signed"),
    ] {
        let (code, text) = upgrade(&client, package).await;
        assert_eq!(code, -3603, "{text}");
        assert!(text.contains(why), "{text} should say {why}");
    }
    assert!(!device.log().contains(INSTALLED));
    device.reconfigure("[host]", "[host]\nallow_downgrade = true\nkeep_after_s = 1");
    device.restart().await;
    let (_, health) = device.health().await.unwrap();
    assert!(health["attention"].to_string().contains("host.allow_downgrade"), "{health}");
    assert_eq!(upgrade(&device.log_in().await, signed("polyface 0.0.1", &keys)).await.0, 0);
    let (code, text) = upgrade(&device.log_in().await, signed("polyface 99.0.0", &keys)).await;
    assert_eq!(code, -3603, "another one waits for its restart: {text}");
    device.restart().await;
    let kept = async || (device.health().await?.1["upgrade"]["state"] == "succeeded").then_some(());
    eventually("the version is kept", kept).await;
    assert_eq!(upgrade(&device.log_in().await, signed("polyface 99.0.0", &keys)).await.0, 0);
    let log = device.log();
    assert_eq!(log.matches(INSTALLED).count(), 2, "{log}");
    assert!(log.contains("host.package_version=\"99.0.0\""), "{log}");
}

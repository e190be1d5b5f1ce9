//! Capture cameras that upload pictures by FTP.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use polyface_tests::{Device, cast};
use serde_json::{Value, json};
use testkit::ftp::FtpClient;

const PASSWORD: &str = "Camera-1";

async fn post(device: &Device, path: &str, body: Value) -> Value {
    let url = format!("http://{}{path}", device.listener("sophon"));
    let answer = reqwest::Client::new().post(url).json(&body).send().await.unwrap();
    let status = answer.status();
    let answer: Value = answer.json().await.unwrap();
    assert_eq!(status, 200, "{path}: {answer}");
    answer
}

#[tokio::test(flavor = "multi_thread")]
async fn an_uploaded_picture_is_recorded_once_and_leaves_no_file() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("password");
    std::fs::write(&file, PASSWORD).unwrap();
    let section = format!(
        "[sophon]\nenabled = true\nlisten = \"127.0.0.1:0\"\nftp = true\nftp_listen = \"127.0.0.1:0\"\n\
         ftp_user = \"linaro\"\nftp_password_file = {file:?}\nftp_passive_ports = \"0-0\"\n"
    );
    let mut device = Device::start_with_sections(&section).await;
    let (actor, stranger) = (&cast()[0], &cast()[1]);
    let photo = STANDARD.encode(std::fs::read(&actor.enrolled).unwrap());
    let person = json!({"identity_id": "1", "reg_photo": photo, "group_name": "default_group",
        "info": {"name": actor.name, "type": 1}});
    post(&device, "/SophonFogSys/api/users", person).await;
    let camera = json!({"device_type": "photo", "device_name": "entrance", "device_key": "127.0.0.1", "group_id": "1",
        "permission_id": "0"});
    post(&device, "/SophonDevice/api/Devices", json!({"devices_list": [camera]})).await;

    let mut ftp = FtpClient::logged_in(device.listener("sophon-ftp"), "linaro", PASSWORD).await;
    for picture in [&actor.seen, &stranger.seen] {
        let stored = ftp.store("a.jpg", &std::fs::read(picture).unwrap()).await;
        assert_eq!(stored.as_deref(), Some("226 taken"));
    }
    // An upload that a crash interrupts.
    let port = ftp.passive().await;
    assert!(ftp.say("STOR b.jpg").await.unwrap().starts_with("150"));
    let mut data = tokio::net::TcpStream::connect(port).await.unwrap();
    tokio::io::AsyncWriteExt::write_all(&mut data, b"\xff\xd8\xff half a picture").await.unwrap();
    device.kill();
    device.restart().await;

    let captures = device.log_in().await.captures().await;
    assert_eq!(captures.len(), 2, "{captures:?}");
    let uploads = std::fs::read_dir(device.storage().join("uploads")).unwrap();
    assert_eq!(uploads.count(), 0);
    let mut ftp = FtpClient::logged_in(device.listener("sophon-ftp"), "linaro", PASSWORD).await;
    assert_eq!(ftp.say("QUIT").await.as_deref(), Some("221 bye"));
    drop(data);
    tokio::time::timeout(Duration::from_secs(10), async { device.terminate() }).await.unwrap();
}

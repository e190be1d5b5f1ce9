//! No door opens by a face alone unless liveness is checked or the configuration accepts photos.

use polyface_tests::{Device, SenseTime, cast, eventually_within, hd};
use serde_json::{Value, json};
use std::time::Duration;
use testkit::clip::{Codec, Passages};
use testkit::rtsp::{RtspOptions, RtspServer};

const DEADLINE: Duration = Duration::from_secs(60);
/// How the log shows a relay that is switched on.
const OPENED: &str = "host.output=relay 127.0.0.1:5000 host.on=true";

async fn door_alarm(device: &Device, text: &str) {
    eventually_within(DEADLINE, text, async || {
        let (_, health) = device.health().await?;
        let attention: Vec<String> = serde_json::from_value(health["attention"].clone()).ok()?;
        attention
            .iter()
            .any(|line| line.starts_with("door relay 127.0.0.1:5000 of camera ") && line.contains(text))
            .then_some(())
    })
    .await;
}

/// A camera with a relay before which a known person passes again and again.
async fn with_door(client: &SenseTime, url: &str) {
    let actor = &cast()[0];
    let library = client.add_library("staff", 2).await;
    client.enrol(library, actor.name, actor.name, &std::fs::read(&actor.enrolled).unwrap()).await.ok();
    let channel = client.add_camera_in_mode("gate", url, library, 3).await;
    let relay: Value = json!({"msg_id": "1538", "camera_channel": channel, "dev_ip": "127.0.0.1", "dev_port": 5000});
    client.call(relay).await.ok();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_face_that_is_not_checked_for_life_opens_no_door() {
    let mut device = Device::start().await;
    let folder = device.storage().parent().unwrap().to_owned();
    let film = Passages::new(hd(Codec::H264), 1.0).one(cast()[0].name, &cast()[0].seen, 2.0);
    let film = film.render(&folder.join("film.mp4")).unwrap();
    let server = RtspServer::start(&[&film.file], &RtspOptions::default()).unwrap();
    with_door(&device.log_in().await, &server.url()).await;
    door_alarm(&device, "a face does not open it").await;
    eventually_within(DEADLINE, "the face is refused", async || {
        device.log().contains("face opened no door").then_some(())
    })
    .await;
    assert!(!device.log().contains(OPENED));

    device.reconfigure("[host]", "[door]\nphotos_open = true\n[host]");
    device.restart().await;
    door_alarm(&device, "a photo of a known person opens it").await;
    eventually_within(DEADLINE, "the door opens", async || device.log().contains(OPENED).then_some(())).await;
}

//! A camera's password leaves in clear only to cameras that the configuration lists, and never to another host than the
//! one it was given for.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use polyface_tests::bait::Bait;
use polyface_tests::{Device, eventually_within};
use serde_json::{Value, json};

/// Answers that ask for the password in clear.
const HTTP: &str = "HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic realm=\"cam\"\r\nContent-Length: 0\r\n\r\n";
const RTSP: &str = "RTSP/1.0 401 Unauthorized\r\nCSEQ\r\nWWW-Authenticate: Basic realm=\"cam\"\r\n\r\n";

/// A camera that delivers pictures over HTTP.
fn capture(bait: &Bait) -> Value {
    json!({"msg_id": "513", "camera_mode": "IMAGE", "camera_name": "capture", "threshold": 80,
        "ip": bait.address().ip().to_string(), "port": bait.address().port(),
        "camera_user": "admin", "camera_pwd": "secret"})
}

fn stream(bait: &Bait) -> Value {
    json!({"msg_id": "513", "camera_mode": "VIDEO", "protocol": "rtsp", "camera_name": "stream", "threshold": 80,
        "snap_mode": 1, "url": format!("rtsp://admin:secret@{}/live", bait.address())})
}

/// What the camera heard, once it was asked so often.
async fn heard(bait: &Bait, requests: usize) -> String {
    let said = async || {
        let heard: Vec<_> = bait.heard().into_iter().filter(|text| !text.is_empty()).collect();
        (heard.len() >= requests).then(|| heard.concat())
    };
    eventually_within(Duration::from_secs(30), "the camera is asked", said).await
}

fn basic(user: &str, password: &str) -> String {
    format!("basic {}", STANDARD.encode(format!("{user}:{password}"))).to_lowercase()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_password_goes_in_clear_only_where_that_is_allowed_and_to_no_other_host() {
    let at = |address: &str| format!("{address}:0").parse().unwrap();
    let (web, video, other) = tokio::join!(
        Bait::listen(at("127.0.0.1"), HTTP),
        Bait::listen(at("127.0.0.1"), RTSP),
        Bait::listen(at("127.0.0.2"), HTTP)
    );
    let mut device = Device::start().await;
    let client = device.log_in().await;
    let mut channels = Vec::new();
    for camera in [capture(&web), stream(&video)] {
        channels.push(client.call(camera).await.ok()["channel"].clone());
    }
    // Each is tried twice, and asks both times.
    for bait in [&web, &video] {
        let said = heard(bait, 2).await.to_lowercase();
        assert!(!said.contains("authorization"), "{said}");
    }
    eventually_within(Duration::from_secs(10), "the operator learns why", async || {
        (device.log().matches("video.clear_logins").count() >= 2).then_some(())
    })
    .await;

    // Where the owner lists the cameras they get it.
    device.reconfigure("[video]\n", "[video]\nclear_logins = [\"127.0.0.0/8\"]\n");
    device.restart().await;
    let client = device.log_in().await;
    let right = basic("admin", "secret");
    for bait in [&web, &video] {
        eventually_within(Duration::from_secs(30), "the camera gets the password", async || {
            bait.heard().concat().to_lowercase().contains(&right).then_some(())
        })
        .await;
    }

    // Somebody who does not know the password has the camera moved: the new host does not get it.
    let moved = json!({"msg_id": "515", "channel": channels[0], "ip": "127.0.0.2", "port": other.address().port()});
    client.call(moved).await.ok();
    let said = heard(&other, 2).await.to_lowercase();
    assert!(!said.contains(&right), "{said}");
    // Given again it goes there.
    client.call(json!({"msg_id": "515", "channel": channels[0], "camera_pwd": "other"})).await.ok();
    eventually_within(Duration::from_secs(40), "the new host gets its own", async || {
        other.heard().concat().to_lowercase().contains(&basic("admin", "other")).then_some(())
    })
    .await;
}

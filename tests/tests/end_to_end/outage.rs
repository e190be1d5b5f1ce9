//! Cameras and platforms that go away come back without help.

use std::time::Duration;

use polyface_tests::{Device, PushReceiver, SenseTime, cast, eventually_within, hd};
use serde_json::json;
use testkit::clip::{Codec, Passages, Shape};
use testkit::rtsp::{Login, RtspOptions, RtspServer, Scheme};

async fn wait_for_status(client: &SenseTime, channel: i64, status: i64) {
    eventually_within(Duration::from_secs(60), "the camera's status", async || {
        (client.camera(channel).await?["status"] == status).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_camera_that_goes_away_is_offline_and_comes_back() {
    let device = Device::start().await;
    let client = device.log_in().await;
    let film = testkit::clip::pattern(&device.storage(), Shape::small(Codec::H264), 3).unwrap();
    let mut server = RtspServer::start(&[&film], &RtspOptions::default()).unwrap();
    let port = server.port();
    let channel = client.add_camera("gate", &server.url(), 1).await;
    wait_for_status(&client, channel, 1).await;
    server.kill();
    wait_for_status(&client, channel, 0).await;
    let options = RtspOptions { port: Some(port), ..RtspOptions::default() };
    let _again = RtspServer::start(&[&film], &options).unwrap();
    wait_for_status(&client, channel, 1).await;
    let complaints = device.log().matches("camera offline").count();
    assert!(complaints <= 3, "a dead camera fills the log: {complaints} lines");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_camera_password_is_told_and_a_right_one_heals() {
    let device = Device::start().await;
    let client = device.log_in().await;
    let film = testkit::clip::pattern(&device.storage(), Shape::small(Codec::H264), 3).unwrap();
    let login = Login { scheme: Scheme::Digest, user: "viewer".into(), password: "p@ss word".into() };
    let server = RtspServer::start(&[&film], &RtspOptions { login: Some(login), ..RtspOptions::default() }).unwrap();
    let channel = client.add_camera("gate", &server.url_as("viewer", "wrong"), 1).await;
    let told = "refuses the user name or password";
    eventually_within(Duration::from_secs(30), told, async || device.log().contains(told).then_some(())).await;
    assert!(!device.log().contains("wrong@"), "the log shows credentials");
    let right = server.url_as("viewer", "p%40ss%20word");
    client.call(json!({"msg_id": "515", "channel": channel, "url": right})).await.ok();
    wait_for_status(&client, channel, 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_platform_that_was_away_gets_everything_in_order() {
    let device = Device::start().await;
    let client = device.log_in().await;
    let library = client.add_library("staff", 2).await;
    let receiver = PushReceiver::start().await;
    let address = receiver.address();
    client.call(json!({"msg_id": "1298", "url": receiver.url(), "key": "k"})).await.ok();
    drop(receiver);
    let actors = cast();
    let mut passages = Passages::new(hd(Codec::H264), 1.2);
    for actor in &actors[..3] {
        passages = passages.one(actor.name, &actor.seen, 3.0);
    }
    let film = passages.render(&device.storage().join("film.mp4")).unwrap();
    let channel = client.add_camera("gate", &format!("file://{}", film.file.display()), library).await;
    eventually_within(Duration::from_secs(60), "three captures", async || {
        (client.captures().await.len() >= 3).then_some(())
    })
    .await;
    client.call(json!({"msg_id": "514", "channel": channel})).await.ok();
    let captures = client.captures().await;
    let receiver = PushReceiver::start_on(address).await;
    let pushes = eventually_within(Duration::from_secs(60), "the backlog", async || {
        let pushes = receiver.captures();
        (pushes.len() >= captures.len()).then_some(pushes)
    })
    .await;
    let pushed: Vec<_> = pushes.iter().map(|push| push.field("snap_id").clone()).collect();
    let recorded: Vec<_> = captures.iter().rev().map(|capture| capture["snap_id"].clone()).collect();
    assert_eq!(pushed, recorded);
}

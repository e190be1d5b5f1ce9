//! What was acknowledged survives kill -9; what was committed is pushed; SIGTERM drains.

use std::time::Duration;

use polyface_tests::{Device, PushReceiver, cast, eventually, eventually_within, hd};
use serde_json::json;
use testkit::clip::{Codec, Passages};

#[tokio::test(flavor = "multi_thread")]
async fn acknowledged_enrolments_and_removals_survive_kill_9() {
    let mut device = Device::start().await;
    let client = device.log_in().await;
    let library = client.add_library("staff", 2).await;
    let actors = cast();
    for actor in &actors[..3] {
        client.enrol(library, actor.name, actor.name, &std::fs::read(&actor.enrolled).unwrap()).await.ok();
    }
    let gone = actors[0].name;
    client.call(json!({"msg_id": "1031", "lib_id": library, "img_id": gone})).await.ok();
    device.kill();
    device.restart().await;

    let client = device.log_in().await;
    let listed = client.call(json!({"msg_id": "1035", "lib_id": library})).await.ok();
    assert_eq!(listed["total_num"], 2);
    let removed = client.call(json!({"msg_id": "1032", "lib_id": library, "img_id": gone})).await;
    assert_eq!(removed.code, -126);
    for actor in &actors[1..3] {
        let found = search(&client, library, &std::fs::read(&actor.seen).unwrap()).await;
        assert_eq!(found.as_deref(), Some(actor.name));
    }
}

pub(crate) async fn search(client: &polyface_tests::SenseTime, library: i64, photo: &[u8]) -> Option<String> {
    use base64::Engine;
    let data = base64::engine::general_purpose::STANDARD.encode(photo);
    let request = json!({"msg_id": "780", "lib_ids": library.to_string(), "threshold": 80, "topk": 1,
        "img": {"filename": "probe.jpg", "data": data}});
    let found = client.call(request).await.ok();
    found["topn"][0]["name"].as_str().map(str::to_owned)
}

#[tokio::test(flavor = "multi_thread")]
async fn committed_records_survive_kill_9_and_reach_a_platform_that_was_away() {
    let mut device = Device::start().await;
    let client = device.log_in().await;
    let library = client.add_library("staff", 2).await;
    let actors = cast();
    let mut passages = Passages::new(hd(Codec::H264), 1.5);
    for actor in &actors[..2] {
        client.enrol(library, actor.name, actor.name, &std::fs::read(&actor.enrolled).unwrap()).await.ok();
        passages = passages.one(actor.name, &actor.seen, 4.0);
    }
    let receiver = PushReceiver::start().await;
    receiver.answer_with(axum::http::StatusCode::SERVICE_UNAVAILABLE);
    client.call(json!({"msg_id": "1298", "url": receiver.url(), "key": "k"})).await.ok();
    let film = passages.render(&device.storage().parent().unwrap().join("film.mp4")).unwrap();
    let url = format!("file://{}", film.file.display());
    let channel = client.add_camera("gate", &url, library).await;
    let seen = eventually_within(Duration::from_secs(60), "both are captured", async || {
        let captures = client.captures().await;
        (captures.len() >= 2).then_some(captures)
    })
    .await;
    device.kill();
    device.restart().await;

    let client = device.log_in().await;
    client.call(json!({"msg_id": "514", "channel": channel})).await.ok();
    let after = client.captures().await;
    assert!(seen.iter().all(|capture| after.contains(capture)), "a committed record is gone");
    receiver.answer_with(axum::http::StatusCode::OK);
    let pushes = eventually_within(Duration::from_secs(60), "the backlog is pushed", async || {
        let pushes = receiver.captures();
        (pushes.len() >= after.len()).then_some(pushes)
    })
    .await;
    let pushed: Vec<_> = pushes.iter().map(|push| push.field("snap_id").clone()).collect();
    let recorded: Vec<_> = after.iter().rev().map(|capture| capture["snap_id"].clone()).collect();
    assert_eq!(pushed, recorded, "in order, each once");
}

#[tokio::test(flavor = "multi_thread")]
async fn sigterm_drains_and_records_who_is_in_view() {
    let mut device = Device::start().await;
    let client = device.log_in().await;
    let library = client.add_library("staff", 2).await;
    let actor = &cast()[0];
    client.enrol(library, actor.name, actor.name, &std::fs::read(&actor.enrolled).unwrap()).await.ok();
    let film = Passages::new(hd(Codec::H264), 0.5).one(actor.name, &actor.seen, 20.0);
    let film = film.render(&device.storage().parent().unwrap().join("long.mp4")).unwrap();
    // Best shot of every five seconds: the first is decided soon, so wait only until the face is in view.
    let url = format!("file://{}", film.file.display());
    let channel = client.add_camera("gate", &url, library).await;
    eventually("the camera is online", async || {
        let camera = client.camera(channel).await?;
        (camera["status"] == 1).then_some(())
    })
    .await;
    tokio::time::sleep(film.passages[0].from + Duration::from_secs(5)).await;
    let status = device.terminate();
    assert!(status.success(), "{status}");

    device.restart().await;
    let client = device.log_in().await;
    let names: Vec<_> = client.call(json!({"msg_id": "1036"})).await.ok()["record"].as_array().unwrap().clone();
    assert!(names.iter().any(|alarm| alarm["person_name"] == actor.name), "{names:?}");
}

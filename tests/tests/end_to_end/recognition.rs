//! The main job, end to end: real photographs pass before a real RTSP camera.

use std::path::Path;
use std::time::Duration;

use polyface_tests::{
    Device, Push, PushReceiver, SampleReceivers, SenseTime, Subscription, cast, eventually_within, hd, photo,
};
use serde_json::{Value, json};
use testkit::clip::{Codec, Film, Passages};
use testkit::rtsp::{RtspOptions, RtspServer};

/// How long after a passage its record may arrive at the latest.
const LATE: Duration = Duration::from_secs(60);

async fn enrol_cast(client: &SenseTime, library: i64, count: usize) {
    for actor in cast().iter().take(count) {
        let enrolled = std::fs::read(&actor.enrolled).unwrap();
        client.enrol(library, actor.name, actor.name, &enrolled).await.ok();
    }
}

/// Everybody of the cast alone, then a stranger, then two at once.
fn film(dir: &Path, codec: Codec) -> Film {
    let cast = cast();
    let mut passages = Passages::new(hd(codec), 1.5);
    for actor in &cast {
        passages = passages.one(actor.name, &actor.seen, 4.0);
    }
    let stranger = photo("Eileen_Collins/astronaut.png");
    passages.one("stranger", &stranger, 4.0).render(&dir.join("film.mp4")).unwrap()
}

/// Waits until the film was shown once, and answers the captures of that showing in order of time.
async fn captures_of_one_showing(client: &SenseTime, channel: i64, film: &Film, wanted: usize) -> Vec<Value> {
    eventually_within(film.length + LATE, "everybody is captured", async || {
        (client.captures().await.len() >= wanted).then_some(())
    })
    .await;
    // Whoever would come twice comes now: the gap at the end of the film is longer than a decision takes.
    tokio::time::sleep(Duration::from_secs(1)).await;
    client.call(json!({"msg_id": "514", "channel": channel})).await.ok();
    let mut captures = client.captures().await;
    captures.reverse();
    captures
}

/// The person of a capture, or `stranger` when the similarity is under the threshold.
fn who(data: &Value, name: &str) -> String {
    let recognised = data["similarity"].as_i64() >= data["threshold"].as_i64();
    if recognised { data[name].as_str().unwrap().to_owned() } else { "stranger".to_owned() }
}

fn names(pushes: &[Push]) -> Vec<String> {
    pushes.iter().map(|push| who(&push.json["data"], "person_name")).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn everybody_is_pushed_once_by_the_right_name_and_others_as_strangers() {
    let device = Device::start().await;
    let client = device.log_in().await;
    let library = client.add_library("staff", 2).await;
    enrol_cast(&client, library, cast().len()).await;
    let receiver = PushReceiver::start().await;
    client.call(json!({"msg_id": "1298", "url": receiver.url(), "key": "secret"})).await.ok();
    let socket = Subscription::open(&client, device.listener("sensetime")).await;

    let film = film(device.storage().parent().unwrap(), Codec::H264);
    let server = RtspServer::start(&[&film.file], &RtspOptions::default()).unwrap();
    let channel = client.add_camera("gate", &server.url(), library).await;
    let expected: Vec<_> = film.passages.iter().map(|passage| passage.who.clone()).collect();
    let captures = captures_of_one_showing(&client, channel, &film, expected.len()).await;

    let pushes = eventually_within(LATE, "every capture is pushed", async || {
        let pushes = receiver.captures();
        (pushes.len() >= captures.len()).then_some(pushes)
    })
    .await;
    assert_eq!(names(&pushes), expected, "one push for each passage, in order");
    assert!(pushes.iter().all(|push| push.key == "secret"));
    let by_socket: Vec<_> = socket.captures().iter().map(|data| who(data, "person_name")).collect();
    assert_eq!(by_socket, expected);
    let samples = SampleReceivers::of_the_document();
    for frame in socket.frames() {
        assert_eq!(samples.take_frame(&frame), Ok(()));
    }
    for push in &pushes {
        assert_eq!(samples.take_push(push), Ok(()));
        the_crop_shows_the_face(&client, push).await;
        // The nearest person comes along even when the similarity is under the threshold.
        assert_eq!(push.file("img").is_some(), push.field("similarity").as_i64() >= Some(0));
    }
}

/// The device itself finds exactly one face in the crop, and the scene is larger than the crop.
async fn the_crop_shows_the_face(client: &SenseTime, push: &Push) {
    let crop = push.file("snap").unwrap();
    let path = push.field("snap_path").as_str().unwrap();
    assert_eq!(client.download(path).await.bytes().await.unwrap(), *crop);
    let part = reqwest::multipart::Part::bytes(crop.to_vec()).file_name("snap.jpg");
    let form = reqwest::multipart::Form::new().text("msg_id", "782").part("img", part);
    let answer: Value = client.post("/api/form").multipart(form).send().await.unwrap().json().await.unwrap();
    assert_eq!(answer["data"].as_array().map(Vec::len), Some(1), "{answer}");
    let (crop, scene) = (size(crop), size(push.file("snap_frame").unwrap()));
    assert!(crop.0 < scene.0 && crop.1 <= scene.1, "{crop:?} {scene:?}");
    let right = push.field("pos_right").as_i64().unwrap();
    assert!(push.field("pos_left").as_i64().unwrap() < right && right <= i64::from(scene.0));
}

fn size(picture: &[u8]) -> (u32, u32) {
    let picture = image::load_from_memory(picture).unwrap();
    (picture.width(), picture.height())
}

#[tokio::test(flavor = "multi_thread")]
async fn two_people_in_one_frame_are_both_recognised_and_nobody_twice() {
    let device = Device::start().await;
    let client = device.log_in().await;
    let library = client.add_library("staff", 2).await;
    enrol_cast(&client, library, 2).await;
    let cast = cast();
    let film = Passages::new(hd(Codec::H265), 1.5)
        .two(("Obama", &cast[0].seen), ("Salley", &cast[1].seen), 4.0)
        // The same man twice in one picture, by two photos.
        .two(("Obama", &cast[0].seen), ("Obama again", &photo("Barack_Obama/obama2.jpg")), 4.0)
        .render(&device.storage().parent().unwrap().join("pairs.mp4"))
        .unwrap();
    let options = RtspOptions { codec: Codec::H265, ..RtspOptions::default() };
    let server = RtspServer::start(&[&film.file], &options).unwrap();
    let channel = client.add_camera("gate", &server.url(), library).await;
    // Both of the first pair; of the second at least the one who is not Obama a second time, the other may
    // still count as the visitor of a moment ago.
    let captures = captures_of_one_showing(&client, channel, &film, 3).await;

    let first: Vec<_> = people_on_record(&client).await;
    assert!(first[..2].contains(&"Obama".to_owned()) && first[..2].contains(&"Salley".to_owned()), "{first:?}");
    assert!(captures.len() <= 4, "one for each face at most: {captures:?}");
    let obama = first.iter().filter(|name| *name == "Obama").count();
    assert!(obama <= 2, "once in each scene at most: {first:?}");
}

/// The people of all alarms, the oldest first.
async fn people_on_record(client: &SenseTime) -> Vec<String> {
    let alarms = client.call(json!({"msg_id": "1036", "qry_len": 50})).await.ok();
    let names = alarms["record"].as_array().unwrap().iter().rev();
    names.map(|alarm| alarm["person_name"].as_str().unwrap().to_owned()).collect()
}

//! A private cloud controls the device through RabbitMQ: people while the broker dies, messages that mean harm, a wipe;
//! and it gets the history that it missed.

use std::collections::BTreeSet;
use std::time::Duration;

use bytes::Bytes;
use polyface_tests::cloud::{Cloud, FACELESS, UNKNOWN, people_of};
use polyface_tests::{ADMIN_PASSWORD, Actor, Device, FaceBox, eventually_within, hd};
use serde_json::{Value, json};
use testkit::clip::{Codec, Passages};
use testkit::rabbitmq::{Broker, Client};

const SECTION: &str = "[sophon]\nenabled = true\nlisten = \"127.0.0.1:0\"";
/// Longer than the largest batch takes on a busy machine.
const BATCH: Duration = Duration::from_secs(300);
/// A message that no platform means well with, bytes.
const HUGE: usize = 50 << 20;

/// The people whose photos are small.
fn cast() -> Vec<Actor> {
    polyface_tests::cast().split_off(1)
}

async fn start_cloud() -> Cloud {
    let photos = cast().iter().map(|actor| Bytes::from(std::fs::read(&actor.enrolled).unwrap())).collect();
    // A picture in which nobody is.
    let mut faceless = Vec::new();
    let grey = image::RgbImage::from_pixel(320, 240, image::Rgb([128, 128, 128]));
    grey.write_to(&mut std::io::Cursor::new(&mut faceless), image::ImageFormat::Jpeg).unwrap();
    Cloud::start(photos, faceless.into()).await
}

/// A command to add these people by their ids.
fn addition(ids: &[String]) -> Vec<u8> {
    let command = json!({"method": "add_users_plus", "messageId": "batch", "userid_list": ids,
        "extend_params": {"path": "/people"}});
    command.to_string().into_bytes()
}

/// The ids in a list of the result, each as often as it is there.
fn listed(result: &Value, list: &str) -> Vec<String> {
    let users = result["result"][list].as_array().unwrap();
    users.iter().map(|user| user["userid"].as_str().unwrap().to_owned()).collect()
}

/// The cloud adds this many people by their ids, and the broker dies when some are enrolled: one result names each of
/// them once, and those it calls enrolled are on the device.
async fn add_people_while_the_broker_dies(people: usize) -> (Device, Broker, Client, Cloud) {
    let (mut broker, device, cloud) =
        tokio::join!(Broker::start(), Device::start_with_sections(SECTION), start_cloud());
    let listener = device.listener("sophon");
    let client = broker.client("box").await;
    cloud.claim(listener, client.told(broker.port())).await;
    let good: Vec<String> = (0..people - 2).map(|number| format!("{number:05}")).collect();
    let ids = [good.clone(), vec![format!("{UNKNOWN}1"), format!("{FACELESS}1")]].concat();
    client.send(&addition(&ids)).await;
    eventually_within(BATCH, "some are enrolled", async || {
        (people_of(listener).await.len() >= people / 6).then_some(())
    })
    .await;
    broker.go_away();
    assert!(people_of(listener).await.len() < good.len(), "the broker died after everybody was enrolled");
    broker.come_back().await;
    let mut client = broker.client("box").await;
    let result = client.result_within(BATCH).await;
    assert_eq!((&result["messageId"], &result["success"]), (&json!("batch"), &json!(true)));
    let (enrolled, failed) = (listed(&result, "success_users"), listed(&result, "failed_users"));
    assert_eq!((enrolled.len(), failed.len()), (good.len(), 2), "each once");
    assert_eq!(failed.iter().collect::<BTreeSet<_>>(), ids[good.len()..].iter().collect());
    let there = people_of(listener).await;
    assert_eq!((&there, enrolled.into_iter().collect::<BTreeSet<_>>()), (&good, good.iter().cloned().collect()));
    (device, broker, client, cloud)
}

#[tokio::test(flavor = "multi_thread")]
async fn people_added_by_the_cloud_survive_the_death_of_its_broker() {
    let (mut device, broker, mut client, _cloud) = add_people_while_the_broker_dies(60).await;
    // Nothing is left of the batch: the next result is that of the next command.
    let nobody = client.done(json!({"method": "delete_users", "messageId": "next", "userid_list": []})).await;
    assert_eq!(nobody["messageId"], "next");

    // Messages that mean harm cost nothing and hold up nothing.
    forget_peak(device.pid());
    let before = peak(device.pid());
    for body in [&vec![b'{'; HUGE][..], b"no JSON", b"[1, 2]", b""] {
        client.send(body).await;
    }
    for (command, code) in [
        (json!({"method": "add_users_plus", "userid_list": 7, "extend_params": {}}), 40071),
        (json!({"method": "format_disk", "messageId": "x"}), 40071),
    ] {
        assert_eq!(client.done(command.clone()).await["code"], code, "{command}");
    }
    let grown = peak(device.pid()).saturating_sub(before) >> 20;
    assert!(grown < 12, "a message of {} MiB took {grown} MiB", HUGE >> 20);

    // What the cloud wipes is gone for everybody.
    let sensetime = device.log_in().await;
    let facebox = FaceBox::log_in(device.listener("facebox"), "admin", ADMIN_PASSWORD).await;
    assert_eq!((sensetime.codes(1).await.len(), people_in(&facebox).await), (58, 58));
    let wipe = json!({"method": "wipe_data", "wipe_options": {"users": true, "events": true}, "extend_params": {}});
    assert_eq!(client.done(wipe).await["success"], true);
    assert_eq!((sensetime.codes(1).await.len(), people_in(&facebox).await), (0, 0));
    assert_eq!((people_of(device.listener("sophon")).await.len(), sensetime.record_count().await), (0, 0));
    assert!(device.terminate().success());
    assert_eq!(client.waiting().await, 0, "every command is acknowledged");
    drop(broker);
}

/// As above with more people than a test of everyday has time for.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes minutes on a small machine"]
async fn five_hundred_people_survive_the_death_of_the_broker() {
    add_people_while_the_broker_dies(500).await;
}

/// Has the kernel count the most memory of a process from now on.
fn forget_peak(pid: u32) {
    std::fs::write(format!("/proc/{pid}/clear_refs"), "5").unwrap();
}

/// The most memory that a process had, bytes.
fn peak(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.split_whitespace().next().unwrap().parse::<u64>().unwrap() << 10
}

/// How many people the FaceBox interface lists.
async fn people_in(facebox: &FaceBox) -> usize {
    facebox.list("/QueryPersonList").await.len()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_history_of_a_film_arrives_after_the_platform_was_away() {
    let (device, cloud) = tokio::join!(Device::start_with_sections(SECTION), start_cloud());
    let client = device.log_in().await;
    cloud.take_events(false);
    // The history does not need the broker.
    let nowhere = json!({"host": "127.0.0.1", "port": 1, "login": "a", "password": "b", "queue": "c"});
    cloud.claim(device.listener("sophon"), nowhere).await;
    let actors = cast();
    for actor in &actors[..2] {
        client.enrol(1, actor.name, actor.name, &std::fs::read(&actor.enrolled).unwrap()).await.ok();
    }
    let film = actors[..3]
        .iter()
        .fold(Passages::new(hd(Codec::H264), 1.2), |film, actor| film.one(actor.name, &actor.seen, 3.0));
    let film = film.render(&device.storage().join("film.mp4")).unwrap();
    let channel = client.add_camera("gate", &format!("file://{}?loop=1", film.file.display()), 1).await;
    eventually_within(Duration::from_secs(60), "three captures", async || {
        (client.record_count().await >= 3).then_some(())
    })
    .await;
    client.call(json!({"msg_id": "514", "channel": channel})).await.ok();
    assert_eq!(cloud.events(), Vec::<Value>::new());
    cloud.take_events(true);
    let events = eventually_within(Duration::from_secs(60), "the whole history", async || {
        let events = cloud.events();
        (events.len() == client.record_count().await).then_some(events)
    })
    .await;
    let moments: Vec<_> = events.iter().map(|event| event["timestamp"].as_i64().unwrap()).collect();
    assert!(moments.is_sorted_by(|one, next| one < next), "each once, in order: {moments:?}");
    let names: BTreeSet<_> = events.iter().map(|event| event["identity_name"].as_str().unwrap()).collect();
    let film = BTreeSet::from([actors[0].name, actors[1].name, "stranger"]);
    assert!(names.is_subset(&film) && names.len() > 1, "{names:?}");
}

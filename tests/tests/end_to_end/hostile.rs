//! Bad input gets the contract's code, changes nothing, and the daemon lives on.

use std::time::{Duration, Instant};

use image::{ExtendedColorType, ImageEncoder, ImageFormat};
use polyface_tests::{Device, SenseTime, cast, photo};
use serde_json::{Value, json};

async fn library_with_one_person(device: &Device) -> (SenseTime, i64, Vec<u8>) {
    let client = device.log_in().await;
    let library = client.add_library("staff", 2).await;
    let portrait = std::fs::read(&cast()[0].enrolled).unwrap();
    client.enrol(library, "one", "One", &portrait).await.ok();
    (client, library, portrait)
}

async fn people(client: &SenseTime, library: i64) -> Value {
    client.call(json!({"msg_id": "1035", "lib_id": library})).await.ok()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_photo_gets_its_code_and_leaves_nothing_behind() {
    let mut device = Device::start().await;
    let (client, library, portrait) = library_with_one_person(&device).await;
    let before = people(&client, library).await;
    let pictures = files_below(&device.storage().join("pictures"));

    let blank = blank_jpeg(640, 480);
    let truncated = portrait[..portrait.len() / 2].to_vec();
    let too_long = "x".repeat(49);
    let cases: Vec<(&str, i64, &str, Vec<u8>, i64)> = vec![
        ("unknown library", 4711, "a", portrait.clone(), -117),
        ("duplicate img_id", library, "one", portrait.clone(), -1100),
        ("no face", library, "b", blank, -1101),
        ("not a picture", library, "c", b"GIF89a but not really".to_vec(), -1104),
        ("empty", library, "d", Vec::new(), -1104),
        ("broken picture", library, "e", truncated, -1104),
        ("decompression bomb", library, "f", bomb(), -1104),
        ("img_id too long", library, too_long.as_str(), portrait.clone(), -2754),
        ("img_id with other characters", library, "a/../b", portrait.clone(), -3596),
    ];
    for (what, library, code, photo, expected) in &cases {
        let answer = client.enrol(*library, code, "X", photo).await;
        assert_eq!(answer.code, *expected, "{what}: {}", answer.msg);
    }
    assert_eq!(people(&client, library).await, before);
    assert_eq!(files_below(&device.storage().join("pictures")), pictures);
    assert!(device.is_running());
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_faces_the_largest_is_enrolled() {
    let device = Device::start().await;
    let client = device.log_in().await;
    let group = std::fs::read(photo("_groups/2009_004587.jpg")).unwrap();
    client.enrol(1, "group", "Group", &group).await.ok();
    assert_eq!(people(&client, 1).await["total_num"], 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_picture_of_twenty_megapixels_is_enrolled() {
    let device = Device::start().await;
    let client = device.log_in().await;
    let portrait = image::open(photo("Joe_Biden/biden.jpg")).unwrap().to_rgb8();
    let large = testkit::enlarged(&portrait, 4_480);
    let pixels = u64::from(large.width()) * u64::from(large.height());
    assert!(pixels >= 20_000_000, "{pixels}");
    let large = testkit::encoded(&large.into(), ImageFormat::Jpeg);
    client.enrol(1, "large", "Large", &large).await.ok();
}

#[tokio::test(flavor = "multi_thread")]
async fn missing_mistyped_and_unknown_things_get_the_contracts_codes() {
    let mut device = Device::start().await;
    let (client, library, _) = library_with_one_person(&device).await;
    let before = people(&client, library).await;
    let cases = [
        ("unknown msg_id", json!({"msg_id": "99999"}), -3599),
        ("no msg_id", json!({}), -3599),
        ("missing field", json!({"msg_id": "1025", "lib_name": "x"}), -3596),
        ("object for a number", json!({"msg_id": "1026", "lib_id": {"a": 1}}), -3596),
        ("text for a number", json!({"msg_id": "1026", "lib_id": "many"}), -3596),
        ("null", json!({"msg_id": "1032", "lib_id": null, "img_id": null}), -3596),
        ("page beyond the limit", json!({"msg_id": "1035", "lib_id": library, "qry_len": 51}), -3596),
        ("page before the first", json!({"msg_id": "1035", "lib_id": library, "start_no": 0}), -3596),
        ("unknown library", json!({"msg_id": "1026", "lib_id": 4711}), -117),
        ("unknown person", json!({"msg_id": "1031", "lib_id": library, "img_id": "nobody"}), -126),
        ("unknown camera", json!({"msg_id": "514", "channel": 5}), -109),
        ("library taken", json!({"msg_id": "1025", "lib_name": "staff", "lib_type": 2}), -119),
    ];
    for (what, request, expected) in cases {
        let answer = client.call(request).await;
        assert_eq!(answer.code, expected, "{what}: {}", answer.msg);
    }
    assert_eq!(people(&client, library).await, before);
    assert!(device.is_running());
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_valid_session_nothing_is_told() {
    let device = Device::start().await;
    let (client, library, _) = library_with_one_person(&device).await;
    let path = people(&client, library).await["record"][0]["img_path"].as_str().unwrap().to_owned();
    let strangers = [device.anonymous(), client.with_session("12345"), client.with_session("nonsense")];
    for stranger in strangers {
        assert_eq!(stranger.call(json!({"msg_id": "1028"})).await.code, -141);
        assert_eq!(stranger.download(&path).await.status(), 401);
    }
    assert_eq!(client.download("img/../../polyface.db").await.status(), 404);
    assert_eq!(client.download(&path).await.status(), 200);
    client.call(json!({"msg_id": "258"})).await.ok();
    assert_eq!(client.call(json!({"msg_id": "1028"})).await.code, -141);
}

#[tokio::test(flavor = "multi_thread")]
async fn silent_connections_and_endless_bodies_leave_the_daemon_serving_others() {
    let mut device = Device::start().await;
    let client = device.log_in().await;
    let address = device.listener("sensetime");
    let mut silent = Vec::new();
    for _ in 0..600 {
        silent.push(tokio::net::TcpStream::connect(address).await.unwrap());
    }
    let chunks = (0..1_024).map(|_| Ok::<_, std::io::Error>(vec![b' '; 1 << 16]));
    let endless = reqwest::Body::wrap_stream(futures_util::stream::iter(chunks));
    let sent = client.post("/api/json").body(endless).send().await;
    // Refused while it is still being sent: either answered or cut off, but never taken whole.
    if let Ok(answer) = sent {
        assert_ne!(answer.json::<Value>().await.map_or(-1, |a| a["code"].as_i64().unwrap_or(-1)), 0);
    }
    let asked = Instant::now();
    client.call(json!({"msg_id": "1281"})).await.ok();
    assert!(asked.elapsed() < Duration::from_secs(5));
    assert!(device.is_running());
    drop(silent);
}

fn blank_jpeg(width: u32, height: u32) -> Vec<u8> {
    let grey = image::RgbImage::from_pixel(width, height, image::Rgb([120, 130, 140]));
    testkit::encoded(&grey.into(), ImageFormat::Jpeg)
}

/// A PNG of a few kilobytes that would take gigabytes: a small one whose header claims 60000 x 60000.
fn bomb() -> Vec<u8> {
    let mut png = Vec::new();
    let encoder = image::codecs::png::PngEncoder::new(&mut png);
    encoder.write_image(&vec![0; 64 * 64], 64, 64, ExtendedColorType::L8).unwrap();
    // Width and height follow the signature (8), the chunk length (4) and its type (4); then the checksum.
    png[16..20].copy_from_slice(&60_000u32.to_be_bytes());
    png[20..24].copy_from_slice(&60_000u32.to_be_bytes());
    let checksum = crc32fast::hash(&png[12..29]);
    png[29..33].copy_from_slice(&checksum.to_be_bytes());
    png
}

fn files_below(dir: &std::path::Path) -> usize {
    let entries = std::fs::read_dir(dir).into_iter().flatten().flatten();
    entries.map(|entry| if entry.path().is_dir() { files_below(&entry.path()) } else { 1 }).sum()
}

//! A storage that is full, or a disk that breaks. Those with a real disk of their own do nothing where disks cannot be
//! mounted.

use std::time::Duration;

use image::RgbImage;
use image::codecs::png::{CompressionType, PngEncoder};
use image::imageops::FilterType;
use polyface_tests::{Device, SenseTime, cast, disk, eventually_within, hd};
use serde_json::{Value, json};
use testkit::clip::{Codec, Passages};
use testkit::rtsp::{RtspOptions, RtspServer};

/// Longer than the daemon takes to notice that nothing can be written though nothing is to be.
const NOTICED: Duration = Duration::from_secs(60);
/// The disk, MiB, and the limit of a device on it: the reserve is 16 MiB.
const DISK: u64 = 96;
const LIMIT: &str = "max_bytes = \"64MiB\"";

async fn wait_for_status(device: &Device, status: u16) -> Value {
    eventually_within(NOTICED, "the health changes", async || {
        let (now, told) = device.health().await?;
        (now == status).then_some(told)
    })
    .await
}

async fn enrol(client: &SenseTime, library: i64, code: &str) -> i64 {
    let photo = std::fs::read(&cast()[0].enrolled).unwrap();
    client.enrol(library, code, code, &photo).await.code
}

async fn metric(device: &Device, name: &str) -> f64 {
    let url = format!("http://{}/metrics", device.listener("console"));
    let text = reqwest::get(url).await.unwrap().text().await.unwrap();
    let value = text.lines().find_map(|line| line.strip_prefix(name)?.trim().parse().ok());
    value.unwrap_or_default()
}

/// A photo of 2 MiB, different for each number.
fn uncompressed(portrait: &RgbImage, number: u8) -> Vec<u8> {
    let mut photo = portrait.clone();
    photo.put_pixel(0, 0, image::Rgb([number; 3]));
    let mut png = Vec::new();
    let encoder = PngEncoder::new_with_quality(&mut png, CompressionType::Uncompressed, Default::default());
    photo.write_with_encoder(encoder).unwrap();
    png
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_device_tells_the_reason_and_recovers_when_there_is_room() {
    let device = Device::start_with_storage("max_bytes = \"16MiB\"\nwhen_full = \"stop\"").await;
    let client = device.log_in().await;
    let library = client.add_library("staff", 2).await;
    let portrait = image::open(&cast()[0].enrolled).unwrap().resize_exact(840, 840, FilterType::Triangle).to_rgb8();
    for number in 0..8 {
        let code = format!("visitor-{number}");
        client.enrol(library, &code, &code, &uncompressed(&portrait, number)).await.ok();
    }
    let told = wait_for_status(&device, 503).await;
    let reason = told["reasons"][0].as_str().unwrap();
    assert!(reason.starts_with("storage: records are refused: ") && reason.contains("of 16 MiB are used"), "{told}");
    assert_eq!(client.codes(library).await.len(), 8, "questions are answered");
    assert_eq!(device.log().matches("records are refused").count(), 2, "told once by the storage, once by the board");
    for number in 0..4 {
        let request = json!({"msg_id": "1031", "lib_id": library, "img_id": format!("visitor-{number}")});
        client.call(request).await.ok();
    }
    wait_for_status(&device, 200).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disk_that_others_fill_costs_no_record_and_nothing_that_was_acknowledged() {
    let Some(mut device) = Device::start_on_disk(DISK, LIMIT).await else { return };
    let client = device.log_in().await;
    let library = client.add_library("staff", 2).await;
    assert_eq!(enrol(&client, library, "before").await, 0);
    let ballast = disk::fill(&device.storage());
    let told = wait_for_status(&device, 503).await;
    assert!(told["reasons"][0].as_str().unwrap().starts_with("storage: "), "{told}");
    assert_ne!(enrol(&client, library, "refused").await, 0, "nothing is acknowledged that is not on the disk");

    let film = Passages::new(hd(Codec::H264), 1.5).one("somebody", &cast()[0].seen, 4.0);
    let film = film.render(&device.config().with_file_name("film.mp4")).unwrap();
    let server = RtspServer::start(&[&film.file], &RtspOptions::default()).unwrap();
    disk::free(&ballast);
    wait_for_status(&device, 200).await;
    let channel = client.add_camera("gate", &server.url(), library).await;
    let ballast = disk::fill(&device.storage());
    wait_for_status(&device, 503).await;
    let before = client.record_count().await;
    eventually_within(NOTICED, "a record waits", async || {
        (metric(&device, "polyface_records_waiting ").await >= 1.0).then_some(())
    })
    .await;
    assert_eq!(client.record_count().await, before, "questions are answered");
    disk::free(&ballast);
    wait_for_status(&device, 200).await;
    client.call(json!({"msg_id": "514", "channel": channel})).await.ok();
    let kept = client.record_count().await;
    assert!(kept > before, "what waited is written");

    device.kill();
    device.restart().await;
    let client = device.log_in().await;
    assert_eq!(client.codes(library).await, ["before".to_owned()].into());
    assert!(client.record_count().await >= kept);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disk_that_breaks_is_told_and_keeps_what_was_acknowledged() {
    let Some(mut device) = Device::start_on_disk(DISK, LIMIT).await else { return };
    let client = device.log_in().await;
    let library = client.add_library("staff", 2).await;
    assert_eq!(enrol(&client, library, "before").await, 0);
    device.break_disk();
    let told = wait_for_status(&device, 503).await;
    assert!(told["reasons"][0].as_str().unwrap().starts_with("storage: "), "{told}");
    assert_ne!(enrol(&client, library, "refused").await, 0, "nothing is acknowledged that is not on the disk");
    assert_eq!(client.codes(library).await, ["before".to_owned()].into(), "questions are answered");
    assert!(device.is_running());

    device.kill();
    device.restart().await;
    let client = device.log_in().await;
    assert_eq!(client.codes(library).await, ["before".to_owned()].into());
    assert_eq!(enrol(&client, library, "after").await, 0);
}

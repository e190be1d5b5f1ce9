//! Decoded pictures take a fixed amount of memory, those that wait included.

use std::io::Cursor;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use futures_util::future::join_all;
use image::{ImageFormat, RgbImage};
use polyface_tests::{Device, memory_growth};
use serde_json::json;

/// The budget of decoded pictures, and what the analysis needs beside it.
const MOST_MEMORY: u64 = 640 << 20;

/// A picture of 64 megapixels in less than a megabyte.
fn huge() -> Vec<u8> {
    let mut file = Cursor::new(Vec::new());
    RgbImage::from_pixel(8_000, 8_000, [120, 130, 140].into()).write_to(&mut file, ImageFormat::Jpeg).unwrap();
    assert!(file.get_ref().len() < 1 << 20);
    file.into_inner()
}

#[tokio::test(flavor = "multi_thread")]
async fn pictures_of_64_megapixels_wait_undecoded() {
    let device = Device::start().await;
    let client = device.log_in().await;
    let img = json!({"filename": "a.jpg", "data": STANDARD.encode(huge())});
    let requests = (0..8).map(|_| client.call(json!({"msg_id": "779", "img": img})));
    let (answers, growth) = memory_growth(device.pid(), join_all(requests)).await;
    for answer in answers {
        assert_eq!(answer.code, -1101, "no face: {}", answer.msg);
    }
    assert!(growth < MOST_MEMORY, "{} MiB", growth >> 20);
}

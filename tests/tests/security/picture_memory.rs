//! Decoded pictures take at most a fixed amount of memory, however many are sent.

use std::thread::{self, JoinHandle};

use futures_util::future::join_all;
use image::{DynamicImage, GrayImage, ImageFormat, RgbImage, RgbaImage};
use polyface_tests::{Device, memory_growth};
use testkit::encoded;

/// The budget of 320 MiB, the networks for one photo, and the requests with their copies. Six coloured pictures that are
/// decoded at once take 1.1 GiB.
const MOST_MEMORY: u64 = 700 << 20;
/// Number of pictures at a time.
const PICTURES: usize = 6;
/// Near the limit of 64 megapixels.
const SIDE: u32 = 7_990;

fn encoding<P: Into<DynamicImage> + 'static>(black: fn(u32, u32) -> P, format: ImageFormat) -> JoinHandle<Vec<u8>> {
    thread::spawn(move || encoded(&black(SIDE, SIDE).into(), format))
}

/// Sends the picture so many times at once; the growth of memory, and the answers' codes.
async fn send(device: &Device, picture: &[u8]) -> (u64, Vec<i64>) {
    let client = device.log_in().await;
    let codes: Vec<_> = (0..PICTURES).map(|number| format!("n{number}")).collect();
    let sent = join_all(codes.iter().map(|code| client.enrol(1, code, code, picture)));
    let (answers, growth) = memory_growth(device.pid(), sent).await;
    (growth, answers.into_iter().map(|answer| answer.code).collect())
}

#[tokio::test(flavor = "multi_thread")]
async fn six_of_the_largest_pictures_at_a_time_take_no_more_memory_than_stated() {
    // Encoding takes longer than what is measured, so each has a thread.
    let encoding = [
        ("JPEG", encoding(RgbImage::new, ImageFormat::Jpeg)),
        ("PNG", encoding(RgbImage::new, ImageFormat::Png)),
        ("grey PNG", encoding(GrayImage::new, ImageFormat::Png)),
        ("transparent PNG", encoding(RgbaImage::new, ImageFormat::Png)),
    ];
    let mut device = Device::start().await;
    let pictures = encoding.map(|(name, picture)| (name, picture.join().unwrap()));
    for (name, picture) in pictures {
        let (growth, codes) = send(&device, &picture).await;
        assert!(codes.iter().all(|code| *code != 0), "{name}: nobody is in it: {codes:?}");
        assert!(growth < MOST_MEMORY, "{name}: {} MiB", growth >> 20);
        assert!(device.is_running());
    }
}

//! No photo is kept with metadata, whichever way it came.

use std::fs;
use std::path::{Path, PathBuf};

use image::ImageFormat;
use polyface_tests::{Device, cast};
use reqwest::multipart::{Form, Part};
use serde_json::{Value, json};

/// An Exif segment with an orientation and a text that a camera would write.
fn exif(orientation: u8) -> Vec<u8> {
    let mut tiff = b"II*\0\x08\0\0\0\x02\0\x0f\x01\x02\0\x12\0\0\0\x26\0\0\0\x12\x01\x03\0\x01\0\0\0".to_vec();
    tiff.extend([orientation, 0, 0, 0, 0, 0, 0, 0]);
    tiff.extend(b"SECRET-GPS-48.137\0");
    [b"Exif\0\0", &tiff[..]].concat()
}

fn segment(marker: u8, content: &[u8]) -> Vec<u8> {
    [&[0xff, marker], &(content.len() as u16 + 2).to_be_bytes()[..], content].concat()
}

/// The JPEG with metadata of several kinds.
fn with_metadata(jpeg: &[u8], orientation: u8) -> Vec<u8> {
    let xmp = segment(0xe1, b"http://ns.adobe.com/xap/1.0/\0<x>SECRET-XMP</x>");
    let extra = [segment(0xe1, &exif(orientation)), xmp, segment(0xfe, b"SECRET-COMMENT")].concat();
    [&jpeg[..2], &extra, &jpeg[2..], b"SECRET-TRAILER"].concat()
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

fn stored_metadata(device: &Device) -> Vec<PathBuf> {
    let holds = |path: &PathBuf| memchr::memmem::find(&fs::read(path).unwrap_or_default(), b"SECRET-").is_some();
    files(&device.storage()).into_iter().filter(holds).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn no_stored_photo_has_metadata_and_turned_ones_are_upright() {
    let device = Device::start().await;
    let client = device.log_in().await;
    let upright = fs::read(&cast()[0].enrolled).unwrap();
    client.enrol(1, "upright", "A", &with_metadata(&upright, 1)).await.ok();

    let portrait = image::load_from_memory(&fs::read(&cast()[1].enrolled).unwrap()).unwrap();
    let (width, height) = (portrait.width(), portrait.height());
    let turned = testkit::encoded(&portrait.rotate270().to_rgb8().into(), ImageFormat::Jpeg);
    client.enrol(1, "turned", "B", &with_metadata(&turned, 6)).await.ok();

    // Uploaded before the person is added.
    let session = device.facebox_session("admin", polyface_tests::ADMIN_PASSWORD).await;
    let photo = with_metadata(&fs::read(&cast()[2].enrolled).unwrap(), 1);
    let form = Form::new().text("session", session.clone()).part("file", Part::bytes(photo).file_name("a.jpg"));
    let url = format!("http://{}/UploadPersonPicture", device.listener("facebox"));
    let kept: Value = reqwest::Client::new().post(url).multipart(form).send().await.unwrap().json().await.unwrap();
    assert_eq!(kept["code"], 0, "{kept}");

    assert_eq!(stored_metadata(&device), [""; 0].map(PathBuf::from));
    let page = client.call(json!({"msg_id": "1035", "lib_id": 1})).await.ok();
    let row = page["record"].as_array().unwrap().iter().find(|row| row["img_id"] == "turned").unwrap();
    let shown = client.download(row["img_path"].as_str().unwrap()).await.bytes().await.unwrap();
    let shown = image::load_from_memory(&shown).unwrap();
    assert_eq!((shown.width(), shown.height()), (width, height));
}

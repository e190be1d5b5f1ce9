//! When a removal is acknowledged, no file of the storage folder holds anything of the person any more.

use std::fs;
use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use polyface_tests::{Device, cast};
use serde_json::json;

const MARKS: [&str; 3] = ["Zwiebelturm-Person", "DOC-90417-X", "Quittenallee 77"];

/// The files below a folder that contain one of the texts or the photo's middle.
fn traces(folder: &Path, photo: &[u8], found: &mut Vec<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            traces(&path, photo, found);
            continue;
        }
        let bytes = fs::read(&path).unwrap_or_default();
        let holds = |part: &[u8]| memchr::memmem::find(&bytes, part).is_some();
        let marks = MARKS.iter().filter(|mark| holds(mark.as_bytes())).map(|mark| (*mark).to_owned());
        let photo = holds(photo).then(|| "photo".to_owned());
        found.extend(marks.chain(photo).map(|mark| format!("{mark} in {}", path.display())));
    }
}

fn left(device: &Device, photo: &[u8]) -> Vec<String> {
    let mut found = Vec::new();
    traces(&device.storage(), photo, &mut found);
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_of_a_removed_person_is_left() {
    let device = Device::start().await;
    let client = device.log_in().await;
    let portrait = fs::read(&cast()[0].enrolled).unwrap();
    let middle = &portrait[portrait.len() / 2..][..64];
    let img = json!({"filename": "a.jpg", "data": BASE64.encode(&portrait)});
    let person = json!({"msg_id": "1051", "lib_id": 1, "img_id": "zwt-1", "person_name": MARKS[0],
        "person_idcard": MARKS[1], "person_addr": MARKS[2], "img": img});
    client.call(person.clone()).await.ok();
    client.enrol(1, "other", "Other", &fs::read(&cast()[1].enrolled).unwrap()).await.ok();
    let exported = client.call(json!({"msg_id": "1038", "lib_id": 1, "start_no": 1, "qry_len": 10})).await.ok();
    let url = exported["export_url"].as_str().unwrap().to_owned();
    let exported_only = left(&device, middle);
    let is_export = |found: &String| found.contains("/exports/");
    assert!(!exported_only.is_empty() && exported_only.iter().all(is_export), "sealed: {exported_only:?}");

    client.call(json!({"msg_id": "1031", "lib_id": 1, "img_id": "zwt-1"})).await.ok();
    assert_eq!(left(&device, middle), [""; 0]);
    assert_eq!(client.download(&url).await.status(), 404, "an export with the person is gone as well");

    // A batch, and the last one with its library.
    let library = client.add_library("guests", 2).await;
    let mut again = person;
    again["lib_id"] = json!(library);
    client.call(again.clone()).await.ok();
    client.call(json!({"msg_id": "1044", "lib_id": library, "img_ids": "zwt-1"})).await.ok();
    assert_eq!(left(&device, middle), [""; 0]);
    client.call(again).await.ok();
    client.call(json!({"msg_id": "1026", "lib_id": library})).await.ok();
    assert_eq!(left(&device, middle), [""; 0]);
    assert_eq!(client.codes(1).await.into_iter().collect::<Vec<_>>(), ["other"]);
}

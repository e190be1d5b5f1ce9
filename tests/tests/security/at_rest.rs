//! Who takes the storage medium reads nothing from it without the key.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use domain::ModelId;
use domain::ports::PersonStore;
use polyface_tests::{Device, SenseTime, cast, eventually_within, polyfaced};
use serde_json::json;
use store::{Options, Store};

const NAME: &str = "Zwiebelturm-Person";
const DOCUMENT: &str = "DOC-90417-X";
const CAMERA_PASSWORD: &str = "c4mera-S3cret";

/// The files below a folder that contain one of these, each with what it contains.
fn traces(folder: &Path, marks: &[(&str, Vec<u8>)]) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(traces(&path, marks));
            continue;
        }
        let bytes = fs::read(&path).unwrap();
        let holds = |(_, part): &&(&str, Vec<u8>)| memchr::memmem::find(&bytes, part).is_some();
        found.extend(marks.iter().filter(holds).map(|(what, _)| format!("{what} in {}", path.display())));
    }
    found
}

/// A person, and a camera with a password.
async fn filled(device: &Device) -> Vec<u8> {
    let client = device.log_in().await;
    let portrait = fs::read(&cast()[0].enrolled).unwrap();
    let img = json!({"filename": "a.jpg", "data": BASE64.encode(&portrait)});
    let person = json!({"msg_id": "1051", "lib_id": 1, "img_id": "zwt-1", "person_name": NAME,
        "person_idcard": DOCUMENT, "img": img});
    client.call(person).await.ok();
    client.add_camera("stream", &format!("rtsp://root:{CAMERA_PASSWORD}@127.0.0.1:9/a"), 1).await;
    portrait
}

/// The template as it may lie anywhere: as floats, and scaled to bytes.
fn template_marks(vector: &[f32]) -> Vec<(&'static str, Vec<u8>)> {
    let part = &vector[100..124];
    let floats = part.iter().flat_map(|number| number.to_le_bytes()).collect();
    let largest = vector.iter().fold(0.0_f32, |largest, number| largest.max(number.abs()));
    let bytes = part.iter().map(|number| (number / largest * 127.0).round() as i8 as u8).collect();
    vec![("template as floats", floats), ("template as bytes", bytes)]
}

fn embedding(device: &Device) -> Vec<f32> {
    let store = Store::open(&device.storage(), &device.storage_key(), Options::default()).unwrap();
    let person = store.person_by_code(&"zwt-1".parse().unwrap()).unwrap();
    // Of whatever model: the latest.
    store.embedding(person.id, &ModelId("none".into())).unwrap().vector().to_vec()
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_can_be_read_from_the_storage_directory() {
    let mut device = Device::start().await;
    let portrait = filled(&device).await;
    device.terminate();
    let mut marks = template_marks(&embedding(&device));
    let middle = portrait[portrait.len() / 2..][..64].to_vec();
    let texts = [NAME, DOCUMENT, CAMERA_PASSWORD, "zwt-1"].map(|text| (text, text.as_bytes().to_vec()));
    marks.extend(texts);
    marks.extend([("photo", middle), ("a picture", b"\xff\xd8\xff\xe0\x00\x10JFIF".to_vec())]);
    assert_eq!(traces(&device.storage(), &marks), [""; 0]);
    // The daemon itself reads it all.
    device.restart().await;
    let client = device.log_in().await;
    assert_eq!(client.codes(1).await.into_iter().collect::<Vec<_>>(), ["zwt-1"]);
    let cameras = client.call(json!({"msg_id": "516"})).await.ok();
    assert!(cameras.to_string().contains(CAMERA_PASSWORD), "{cameras}");
}

#[tokio::test(flavor = "multi_thread")]
async fn another_key_or_none_is_refused_and_a_lowered_guard_is_shown() {
    let mut device = Device::start().await;
    filled(&device).await;
    let (_, health) = device.health().await.unwrap();
    assert!(health["attention"].to_string().contains("lies in clear"), "{health}");
    device.terminate();

    let file = device.storage().with_added_extension("key");
    let key = fs::read(&file).unwrap();
    fs::remove_file(&file).unwrap();
    refuses(&mut device, "is missing").await;
    assert!(!file.exists(), "no new key is made over sealed values");

    fs::write(&file, "5a".repeat(32)).unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
    refuses(&mut device, "not the one that the storage directory was sealed with").await;

    fs::write(&file, key).unwrap();
    device.restart().await;
    let client: SenseTime = device.log_in().await;
    assert_eq!(client.codes(1).await.len(), 1);
}

/// The daemon ends with this reason.
async fn refuses(device: &mut Device, why: &str) {
    device.launch();
    let ended = async || (!device.is_running()).then_some(());
    eventually_within(Duration::from_secs(60), "the daemon ends", ended).await;
    assert!(device.log().contains(why), "{}", device.log());
}

fn run(device: &Device, arguments: &[&str]) -> bool {
    let config = device.config();
    let done = std::process::Command::new(polyfaced()).args(arguments).arg("--config").arg(config).status();
    done.unwrap().success()
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_are_rotated_and_erased_with_everything() {
    let mut device = Device::start().await;
    filled(&device).await;
    assert!(!run(&device, &["rotate-keys"]), "while the daemon runs");
    assert!(!run(&device, &["erase", "--yes"]), "while the daemon runs");
    device.terminate();
    let before = fs::read(device.storage().join("seal.keys")).unwrap();
    assert!(run(&device, &["rotate-keys"]));
    assert_ne!(fs::read(device.storage().join("seal.keys")).unwrap(), before);
    device.restart().await;
    assert_eq!(device.log_in().await.codes(1).await.len(), 1);

    device.terminate();
    assert!(!run(&device, &["erase"]), "without --yes");
    assert!(run(&device, &["erase", "--yes"]));
    assert!(!device.storage().with_added_extension("key").exists());
    let left: Vec<_> = fs::read_dir(device.storage()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, ["polyface.lock"]);
    device.restart().await;
    assert_eq!(device.log_in().await.codes(1).await.len(), 0);
}

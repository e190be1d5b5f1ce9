//! Erasing what a device has stored, by parts and as a whole.

use std::fs;
use std::path::Path;
use std::process::Command;

use polyface_tests::power::Mounted;
use polyface_tests::{Device, SenseTime, cast, own_space, polyfaced};
use serde_json::json;

const LIBRARY: i64 = 1;
const NAME: &str = "Zwiebelturm-Person";
const CODE: &str = "zwt-1";

async fn enrol(client: &SenseTime) -> Vec<u8> {
    let photo = fs::read(&cast()[0].enrolled).unwrap();
    client.enrol(LIBRARY, CODE, NAME, &photo).await.ok();
    photo
}

fn erase(device: &Device, arguments: &[&str]) -> bool {
    let mut command = Command::new(polyfaced());
    command.arg("erase").args(arguments).arg("--config").arg(device.config());
    // Without fstrim: a medium that discards nothing keeps the blocks of what was erased.
    command.env("PATH", "/nowhere").status().unwrap().success()
}

#[tokio::test(flavor = "multi_thread")]
async fn parts_are_erased_and_the_others_stay() {
    let mut device = Device::start().await;
    let client = device.log_in().await;
    enrol(&client).await;
    client.add_camera("gate", "rtsp://127.0.0.1:9/a", LIBRARY).await;
    let receiver = json!({"msg_id": "1298", "url": "http://127.0.0.1:9/push", "key": "k"});
    client.call(receiver).await.ok();
    assert!(!erase(&device, &["--people", "--yes"]), "while the daemon runs");
    device.terminate();
    assert!(!erase(&device, &["--people"]), "without --yes");
    assert!(!erase(&device, &["--people", "--all", "--yes"]), "contradicting");

    assert!(erase(&device, &["--people", "--yes"]));
    device.restart().await;
    let client = device.log_in().await;
    assert!(client.codes(LIBRARY).await.is_empty());
    assert!(client.camera(1).await.is_some(), "cameras stay");
    let kept = client.call(json!({"msg_id": "1299"})).await;
    assert!(kept.data.to_string().contains("127.0.0.1:9"), "settings stay: {:?}", kept.data);

    enrol(&client).await;
    device.terminate();
    assert!(erase(&device, &["--settings", "--records", "--yes"]));
    device.restart().await;
    let client = device.log_in().await;
    assert_eq!(client.codes(LIBRARY).await, [CODE.to_owned()].into(), "people stay");
    let gone = client.call(json!({"msg_id": "1299"})).await;
    assert!(!gone.data.to_string().contains("127.0.0.1:9"), "{:?}", gone.data);
}

#[test]
fn nothing_of_people_is_left_on_a_medium_that_was_erased() {
    own_space::run("reset::the_medium_that_is_erased");
}

/// Not a test: the process that the test above starts.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "started by the test beside it"]
async fn the_medium_that_is_erased() {
    let place = own_space::place();
    let (folder, image) = (tempfile::tempdir_in(&place).unwrap(), place.join("disk"));
    let storage = folder.path().join("storage");
    fs::File::create(&image).unwrap().set_len(96 << 20).unwrap();
    assert!(Command::new("mkfs.ext4").args(["-q", "-F"]).arg(&image).status().unwrap().success());
    let mounted = match Mounted::mount(&image, &storage) {
        Ok(mounted) => mounted,
        Err(why) => return eprintln!("NOT TESTED, for no disk can be mounted: {why}"),
    };
    let mut device = Device::start_in_folder(folder, "max_bytes = \"64MiB\"").await;
    let photo = enrol(&device.log_in().await).await;
    device.terminate();
    let keys = fs::read(storage.join("seal.keys")).unwrap();
    let store_key = storage.with_added_extension("key");
    assert!(store_key.exists());
    assert!(erase(&device, &["--all", "--yes"]));
    assert!(!store_key.exists());
    let left: Vec<_> = fs::read_dir(&storage).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert!(left.iter().all(|name| name == "polyface.lock" || name == "lost+found"), "{left:?}");
    drop(mounted);
    let medium = fs::read(&image).unwrap();
    let middle = &photo[photo.len() / 2..][..64];
    // What opens everything else: the magic number at its beginning is in the program's files only.
    let sealed_keys = &keys[8..];
    let marks = [("name", NAME.as_bytes()), ("code", CODE.as_bytes()), ("photo", middle), ("data keys", sealed_keys)];
    for (what, mark) in marks {
        assert!(memchr::memmem::find(&medium, mark).is_none(), "the {what} is on the medium");
    }
    assert_is_new(&mut device, &image, &storage).await;
}

/// The next start is the first one of a new device.
async fn assert_is_new(device: &mut Device, image: &Path, storage: &Path) {
    let mounted = Mounted::mount(image, storage).unwrap();
    device.restart().await;
    assert!(device.log_in().await.codes(LIBRARY).await.is_empty());
    device.kill();
    drop(mounted);
}

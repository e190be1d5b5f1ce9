//! A database with damaged pages, as a bad medium leaves it.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use polyface_tests::{Device, SenseTime, cast, eventually_within};
use serde_json::json;

use crate::durability::search;

const LIBRARY: i64 = 1;
const PAGE: usize = 8192;
const PATIENCE: Duration = Duration::from_secs(60);

fn named(storage: &Path, beginning: &str) -> Vec<PathBuf> {
    let files = fs::read_dir(storage).unwrap().map(|entry| entry.unwrap());
    let named = files.filter(|file| file.file_name().to_str().unwrap().starts_with(beginning));
    named.map(|file| file.path()).collect()
}

fn copies(device: &Device) -> Vec<PathBuf> {
    named(&device.storage(), "polyface.db.copy-")
}

async fn enrol(client: &SenseTime, actor: usize, code: &str) {
    let photo = fs::read(&cast()[actor].enrolled).unwrap();
    client.enrol(LIBRARY, code, code, &photo).await.ok();
}

async fn remove(client: &SenseTime, code: &str) {
    // Its erasure also writes everything from the write-ahead log into the database.
    client.call(json!({"msg_id": "1031", "lib_id": LIBRARY, "img_id": code})).await.ok();
}

/// Has the device copy its database as it is now, as it does each night.
async fn copy(device: &mut Device) {
    device.terminate();
    assert!(device.storage().join("polyface.end").exists(), "the database was closed");
    copies(device).iter().for_each(|copy| fs::remove_file(copy).unwrap());
    device.restart().await;
    eventually_within(PATIENCE, "a copy", async || (!copies(device).is_empty()).then_some(())).await;
}

/// Changes the head of every page but the first.
fn damage(storage: &Path) {
    let file = storage.join("polyface.db");
    let mut bytes = fs::read(&file).unwrap();
    for page in bytes.chunks_mut(PAGE).skip(1) {
        page[..64].iter_mut().for_each(|byte| *byte ^= 0xa5);
    }
    fs::write(file, bytes).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_database_is_replaced_by_its_last_good_copy() {
    let mut device = Device::start().await;
    let client = device.log_in().await;
    enrol(&client, 0, "ann").await;
    enrol(&client, 1, "bob").await;
    copy(&mut device).await;
    let client = device.log_in().await;
    enrol(&client, 2, "carl").await;
    remove(&client, "bob").await;
    device.kill();
    damage(&device.storage());

    device.restart().await;
    let client = device.log_in().await;
    assert_eq!(client.codes(LIBRARY).await, ["ann".to_owned()].into(), "bob was removed from the copy as well");
    let found = search(&client, LIBRARY, &fs::read(&cast()[0].seen).unwrap()).await;
    assert_eq!(found.as_deref(), Some("ann"));
    let (status, health) = device.health().await.unwrap();
    let attention = health["attention"].to_string();
    assert!(status == 200 && attention.contains("database: the database was damaged and replaced on"), "{health}");
    let metrics = reqwest::get(format!("http://{}/metrics", device.listener("console"))).await.unwrap();
    let metrics = metrics.text().await.unwrap();
    let replaced = metrics.lines().find(|line| line.starts_with("polyface_database_replaced_timestamp_seconds "));
    assert!(!replaced.unwrap().ends_with(" 0"), "{replaced:?}");
    assert_eq!(named(&device.storage(), "polyface.db.corrupt-").len(), 1);

    enrol(&client, 2, "carl").await;
    remove(&client, "ann").await;
    assert!(named(&device.storage(), "polyface.db.corrupt-").is_empty(), "it contains people who are removed");
    device.terminate();
    device.restart().await;
    assert_eq!(device.log_in().await.codes(LIBRARY).await, ["carl".to_owned()].into());
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_good_copy_the_device_refuses_to_serve() {
    let mut device = Device::start().await;
    let client = device.log_in().await;
    enrol(&client, 0, "ann").await;
    enrol(&client, 1, "bob").await;
    remove(&client, "bob").await;
    device.kill();
    copies(&device).iter().for_each(|copy| fs::remove_file(copy).unwrap());
    let storage = device.storage();
    let whole = fs::read(storage.join("polyface.db")).unwrap();
    damage(&storage);
    for _ in 0..2 {
        let reasons = device.restart_refusing().await;
        assert!(reasons.contains("database: the database is damaged"), "{reasons}");
        assert!(reasons.contains("no good copy") && reasons.contains("polyfaced restore"), "{reasons}");
        assert_eq!(device.listening(), ["console"], "no adapter serves");
    }
    assert!(named(&storage, "polyface.db.corrupt-").is_empty(), "nothing is changed");

    device.terminate();
    fs::write(storage.join("polyface.db"), whole).unwrap();
    device.restart().await;
    assert_eq!(device.log_in().await.codes(LIBRARY).await, ["ann".to_owned()].into());
}

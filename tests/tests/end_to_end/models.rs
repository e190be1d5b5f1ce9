//! Sets of models, a change of the embedding model, and models that do not work.

use std::path::Path;
use std::time::Duration;

use polyface_tests::{Device, SenseTime, cast, eventually_within, models};
use tempfile::TempDir;

use crate::durability::search;

/// How long describing a few photos anew may take.
const LATE: Duration = Duration::from_secs(60);

async fn enrol(client: &SenseTime, count: usize) -> i64 {
    let library = client.add_library("staff", 2).await;
    for actor in cast().iter().take(count) {
        client.enrol(library, actor.name, actor.name, &std::fs::read(&actor.enrolled).unwrap()).await.ok();
    }
    library
}

async fn all_are_found(client: &SenseTime, library: i64, count: usize) {
    for actor in cast().iter().take(count) {
        let found = search(client, library, &std::fs::read(&actor.seen).unwrap()).await;
        assert_eq!(found.as_deref(), Some(actor.name));
    }
}

fn use_set(device: &Device, from: &str, to: &str) {
    device.reconfigure(&format!("[models]\n{}", line(from)), &format!("[models]\n{}", line(to)));
}

fn line(set: &str) -> String {
    if set.is_empty() { String::new() } else { format!("set = {set:?}\n") }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_small_set_enrols_and_recognises() {
    let mut device = Device::start().await;
    use_set(&device, "", "small");
    device.restart().await;
    let client = device.log_in().await;
    let library = enrol(&client, 3).await;
    all_are_found(&client, library, 3).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_change_of_model_everybody_is_found_again() {
    let mut device = Device::start().await;
    let library = enrol(&device.log_in().await, 4).await;
    use_set(&device, "", "clean");
    device.restart().await;
    let described = eventually_within(LATE, "the photos are described", async || {
        let (status, health) = device.health().await?;
        assert_eq!(status, 200, "it serves meanwhile");
        let photos = health["reembedding"].clone();
        (photos["done"] == 4).then_some(photos)
    })
    .await;
    assert_eq!((&described["total"], &described["unusable"]), (&4.into(), &0.into()));
    all_are_found(&device.log_in().await, library, 4).await;

    device.restart().await;
    all_are_found(&device.log_in().await, library, 4).await;
    use_set(&device, "clean", "default");
    device.restart().await;
    all_are_found(&device.log_in().await, library, 4).await;
    assert_eq!(device.health().await.unwrap().1.get("reembedding"), None, "nothing had to be described again");
}

/// A folder with links to the models of the device's configuration, so that one can be changed.
fn linked() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for entry in std::fs::read_dir(models()).unwrap() {
        let entry = entry.unwrap();
        std::os::unix::fs::symlink(entry.path(), folder.path().join(entry.file_name())).unwrap();
    }
    folder
}

/// Puts a file in the place of a link.
fn put(folder: &Path, file: &str, bytes: &[u8]) {
    std::fs::remove_file(folder.join(file)).unwrap();
    std::fs::write(folder.join(file), bytes).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn models_that_do_not_work_are_told_on_healthz_and_nothing_is_served() {
    let mut device = Device::start().await;
    let folder = linked();
    device.reconfigure(&format!("{:?}", models()), &format!("{:?}", folder.path()));

    let manifest = std::fs::read_to_string(models().join("face_embed_512.toml")).unwrap();
    let changed = manifest.replacen("values = [0.0", "values = [0.7", 1);
    assert_ne!(changed, manifest);
    put(folder.path(), "face_embed_512.toml", changed.as_bytes());
    let reasons = device.restart_refusing().await;
    assert!(reasons.contains("the model face_embed_512 gives wrong results on cpu"), "{reasons}");
    assert_eq!(device.listening(), ["console"], "no adapter serves");
    assert!(device.terminate().success());

    put(folder.path(), "face_embed_512.toml", manifest.as_bytes());
    let mut network = std::fs::read(models().join("gender.onnx")).unwrap();
    network[1000] ^= 1;
    put(folder.path(), "gender.onnx", &network);
    let reasons = device.restart_refusing().await;
    assert!(reasons.contains("gender.onnx is not the file its manifest pins: SHA-256"), "{reasons}");

    std::fs::remove_file(folder.path().join("gender.onnx")).unwrap();
    let reasons = device.restart_refusing().await;
    assert!(reasons.contains("cannot read") && reasons.contains("gender.onnx"), "{reasons}");

    // The service manager starts it again.
    std::fs::copy(models().join("gender.onnx"), folder.path().join("gender.onnx")).unwrap();
    let ended = async || (!device.is_running()).then_some(());
    eventually_within(LATE, "the daemon ends when the model is back", ended).await;
    device.restart().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn liveness_without_a_model_for_it_refuses_to_serve() {
    let mut device = Device::start().await;
    device.reconfigure("[outbound]", "[vision]\nliveness = \"passive\"\n[outbound]");
    device.restart().await;
    let client = device.log_in().await;
    let library = enrol(&client, 1).await;
    all_are_found(&client, library, 1).await;
    use_set(&device, "", "clean");
    let reasons = device.restart_refusing().await;
    assert!(reasons.contains("has no liveness model"), "{reasons}");
}

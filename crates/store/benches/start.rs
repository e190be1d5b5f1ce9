//! How long a start takes with many people: opening the store and loading the gallery, from the templates and from the
//! copy. `POLYFACE_BENCH_PEOPLE` sets how many, 100000 by default.

#![allow(clippy::unwrap_used, reason = "a benchmark may die of what it did not expect")]

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use domain::Appliance;
use domain::ports::{FaceAnalyzer, Ports};
use store::{Options, Store, StoreKey};
use testkit::{FakeAnalyzer, FakeClock, FakeDiscovery, FakeFrames, FakeHost};
use tokio_util::sync::CancellationToken;

fn key() -> StoreKey {
    StoreKey::new([7; 32])
}

#[path = "../examples/populate/people.rs"]
mod people;

fn main() {
    let people = std::env::var("POLYFACE_BENCH_PEOPLE").map_or(100_000, |text| text.parse().unwrap());
    let dir = tempfile::tempdir().unwrap();
    people::populate(dir.path(), people, FakeAnalyzer::new().model());
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let before = resident_megabytes();
    let appliance = start("from the templates", dir.path());
    println!("{:.0} MB more resident memory", resident_megabytes() - before);
    let ended = CancellationToken::new();
    ended.cancel();
    let copying = Instant::now();
    runtime.block_on(appliance.keep_gallery_copy(ended));
    println!("copying took {} ms", copying.elapsed().as_millis());
    drop(appliance);
    for _ in 0..3 {
        start("from the copy", dir.path());
    }
}

fn start(what: &str, dir: &Path) -> Appliance {
    let started = Instant::now();
    let store = Arc::new(Store::open(dir, &key(), Options::default()).unwrap());
    let opened = started.elapsed();
    let clock = Arc::new(FakeClock::new());
    let ports = Ports {
        frames: Arc::new(FakeFrames::new(clock.clone())),
        discovery: Arc::new(FakeDiscovery::default()),
        analyzer: Arc::new(FakeAnalyzer::new()),
        objects: None,
        people: store.clone(),
        gallery: store.clone(),
        log: store.clone(),
        settings: store.clone(),
        tasks: store.clone(),
        adapters: store.clone(),
        pictures: store,
        host: Arc::new(FakeHost::new(clock.clone())),
        clock,
    };
    let appliance = Appliance::load(ports, testkit::options()).unwrap();
    let all = started.elapsed();
    println!("{what}: {} ms, {} of them to open the store", all.as_millis(), opened.as_millis());
    appliance
}

fn resident_megabytes() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<f64>().unwrap() / 1024.0
}

//! Power cuts at any moment, replayed from the log of everything that the daemon wrote to its disk.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use polyface_tests::power::{Cut, Examination, Expected, Journal, Medium, Mounted, Replay, Sound, examine};
use polyface_tests::{Device, SenseTime, cast, own_space, torture};
use serde_json::json;
use store::StoreKey;

/// The disk, MiB, and the limit of a device on it.
const DISK: u64 = 96;
const LIMIT: &str = "max_bytes = \"64MiB\"";
/// The one that every device has.
const LIBRARY: i64 = 1;
const CUTS: usize = 210;
/// Cuts after which the daemon itself is started.
const STARTS: usize = 3;
/// The load goes on until this many people were enrolled and removed, and records seen,
const ENOUGH: (usize, usize, usize) = (60, 25, 8);
/// but not for longer than this.
const LONGEST_LOAD: Duration = Duration::from_secs(45);
/// People who are not removed.
const KEPT: usize = 20;
/// `SEED` sets another one.
const SEED: u64 = 20_261_130;

#[test]
fn nothing_acknowledged_is_lost_at_any_power_cut() {
    own_space::run("power_cuts::the_device_whose_power_is_cut");
}

/// Not a test: the process that the test above starts.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "started by the test beside it"]
async fn the_device_whose_power_is_cut() {
    let place = own_space::place();
    let folder = tempfile::tempdir_in(&place).unwrap();
    let storage = folder.path().join("storage");
    let medium = match Medium::create(&place, &storage, DISK) {
        Ok(medium) => medium,
        Err(why) => return eprintln!("NOT TESTED, for writes cannot be logged: {why}"),
    };
    let (journal, first) = (Journal::default(), medium.place());
    let mut device = Device::start_in_folder(folder, LIMIT).await;
    let loaded = load(&device, &medium, &journal).await;
    let last = medium.place();
    device.kill();
    let start = medium.start();
    let replay = Replay::new(medium.finish(), &start).unwrap();
    let seed = std::env::var("SEED").ok().and_then(|text| text.parse().ok()).unwrap_or(SEED);
    let bench = Bench { device, journal, replay, image: place.join("cut"), seed };
    println!("{loaded}; {} entries of the log, seed {seed}", last - first);
    bench.check(Cut::choose(CUTS, first..=last, seed)).await;
}

/// Enrols and removes people while a camera records who passes; returns what was acknowledged.
async fn load(device: &Device, medium: &Medium, journal: &Journal) -> String {
    let client = device.log_in().await;
    client.add_camera_in_mode("gate", &torture::film(device, 1), LIBRARY, 3).await;
    let started = Instant::now();
    let enough = || {
        let (enrolled, removed, records) = journal.counts();
        let done = enrolled >= ENOUGH.0 && removed >= ENOUGH.1 && records >= ENOUGH.2;
        done || started.elapsed() > LONGEST_LOAD
    };
    tokio::join!(
        enrol(&client, medium, journal, &enough),
        remove(&client, medium, journal, &enough),
        watch(&client, medium, journal, &enough),
    );
    let (enrolled, removed, records) = journal.counts();
    assert!(enrolled > KEPT && removed > 0 && records > 0, "{:?} are no load", journal.counts());
    let seconds = started.elapsed().as_secs_f32();
    format!("{enrolled} enrolments, {removed} removals, {records} records in {seconds:.1} s")
}

async fn enrol(client: &SenseTime, medium: &Medium, journal: &Journal, enough: &impl Fn() -> bool) {
    let photos: Vec<_> = cast().iter().map(|actor| std::fs::read(&actor.enrolled).unwrap()).collect();
    for (number, photo) in photos.iter().cycle().enumerate() {
        if enough() {
            return;
        }
        let code = format!("person-{number}");
        journal.enrolment_sent(&code);
        client.enrol(LIBRARY, &code, &code, photo).await.ok();
        journal.enrolled(&code, medium.place());
    }
}

async fn remove(client: &SenseTime, medium: &Medium, journal: &Journal, enough: &impl Fn() -> bool) {
    while !enough() {
        let Some(code) = journal.next_removal(KEPT, medium.place()) else {
            tokio::time::sleep(Duration::from_millis(20)).await;
            continue;
        };
        client.call(json!({"msg_id": "1031", "lib_id": LIBRARY, "img_id": code})).await.ok();
        journal.removed(&code, medium.place());
    }
}

async fn watch(client: &SenseTime, medium: &Medium, journal: &Journal, enough: &impl Fn() -> bool) {
    while !enough() {
        let captures = client.captures().await;
        let ids = captures.iter().map(|capture| capture["snap_id"].as_str().unwrap().to_owned());
        journal.seen(ids, medium.place());
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

struct Bench {
    device: Device,
    journal: Journal,
    replay: Replay,
    image: PathBuf,
    seed: u64,
}

impl Bench {
    async fn check(mut self, cuts: Vec<Cut>) {
        let (started, key, storage) = (Instant::now(), self.device.storage_key(), self.device.storage());
        let (mut faults, mut sound) = (Vec::new(), Sound::default());
        for (number, cut) in cuts.iter().enumerate() {
            self.replay.cut(*cut, &self.image).unwrap();
            let expected = self.journal.expected(cut.after);
            let found = look(&self.image, &storage, &key, &expected, &mut sound);
            faults.extend(found.faults.iter().map(|fault| format!("{cut:?}: {fault}")));
            if number % (cuts.len() / STARTS) == cuts.len() / STARTS - 1 {
                self.start(&storage, &found).await;
            }
        }
        println!("{} power cuts replayed in {:.1} s", cuts.len(), started.elapsed().as_secs_f32());
        assert!(faults.is_empty(), "seed {}: {}", self.seed, faults.join("\n"));
    }

    /// Starts the daemon on a disk that was examined.
    async fn start(&mut self, storage: &Path, found: &Examination) {
        let _mounted = Mounted::mount(&self.image, storage).unwrap();
        self.device.restart().await;
        let client = self.device.log_in().await;
        let listed = client.codes(LIBRARY).await;
        self.device.kill();
        assert_eq!(listed, found.people);
    }
}

fn look(image: &Path, storage: &Path, key: &StoreKey, expected: &Expected, sound: &mut Sound) -> Examination {
    match Mounted::mount(image, storage) {
        Ok(_mounted) => examine(storage, key, expected, sound),
        Err(why) => Examination { faults: vec![why], ..Examination::default() },
    }
}

//! A backup made while the device works is restored on another one; what is wrong with a backup changes nothing.

use std::collections::BTreeSet;
use std::fs;
use std::io::{Cursor, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use age::secrecy::ExposeSecret;
use age::x25519::Identity;
use age::{Decryptor, Encryptor, Recipient};
use polyface_tests::{Device, SenseTime, cast, eventually_within, hd, http};
use testkit::clip::{Codec, Passages};
use tokio::task::JoinSet;

const PHRASE: &str = "three green doors";
/// The library that is always there.
const LIBRARY: i64 = 1;

fn photo(number: usize) -> Vec<u8> {
    fs::read(&cast()[number].enrolled).unwrap()
}

fn folder(device: &Device) -> PathBuf {
    device.storage().parent().unwrap().to_owned()
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

fn succeeds(output: &Output) {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// A key pair: the public key, and the file of the private one.
fn key_pair(folder: &Path) -> (String, PathBuf) {
    let (identity, file) = (Identity::generate(), folder.join("backup.identity"));
    fs::write(&file, format!("{}\n", identity.to_string().expose_secret())).unwrap();
    (identity.to_public().to_string(), file)
}

/// Enrols under new codes until it is told to stop; answers the acknowledged ones.
async fn enrol_until(client: SenseTime, stop: Arc<AtomicBool>) -> BTreeSet<String> {
    let mut acknowledged = BTreeSet::new();
    while !stop.load(Ordering::Relaxed) {
        let code = format!("late-{}", acknowledged.len());
        client.enrol(LIBRARY, &code, &code, &photo(1)).await.ok();
        acknowledged.insert(code);
    }
    acknowledged
}

/// A film in which the first of the cast passes.
async fn record_the_first(device: &Device, client: &SenseTime) {
    let film = Passages::new(hd(Codec::H264), 1.5).one(cast()[0].name, &cast()[0].seen, 4.0);
    let film = film.render(&folder(device).join("film.mp4")).unwrap();
    let url = format!("file://{}", film.file.display());
    client.add_camera("gate", &url, LIBRARY).await;
    eventually_within(Duration::from_secs(60), "a record is written", async || {
        (!client.captures().await.is_empty()).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_made_while_people_are_enrolled_recognises_them_on_another_box() {
    let device = Device::start().await;
    let client = device.log_in().await;
    let first = cast()[0].name;
    client.enrol(LIBRARY, first, first, &photo(0)).await.ok();
    record_the_first(&device, &client).await;
    let before = (client.captures().await, client.codes(LIBRARY).await);

    let (stop, backup) = (Arc::new(AtomicBool::new(false)), folder(&device).join("a.backup"));
    let mut enrolling = JoinSet::new();
    enrolling.spawn(enrol_until(client.clone(), Arc::clone(&stop)));
    let made = tokio::task::block_in_place(|| device.command(&["backup", text(&backup)], PHRASE));
    stop.store(true, Ordering::Relaxed);
    succeeds(&made);
    let enrolled = enrolling.join_next().await.unwrap().unwrap();
    let again = device.command(&["backup", text(&backup)], PHRASE);
    assert!(String::from_utf8_lossy(&again.stderr).contains("exists; replace it with --force"));

    let mut other = Device::start().await;
    let running = other.command(&["restore", text(&backup)], PHRASE);
    assert!(String::from_utf8_lossy(&running.stderr).contains("stop the daemon first"));
    other.terminate();
    succeeds(&other.command(&["restore", text(&backup)], PHRASE));
    assert!(other.storage().join("before-restore/polyface.db").exists());
    other.restart().await;

    let client = other.log_in().await;
    let restored = client.codes(LIBRARY).await;
    let all: BTreeSet<_> = before.1.union(&enrolled).cloned().collect();
    assert!(before.1.is_subset(&restored) && restored.is_subset(&all), "{restored:?} of {all:?}");
    assert_eq!(client.search(LIBRARY, &fs::read(&cast()[0].seen).unwrap()).await.first().unwrap(), first);
    let captures = client.captures().await;
    assert!(before.0.iter().all(|capture| captures.contains(capture)), "{captures:?}");
    let picture = captures.last().unwrap()["snap_path"].as_str().unwrap().to_owned();
    assert_eq!(client.download(&picture).await.status(), 200);
    eventually_within(Duration::from_secs(30), "the former storage is removed", async || {
        (!other.storage().join("before-restore").exists()).then_some(())
    })
    .await;
}

/// What restoring must not touch.
fn state(device: &Device) -> (BTreeSet<String>, Vec<u8>) {
    let names = fs::read_dir(device.storage()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    (names.collect(), fs::read(device.storage().join("seal.keys")).unwrap())
}

/// A backup for a key pair: its members, to be changed and packed again.
struct Opened {
    members: Vec<(String, Vec<u8>)>,
    identity: Identity,
}

impl Opened {
    fn of(backup: &Path, identity: &Path) -> Self {
        let identity: Identity = fs::read_to_string(identity).unwrap().trim().parse().unwrap();
        let decryptor = Decryptor::new(fs::File::open(backup).unwrap()).unwrap();
        let plain = decryptor.decrypt(std::iter::once(&identity as &dyn age::Identity)).unwrap();
        let mut archive = tar::Archive::new(plain);
        let members = archive.entries().unwrap().map(|entry| {
            let mut entry = entry.unwrap();
            let mut content = Vec::new();
            entry.read_to_end(&mut content).unwrap();
            (entry.path().unwrap().to_str().unwrap().to_owned(), content)
        });
        Self { members: members.collect(), identity }
    }

    fn member(&mut self, name: &str) -> &mut Vec<u8> {
        &mut self.members.iter_mut().find(|(member, _)| member == name).unwrap().1
    }

    fn pack(&self, to: &Path) {
        let recipient = self.identity.to_public();
        let encryptor = Encryptor::with_recipients(std::iter::once(&recipient as &dyn Recipient)).unwrap();
        let mut archive = tar::Builder::new(encryptor.wrap_output(fs::File::create(to).unwrap()).unwrap());
        for (name, content) in &self.members {
            let mut header = tar::Header::new_gnu();
            // As no honest program writes it: names are not checked.
            header.as_old_mut().name[..name.len()].copy_from_slice(name.as_bytes());
            header.set_size(content.len() as u64);
            header.set_mode(0o600);
            header.set_cksum();
            archive.append(&header, Cursor::new(content)).unwrap();
        }
        archive.into_inner().unwrap().finish().unwrap().flush().unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_with_a_backup_is_named_and_nothing_changes() {
    let mut device = Device::start().await;
    let client = device.log_in().await;
    client.enrol(LIBRARY, "in-backup", "A", &photo(0)).await.ok();
    let folder = folder(&device);
    let (public, identity) = key_pair(&folder);
    let (backup, bad) = (folder.join("a.backup"), folder.join("bad.backup"));
    succeeds(&device.command(&["backup", text(&backup), "--recipient", &public], ""));
    device.terminate();
    let before = state(&device);
    let refused = |why: &str| {
        let output = device.command(&["restore", text(&bad), "--identity", text(&identity)], "");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success() && said.contains(why), "{why:?}: {said}");
        assert_eq!(state(&device), before, "{why}");
    };

    let bytes = fs::read(&backup).unwrap();
    fs::write(&bad, &bytes[..bytes.len() - 20_000]).unwrap();
    refused("cut short or damaged");
    // A whole chunk of the encryption is missing, and the rest is in order.
    fs::write(&bad, &bytes[..bytes.len() / 2]).unwrap();
    refused("cut short or damaged");
    let mut changed = bytes.clone();
    changed[bytes.len() / 2] ^= 1;
    fs::write(&bad, changed).unwrap();
    refused("cut short or damaged");
    fs::write(&bad, "no backup at all").unwrap();
    refused("is not a backup");

    let altered = |alter: &dyn Fn(&mut Opened)| {
        let mut opened = Opened::of(&backup, &identity);
        alter(&mut opened);
        opened.pack(&bad);
    };
    altered(&|backup| backup.members.insert(1, ("tls/own/key.pem".into(), b"planted".to_vec())));
    refused("tls/own/key.pem too many");
    altered(&|backup| backup.members.insert(1, ("../../planted".into(), b"planted".to_vec())));
    refused("unknown member ../../planted");
    altered(&|backup| backup.members.insert(1, ("/tmp/planted".into(), b"planted".to_vec())));
    refused("unknown member /tmp/planted");
    altered(&|backup| backup.members.push(("polyface.db".into(), b"planted".to_vec())));
    refused("a member after its manifest");
    altered(&|backup| {
        let picture = backup.members.iter().position(|(name, _)| name.starts_with("pictures/")).unwrap();
        backup.members.remove(picture);
    });
    refused("the pictures in the backup are not those");
    altered(&|backup| backup.member("seal.keys")[20] ^= 1);
    refused("seal.keys in the backup is not what its manifest says");
    // Where SQLite keeps the version of its user.
    altered(&|backup| backup.member("polyface.db")[60..64].copy_from_slice(&1000_u32.to_be_bytes()));
    refused("the database has version 1000, this program supports versions up to");

    fs::copy(&backup, &bad).unwrap();
    let own = fs::read(&identity).unwrap();
    key_pair(&folder);
    refused("none of the private keys belongs to it");
    fs::write(&identity, own).unwrap();
    let output = device.command(&["restore", text(&bad)], "");
    assert!(String::from_utf8_lossy(&output.stderr).contains("--identity"));

    device.restart().await;
    assert_eq!(device.log_in().await.codes(LIBRARY).await.into_iter().collect::<Vec<_>>(), ["in-backup"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_pass_phrase_opens_nothing_and_the_right_one_restores_without_the_former_key() {
    let mut device = Device::start().await;
    let backup = folder(&device).join("a.backup");
    let short = device.command(&["backup", text(&backup)], "short");
    assert!(String::from_utf8_lossy(&short.stderr).contains("at least 12 characters"));
    succeeds(&device.command(&["backup", text(&backup)], PHRASE));
    device.terminate();
    let before = state(&device);
    let wrong = device.command(&["restore", text(&backup)], "three green floors");
    assert!(String::from_utf8_lossy(&wrong.stderr).contains("the pass phrase is wrong"));
    assert_eq!(state(&device), before);

    // A backup also brings a device back that has lost its key.
    fs::remove_file(device.storage().with_added_extension("key")).unwrap();
    succeeds(&device.command(&["restore", text(&backup)], PHRASE));
    device.restart().await;
    device.log_in().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn kill_9_in_the_middle_of_a_restoration_leaves_the_old_or_the_new() {
    let mut device = Device::start().await;
    let client = device.log_in().await;
    client.enrol(LIBRARY, "new", "A", &photo(0)).await.ok();
    let folder = folder(&device);
    let (public, identity) = key_pair(&folder);
    let backup = folder.join("a.backup");
    succeeds(&device.command(&["backup", text(&backup), "--recipient", &public], ""));
    client.enrol(LIBRARY, "old", "B", &photo(1)).await.ok();
    let (old, new) = (["new", "old"], ["new"]);
    for pause in [5, 30, 80] {
        device.terminate();
        let mut restoring = device.start_command(&["restore", text(&backup), "--identity", text(&identity)]);
        let part = device.storage().join("restore.part");
        let begun = async || (part.exists() || restoring.try_wait().unwrap().is_some()).then_some(());
        eventually_within(Duration::from_secs(30), "the restoration begins", begun).await;
        // Somewhere after its beginning; the tests of the store stop it at each step.
        tokio::time::sleep(Duration::from_millis(pause)).await;
        let _ = restoring.kill();
        restoring.wait().unwrap();
        device.restart().await;
        let codes: Vec<_> = device.log_in().await.codes(LIBRARY).await.into_iter().collect();
        assert!(codes == old || codes == new, "{codes:?} after {pause} ms");
        let beside = fs::read_dir(device.storage()).unwrap().map(|entry| entry.unwrap().file_name());
        let left: Vec<_> = beside.filter(|name| name.to_string_lossy().starts_with("restore.")).collect();
        assert!(left.is_empty(), "{left:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_age_program_opens_a_backup_for_its_recipient() {
    let device = Device::start().await;
    device.log_in().await.enrol(LIBRARY, "ada", "Ada", &photo(0)).await.ok();
    let folder = folder(&device);
    let (public, identity) = key_pair(&folder);
    let (backup, plain) = (folder.join("a.backup"), folder.join("a.tar"));
    fs::create_dir_all(device.storage().join("sounds")).unwrap();
    fs::write(device.storage().join("sounds/welcome_C.wav"), "RIFF").unwrap();
    succeeds(&device.command(&["backup", text(&backup), "--recipient", &public, "--with-keys"], ""));
    let opened =
        Command::new("age").args(["--decrypt", "-i"]).arg(&identity).arg("-o").arg(&plain).arg(&backup).output();
    succeeds(&opened.expect("age is missing: run .ci/packages test"));
    let listed = Command::new("tar").arg("tf").arg(&plain).output().unwrap();
    succeeds(&listed);
    let listed = String::from_utf8(listed.stdout).unwrap();
    let names: Vec<_> = listed.lines().collect();
    for name in ["store.key", "seal.keys", "polyface.db", "sounds/welcome_C.wav", "manifest.json"] {
        assert!(names.contains(&name), "{name} in {names:?}");
    }
    assert_eq!(names.iter().filter(|name| name.starts_with("pictures/")).count(), 1);
}

async fn metrics(device: &Device) -> String {
    let url = format!("http://{}/metrics", device.listener("console"));
    http().get(url).send().await.unwrap().text().await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_is_written_each_day_and_one_that_fails_is_an_alarm() {
    let elsewhere = tempfile::tempdir().unwrap();
    let (public, _) = key_pair(elsewhere.path());
    let dir = elsewhere.path().join("daily");
    let section = format!("[backup]\ndir = {dir:?}\nrecipients = [{public:?}]\nkeep = 2");
    let mut device = Device::start_with_sections(&section).await;
    let alarm = async || {
        let (_, health) = device.health().await?;
        health["attention"].to_string().contains("the last backup failed").then_some(())
    };
    eventually_within(Duration::from_secs(30), "the missing folder is an alarm", alarm).await;
    assert!(metrics(&device).await.contains("polyface_backup_failures_total 1"));

    fs::create_dir(&dir).unwrap();
    for day in ["2026-01-01", "2026-01-02", "2026-01-03"] {
        fs::write(dir.join(format!("polyface-TEST0001-{day}.tar.age")), "old").unwrap();
    }
    fs::write(dir.join("holiday.jpg"), "not a backup").unwrap();
    device.terminate();
    device.restart().await;
    let written = async || metrics(&device).await.contains("polyface_backup_last_success").then_some(());
    eventually_within(Duration::from_secs(30), "a backup is written", written).await;
    let kept = async || {
        let names = fs::read_dir(&dir).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let names: BTreeSet<_> = names.collect();
        (names.len() == 3).then_some(names)
    };
    let names = eventually_within(Duration::from_secs(30), "the oldest are removed", kept).await;
    assert!(names.contains("holiday.jpg") && names.contains("polyface-TEST0001-2026-01-03.tar.age"), "{names:?}");
    let (_, health) = device.health().await.unwrap();
    assert!(!health["attention"].to_string().contains("backup"), "{health}");
}

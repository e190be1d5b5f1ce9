//! What lies on the disk while no daemon runs.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use domain::ports::{LogStore, PersonStore, Pictures};
use domain::{PersonFilter, Seq, Window};
use sha2::{Digest, Sha256};
use store::{Options, Store, StoreKey};

use super::Report;
use crate::Device;

/// Files and what tells one from a later one of the same name: inode and time of the last change.
type Files = BTreeMap<PathBuf, (u64, i64, i64)>;

/// Rows read at a time.
const PAGE: u32 = 500;

/// What a killed daemon left.
#[derive(Default)]
pub(super) struct Truth {
    /// Codes of all people.
    pub(super) people: BTreeSet<String>,
    /// Captures of all records, in the order of the log.
    pub(super) captures: Vec<String>,
    /// Pictures that rows name.
    named: HashSet<String>,
    /// Files that were there, pictures and what was to become one.
    files: Files,
}

/// A device's storage directory.
pub(super) struct Disk {
    storage: PathBuf,
    key: StoreKey,
    /// Pictures whose content was compared with their name.
    sound: HashSet<String>,
}

impl Disk {
    pub(super) fn of(device: &Device) -> Self {
        Self { storage: device.storage(), key: device.storage_key(), sound: HashSet::new() }
    }

    /// Opens a copy of what the daemon left, as the daemon itself will, and checks that it is whole.
    pub(super) fn look(&mut self, report: &mut Report) -> Truth {
        let copy = tempfile::tempdir_in(self.storage.parent().expect("a parent")).expect("a directory");
        copy_tree(&self.storage, copy.path());
        let mut truth = match Store::open(copy.path(), &self.key, Options::default()) {
            Ok(store) => read(&store, &mut self.sound, &mut report.faults),
            Err(error) => {
                report.faults.push(format!("the store cannot be opened: {error}"));
                return Truth::default();
            }
        };
        truth.files = files(&self.storage.join("pictures"));
        truth
    }

    /// How many of the files that no row named went away at the start; one that stayed is a fault.
    pub(super) fn check_swept(&self, truth: &Truth, faults: &mut Vec<String>) -> usize {
        let now = files(&self.storage.join("pictures"));
        let is_named = |file: &PathBuf| {
            file.file_name().and_then(|name| name.to_str()).is_some_and(|name| truth.named.contains(name))
        };
        let (named, orphans): (Vec<_>, Vec<_>) = truth.files.iter().partition(|(file, _)| is_named(file));
        let gone = named.iter().filter(|(file, _)| !now.contains_key(*file));
        faults.extend(gone.map(|(file, _)| format!("{} was removed", file.display())));
        // A new capture may have the very same picture, but not the same file.
        let stayed = orphans.iter().filter(|(file, identity)| now.get(*file) == Some(*identity));
        faults.extend(stayed.map(|(file, _)| format!("the orphan {} is still there", file.display())));
        orphans.len()
    }
}

/// `sound`: pictures whose content was compared with their name before.
fn read(store: &Store, sound: &mut HashSet<String>, faults: &mut Vec<String>) -> Truth {
    let mut truth = Truth::default();
    let everybody = PersonFilter::default();
    for skip in (0..).step_by(PAGE as usize) {
        let page = store.people(&everybody, Window { skip, limit: PAGE }).expect("people");
        truth.people.extend(page.rows.iter().map(|person| person.code.as_str().to_owned()));
        truth.named.extend(page.rows.iter().map(|person| person.photo.as_str().to_owned()));
        if skip + u64::from(PAGE) >= page.total {
            break;
        }
    }
    let mut last = Seq(0);
    loop {
        let records = store.records_after(last, PAGE).expect("records");
        let Some(newest) = records.last() else { break };
        last = newest.seq;
        for record in &records {
            truth.captures.push(record.capture.id.to_string());
            let pictures = [&record.capture.crop, &record.capture.scene];
            truth.named.extend(pictures.map(|picture| picture.as_str().to_owned()));
        }
    }
    let broken = truth.named.iter().filter(|name| sound.insert((*name).clone()) && !is_sound(store, name));
    faults.extend(broken.map(|name| format!("the picture {name} of a row is missing or broken")));
    let gone = truth.named.iter().filter(|name| store.size(&name.parse().expect("an id")).is_err());
    faults.extend(gone.map(|name| format!("the picture {name} of a row is gone")));
    truth
}

/// Pictures are linked instead of copied: they are never changed in place.
fn copy_tree(from: &Path, to: &Path) {
    for entry in fs::read_dir(from).expect("a directory") {
        let entry = entry.expect("an entry");
        let target = to.join(entry.file_name());
        if entry.file_type().expect("a type").is_dir() {
            fs::create_dir(&target).expect("made");
            copy_tree(&entry.path(), &target);
        } else if from.ancestors().any(|parent| parent.ends_with("pictures")) {
            fs::hard_link(entry.path(), target).expect("linked");
        } else {
            fs::copy(entry.path(), target).expect("copied");
        }
    }
}

fn files(folder: &Path) -> Files {
    let mut found = Files::new();
    let Ok(entries) = fs::read_dir(folder) else { return found };
    for entry in entries {
        let entry = entry.expect("an entry");
        // A running daemon may have removed it meanwhile.
        let Ok(about) = entry.metadata() else { continue };
        if about.is_dir() {
            found.append(&mut files(&entry.path()));
        } else {
            found.insert(entry.path(), (about.ino(), about.mtime(), about.mtime_nsec()));
        }
    }
    found
}

/// Whether the content is what the name says.
fn is_sound(store: &Store, name: &str) -> bool {
    let content = store.get(&name.parse().expect("an id"));
    content.is_ok_and(|content| hex::encode(Sha256::digest(content)) == name)
}

//! `manifest.json`: what a backup contains.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// The form of a backup.
pub(super) const FORMAT: u32 = 1;
/// At most so many missing pictures are named.
const MOST_NAMED: usize = 1000;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Manifest {
    pub(super) format: u32,
    pub(super) product: String,
    /// The version of the program that wrote it.
    pub(super) version: String,
    /// The version of the database.
    pub(super) schema: u32,
    pub(super) device: Device,
    /// RFC 3339, UTC.
    pub(super) made_at: String,
    /// Every member before this one, except the pictures.
    pub(super) members: Vec<Entry>,
    pub(super) pictures: Pictures,
}

/// The device that it is from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Device {
    pub(super) name: String,
    pub(super) serial: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Entry {
    pub(super) name: String,
    pub(super) bytes: u64,
    pub(super) sha256: String,
}

/// The pictures. There may be a million: one hash stands for all of them.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(super) struct Pictures {
    pub(super) count: u64,
    pub(super) bytes: u64,
    /// SHA-256 of what `sha256sum` prints for them, in the order of the archive.
    pub(super) sha256: String,
    /// Pictures that were removed while the backup was made.
    pub(super) missing: u64,
    /// The first thousand of these.
    pub(super) missing_names: Vec<String>,
}

impl Pictures {
    pub(super) fn note_missing(&mut self, name: &str) {
        self.missing += 1;
        if self.missing_names.len() < MOST_NAMED {
            self.missing_names.push(name.to_owned());
        }
    }
}

/// Notes members as they are written or read.
#[derive(Default)]
pub(super) struct Notes {
    pub(super) members: Vec<Entry>,
    pictures: Pictures,
    hash: Sha256,
}

impl Notes {
    pub(super) fn note_picture(&mut self, entry: &Entry) {
        self.pictures.count += 1;
        self.pictures.bytes += entry.bytes;
        self.hash.update(format!("{}  {}\n", entry.sha256, entry.name));
    }

    pub(super) fn note_missing(&mut self, name: &str) {
        self.pictures.note_missing(name);
    }

    /// The members, and all pictures.
    pub(super) fn finish(self) -> (Vec<Entry>, Pictures) {
        (self.members, Pictures { sha256: hex::encode(self.hash.finalize()), ..self.pictures })
    }
}

//! Names of members. A name from an archive is only compared or parsed: no path is ever built from any other.

use std::path::{Path, PathBuf};

use domain::PictureId;

pub(super) const DATABASE: &str = "polyface.db";
pub(super) const DATA_KEYS: &str = "seal.keys";
pub(super) const KEY: &str = "store.key";
pub(super) const MANIFEST: &str = "manifest.json";
/// Certificates and private keys.
pub(super) const OWN: [&str; 5] = [
    "tls/own/certificate.pem",
    "tls/own/key.pem",
    "tls/sensetime/certificate.pem",
    "tls/sensetime/key.pem",
    "keys/uniview.pem",
];
/// The folder of sounds.
pub(super) const SOUNDS: &str = "sounds";
/// The longest name of a sound, bytes: with its folder it fits into the header of a member.
const SOUND_NAME: usize = 80;

/// A member that has a place in the storage directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Member {
    Database,
    DataKeys,
    Key,
    Manifest,
    Own(&'static str),
    Sound(String),
    Picture(PictureId),
}

impl Member {
    /// The member with this name; `None` for any other name.
    pub(super) fn named(name: &str) -> Option<Self> {
        match name {
            DATABASE => Some(Self::Database),
            DATA_KEYS => Some(Self::DataKeys),
            KEY => Some(Self::Key),
            MANIFEST => Some(Self::Manifest),
            name => own(name).or_else(|| sound(name)).or_else(|| picture(name)),
        }
    }

    /// The largest size, bytes; `None` for one that only the disk bounds.
    pub(super) fn most_bytes(&self) -> Option<u64> {
        match self {
            Self::Database => None,
            Self::Key => Some(256),
            Self::DataKeys => Some(64 << 10),
            Self::Manifest => Some(4 << 20),
            Self::Own(_) => Some(1 << 20),
            Self::Sound(_) => Some(64 << 20),
            Self::Picture(_) => Some(512 << 20),
        }
    }
}

fn own(name: &str) -> Option<Member> {
    OWN.into_iter().find(|own| *own == name).map(Member::Own)
}

fn sound(name: &str) -> Option<Member> {
    let name = name.strip_prefix(SOUNDS)?.strip_prefix('/')?;
    is_sound(name).then(|| Member::Sound(name.to_owned()))
}

/// Whether a file of this name is a sound that can be backed up.
pub(super) fn is_sound(name: &str) -> bool {
    let plain = !name.starts_with('.') && !name.chars().any(|c| c == '/' || c.is_control());
    plain && name.len() <= SOUND_NAME && name.ends_with(".wav")
}

fn picture(name: &str) -> Option<Member> {
    let (folder, hash) = name.strip_prefix("pictures/")?.split_once('/')?;
    let id: PictureId = hash.parse().ok()?;
    (id.as_str() == hash && folder == &hash[..2]).then_some(Member::Picture(id))
}

/// The name of a picture.
pub(super) fn of_picture(id: &PictureId) -> String {
    format!("pictures/{}/{}", &id.as_str()[..2], id.as_str())
}

/// The file of a sound in a storage directory.
pub(super) fn sound_file(dir: &Path, name: &str) -> PathBuf {
    dir.join(SOUNDS).join(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_written_name_is_read() {
        let hash = "ab".repeat(32);
        let id: PictureId = hash.parse().unwrap();
        assert_eq!(Member::named(&of_picture(&id)), Some(Member::Picture(id)));
        assert_eq!(Member::named("sounds/门_C.wav"), Some(Member::Sound("门_C.wav".into())));
        for name in [DATABASE, DATA_KEYS, KEY, MANIFEST].into_iter().chain(OWN) {
            assert!(Member::named(name).is_some(), "{name}");
        }
    }

    #[test]
    fn no_other_name_is() {
        let hash = "ab".repeat(32);
        let wrong = [
            String::new(),
            "/etc/passwd".into(),
            "../polyface.db".into(),
            "./polyface.db".into(),
            "polyface.db/".into(),
            "polyface.db\0".into(),
            "tls/own/../../x".into(),
            "sounds/../x.wav".into(),
            "sounds/.x.wav".into(),
            "sounds/a/b.wav".into(),
            "sounds/a.mp3".into(),
            format!("sounds/{}.wav", "a".repeat(90)),
            format!("pictures/cd/{hash}"),
            format!("pictures/{hash}"),
            format!("pictures/ab/{}", hash.to_uppercase()),
            format!("pictures/AB/{hash}"),
            format!("pictures/ab/{hash}x"),
            format!("pictures/ab/../{hash}"),
        ];
        for name in wrong {
            assert_eq!(Member::named(&name), None, "{name:?}");
        }
    }
}

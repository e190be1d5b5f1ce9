//! The data keys in the storage directory: `seal.keys`.
//!
//! | bytes | what |
//! |---|---|
//! | 8 | `PFkeys\r\n` |
//! | 1, 24, 32, 16 | for each key: its number, and the key sealed by the store key |
//!
//! The file is replaced as a whole: written under a temporary name, synced, renamed.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::path::Path;

use zeroize::Zeroizing;

use super::{DataKey, KEY, Keys, OVERHEAD, Place, StoreKey, cipher, derived, open_with, random_key, seal_with};
use crate::OpenError;
use crate::migrate::remove_if_there;
use crate::owner::create_private;

/// Name of the file.
pub(crate) const FILE: &str = "seal.keys";
const PART: &str = "seal.keys.part";
const MAGIC: [u8; 8] = *b"PFkeys\r\n";
const ENTRY: usize = KEY + OVERHEAD;

type Secret = (u8, Zeroizing<[u8; KEY]>);

/// Opens the keys of the storage directory. A directory without any gets its first, unless it `has_sealed` values,
/// which no new key could open.
pub(crate) fn open_ring(dir: &Path, key: &StoreKey, has_sealed: bool) -> Result<Keys, OpenError> {
    let secrets = match fs::read(dir.join(FILE)) {
        Ok(content) => read(&content, key)?,
        Err(error) if error.kind() == ErrorKind::NotFound && has_sealed => return Err(OpenError::NoDataKeys),
        Err(error) if error.kind() == ErrorKind::NotFound => {
            let first = vec![(1, fresh()?)];
            write(dir, key, &first).map_err(OpenError::file("writing the data keys"))?;
            first
        }
        Err(error) => return Err(OpenError::file("reading the data keys")(error)),
    };
    let mut keys: Vec<DataKey> = secrets.iter().map(|(number, secret)| DataKey::new(*number, secret)).collect();
    keys.sort_unstable_by_key(|key| key.number);
    let current = keys.pop().ok_or(OpenError::DamagedKeys)?;
    Ok(Keys { current, former: keys })
}

/// Adds a data key that seals from now on.
pub(crate) fn start_turn(dir: &Path, key: &StoreKey) -> Result<(), OpenError> {
    let mut secrets = read_file(dir, key)?;
    let highest = secrets.iter().map(|(number, _)| *number).max().unwrap_or_default();
    let number = highest.checked_add(1).ok_or(OpenError::NoMoreKeys)?;
    secrets.push((number, fresh()?));
    write(dir, key, &secrets).map_err(OpenError::file("writing the data keys"))
}

/// Removes all data keys but the one with the highest number, which has sealed everything.
pub(crate) fn end_turn(dir: &Path, key: &StoreKey, current: u8) -> Result<(), OpenError> {
    let mut secrets = read_file(dir, key)?;
    secrets.retain(|(number, _)| *number == current);
    write(dir, key, &secrets).map_err(OpenError::file("writing the data keys"))
}

/// Wraps the data keys with another store key.
pub(crate) fn rewrap(dir: &Path, from: &StoreKey, to: &StoreKey) -> Result<(), OpenError> {
    let secrets = read_file(dir, from)?;
    write(dir, to, &secrets).map_err(OpenError::file("writing the data keys"))
}

/// The content of the file.
pub(crate) fn content(dir: &Path) -> Result<Vec<u8>, OpenError> {
    fs::read(dir.join(FILE)).map_err(|error| match error.kind() {
        ErrorKind::NotFound => OpenError::NoDataKeys,
        _ => OpenError::file("reading the data keys")(error),
    })
}

/// The content of the file, wrapped with another store key.
pub(crate) fn wrapped_anew(content: &[u8], from: &StoreKey, to: &StoreKey) -> Result<Vec<u8>, OpenError> {
    read(content, from).map(|secrets| wrapped(to, &secrets))
}

/// Overwrites and removes the data keys: nothing that they sealed can be opened again, by any store key.
pub(crate) fn destroy(dir: &Path) -> io::Result<()> {
    for name in [FILE, PART] {
        let file = dir.join(name);
        match OpenOptions::new().write(true).open(&file) {
            Ok(mut out) => {
                let length = out.metadata()?.len();
                out.write_all(&vec![0; usize::try_from(length).unwrap_or_default()])?;
                out.sync_all()?;
                fs::remove_file(&file)?;
            }
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    match File::open(dir) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        dir => dir?.sync_all(),
    }
}

fn fresh() -> Result<Zeroizing<[u8; KEY]>, OpenError> {
    random_key().map(Zeroizing::new).map_err(OpenError::file("making a data key"))
}

fn read_file(dir: &Path, key: &StoreKey) -> Result<Vec<Secret>, OpenError> {
    read(&content(dir)?, key)
}

fn read(content: &[u8], key: &StoreKey) -> Result<Vec<Secret>, OpenError> {
    let entries = content.strip_prefix(&MAGIC).ok_or(OpenError::DamagedKeys)?;
    let (entries, rest) = entries.as_chunks::<ENTRY>();
    if entries.is_empty() || !rest.is_empty() {
        return Err(OpenError::DamagedKeys);
    }
    let cipher = cipher(&derived(&key.0, b"polyface wrap"));
    let secret = |entry: &[u8; ENTRY]| {
        let opened = open_with(&cipher, &place(entry[0]).bytes(), entry).map(Zeroizing::new);
        let secret = opened.and_then(|opened| <[u8; KEY]>::try_from(opened.as_slice()).ok());
        secret.map(|secret| (entry[0], Zeroizing::new(secret))).ok_or(OpenError::WrongKey)
    };
    entries.iter().map(secret).collect()
}

fn write(dir: &Path, key: &StoreKey, secrets: &[Secret]) -> io::Result<()> {
    let part = dir.join(PART);
    remove_if_there(&part)?;
    let mut file = create_private(&part)?;
    file.write_all(&wrapped(key, secrets))?;
    file.sync_all()?;
    fs::rename(&part, dir.join(FILE))?;
    File::open(dir)?.sync_all()
}

fn wrapped(key: &StoreKey, secrets: &[Secret]) -> Vec<u8> {
    let cipher = cipher(&derived(&key.0, b"polyface wrap"));
    let mut content = MAGIC.to_vec();
    for (number, secret) in secrets {
        content.extend(seal_with(&cipher, *number, &place(*number).bytes(), secret.as_slice()));
    }
    content
}

fn place(number: u8) -> Place<'static> {
    Place::new("data key", number.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY_A: [u8; 32] = [1; 32];
    const KEY_B: [u8; 32] = [2; 32];

    fn place() -> Place<'static> {
        Place::new("person", 1)
    }

    #[test]
    fn another_store_key_opens_nothing_and_makes_nothing_new() {
        let dir = tempfile::tempdir().unwrap();
        let sealed = open_ring(dir.path(), &StoreKey::new(KEY_A), false).unwrap().seal(place(), b"Ada");
        for has_sealed in [false, true] {
            assert!(matches!(open_ring(dir.path(), &StoreKey::new(KEY_B), has_sealed), Err(OpenError::WrongKey)));
        }
        assert_eq!(open_ring(dir.path(), &StoreKey::new(KEY_A), true).unwrap().open(place(), &sealed).unwrap(), b"Ada");
    }

    #[test]
    fn no_key_is_made_over_sealed_values() {
        let dir = tempfile::tempdir().unwrap();
        assert!(matches!(open_ring(dir.path(), &StoreKey::new(KEY_A), true), Err(OpenError::NoDataKeys)));
        assert!(!dir.path().join(FILE).exists());
    }

    #[test]
    fn after_a_turn_the_former_key_is_gone() {
        let dir = tempfile::tempdir().unwrap();
        let key = StoreKey::new(KEY_A);
        let before = open_ring(dir.path(), &key, false).unwrap();
        start_turn(dir.path(), &key).unwrap();
        let turning = open_ring(dir.path(), &key, true).unwrap();
        assert!(turning.is_turning());
        let old = before.seal(place(), b"Ada");
        let new = turning.seal(place(), &turning.open(place(), &old).unwrap());
        end_turn(dir.path(), &key, turning.current()).unwrap();
        let after = open_ring(dir.path(), &key, true).unwrap();
        assert!(!after.is_turning() && after.open(place(), &old).is_err());
        assert_eq!(after.open(place(), &new).unwrap(), b"Ada");
    }

    #[test]
    fn data_keys_move_to_another_store_key() {
        let dir = tempfile::tempdir().unwrap();
        let sealed = open_ring(dir.path(), &StoreKey::new(KEY_A), false).unwrap().seal(place(), b"Ada");
        rewrap(dir.path(), &StoreKey::new(KEY_A), &StoreKey::new(KEY_B)).unwrap();
        assert!(matches!(open_ring(dir.path(), &StoreKey::new(KEY_A), true), Err(OpenError::WrongKey)));
        assert_eq!(open_ring(dir.path(), &StoreKey::new(KEY_B), true).unwrap().open(place(), &sealed).unwrap(), b"Ada");
    }

    #[test]
    fn damaged_keys_are_not_taken_for_a_wrong_key() {
        let dir = tempfile::tempdir().unwrap();
        drop(open_ring(dir.path(), &StoreKey::new(KEY_A), false).unwrap());
        let content = fs::read(dir.path().join(FILE)).unwrap();
        fs::write(dir.path().join(FILE), &content[..20]).unwrap();
        assert!(matches!(open_ring(dir.path(), &StoreKey::new(KEY_A), true), Err(OpenError::DamagedKeys)));
    }
}

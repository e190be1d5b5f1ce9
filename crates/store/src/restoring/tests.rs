//! Interrupted and refused restorations.

use std::os::unix::fs::{MetadataExt, PermissionsExt};

use super::*;
use crate::{Options, Store};

const KEY: [u8; 32] = [7; 32];
const OTHER: [u8; 32] = [8; 32];

fn open(dir: &Path, key: [u8; 32]) -> Store {
    Store::open(dir, &StoreKey::new(key), Options::default()).unwrap()
}

/// A store with this value as its only content.
fn stored(dir: &Path, key: [u8; 32], value: &str) {
    use domain::ports::AdapterState;
    open(dir, key).set_value("test", "value", Some(value)).unwrap();
}

fn value(dir: &Path, key: [u8; 32]) -> Option<String> {
    use domain::ports::AdapterState;
    open(dir, key).value("test", "value").unwrap()
}

/// Copies a store of another device into a restoration that is about to begin.
fn incoming(dir: &Path, from: &Path) -> Incoming {
    let incoming = Incoming::begin(dir).unwrap();
    fs::copy(from.join(connection::FILE), incoming.database()).unwrap();
    fs::copy(from.join(seal::RING_FILE), incoming.data_keys()).unwrap();
    incoming
}

fn two() -> (tempfile::TempDir, tempfile::TempDir) {
    let (dir, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    stored(dir.path(), KEY, "former");
    stored(other.path(), OTHER, "restored");
    fs::create_dir_all(dir.path().join("tls/own")).unwrap();
    fs::write(dir.path().join("tls/own/key.pem"), "own key").unwrap();
    (dir, other)
}

#[test]
fn what_is_restored_opens_with_the_own_key_and_the_former_is_kept_until_it_is_forgotten() {
    let (dir, other) = two();
    let incoming = incoming(dir.path(), other.path());
    assert!(matches!(Store::open(dir.path(), &StoreKey::new(KEY), Options::default()), Err(OpenError::InUse { .. })));
    incoming.check(&StoreKey::new(OTHER), &StoreKey::new(KEY)).unwrap();
    incoming.commit().unwrap();
    assert_eq!(value(dir.path(), KEY).as_deref(), Some("restored"));
    assert_eq!(fs::read_to_string(dir.path().join("tls/own/key.pem")).unwrap(), "own key");
    assert!(matches!(Incoming::begin(dir.path()), Err(RestoreError::FormerKept)));
    assert!(forget_former(dir.path()).unwrap() && !forget_former(dir.path()).unwrap());
    assert_eq!(value(dir.path(), KEY).as_deref(), Some("restored"));
}

#[test]
fn the_former_storage_can_be_put_back() {
    let (dir, other) = two();
    let incoming = incoming(dir.path(), other.path());
    incoming.check(&StoreKey::new(OTHER), &StoreKey::new(KEY)).unwrap();
    incoming.commit().unwrap();
    fs::rename(dir.path().join(FORMER), dir.path().join(READY)).unwrap();
    assert_eq!(value(dir.path(), KEY).as_deref(), Some("former"));
}

#[test]
fn what_is_not_committed_leaves_nothing() {
    let (dir, other) = two();
    drop(incoming(dir.path(), other.path()));
    assert!(!dir.path().join(PART).exists());
    // As a crash leaves it.
    fs::create_dir(dir.path().join(PART)).unwrap();
    assert_eq!(value(dir.path(), KEY).as_deref(), Some("former"));
    assert!(!dir.path().join(PART).exists());
}

/// Renames one entry after another, and has the rest done by `complete`.
#[test]
fn a_restoration_that_is_interrupted_anywhere_goes_on() {
    for moved in 0..100 {
        let (dir, other) = two();
        let incoming = incoming(dir.path(), other.path());
        incoming.check(&StoreKey::new(OTHER), &StoreKey::new(KEY)).unwrap();
        incoming.keep_own().unwrap();
        fs::rename(incoming.folder(), dir.path().join(READY)).unwrap();
        drop(incoming);
        let whole = interrupted_after(dir.path(), moved);
        assert_eq!(value(dir.path(), KEY).as_deref(), Some("restored"), "after {moved} renames");
        assert!(dir.path().join(FORMER).join(connection::FILE).exists(), "after {moved} renames");
        assert_eq!(listed(dir.path()).unwrap().iter().filter(|name| FOLDERS.iter().any(|f| *name == *f)).count(), 1);
        if whole {
            return;
        }
    }
    panic!("it never ends");
}

/// As `complete`, but ends after this many renames; whether it came to its end.
fn interrupted_after(dir: &Path, mut renames: usize) -> bool {
    let mut rename = |from: PathBuf, to: PathBuf| {
        let left = renames.checked_sub(1);
        renames = left.unwrap_or_default();
        left.is_some().then(|| fs::rename(from, to).unwrap()).is_some()
    };
    let part = dir.join(FORMER_PART);
    fs::create_dir(&part).unwrap();
    let stored = listed(dir).unwrap().into_iter();
    let stored = stored.filter(|name| name != lock::FILE && !FOLDERS.iter().any(|folder| name == *folder));
    let install = dir.join(INSTALL);
    stored.map(|name| (dir.join(&name), part.join(&name))).all(|(from, to)| rename(from, to))
        && rename(dir.join(READY), install.clone())
        && rename(part.clone(), dir.join(FORMER))
        && listed(&install).unwrap().into_iter().all(|name| rename(install.join(&name), dir.join(&name)))
}

/// Gives everything in the folder to another user; `false` for a user who may not.
fn give_all(folder: &Path, user: u32) -> bool {
    let inside = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    inside.fold(true, |given, path| given & if path.is_dir() { give_all(&path, user) } else { give(&path, user) })
        & give(folder, user)
}

fn give(path: &Path, user: u32) -> bool {
    std::os::unix::fs::chown(path, Some(user), Some(user)).is_ok()
}

fn owner(path: &Path) -> u32 {
    fs::metadata(path).unwrap().uid()
}

#[test]
fn what_root_restores_belongs_to_the_owner_of_the_storage() {
    const SERVICE: u32 = 4711;
    let (dir, other) = two();
    fs::set_permissions(dir.path().join("tls/own/key.pem"), fs::Permissions::from_mode(0o640)).unwrap();
    fs::create_dir(dir.path().join("sounds")).unwrap();
    fs::set_permissions(dir.path().join("sounds"), fs::Permissions::from_mode(0o755)).unwrap();
    if !give_all(dir.path(), SERVICE) {
        return;
    }
    give(&dir.path().join("sounds"), 0);
    let incoming = incoming(dir.path(), other.path());
    incoming.check(&StoreKey::new(OTHER), &StoreKey::new(KEY)).unwrap();
    incoming.commit().unwrap();
    for path in ["tls", "tls/own", "tls/own/key.pem", "before-restore", "before-restore/tls/own/key.pem"] {
        assert_eq!(owner(&dir.path().join(path)), SERVICE, "{path}");
    }
    let mode = |path: &str| fs::metadata(dir.path().join(path)).unwrap().permissions().mode() & 0o777;
    assert_eq!([mode("tls/own/key.pem"), mode("before-restore")], [0o640, 0o700]);
    assert_eq!((owner(&dir.path().join("sounds")), mode("sounds")), (0, 0o755), "as its owner made it");
}

#[test]
fn an_empty_folder_of_an_interrupted_root_is_replaced() {
    let (dir, other) = two();
    let incoming = incoming(dir.path(), other.path());
    incoming.check(&StoreKey::new(OTHER), &StoreKey::new(KEY)).unwrap();
    let part = dir.path().join(FORMER_PART);
    fs::create_dir(&part).unwrap();
    fs::set_permissions(&part, fs::Permissions::from_mode(0o500)).unwrap();
    incoming.commit().unwrap();
    let about = fs::metadata(dir.path().join(FORMER)).unwrap();
    assert_eq!(about.permissions().mode() & 0o777, 0o700, "another folder");
}

#[test]
fn a_database_that_is_newer_older_or_damaged_is_refused() {
    let (dir, other) = two();
    let incoming = incoming(dir.path(), other.path());
    let set = |version: u32| {
        incoming.connect().unwrap().pragma_update(None, "user_version", version).unwrap();
        incoming.check(&StoreKey::new(OTHER), &StoreKey::new(KEY)).unwrap_err().to_string()
    };
    let known = migrate::STEPS.len() as u32;
    assert_eq!(
        set(known + 1),
        format!(
            "the database has version {}, this program supports versions up to {known}: install a newer version",
            known + 1
        )
    );
    assert_eq!(set(24), "the database of the backup has version 24, backups have version 25 or later");
    incoming.connect().unwrap().pragma_update(None, "user_version", known).unwrap();
    let mut bytes = fs::read(incoming.database()).unwrap();
    bytes[8192..16384].fill(0x5a);
    fs::write(incoming.database(), bytes).unwrap();
    assert!(incoming.check(&StoreKey::new(OTHER), &StoreKey::new(KEY)).is_err());
}

#[test]
fn an_erasure_destroys_the_keys_from_before_a_restoration() {
    let (dir, other) = two();
    let incoming = incoming(dir.path(), other.path());
    incoming.check(&StoreKey::new(OTHER), &StoreKey::new(KEY)).unwrap();
    incoming.commit().unwrap();
    let linked = other.path().join("linked");
    fs::hard_link(dir.path().join(FORMER).join(seal::RING_FILE), &linked).unwrap();
    crate::erase(dir.path(), || Ok(())).unwrap();
    assert!(fs::read(linked).unwrap().iter().all(|byte| *byte == 0), "overwritten, not only removed");
    assert_eq!(listed(dir.path()).unwrap(), [lock::FILE]);
}

//! What lies in the storage directory is opened only by its key, and only where it belongs.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::{MetadataExt, chown};
use std::path::Path;

use domain::ports::{AdapterState, LogStore, PersonStore, Pictures, SettingsStore};
use domain::{Person, PersonFilter, RecordFilter, Window};
use rusqlite::Connection;
use store::{OpenError, Options, Store, StoreKey};
use testkit::store_suite::samples;

const ALL: Window = Window { skip: 0, limit: 100 };

fn key() -> StoreKey {
    StoreKey::new([7; 32])
}

fn open(dir: &Path) -> Result<Store, OpenError> {
    Store::open(dir, &key(), Options::default())
}

/// Two people, a record of the first, a camera, a value and a setting.
fn fill(store: &Store) -> Vec<Person> {
    let people = ["ada", "bob"].map(|code| store.insert_person(&samples::new_person(store, code)).unwrap());
    let best = samples::candidate(people[0].id.0, 1, 0.9);
    store.append_record(&samples::recognised(store, 1, 0, best)).unwrap();
    store.insert_camera(&samples::new_camera(people[0].libraries.clone()), 4, samples::at(0)).unwrap();
    store.set_value("vendor", "platform", Some("token 4711")).unwrap();
    store.set_setting("mqtt.password", Some("hunter2hunter2")).unwrap();
    people.into()
}

/// Everything that [`fill`] stored is there and found.
fn check(store: &Store, people: &[Person]) {
    for person in people {
        assert_eq!(store.person(person.id).unwrap(), *person);
        assert_eq!(store.person_by_code(&person.code).unwrap().id, person.id);
        let name = Some(person.profile.name.clone());
        assert_eq!(store.people(&PersonFilter { name, ..Default::default() }, ALL).unwrap().total, 1);
        store.embedding(person.id, &samples::model()).unwrap();
        store.get(&person.photo).unwrap();
    }
    let record = &store.records(&RecordFilter::default(), ALL).unwrap().rows[0];
    let name = Some(record.matches[0].best.as_ref().unwrap().name.clone());
    assert_eq!(store.records(&RecordFilter { name_part: name, ..Default::default() }, ALL).unwrap().total, 1);
    store.get(&record.capture.scene).unwrap();
    assert_eq!(store.cameras().unwrap().len(), 1);
    assert_eq!(store.value("vendor", "platform").unwrap().as_deref(), Some("token 4711"));
    assert_eq!(store.setting("mqtt.password").unwrap().as_deref(), Some("hunter2hunter2"));
}

fn database(dir: &Path) -> Connection {
    Connection::open(dir.join("polyface.db")).unwrap()
}

#[test]
fn a_row_that_was_moved_to_another_person_is_refused() {
    for swap in [
        "UPDATE person SET sealed = (SELECT sealed FROM person WHERE id = 2) WHERE id = 1",
        "UPDATE template SET embedding = (SELECT embedding FROM template WHERE person = 2) WHERE person = 1",
    ] {
        let dir = tempfile::tempdir().unwrap();
        let store = open(dir.path()).unwrap();
        let people = fill(&store);
        assert_eq!(people[0].id.0, 1);
        database(dir.path()).execute(swap, []).unwrap();
        let read = |id| store.person(id).and_then(|_| store.embedding(id, &samples::model()));
        assert!(read(people[0].id).is_err(), "{swap}");
        assert!(read(people[1].id).is_ok(), "{swap}");
    }
}

#[test]
fn a_picture_under_another_name_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path()).unwrap();
    let people = fill(&store);
    let file =
        |person: &Person| dir.path().join("pictures").join(&person.photo.as_str()[..2]).join(person.photo.as_str());
    fs::copy(file(&people[1]), file(&people[0])).unwrap();
    assert!(store.get(&people[0].photo).is_err());
    assert!(store.get(&people[1].photo).is_ok());
}

#[test]
fn another_key_opens_nothing_and_changes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let people = fill(&open(dir.path()).unwrap());
    let before = fs::read(dir.path().join("seal.keys")).unwrap();
    let wrong = Store::open(dir.path(), &StoreKey::new([8; 32]), Options::default());
    assert!(matches!(wrong, Err(OpenError::WrongKey)));
    assert_eq!(fs::read(dir.path().join("seal.keys")).unwrap(), before);
    check(&open(dir.path()).unwrap(), &people);
    fs::remove_file(dir.path().join("seal.keys")).unwrap();
    assert!(matches!(open(dir.path()), Err(OpenError::NoDataKeys)));
    assert!(!dir.path().join("seal.keys").exists());
}

#[test]
fn after_a_turn_of_keys_everything_is_there_and_sealed_anew() {
    let dir = tempfile::tempdir().unwrap();
    let people = fill(&open(dir.path()).unwrap());
    store::turn(dir.path(), &key()).unwrap();
    check(&open(dir.path()).unwrap(), &people);
    let former = "SELECT (SELECT count(*) FROM person WHERE substr(sealed, 1, 1) <> x'02')
        + (SELECT count(*) FROM template WHERE substr(embedding, 1, 1) <> x'02')
        + (SELECT count(*) FROM setting WHERE substr(sealed, 1, 1) <> x'02')";
    assert_eq!(database(dir.path()).query_row(former, [], |row| row.get::<_, i64>(0)).unwrap(), 0);
    let new = StoreKey::new([9; 32]);
    store::change(dir.path(), &key(), &new).unwrap();
    assert!(matches!(open(dir.path()), Err(OpenError::WrongKey)));
    check(&Store::open(dir.path(), &new, Options::default()).unwrap(), &people);
}

#[test]
fn erasing_leaves_nothing_but_a_directory_to_start_anew() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path()).unwrap();
    fill(&store);
    assert!(matches!(store::erase(dir.path(), || Ok(())), Err(OpenError::InUse { .. })));
    drop(store);
    store::erase(dir.path(), || Ok(())).unwrap();
    let left: Vec<_> = fs::read_dir(dir.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, ["polyface.lock"]);
    assert!(!store::is_sealed(dir.path()).unwrap());
    let other = Store::open(dir.path(), &StoreKey::new([8; 32]), Options::default()).unwrap();
    assert_eq!(other.people(&PersonFilter::default(), ALL).unwrap().total, 0);
}

/// The owners of everything in a folder.
fn owners(folder: &Path) -> BTreeSet<u32> {
    let mut owners = BTreeSet::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        owners.insert(fs::symlink_metadata(&path).unwrap().uid());
        if path.is_dir() {
            owners.extend(self::owners(&path));
        }
    }
    owners
}

#[test]
fn what_root_seals_belongs_to_the_owner_of_the_storage() {
    let dir = tempfile::tempdir().unwrap();
    // Only root may give files away.
    if chown(dir.path(), Some(4711), Some(4711)).is_err() {
        return;
    }
    let people = fill(&open(dir.path()).unwrap());
    assert_eq!(owners(dir.path()), [4711].into());
    store::turn(dir.path(), &key()).unwrap();
    let new = StoreKey::new([8; 32]);
    store::change(dir.path(), &key(), &new).unwrap();
    assert_eq!(owners(dir.path()), [4711].into());
    check(&Store::open(dir.path(), &new, Options::default()).unwrap(), &people);
}

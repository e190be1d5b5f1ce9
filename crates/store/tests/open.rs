//! Opening a storage directory.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use domain::ports::{LogStore, PersonStore, Pictures, SettingsStore};
use domain::{PictureId, RecordFilter, Seq};
use rusqlite::Connection;
use store::{OpenError, Options, Store, StoreKey, stored_schema, supported_schema};
use testkit::store_suite::samples::{self, ALL};

fn key() -> StoreKey {
    StoreKey::new([7; 32])
}

fn open(dir: &Path) -> Result<Store, OpenError> {
    Store::open(dir, &key(), Options::default())
}

fn picture_files(dir: &Path) -> Vec<PathBuf> {
    let dirs = fs::read_dir(dir.join("pictures")).unwrap().map(|entry| entry.unwrap().path());
    dirs.flat_map(|dir| fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path())).collect()
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn what_was_stored_is_there_when_it_is_opened_again() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path()).unwrap();
    let person = store.insert_person(&samples::new_person(&store, "a")).unwrap();
    let best = samples::candidate(person.id.0, 1, 0.9);
    let record = store.append_record(&samples::recognised(&store, 1, 0, best)).unwrap();
    let camera = store.insert_camera(&samples::new_camera(person.libraries.clone()), 4, samples::at(0)).unwrap();
    drop(store);

    let store = open(dir.path()).unwrap();
    assert_eq!(store.person(person.id).unwrap(), person);
    assert_eq!(
        store.embedding(person.id, &samples::model()).unwrap(),
        samples::embedding_of(&samples::new_person(&store, "a"))
    );
    assert_eq!(store.records(&RecordFilter::default(), ALL).unwrap().rows, std::slice::from_ref(&record));
    assert_eq!(store.cameras().unwrap(), [camera]);
    for picture in [&person.photo, &record.capture.crop, &record.capture.scene] {
        store.get(picture).unwrap();
    }
}

#[test]
fn a_second_store_is_told_who_has_the_directory() {
    let dir = tempfile::tempdir().unwrap();
    let first = open(dir.path()).unwrap();
    let Err(OpenError::InUse { holder }) = open(dir.path()) else { panic!("opened twice") };
    assert_eq!(holder, std::process::id().to_string());
    drop(first);
    open(dir.path()).unwrap();
}

#[test]
fn nobody_else_may_read_what_is_stored() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path().join("made/by/open");
    let store = open(&dir).unwrap();
    let photo = samples::picture(&store, "photo");
    let photo = dir.join("pictures").join(&photo.as_str()[..2]).join(photo.as_str());
    for private in [&dir, &dir.join("pictures")] {
        assert_eq!(mode(private), 0o700, "{private:?}");
    }
    for private in ["polyface.db", "polyface.db-wal", "polyface.db-shm", "polyface.lock"].map(|name| dir.join(name)) {
        assert_eq!(mode(&private), 0o600, "{private:?}");
    }
    assert_eq!(mode(&photo), 0o600);
}

#[test]
fn a_database_of_a_later_version_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    drop(open(dir.path()).unwrap());
    let database = Connection::open(dir.path().join("polyface.db")).unwrap();
    database.pragma_update(None, "user_version", 4711).unwrap();
    drop(database);
    let Err(error @ OpenError::Newer { found: 4711, .. }) = open(dir.path()) else { panic!("opened") };
    assert!(error.to_string().contains("4711"), "{error}");
}

#[test]
fn a_database_of_another_program_is_refused_and_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("polyface.db");
    Connection::open(&file).unwrap().execute_batch("CREATE TABLE theirs (id)").unwrap();
    let before = fs::read(&file).unwrap();
    assert!(matches!(open(dir.path()), Err(OpenError::Foreign)));
    assert_eq!(fs::read(&file).unwrap(), before);

    fs::write(&file, "no database at all, but longer than its header would be".repeat(9)).unwrap();
    assert!(matches!(open(dir.path()), Err(OpenError::Damaged { .. })));
}

#[test]
fn pictures_that_no_row_names_are_swept_away() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path()).unwrap();
    let person = store.insert_person(&samples::new_person(&store, "a")).unwrap();
    let record = store.append_record(&samples::stranger(&store, 1, 0)).unwrap();
    let mut orphans: Vec<PictureId> =
        (0..300).map(|number| samples::picture(&store, &format!("orphan {number}"))).collect();
    // With the highest hash of its directory: the end of the range looked at.
    orphans.push(format!("00{}", "f".repeat(62)).parse().unwrap());
    drop(store);
    let unfinished = dir.path().join("pictures/00");
    fs::create_dir_all(&unfinished).unwrap();
    fs::write(unfinished.join(format!("00{}", "f".repeat(62))), "orphan").unwrap();
    fs::write(unfinished.join("0012.7.part"), "half").unwrap();

    let store = open(dir.path()).unwrap();
    let mut kept = [&person.photo, &record.capture.crop, &record.capture.scene].map(|id| id.as_str().to_owned());
    kept.sort();
    let mut left: Vec<String> =
        picture_files(dir.path()).iter().map(|file| file.file_name().unwrap().to_str().unwrap().to_owned()).collect();
    left.sort();
    assert_eq!(left, kept);
    assert!(orphans.iter().all(|orphan| store.get(orphan).is_err()));
}

#[test]
fn the_number_of_a_record_is_never_given_again() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path()).unwrap();
    store.append_record(&samples::stranger(&store, 1, 0)).unwrap();
    drop(store);
    Connection::open(dir.path().join("polyface.db")).unwrap().execute_batch("DELETE FROM record").unwrap();
    let store = open(dir.path()).unwrap();
    assert_eq!(store.newest().unwrap(), Seq(1));
    assert_eq!(store.append_record(&samples::stranger(&store, 1, 0)).unwrap().seq, Seq(2));
}

#[test]
fn nothing_of_a_removed_person_stays_in_the_files() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path()).unwrap();
    let mut new = samples::new_person(&store, "a");
    new.profile.remark = "this remark identifies somebody".into();
    let id = store.insert_person(&new).unwrap().id;
    store.remove_person(id).unwrap();
    drop(store);
    let embedding: Vec<u8> =
        samples::embedding_of(&new).vector()[..8].iter().flat_map(|number| number.to_le_bytes()).collect();
    for entry in fs::read_dir(dir.path()).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_file()) {
        let content = fs::read(&entry).unwrap();
        for trace in [new.profile.remark.as_bytes(), &embedding] {
            assert!(!content.windows(trace.len()).any(|window| window == trace), "{entry:?}");
        }
    }
}

#[test]
fn settings_can_be_changed_beside_the_process_that_has_the_store() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path()).unwrap();
    let beside = Store::open_beside(dir.path(), &key()).unwrap();
    beside.set_setting("a", Some("1")).unwrap();
    assert_eq!(store.setting("a").unwrap().as_deref(), Some("1"));
    store.set_setting("a", Some("2")).unwrap();
    assert_eq!(beside.setting("a").unwrap().as_deref(), Some("2"));
}

#[test]
fn a_database_is_neither_made_nor_migrated_beside() {
    let dir = tempfile::tempdir().unwrap();
    assert!(matches!(Store::open_beside(dir.path(), &key()), Err(OpenError::Database { .. })));
    drop(open(dir.path()).unwrap());
    let database = Connection::open(dir.path().join("polyface.db")).unwrap();
    database.pragma_update(None, "user_version", 0).unwrap();
    assert!(matches!(Store::open_beside(dir.path(), &key()), Err(OpenError::Older { found: 0, .. })));
}

/// What installs a package reads when no daemon is there to ask.
fn version_in_the_header(dir: &Path) -> u32 {
    let header = fs::read(dir.join("polyface.db")).unwrap();
    u32::from_be_bytes(header[60..64].try_into().unwrap())
}

#[test]
fn the_stored_version_is_read_before_and_beside_a_store() {
    let dir = tempfile::tempdir().unwrap();
    assert_eq!(stored_schema(dir.path()).unwrap(), None);
    fs::write(dir.path().join("polyface.db"), "").unwrap();
    assert_eq!(stored_schema(dir.path()).unwrap(), None, "an interrupted start");
    let store = open(dir.path()).unwrap();
    assert_eq!(stored_schema(dir.path()).unwrap(), Some(supported_schema()));
    assert_eq!(version_in_the_header(dir.path()), supported_schema(), "not only in the write-ahead log");
    drop(store);
    let database = Connection::open(dir.path().join("polyface.db")).unwrap();
    database.pragma_update(None, "user_version", 4711).unwrap();
    assert_eq!(stored_schema(dir.path()).unwrap(), Some(4711), "of a later version of the program");
}

#[test]
fn another_programs_database_has_no_stored_version() {
    let dir = tempfile::tempdir().unwrap();
    let database = Connection::open(dir.path().join("polyface.db")).unwrap();
    database.execute("CREATE TABLE other (id INTEGER)", []).unwrap();
    assert!(matches!(stored_schema(dir.path()), Err(OpenError::Foreign)));
}

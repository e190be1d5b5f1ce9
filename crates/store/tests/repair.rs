//! A damaged database is replaced by its last good copy.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::path::{Path, PathBuf};

use domain::ports::{AdapterState, GalleryStore, LogStore, PersonStore, Pictures, SettingsStore};
use domain::{PersonFilter, RESTORATION, Restoration, Seq, Window};
use rusqlite::Connection;
use store::{OpenError, Options, SnapshotError, Store, StoreKey};
use testkit::store_suite::samples;

const PAGE: usize = 8192;
const NEVER: &dyn Fn() -> bool = &|| false;

fn key() -> StoreKey {
    StoreKey::new([7; 32])
}

fn open(dir: &Path) -> Store {
    Store::open(dir, &key(), Options::default()).unwrap()
}

/// Closes a store as a crash would.
fn crash(dir: &Path, store: Store) {
    drop(store);
    fs::remove_file(dir.join("polyface.end")).unwrap();
}

fn copy(store: &Store) {
    assert!(store.make_copy(3, 0, NEVER).unwrap());
}

fn named(dir: &Path, beginning: &str) -> Vec<PathBuf> {
    let files = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap());
    let mut named: Vec<_> = files
        .filter(|file| file.file_name().to_str().unwrap().starts_with(beginning))
        .map(|file| file.path())
        .collect();
    named.sort();
    named
}

/// Changes the first bytes of the page with the root of a table.
fn damage(file: &Path, table: &str) {
    let sql = "SELECT rootpage FROM sqlite_schema WHERE name = ?";
    let root: i64 = Connection::open(file).unwrap().query_row(sql, [table], |row| row.get(0)).unwrap();
    let mut bytes = fs::read(file).unwrap();
    bytes[(root as usize - 1) * PAGE..][..64].iter_mut().for_each(|byte| *byte ^= 0xa5);
    fs::write(file, bytes).unwrap();
}

fn database(dir: &Path) -> PathBuf {
    dir.join("polyface.db")
}

fn codes(store: &Store) -> Vec<String> {
    let page = store.people(&PersonFilter::default(), Window { skip: 0, limit: 100 }).unwrap();
    let mut codes: Vec<_> = page.rows.iter().map(|person| person.code.as_str().to_owned()).collect();
    codes.sort();
    codes
}

fn enrol(store: &Store, code: &str) -> domain::PersonId {
    store.insert_person(&samples::new_person(store, code)).unwrap().id
}

fn record(store: &Store, number: i64) -> Seq {
    store.append_record(&samples::stranger(store, 1, number)).unwrap().seq
}

#[test]
fn the_last_good_copy_takes_the_place_of_a_damaged_database() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    let ann = enrol(&store, "ann");
    copy(&store);
    let late = enrol(&store, "late");
    crash(dir.path(), store);
    damage(&database(dir.path()), "person");

    let store = open(dir.path());
    assert_eq!(codes(&store), ["ann"]);
    store.get(&store.person(ann).unwrap().photo).unwrap();
    assert_eq!(named(dir.path(), "polyface.db.corrupt-").len(), 1);
    let restoration = Restoration::read(&store.setting(RESTORATION).unwrap().unwrap()).unwrap();
    assert!(restoration.at >= restoration.copied_at);
    assert!(enrol(&store, "next").0 > late.0, "no number is used twice");
    drop(store);
    assert_eq!(codes(&open(dir.path())), ["ann", "next"]);
}

#[test]
fn places_of_the_log_are_not_used_twice_and_nothing_is_delivered_again() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    let first = record(&store, 1);
    store.set_cursor("a", "quick", first).unwrap();
    store.set_cursor("a", "behind", Seq(0)).unwrap();
    store.set_cursor("a", "between", Seq(0)).unwrap();
    let second = record(&store, 2);
    copy(&store);
    let lost = record(&store, 3);
    store.set_cursor("a", "quick", lost).unwrap();
    store.set_cursor("a", "between", first).unwrap();
    crash(dir.path(), store);
    damage(&database(dir.path()), "person");

    let store = open(dir.path());
    let cursor = |feed: &str| store.cursor("a", feed).unwrap().unwrap();
    assert_eq!((cursor("behind"), cursor("between")), (Seq(0), first));
    let next = record(&store, 4);
    assert!(next > lost && next.0 == cursor("quick").0 + 1, "what was delivered is behind the cursor");
    let left: Vec<_> = store.records_after(cursor("between"), 10).unwrap().iter().map(|record| record.seq).collect();
    assert_eq!(left, [second, next]);
    let passed = |after: Seq| (next.0 - after.0 - 1).unsigned_abs();
    assert_eq!(store.count_between(second, next).unwrap(), passed(second), "nothing counts as lost");
    assert_eq!(store.count_between(Seq(0), next).unwrap(), passed(Seq(0)));
    store.remove_entries(domain::Removal::One(second), 1).unwrap();
    assert_eq!(store.count_between(first, next).unwrap(), passed(first) - 1);
}

#[test]
fn without_a_good_copy_nothing_is_changed() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    enrol(&store, "ann");
    copy(&store);
    crash(dir.path(), store);
    let whole = fs::read(database(dir.path())).unwrap();
    for file in [database(dir.path()), named(dir.path(), "polyface.db.copy-").remove(0)] {
        damage(&file, "person");
    }
    for _ in 0..2 {
        let refused = Store::open(dir.path(), &key(), Options::default()).err().unwrap();
        assert!(matches!(&refused, OpenError::Damaged { .. }), "{refused}");
    }
    assert!(named(dir.path(), "polyface.db.corrupt-").is_empty());
    fs::write(database(dir.path()), whole).unwrap();
    assert_eq!(codes(&open(dir.path())), ["ann"]);
}

#[test]
fn an_older_copy_is_used_when_the_newest_is_damaged() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    enrol(&store, "ann");
    copy(&store);
    enrol(&store, "bob");
    copy(&store);
    crash(dir.path(), store);
    damage(&database(dir.path()), "person");
    damage(&named(dir.path(), "polyface.db.copy-")[1], "template");
    assert_eq!(codes(&open(dir.path())), ["ann"]);
}

#[test]
fn a_value_that_was_changed_is_damage_too() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    enrol(&store, "ann");
    copy(&store);
    crash(dir.path(), store);
    let changed = "UPDATE person SET sealed = CAST(substr(sealed, 1, 40) || x'00' || substr(sealed, 42) AS BLOB)";
    Connection::open(database(dir.path())).unwrap().execute(changed, []).unwrap();
    assert_eq!(codes(&open(dir.path())), ["ann"]);
    assert_eq!(named(dir.path(), "polyface.db.corrupt-").len(), 1);
}

#[test]
fn a_database_that_a_repair_has_renamed_and_not_replaced_is_replaced_by_the_next_start() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    enrol(&store, "ann");
    let first = record(&store, 1);
    copy(&store);
    let lost = record(&store, 2);
    store.set_cursor("a", "quick", lost).unwrap();
    crash(dir.path(), store);
    damage(&database(dir.path()), "person");
    fs::rename(database(dir.path()), dir.path().join("polyface.db.corrupt-20260302T030000")).unwrap();
    fs::write(dir.path().join("polyface.db.repaired"), "half").unwrap();
    let store = open(dir.path());
    assert_eq!(codes(&store), ["ann"]);
    assert!(first < lost && record(&store, 3) > lost);
    assert!(store.cursor("a", "quick").unwrap().unwrap() > lost);
    assert!(!dir.path().join("polyface.db.repaired").exists());
}

#[test]
fn damage_is_noted_by_the_statement_that_meets_it_and_repaired_by_the_next_start() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    enrol(&store, "ann");
    copy(&store);
    drop(store);
    let store = open(dir.path());
    assert!(!store.is_damaged());
    damage(&database(dir.path()), "adapter_value");
    assert!(store.value("a", "b").is_err());
    assert!(store.is_damaged());
    drop(store);
    let store = open(dir.path());
    assert!(!store.is_damaged() && store.value("a", "b").unwrap().is_none());
    assert_eq!(codes(&store), ["ann"]);
}

#[test]
fn a_copy_of_a_damaged_database_is_refused_and_the_damage_noted() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    enrol(&store, "ann");
    drop(store);
    let store = open(dir.path());
    damage(&database(dir.path()), "adapter_value");
    assert!(matches!(store.make_copy(3, 0, NEVER), Err(SnapshotError::Damaged(_))));
    assert!(store.is_damaged() && named(dir.path(), "polyface.db.copy").is_empty());
}

#[test]
fn the_newest_copies_are_kept_and_none_that_does_not_fit_is_begun() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    (0..5).for_each(|_| copy(&store));
    let numbers = named(dir.path(), "polyface.db.copy-");
    assert!(numbers.len() == 3 && numbers[2].ends_with("polyface.db.copy-5"), "{numbers:?}");
    assert!(matches!(store.make_copy(3, u64::MAX / 2, NEVER), Err(SnapshotError::NoSpace { .. })));
    assert_eq!(named(dir.path(), "polyface.db.copy-").len(), 1, "older ones make room, the newest stays");
    assert!(matches!(store.make_copy(3, 0, &|| true), Err(SnapshotError::Stopped)));
    assert!(named(dir.path(), "polyface.db.copy.part").is_empty());
}

#[test]
fn people_who_are_removed_are_in_no_copy_and_in_no_damaged_database() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    let (ann, bob) = (enrol(&store, "ann"), enrol(&store, "bob"));
    let sealed: Vec<u8> = Connection::open(database(dir.path()))
        .unwrap()
        .query_row("SELECT sealed FROM person WHERE id = ?", [ann.0], |row| row.get(0))
        .unwrap();
    (0..2).for_each(|_| copy(&store));
    fs::write(dir.path().join("polyface.db.corrupt-20260302T030000"), "ann").unwrap();
    fs::write(dir.path().join("polyface.db.corrupt-20260302T030000-wal"), "ann").unwrap();
    store.remove_person(ann).unwrap();
    store.erase_removed().unwrap();
    for file in named(dir.path(), "polyface.db") {
        let bytes = fs::read(&file).unwrap();
        assert!(memchr::memmem::find(&bytes, &sealed).is_none(), "{}", file.display());
    }
    assert!(named(dir.path(), "polyface.db.corrupt-").is_empty());
    assert_eq!(named(dir.path(), "polyface.db.copy-").len(), 2, "the copies are good for everybody else");
    crash(dir.path(), store);
    damage(&database(dir.path()), "person");
    let store = open(dir.path());
    assert_eq!(codes(&store), ["bob"]);
    store.person(bob).unwrap();
}

#[test]
fn what_was_removed_with_its_pictures_since_the_copy_does_not_come_back() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    let (gone, kept) = (record(&store, 1), record(&store, 2));
    copy(&store);
    store.remove_entries(domain::Removal::One(gone), 1).unwrap();
    let generation = store.generation().unwrap();
    crash(dir.path(), store);
    damage(&database(dir.path()), "person");
    let store = open(dir.path());
    let left: Vec<_> = store.records_after(Seq(0), 10).unwrap().iter().map(|record| record.seq).collect();
    assert_eq!((left, store.generation().unwrap()), (vec![kept], generation));
}

#[test]
fn a_change_of_keys_removes_the_copies() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    copy(&store);
    drop(store);
    store::turn(dir.path(), &key()).unwrap();
    assert!(named(dir.path(), "polyface.db.copy").is_empty());
}

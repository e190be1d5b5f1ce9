//! A storage directory of the version before the log, opened by this one and checked entry by entry.
//!
//! `version-11.sql` is the dump of a database that version wrote: three records of faces (1, 3 and 5), two removed ones
//! (2 and 6) and one of a body (4), which nothing has ever captured; four door openings that an MQTT platform had still
//! to confirm; running feeds, an unfinished batch, settings and an audit entry.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests panic like tests do")]

use std::path::Path;
use std::time::Duration;

use domain::ports::{AdapterState, LogStore, PersonStore, Pictures, SettingsStore, TaskStore};
use domain::settings::DeviceSettings;
use domain::{
    CameraId, Decider, Direction, Door, DoorRules, Enrolment, EntryKind, FaceReaction, LibraryId, Means, NamedPerson,
    NewRecord, Noted, Opening, PermissionGroup, PersonId, Proof, Record, RecordFilter, Seq, SightingFilter, Similarity,
    Timestamp, What, Window,
};
use rusqlite::Connection;
use store::{OpenError, Options, Store, StoreKey};
use tempfile::TempDir;
use testkit::store_suite::samples;

fn key() -> StoreKey {
    StoreKey::new([7; 32])
}

const ALL: Window = Window { skip: 0, limit: 100 };

fn upgraded() -> (TempDir, Store) {
    let dir = tempfile::tempdir().unwrap();
    write_version_11(dir.path());
    let store = Store::open(dir.path(), &key(), Options::default()).unwrap();
    (dir, store)
}

fn write_version_11(dir: &Path) {
    let database = Connection::open(dir.join("polyface.db")).unwrap();
    database.pragma_update(None, "foreign_keys", false).unwrap();
    database.execute_batch(include_str!("version-11.sql")).unwrap();
    database.pragma_update(None, "application_id", 0x5046_6365).unwrap();
    database.pragma_update(None, "user_version", 11).unwrap();
}

fn records(store: &Store) -> Vec<Record> {
    store.records_after(Seq(0), 100).unwrap()
}

/// What was appended under the same place, with the ids that only the dump knows.
fn appended(record: &Record, new: NewRecord) -> Record {
    let NewRecord { mut capture, matches, verdict } = new;
    capture.id = record.capture.id;
    capture.crop = record.capture.crop.clone();
    capture.scene = record.capture.scene.clone();
    Record { seq: record.seq, capture, matches, verdict }
}

#[test]
fn records_keep_their_places_and_everything_they_say() {
    let (_dir, store) = upgraded();
    let ada = store.person_by_code(&"ada".parse().unwrap()).unwrap();
    let mut best = samples::candidate(ada.id.0, 1, 0.9);
    (best.code, best.photo) = (ada.code, ada.photo);
    let found = records(&store);
    assert_eq!(found.iter().map(|record| record.seq.0).collect::<Vec<_>>(), [1, 3, 5], "without the body");
    assert_eq!(found[0], appended(&found[0], samples::stranger(&store, 1, 1)));
    assert_eq!(found[1], appended(&found[1], samples::recognised(&store, 1, 3, best.clone())));
    assert_eq!(found[2], appended(&found[2], samples::sighted(&store, 1, 5, &best, &[(7, Direction::Entry)])));
    for record in &found {
        assert_eq!(store.record_of_capture(record.capture.id).unwrap(), *record);
    }
    let page = store.records(&RecordFilter::default(), ALL).unwrap();
    assert_eq!(page.rows, found.into_iter().rev().collect::<Vec<_>>());
    let sightings = store.sightings(&SightingFilter::default(), ALL).unwrap();
    assert_eq!(sightings.rows.iter().map(|sighting| sighting.id.0).collect::<Vec<_>>(), [5, 2, 1]);
}

#[test]
fn openings_that_were_not_confirmed_follow_all_records() {
    let (_dir, store) = upgraded();
    let ada = NamedPerson { id: PersonId(1), code: "ada".parse().unwrap(), name: "name of ada".into() };
    let opening = |person: Option<&NamedPerson>, by| Opening {
        door: Door::Own,
        opened: true,
        person: person.cloned(),
        by,
        actor: "terminal".into(),
        why: String::new(),
    };
    let expected = [
        (7, 1_800_000_007_000, opening(None, Means::Command)),
        (8, 1_800_000_008_000, opening(Some(&ada), Means::Card)),
        (9, 1_800_000_009_000, opening(Some(&ada), Means::FaceAndCard)),
        // Of somebody who was removed meanwhile.
        (10, 1_800_000_010_000, opening(None, Means::FaceAndDocument)),
    ];
    let found = store.entries_after(Seq(0), &[EntryKind::Opening], 100).unwrap();
    assert_eq!(found.len(), expected.len());
    for (entry, (seq, millis, opening)) in found.into_iter().zip(expected) {
        let at = Timestamp::from_millis(millis);
        assert_eq!((entry.seq, entry.at, entry.camera, entry.what), (Seq(seq), at, None, What::Opening(opening)));
    }
    assert_eq!(store.newest().unwrap(), Seq(10));
    assert_eq!(store.append_record(&samples::stranger(&store, 1, 11)).unwrap().seq, Seq(11));
    assert!(store.jobs("terminal openings").unwrap().is_empty());
}

#[test]
fn feeds_batches_and_settings_go_on() {
    let (_dir, store) = upgraded();
    for (adapter, feed, place) in [("sensetime", "push", 3), ("terminal", "rec", 1), ("terminal", "snap", 6)] {
        assert_eq!(store.cursor(adapter, feed).unwrap(), Some(Seq(place)), "{adapter} {feed}");
    }
    let jobs = store.jobs("terminal").unwrap();
    assert_eq!((jobs.len(), &*jobs[0].about, &*jobs[0].items[0].about), (1, "AddPersons", "bob"));
    let kept = store.value("terminal", "mqtt").unwrap();
    assert_eq!(kept.as_deref(), Some(r#"{"ResumefromBreakpoint":"1"}"#));
    let rules = store.setting("door.rules").unwrap();
    assert_eq!(rules.as_deref(), Some("face-or-remote face-and-card 0.5 200 closes straight"));
    let hold = Duration::from_millis(200);
    let (decided_by, threshold) = (Decider::FaceOrRemote, Similarity::new(0.5));
    let meant = DoorRules { decided_by, proof: Proof::FaceAndCard, threshold, hold, ..DoorRules::default() };
    assert_eq!(store.device_settings().unwrap(), DeviceSettings { door: Ok(Some(meant)), ..DeviceSettings::factory() });
    assert_eq!(store.setting("door.rules").unwrap(), None, "it is kept in the form of today");
    assert_eq!(store.audit_log(9).unwrap()[0].action, "door.open");
    assert_eq!(store.cameras().unwrap()[0].settings.name, "entrance");
}

/// Notes that adapters kept as values named by the thing; one is of an earlier camera on the channel.
#[test]
fn notes_of_adapters_stay_with_their_things() {
    let dir = tempfile::tempdir().unwrap();
    write_version_11(dir.path());
    let kept = "INSERT INTO adapter_value VALUES
            ('a', 'library.1.type', '3'), ('a', 'library.99.type', '4'),
            ('a', 'camera.1.type', '1700000000000 7'), ('b', 'decoder.1', '1600000000000 soft');
        INSERT INTO adapter_annotation SELECT id, 'a', 'about ada' FROM person WHERE code = 'ada'";
    Connection::open(dir.path().join("polyface.db")).unwrap().execute_batch(kept).unwrap();
    let store = Store::open(dir.path(), &key(), Options::default()).unwrap();
    let ada = store.person_by_code(&"ada".parse().unwrap()).unwrap().id;
    let things = [Noted::from(ada), LibraryId(1).into(), CameraId(1).into()];
    let notes = |adapter| store.notes(adapter, &things).unwrap().into_iter().map(|(_, note)| note).collect::<Vec<_>>();
    assert_eq!((notes("a"), notes("b")), (vec!["about ada".into(), "3".into(), "7".into()], Vec::<String>::new()));
    assert_eq!(store.value("a", "library.1.type").unwrap(), None);
    assert_eq!(store.person(ada).unwrap().enrolment, Enrolment::Enrolled);
}

#[test]
fn removing_goes_on_in_order() {
    let (_dir, store) = upgraded();
    assert_eq!(store.remove_entries(domain::Removal::UpTo(Seq(5)), 2).unwrap(), 2);
    assert_eq!(records(&store).iter().map(|record| record.seq.0).collect::<Vec<_>>(), [5]);
    assert_eq!(store.remove_entries(domain::Removal::Oldest, 100).unwrap(), 5);
    assert!(store.entries_after(Seq(0), &EntryKind::ALL, 100).unwrap().is_empty());
    assert_eq!(store.sightings(&SightingFilter::default(), ALL).unwrap().total, 0, "they went with their records");
}

#[test]
fn permission_groups_of_an_adapter_become_those_of_the_device() {
    let dir = tempfile::tempdir().unwrap();
    write_version_11(dir.path());
    let database = Connection::open(dir.path().join("polyface.db")).unwrap();
    let groups = r#"{"groups":[{"id":"b","name":"day","description":"x","info":{}},
        {"id":"a","name":"night","description":"","info":{"floor":3}}]}"#;
    for (key, value) in [("permissions", groups), ("reaction", r#"{"mode":"avoid"}"#), ("platform", "{}")] {
        database.execute("INSERT INTO adapter_value VALUES ('sophon', ?, ?)", [key, value]).unwrap();
    }
    drop(database);
    let store = Store::open(dir.path(), &key(), Options::default()).unwrap();
    let group = |id: &str, name: &str, description: &str, note: Option<&str>| PermissionGroup {
        id: id.into(),
        name: name.into(),
        description: description.into(),
        note: note.map(str::to_owned),
    };
    let wanted = [group("b", "day", "x", None), group("a", "night", "", Some(r#"{"floor":3}"#))];
    assert_eq!(store.permission_groups().unwrap(), wanted);
    assert_eq!(store.device_settings().unwrap().reaction, Ok(Some(FaceReaction::Nothing)));
    let left = ["permissions", "reaction", "platform"].map(|key| store.value("sophon", key).unwrap().is_some());
    assert_eq!(left, [false, false, true]);
}

fn all_bytes(dir: &Path) -> Vec<u8> {
    let mut bytes = Vec::new();
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        bytes.extend(if path.is_dir() { all_bytes(&path) } else { std::fs::read(path).unwrap() });
    }
    bytes
}

fn holds(dir: &Path, part: &[u8]) -> bool {
    memchr::memmem::find(&all_bytes(dir), part).is_some()
}

/// Puts the photo of ada where a former version keeps it; returns its name and what the database has in clear.
fn clear_values(dir: &Path) -> (String, Vec<Vec<u8>>) {
    let database = Connection::open(dir.join("polyface.db")).unwrap();
    let photo: Vec<u8> =
        database.query_row("SELECT photo FROM person WHERE code = 'ada'", [], |row| row.get(0)).unwrap();
    let photo = hex::encode(photo);
    let folder = dir.join("pictures").join(&photo[..2]);
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join(&photo), "a photo in clear").unwrap();
    let vectors =
        "SELECT substr(embedding, 1, 64) FROM template UNION SELECT substr(embedding, 1, 64) FROM record_capture";
    let mut statement = database.prepare(vectors).unwrap();
    let mut clear: Vec<Vec<u8>> = statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
    assert!(clear.len() >= 2);
    clear.extend(
        ["name of ada", "AB 1234567", "a photo in clear", "ResumefromBreakpoint"].map(|text| text.as_bytes().to_vec()),
    );
    (photo, clear)
}

#[test]
fn what_a_former_version_stored_in_clear_is_sealed() {
    let dir = tempfile::tempdir().unwrap();
    write_version_11(dir.path());
    let (photo, clear) = clear_values(dir.path());
    assert!(clear.iter().all(|value| holds(dir.path(), value)));
    let store = Store::open(dir.path(), &key(), Options::default()).unwrap();
    for value in &clear {
        assert!(!holds(dir.path(), value), "{}", String::from_utf8_lossy(value));
    }
    assert_eq!(&store.get(&photo.parse().unwrap()).unwrap()[..], b"a photo in clear");
    assert!(!dir.path().join("pictures.clear").exists());
    drop(store);
    let wrong = Store::open(dir.path(), &StoreKey::new([8; 32]), Options::default());
    assert!(matches!(wrong, Err(OpenError::WrongKey)));
}

/// As a power cut leaves it: the database has its new form, some vectors and pictures are still in clear.
#[test]
fn a_sealing_that_was_interrupted_goes_on() {
    let dir = tempfile::tempdir().unwrap();
    write_version_11(dir.path());
    let (photo, clear) = clear_values(dir.path());
    let before: Vec<u8> = {
        let database = Connection::open(dir.path().join("polyface.db")).unwrap();
        database.query_row("SELECT embedding FROM template WHERE person = 1", [], |row| row.get(0)).unwrap()
    };
    drop(Store::open(dir.path(), &key(), Options::default()).unwrap());
    let database = Connection::open(dir.path().join("polyface.db")).unwrap();
    database.execute_batch("INSERT INTO unfinished_sealing VALUES (1); PRAGMA secure_delete = on").unwrap();
    database.execute("UPDATE template SET embedding = ? WHERE person = 1", [&before]).unwrap();
    drop(database);
    let (sealed, aside) = (dir.path().join("pictures"), dir.path().join("pictures.clear"));
    std::fs::create_dir_all(aside.join(&photo[..2])).unwrap();
    std::fs::remove_file(sealed.join(&photo[..2]).join(&photo)).unwrap();
    std::fs::write(aside.join(&photo[..2]).join(&photo), "a photo in clear").unwrap();
    std::fs::write(dir.path().join("polyface.db.before-25"), "name of ada").unwrap();
    assert!(holds(dir.path(), &before[..64]));

    let store = Store::open(dir.path(), &key(), Options::default()).unwrap();
    assert!(clear.iter().all(|value| !holds(dir.path(), value)));
    assert_eq!(&store.get(&photo.parse().unwrap()).unwrap()[..], b"a photo in clear");
    assert_eq!(store.embedding(PersonId(1), &samples::model()).unwrap().vector().len() * 4, before.len());
}

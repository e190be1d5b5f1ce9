//! No file of the storage directory contains anything of a removed person.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::path::Path;

use domain::ports::{LogStore, PersonStore, Pictures};
use domain::{Candidate, EnrolledPerson, Person, Profile};
use rusqlite::Connection;
use store::{Options, Store, StoreKey};
use testkit::store_suite::samples::{candidate, full_profile, new_person, recognised};

fn key() -> StoreKey {
    StoreKey::new([7; 32])
}

fn open(dir: &Path) -> Store {
    Store::open(dir, &key(), Options::default()).unwrap()
}

/// Texts that occur nowhere else, and the bytes of template and photo: never in any file, because they are sealed.
fn marks(person: &Person, embedding: &domain::Embedding) -> Vec<Vec<u8>> {
    let Profile { name, document_number, phone, email, address, remark, cards, .. } = &person.profile;
    let texts = [person.code.as_str(), name, document_number, phone, email, address, remark, &cards[0]];
    let mut marks: Vec<Vec<u8>> = texts.iter().map(|text| text.as_bytes().to_vec()).collect();
    marks.push(embedding.vector()[..16].iter().flat_map(|number| number.to_le_bytes()).collect());
    marks.push(format!("photo of {}", person.code).into_bytes());
    marks
}

/// What lies sealed in the files of a person: in the rows, and in the photo's file.
fn sealed(dir: &Path, person: &Person) -> Vec<Vec<u8>> {
    let database = Connection::open(dir.join("polyface.db")).unwrap();
    let mut sealed = Vec::new();
    for sql in [
        "SELECT sealed FROM person WHERE id = ?",
        "SELECT sealed FROM person_card WHERE person = ?",
        "SELECT substr(embedding, 1, 600) FROM template WHERE person = ?",
        "SELECT sealed FROM candidate WHERE person = ?",
    ] {
        let mut statement = database.prepare(sql).unwrap();
        sealed.extend(statement.query_map([person.id.0], |row| row.get(0)).unwrap().map(Result::<Vec<u8>, _>::unwrap));
    }
    let photo = person.photo.as_str();
    sealed.push(fs::read(dir.join("pictures").join(&photo[..2]).join(photo)).unwrap());
    sealed.push(hex::decode(photo).unwrap());
    sealed
}

fn newcomer(store: &Store, n: usize) -> (EnrolledPerson, domain::Embedding) {
    let mark = format!("{n:06}-mark");
    let profile = Profile {
        name: format!("name {mark}"),
        document_number: format!("document {mark}"),
        phone: format!("phone {mark}"),
        email: format!("email {mark}"),
        address: format!("address {mark}"),
        remark: format!("remark {mark}"),
        cards: vec![format!("card {mark}")],
        ..full_profile()
    };
    let person = EnrolledPerson { profile, ..new_person(store, &format!("code-{mark}")) };
    let embedding = person.photo.described.template().unwrap().embedding.clone();
    (person, embedding)
}

fn all_bytes(dir: &Path) -> Vec<u8> {
    let mut bytes = Vec::new();
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { bytes.extend(all_bytes(&path)) } else { bytes.extend(fs::read(path).unwrap()) }
    }
    bytes
}

fn holds(bytes: &[u8], part: &[u8]) -> bool {
    memchr::memmem::find(bytes, part).is_some()
}

#[test]
fn nothing_of_removed_people_is_left_in_any_file() {
    const PEOPLE: usize = 24;
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    let mut people = Vec::new();
    for n in 0..PEOPLE {
        let (new, embedding) = newcomer(&store, n);
        people.push((store.insert_person(&new).unwrap(), embedding));
    }
    for (n, (person, _)) in people.iter().enumerate() {
        for shot in 0..4 {
            let best = Candidate {
                code: person.code.clone(),
                name: person.profile.name.clone(),
                document_number: person.profile.document_number.clone(),
                address: person.profile.address.clone(),
                photo: person.photo.clone(),
                ..candidate(person.id.0, 1, if shot == 0 { 0.9 } else { 0.3 })
            };
            store.append_record(&recognised(&store, 1, (n * 4 + shot) as i64, best)).unwrap();
        }
    }
    // As a migration leaves behind.
    fs::copy(dir.path().join("polyface.db"), dir.path().join("polyface.db.before-99")).unwrap();
    let before = all_bytes(dir.path());
    let people: Vec<_> = people
        .into_iter()
        .map(|(person, embedding)| (sealed(dir.path(), &person), marks(&person, &embedding), person))
        .collect();
    for (sealed, marks, person) in &people {
        assert!(sealed.len() >= 6 && sealed.iter().all(|value| holds(&before, value)), "{}", person.id);
        assert!(!marks.iter().any(|mark| holds(&before, mark)), "{}", person.id);
    }

    let (gone, stay): (Vec<_>, Vec<_>) = people.iter().partition(|(_, _, person)| person.id.0 % 3 == 0);
    for (_, _, person) in &gone {
        store.remove_person(person.id).unwrap();
    }
    store.erase_removed().unwrap();
    let after = all_bytes(dir.path());
    for (sealed, _, person) in gone {
        for (n, value) in sealed.iter().enumerate() {
            assert!(!holds(&after, value), "value {n} of {}", person.id);
        }
    }
    for (sealed, ..) in stay {
        assert!(sealed.iter().all(|value| holds(&after, value)));
    }
    assert!(store.get(&people[0].2.photo).is_ok());
}

#[test]
fn an_interrupted_erasure_goes_on_after_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    let (new, _) = newcomer(&store, 1);
    let person = store.insert_person(&new).unwrap();
    let best = Candidate { name: person.profile.name.clone(), ..candidate(person.id.0, 1, 0.9) };
    store.append_record(&recognised(&store, 1, 1, best)).unwrap();
    let known = |dir: &Path| -> i64 {
        let database = Connection::open(dir.join("polyface.db")).unwrap();
        database.query_row("SELECT count(*) FROM candidate", [], |row| row.get(0)).unwrap()
    };
    store.remove_person(person.id).unwrap();
    drop(store);
    assert_eq!(known(dir.path()), 1, "the record names the person still");

    let store = open(dir.path());
    store.tidy().unwrap();
    assert_eq!(known(dir.path()), 0);
}

//! No file of the storage directory contains anything of a removed person.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::path::Path;

use domain::ports::{LogStore, PersonStore, Pictures};
use domain::{Candidate, EnrolledPerson, Person, Profile};
use store::{Options, Store};
use testkit::store_suite::samples::{candidate, full_profile, new_person, recognised};

fn open(dir: &Path) -> Store {
    Store::open(dir, Options::default()).unwrap()
}

/// Texts that occur nowhere else, and the bytes of the template.
fn marks(person: &Person, embedding: &domain::Embedding) -> Vec<Vec<u8>> {
    let Profile { name, document_number, phone, email, address, remark, cards, .. } = &person.profile;
    let texts = [person.code.as_str(), name, document_number, phone, email, address, remark, &cards[0]];
    let mut marks: Vec<Vec<u8>> = texts.iter().map(|text| text.as_bytes().to_vec()).collect();
    marks.push(embedding.vector()[..16].iter().flat_map(|number| number.to_le_bytes()).collect());
    marks.push(hex::decode(person.photo.as_str()).unwrap());
    marks.push(format!("photo of {}", person.code).into_bytes());
    marks
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
    assert!(people.iter().all(|(person, embedding)| marks(person, embedding).iter().all(|mark| holds(&before, mark))));

    let (gone, stay): (Vec<_>, Vec<_>) = people.iter().partition(|(person, _)| person.id.0 % 3 == 0);
    for (person, _) in &gone {
        store.remove_person(person.id).unwrap();
    }
    store.erase_removed().unwrap();
    let after = all_bytes(dir.path());
    for (person, embedding) in gone {
        for mark in marks(person, embedding) {
            assert!(!holds(&after, &mark), "{} of {}", String::from_utf8_lossy(&mark), person.id);
        }
    }
    for (person, embedding) in stay {
        assert!(marks(person, embedding).iter().all(|mark| holds(&after, mark)));
    }
    assert!(store.get(&people[0].0.photo).is_ok());
}

#[test]
fn an_interrupted_erasure_goes_on_after_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    let (new, _) = newcomer(&store, 1);
    let person = store.insert_person(&new).unwrap();
    let best = Candidate { name: person.profile.name.clone(), ..candidate(person.id.0, 1, 0.9) };
    store.append_record(&recognised(&store, 1, 1, best)).unwrap();
    store.remove_person(person.id).unwrap();
    drop(store);
    assert!(holds(&all_bytes(dir.path()), person.profile.name.as_bytes()), "the record names the person still");

    let store = open(dir.path());
    store.tidy().unwrap();
    assert!(!holds(&all_bytes(dir.path()), person.profile.name.as_bytes()));
}

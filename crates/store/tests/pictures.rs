//! Pictures between `put` and the row that names them.

use std::sync::Barrier;
use std::time::Duration;

use domain::ports::{LogStore, PersonStore, Pictures};
use domain::{Error, PersonId, Thing};
use store::{Options, Store, StoreKey};
use testkit::store_suite::samples;

fn key() -> StoreKey {
    StoreKey::new([7; 32])
}

#[test]
fn enrolling_and_removing_the_same_photo_at_once_loses_no_photo() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path(), &key(), Options::default()).unwrap();
    let enrol = |code: String| {
        let mut new = samples::new_person(&store, &code);
        new.photo.picture = store.put(b"the photo of everybody").unwrap();
        let person = store.insert_person(&new).unwrap();
        store.get(&person.photo).unwrap();
        person.id
    };
    std::thread::scope(|scope| {
        for worker in 0..4 {
            let (store, enrol) = (&store, &enrol);
            scope.spawn(move || {
                for round in 0..40 {
                    let id: PersonId = enrol(format!("{worker}-{round}"));
                    store.remove_person(id).unwrap();
                }
            });
        }
    });
    let last = enrol("last".into());
    let photo = store.person(last).unwrap().photo;
    store.remove_person(last).unwrap();
    assert!(matches!(store.get(&photo), Err(Error::NotFound { what: Thing::Picture })));
}

/// A face that fills the picture: its crop is its scene.
#[test]
fn a_picture_put_twice_at_once_takes_its_room_once() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path(), &key(), Options::default()).unwrap();
    let before = store.usage().unwrap().used_bytes;
    // With what sealing adds, a block.
    let (rounds, size) = (20, 4096 - 41);
    for round in 0..rounds {
        let (picture, start) = (vec![round; size], Barrier::new(4));
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    start.wait();
                    store.put(&picture).unwrap();
                });
            }
        });
    }
    let written = store.usage().unwrap().used_bytes - before;
    assert_eq!(written, u64::from(rounds) * 4096);
}

#[test]
fn a_picture_that_nobody_names_goes_after_a_while() {
    let dir = tempfile::tempdir().unwrap();
    let options = Options { keep_unnamed: Duration::ZERO, ..Options::default() };
    let store = Store::open(dir.path(), &key(), options).unwrap();
    let person = store.insert_person(&samples::new_person(&store, "a")).unwrap();
    let again = store.put(&store.get(&person.photo).unwrap()).unwrap();
    let abandoned = samples::picture(&store, "abandoned");
    samples::picture(&store, "the next one");
    assert!(matches!(store.get(&abandoned), Err(Error::NotFound { what: Thing::Picture })));
    store.get(&again).unwrap();
}

#[test]
fn a_refused_enrolment_may_be_tried_again_with_the_same_picture() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path(), &key(), Options::default()).unwrap();
    let first = samples::person(&store, "a");
    let mut second = samples::new_person(&store, "a");
    second.photo.picture = samples::picture(&store, "another photo");
    assert!(matches!(store.insert_person(&second), Err(Error::AlreadyExists { .. })));
    store.remove_person(first).unwrap();
    store.insert_person(&second).unwrap();
}

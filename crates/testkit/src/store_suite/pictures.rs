//! Pictures.

use domain::{Error, Removal, Seq, Thing};

use super::Stores;
use super::samples::{at, new_person, stranger};

/// Any bytes, also none and many.
pub fn a_picture_reads_back_as_put(store: &dyn Stores) {
    let large: Vec<u8> = (0..3_000_000u32).map(|i| ((i * 7) >> 3) as u8).collect();
    for content in [b"".as_slice(), b"\x00\xff\n", &large] {
        let id = store.put(content).unwrap();
        assert_eq!(store.get(&id).unwrap(), content);
        assert_eq!(store.size(&id).unwrap(), content.len() as u64);
    }
}

/// The id is the SHA-256 of the content.
pub fn the_same_bytes_are_one_picture(store: &dyn Stores) {
    let first = store.put(b"abc").unwrap();
    assert_eq!(first.as_str(), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    assert_eq!(store.put(b"abc").unwrap(), first);
    assert_ne!(store.put(b"abd").unwrap(), first);
}

/// Pictures that were not put.
pub fn unknown_pictures_are_not_found(store: &dyn Stores) {
    let id = "00".repeat(32).parse().unwrap();
    assert!(matches!(store.get(&id), Err(Error::NotFound { what: Thing::Picture })));
    assert!(matches!(store.size(&id), Err(Error::NotFound { what: Thing::Picture })));
}

/// From the enrolment on it belongs to the person.
pub fn a_kept_picture_stays_until_its_person_is_removed(store: &dyn Stores) {
    let kept = store.keep(b"portrait", 9, at(0)).unwrap();
    let mut record = stranger(store, 1, 0);
    record.capture.crop = store.put(b"portrait").unwrap();
    store.append_record(&record).unwrap();
    store.remove_entries(Removal::UpTo(Seq(9)), 9).unwrap();
    assert_eq!(store.get(&kept).unwrap(), &b"portrait"[..], "not removed with a record");
    let mut person = new_person(store, "a");
    person.photo.picture = store.put(b"portrait").unwrap();
    let person = store.insert_person(&person).unwrap();
    assert_eq!(person.photo, kept);
    store.remove_person(person.id).unwrap();
    assert!(matches!(store.get(&kept), Err(Error::NotFound { what: Thing::Picture })));
}

/// Photos of people do not count; a refused picture is not stored.
pub fn the_number_of_kept_pictures_is_limited(store: &dyn Stores) {
    store.keep(b"one", 2, at(0)).unwrap();
    let two = store.keep(b"two", 2, at(0)).unwrap();
    assert!(matches!(store.keep(b"three", 2, at(0)), Err(Error::LimitReached { what: Thing::Picture })));
    let mut person = new_person(store, "a");
    person.photo.picture = store.put(b"two").unwrap();
    store.insert_person(&person).unwrap();
    let three = store.keep(b"three", 2, at(0)).unwrap();
    assert!(store.get(&two).is_ok() && store.get(&three).is_ok());
}

/// Kept pictures and those of records are removed.
pub fn a_picture_is_removed_unless_a_person_has_it(store: &dyn Stores) {
    let kept = store.keep(b"kept", 9, at(0)).unwrap();
    let record = store.append_record(&stranger(store, 1, 0)).unwrap();
    for id in [kept, record.capture.crop.clone()] {
        store.remove(&id).unwrap();
        assert!(matches!(store.get(&id), Err(Error::NotFound { what: Thing::Picture })));
        assert!(matches!(store.remove(&id), Err(Error::NotFound { what: Thing::Picture })));
    }
    assert_eq!(store.record_of_capture(record.capture.id).unwrap(), record);
    let person = store.insert_person(&new_person(store, "a")).unwrap();
    assert!(matches!(store.remove(&person.photo), Err(Error::InUse { by: Thing::Person })));
    assert!(store.get(&person.photo).is_ok());
}

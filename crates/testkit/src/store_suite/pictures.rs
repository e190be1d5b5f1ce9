//! Pictures.

use domain::{Error, Thing};

use super::Stores;

/// Any bytes, none and many.
pub fn a_picture_reads_back_as_put(store: &dyn Stores) {
    let large: Vec<u8> = (0..3_000_000u32).map(|i| ((i * 7) >> 3) as u8).collect();
    for content in [b"".as_slice(), b"\x00\xff\n", &large] {
        let id = store.put(content).unwrap();
        assert_eq!(store.get(&id).unwrap(), content);
    }
}

/// The id is the SHA-256 of the content.
pub fn the_same_bytes_are_one_picture(store: &dyn Stores) {
    let first = store.put(b"abc").unwrap();
    assert_eq!(first.as_str(), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    assert_eq!(store.put(b"abc").unwrap(), first);
    assert_ne!(store.put(b"abd").unwrap(), first);
}

/// Until they are put.
pub fn unknown_pictures_are_not_found(store: &dyn Stores) {
    let id = "00".repeat(32).parse().unwrap();
    assert!(matches!(store.get(&id), Err(Error::NotFound { what: Thing::Picture })));
}

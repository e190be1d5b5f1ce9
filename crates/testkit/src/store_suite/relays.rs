//! Relays and the cameras they are bound to.

use std::net::SocketAddr;

use domain::{CameraId, Error, NewRelay, RelayId, Thing};

use super::Stores;
use super::samples::{at, new_camera};

fn new_relay(camera: CameraId, last: u8) -> NewRelay {
    let address = SocketAddr::from(([192, 0, 2, last], 5000));
    NewRelay { camera, address, name: format!("relay {last}"), tag: "tag".into() }
}

/// In order of binding.
pub fn a_relay_reads_back_as_bound(store: &dyn Stores) {
    let camera = store.insert_camera(&new_camera([]), 3, at(0)).unwrap().id;
    let first = store.insert_relay(&new_relay(camera, 1), 9).unwrap();
    let second = store.insert_relay(&new_relay(camera, 2), 9).unwrap();
    assert_eq!((first.camera, first.address, &*first.name), (camera, new_relay(camera, 1).address, "relay 1"));
    assert_eq!(store.relays().unwrap(), [first, second]);
}

/// The camera must exist, and the number is limited.
pub fn a_relay_needs_a_camera_and_room(store: &dyn Stores) {
    let missing = store.insert_relay(&new_relay(CameraId(1), 1), 9);
    assert!(matches!(missing, Err(Error::NotFound { what: Thing::Camera })));
    let camera = store.insert_camera(&new_camera([]), 3, at(0)).unwrap().id;
    store.insert_relay(&new_relay(camera, 1), 1).unwrap();
    let full = store.insert_relay(&new_relay(camera, 2), 1);
    assert!(matches!(full, Err(Error::LimitReached { what: Thing::Relay })));
    assert_eq!(store.relays().unwrap().len(), 1);
}

/// Its id is not reused.
pub fn a_relay_is_removed_alone_or_with_its_camera(store: &dyn Stores) {
    let [gate, door] = [(); 2].map(|()| store.insert_camera(&new_camera([]), 3, at(0)).unwrap().id);
    let [first, second, third] = [(gate, 1), (door, 2), (door, 3)]
        .map(|(camera, last)| store.insert_relay(&new_relay(camera, last), 9).unwrap());
    store.remove_relay(third.id).unwrap();
    assert_eq!(store.relays().unwrap(), [first, second]);
    store.remove_camera(gate).unwrap();
    store.remove_camera(door).unwrap();
    assert_eq!(store.relays().unwrap(), []);
    assert!(matches!(store.remove_relay(RelayId(1)), Err(Error::NotFound { what: Thing::Relay })));
    let camera = store.insert_camera(&new_camera([]), 3, at(0)).unwrap().id;
    assert!(store.insert_relay(&new_relay(camera, 1), 9).unwrap().id > third.id);
}

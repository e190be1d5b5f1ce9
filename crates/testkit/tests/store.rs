//! Runs the store suite on the store in memory.

use domain::Error;
use domain::ports::{Pictures, SettingsStore};
use testkit::store::MemoryStore;

fn open() -> ((), MemoryStore) {
    ((), MemoryStore::default())
}

testkit::store_suite!(open);

#[test]
fn a_full_store_refuses_writes_and_still_reads() {
    let store = MemoryStore::default();
    store.set_setting("a", Some("1")).unwrap();
    store.fill_up(true);
    assert!(matches!(store.set_setting("a", Some("2")), Err(Error::StorageFull)));
    assert!(matches!(store.put(b"picture"), Err(Error::StorageFull)));
    assert_eq!(store.setting("a").unwrap().as_deref(), Some("1"));
    store.fill_up(false);
    store.set_setting("a", Some("2")).unwrap();
}

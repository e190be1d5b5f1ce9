//! The store passes the suite of all stores, and what it stored is there when it is opened again.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use store::{Options, Store, StoreKey};
use tempfile::TempDir;

fn key() -> StoreKey {
    StoreKey::new([7; 32])
}

fn open() -> (TempDir, Store) {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path(), &key(), Options::default()).unwrap();
    (dir, store)
}

testkit::store_suite!(open);

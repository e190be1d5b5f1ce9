//! The file that keeps a copy of the gallery.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use domain::ModelId;
use domain::ports::GalleryStore;
use store::{Options, Store, StoreKey};

fn key() -> StoreKey {
    StoreKey::new([7; 32])
}

const CHUNKS: [&[u8]; 3] = [b"one", &[7; 3000], b"three"];

fn open(dir: &Path) -> Store {
    Store::open(dir, &key(), Options::default()).unwrap()
}

fn model() -> ModelId {
    ModelId("model 1".into())
}

fn keep(store: &Store) -> bool {
    let generation = store.generation().unwrap();
    store.keep_copy(&model(), generation, &mut CHUNKS.iter().map(|chunk| chunk.to_vec())).unwrap()
}

fn read(store: &Store) -> Option<Vec<Vec<u8>>> {
    let mut chunks = Vec::new();
    let mut take = |chunk: &[u8]| {
        chunks.push(chunk.to_vec());
        true
    };
    store.read_copy(&model(), store.generation().unwrap(), &mut take).unwrap().then_some(chunks)
}

fn kept(dir: &Path) -> (Store, PathBuf, Vec<u8>) {
    let store = open(dir);
    assert!(keep(&store));
    let file = dir.join("gallery.copy");
    let content = fs::read(&file).unwrap();
    (store, file, content)
}

#[test]
fn the_copy_is_there_after_a_restart_and_private() {
    let dir = tempfile::tempdir().unwrap();
    let (store, file, _) = kept(dir.path());
    drop(store);
    assert_eq!(read(&open(dir.path())).unwrap(), CHUNKS);
    assert_eq!(fs::metadata(file).unwrap().permissions().mode() & 0o777, 0o600);
}

#[test]
fn a_single_changed_byte_anywhere_is_noticed() {
    let dir = tempfile::tempdir().unwrap();
    let (store, file, content) = kept(dir.path());
    for place in 0..content.len() {
        let mut changed = content.clone();
        changed[place] ^= 0x10;
        fs::write(&file, &changed).unwrap();
        assert!(read(&store).is_none(), "byte {place}");
    }
    fs::write(&file, &content).unwrap();
    assert!(read(&store).is_some());
}

#[test]
fn a_copy_cut_short_or_followed_by_something_is_noticed() {
    let dir = tempfile::tempdir().unwrap();
    let (store, file, content) = kept(dir.path());
    for length in 0..content.len() {
        fs::write(&file, &content[..length]).unwrap();
        assert!(read(&store).is_none(), "{length} bytes");
    }
    fs::write(&file, [&content[..], b"\0"].concat()).unwrap();
    assert!(read(&store).is_none());
    // A chunk that claims four gigabytes takes no memory.
    let mut huge = content;
    let first = huge.len() - (4 + 41) - CHUNKS.iter().map(|chunk| chunk.len() + 4 + 41).sum::<usize>();
    huge[first..first + 4].fill(0xff);
    fs::write(&file, huge).unwrap();
    assert!(read(&store).is_none());
}

#[test]
fn chunks_that_changed_places_are_noticed() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    let generation = store.generation().unwrap();
    let chunks = [b"first", b"other"].map(|chunk| chunk.to_vec());
    assert!(store.keep_copy(&model(), generation, &mut chunks.into_iter()).unwrap());
    let file = dir.path().join("gallery.copy");
    let mut content = fs::read(&file).unwrap();
    let chunk = 4 + 41 + 5;
    let first = content.len() - (4 + 41) - 2 * chunk;
    let (front, back) = content.split_at_mut(first + chunk);
    front[first..].swap_with_slice(&mut back[..chunk]);
    fs::write(&file, content).unwrap();
    assert!(read(&store).is_none());
}

#[test]
fn an_unfinished_copy_does_not_stay() {
    let dir = tempfile::tempdir().unwrap();
    drop(open(dir.path()));
    let part = dir.path().join("gallery.copy.part");
    fs::write(&part, "half a copy").unwrap();
    let store = open(dir.path());
    assert!(!part.exists());
    let generation = store.generation().unwrap() + 1;
    assert!(!store.keep_copy(&model(), generation, &mut [vec![1]].into_iter()).unwrap());
    assert!(!part.exists() && read(&store).is_none());
}

//! The copy of the gallery.

use domain::{ModelId, PersonChange, Profile};

use super::{Stores, samples};

fn model() -> ModelId {
    ModelId("model 1".into())
}

fn keep(store: &dyn Stores, generation: u64, chunks: &[&str]) -> bool {
    let mut chunks = chunks.iter().map(|chunk| chunk.as_bytes().to_vec());
    store.keep_copy(&model(), generation, &mut chunks).unwrap()
}

fn read(store: &dyn Stores, model: &ModelId, generation: u64) -> Option<Vec<String>> {
    let mut chunks = Vec::new();
    let mut take = |chunk: &[u8]| {
        chunks.push(String::from_utf8(chunk.to_vec()).unwrap());
        true
    };
    store.read_copy(model, generation, &mut take).unwrap().then_some(chunks)
}

/// These are templates and memberships.
pub fn the_generation_counts_changes_of_the_gallery_only(store: &dyn Stores) {
    let mut last = store.generation().unwrap();
    let mut rises = |store: &dyn Stores| {
        let now = store.generation().unwrap();
        now > std::mem::replace(&mut last, now)
    };
    let library = samples::library(store, "second");
    let person = samples::person(store, "a");
    assert!(rises(store), "enrolment");
    let moved = PersonChange { libraries: Some(vec![library]), ..Default::default() };
    store.update_person(person, &moved, samples::at(1)).unwrap();
    assert!(rises(store), "moving to another library");
    let renamed = PersonChange { profile: Some(Profile::default()), ..Default::default() };
    store.update_person(person, &renamed, samples::at(2)).unwrap();
    assert!(!rises(store), "a name is not in the gallery");
    let profile = Profile { permission_groups: vec!["lab".into()], ..Profile::default() };
    let permitted = PersonChange { profile: Some(profile), ..Default::default() };
    store.update_person(person, &permitted, samples::at(3)).unwrap();
    assert!(rises(store), "entering a permission group");
    samples::person(store, "b");
    assert!(rises(store), "enrolment another");
    store.remove_library(library).unwrap();
    assert!(rises(store), "removing a library with a person in it");
    let other = samples::person(store, "c");
    assert!(rises(store), "enrolment a third");
    store.remove_person(other).unwrap();
    assert!(rises(store), "removing a person");
    assert!(store.remove_person(other).is_err());
    assert!(!rises(store), "nothing happened");
}

/// All chunks are read in order, or none.
pub fn a_copy_is_read_back_for_its_own_model_and_generation_only(store: &dyn Stores) {
    let generation = store.generation().unwrap();
    assert_eq!(read(store, &model(), generation), None);
    assert!(keep(store, generation, &["one", "two", "three"]));
    assert_eq!(read(store, &model(), generation).unwrap(), ["one", "two", "three"]);
    assert_eq!(read(store, &ModelId("model 2".into()), generation), None);
    samples::person(store, "a");
    assert_eq!(read(store, &model(), store.generation().unwrap()), None);
}

/// The latest copy counts.
pub fn a_copy_may_be_replaced_and_removed(store: &dyn Stores) {
    let generation = store.generation().unwrap();
    assert!(keep(store, generation, &["one", "two"]));
    assert!(keep(store, generation, &["three"]));
    assert_eq!(read(store, &model(), generation).unwrap(), ["three"]);
    store.remove_copy().unwrap();
    store.remove_copy().unwrap();
    assert_eq!(read(store, &model(), generation), None);
}

/// It may contain a person who was removed.
pub fn a_copy_of_a_former_generation_is_not_stored(store: &dyn Stores) {
    let before = store.generation().unwrap();
    let mut chunks = ["one", "two"].into_iter().map(|chunk| {
        // A person is enrolled while the copy is being written.
        samples::person(store, chunk);
        chunk.as_bytes().to_vec()
    });
    assert!(!store.keep_copy(&model(), before, &mut chunks).unwrap());
    for generation in [before, store.generation().unwrap()] {
        assert_eq!(read(store, &model(), generation), None);
    }
}

/// Reading stops then.
pub fn a_reader_of_a_copy_may_refuse_it(store: &dyn Stores) {
    let generation = store.generation().unwrap();
    assert!(keep(store, generation, &["one", "two", "three"]));
    let mut seen = 0;
    let mut take = |_: &[u8]| {
        seen += 1;
        seen < 2
    };
    assert!(!store.read_copy(&model(), generation, &mut take).unwrap());
    assert_eq!(seen, 2);
}

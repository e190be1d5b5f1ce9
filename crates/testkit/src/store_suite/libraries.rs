//! Libraries.

use domain::{Error, LibraryChange, LibraryFilter, LibraryId, LibraryKind, LibraryName, Thing};

use super::Stores;
use super::samples::{at, library, new_camera, new_library, new_person, person};

/// Library 1 is an allow list.
pub fn the_built_in_library_exists_and_cannot_be_removed(store: &dyn Stores) {
    let libraries = store.libraries(&LibraryFilter::default()).unwrap();
    assert_eq!(libraries.len(), 1);
    assert_eq!((libraries[0].id, libraries[0].kind), (LibraryId::DEFAULT, LibraryKind::Allow));
    assert_eq!(libraries[0].name.as_str(), "default_group");
    assert!(matches!(store.remove_library(LibraryId::DEFAULT), Err(Error::Invalid { field: "library", .. })));
}

/// With all fields.
pub fn a_library_reads_back_as_created(store: &dyn Stores) {
    for (name, kind) in [("staff", LibraryKind::Allow), ("banned 禁止", LibraryKind::Block)] {
        let new = new_library(name, kind);
        let created = store.create_library(&new, at(5)).unwrap();
        assert_eq!((&created.name, created.kind, &created.description), (&new.name, new.kind, &new.description));
        assert_eq!((created.people, created.created_at, created.updated_at), (0, at(5), at(5)));
        let filter = LibraryFilter { id: Some(created.id), ..Default::default() };
        assert_eq!(store.libraries(&filter).unwrap(), [created]);
    }
}

/// Creating and renaming refuse a name in use; a library may keep its own.
pub fn a_library_name_is_unique(store: &dyn Stores) {
    let staff = library(store, "staff");
    let again = store.create_library(&new_library("staff", LibraryKind::Block), at(0));
    assert!(matches!(again, Err(Error::AlreadyExists { what: Thing::Library })));
    let rename = |name| LibraryChange { name: Some(LibraryName::new(name).unwrap()), ..Default::default() };
    let taken = store.update_library(staff, &rename("default_group"), at(0));
    assert!(matches!(taken, Err(Error::AlreadyExists { what: Thing::Library })));
    store.update_library(staff, &rename("staff"), at(0)).unwrap();
    let unknown = store.update_library(LibraryId(99), &rename("x"), at(0));
    assert!(matches!(unknown, Err(Error::NotFound { what: Thing::Library })));
}

/// `None` keeps a field.
pub fn a_change_of_a_library_keeps_other_fields(store: &dyn Stores) {
    let before = store.create_library(&new_library("staff", LibraryKind::Allow), at(0)).unwrap();
    let change = LibraryChange { kind: Some(LibraryKind::Block), ..Default::default() };
    let after = store.update_library(before.id, &change, at(1)).unwrap();
    assert_eq!(after, domain::Library { kind: LibraryKind::Block, updated_at: at(1), ..before.clone() });
    let change = LibraryChange {
        name: Some(LibraryName::new("night shift").unwrap()),
        description: Some("late".into()),
        ..Default::default()
    };
    let after = store.update_library(before.id, &change, at(2)).unwrap();
    assert_eq!((after.name.as_str(), after.kind, &*after.description), ("night shift", LibraryKind::Block, "late"));
    assert_eq!((after.created_at, after.updated_at), (at(0), at(2)));
}

/// Conditions are combined; the order is by id.
pub fn libraries_are_found_by_id_name_and_kind(store: &dyn Stores) {
    let staff = library(store, "staff");
    let banned = store.create_library(&new_library("banned", LibraryKind::Block), at(0)).unwrap().id;
    let ids = |filter: LibraryFilter| -> Vec<LibraryId> {
        store.libraries(&filter).unwrap().into_iter().map(|library| library.id).collect()
    };
    assert_eq!(ids(LibraryFilter::default()), [LibraryId::DEFAULT, staff, banned]);
    assert_eq!(ids(LibraryFilter { name: Some("staff".into()), ..Default::default() }), [staff]);
    assert_eq!(ids(LibraryFilter { name: Some("STAFF".into()), ..Default::default() }), [staff]);
    assert_eq!(ids(LibraryFilter { name: Some("staf".into()), ..Default::default() }), []);
    assert_eq!(ids(LibraryFilter { kind: Some(LibraryKind::Block), ..Default::default() }), [banned]);
    assert_eq!(ids(LibraryFilter { kind: Some(LibraryKind::Block), id: Some(staff), name: None }), []);
}

/// The count follows enrolments.
pub fn a_library_counts_its_people(store: &dyn Stores) {
    let staff = library(store, "staff");
    let mut both = new_person(store, "a");
    both.libraries = vec![staff, LibraryId::DEFAULT];
    store.insert_person(&both).unwrap();
    let other = person(store, "b");
    let counts = || -> Vec<u64> {
        store.libraries(&LibraryFilter::default()).unwrap().iter().map(|library| library.people).collect()
    };
    assert_eq!(counts(), [2, 1]);
    store.remove_person(other).unwrap();
    assert_eq!(counts(), [1, 1]);
}

/// Other people lose the membership only; photos are removed with their people.
pub fn removing_a_library_removes_people_who_are_in_no_other(store: &dyn Stores) {
    let staff = library(store, "staff");
    let mut only = new_person(store, "only");
    only.libraries = vec![staff];
    let mut both = new_person(store, "both");
    both.libraries = vec![LibraryId::DEFAULT, staff];
    let only = store.insert_person(&only).unwrap();
    let both = store.insert_person(&both).unwrap();
    let elsewhere = person(store, "elsewhere");

    assert_eq!(store.remove_library(staff).unwrap(), [only.id]);

    assert!(matches!(store.person(only.id), Err(Error::NotFound { what: Thing::Person })));
    assert!(matches!(store.get(&only.photo), Err(Error::NotFound { what: Thing::Picture })));
    assert_eq!(store.person(both.id).unwrap().libraries, [LibraryId::DEFAULT]);
    store.get(&both.photo).unwrap();
    store.person(elsewhere).unwrap();
    assert!(matches!(store.remove_library(staff), Err(Error::NotFound { what: Thing::Library })));
}

/// While a camera watches for it.
pub fn a_watched_library_cannot_be_removed(store: &dyn Stores) {
    let staff = library(store, "staff");
    let camera = store.insert_camera(&new_camera([staff]), 4, at(0)).unwrap();
    assert!(matches!(store.remove_library(staff), Err(Error::InUse { by: Thing::Camera })));
    store.remove_camera(camera.id).unwrap();
    assert_eq!(store.remove_library(staff).unwrap(), []);
}

/// Not even after the newest was removed.
pub fn a_library_id_is_never_reused(store: &dyn Stores) {
    let first = library(store, "first");
    store.remove_library(first).unwrap();
    assert!(library(store, "second") > first);
}

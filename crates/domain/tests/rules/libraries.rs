//! Libraries and their people.

use std::time::Duration;

use domain::{
    Error, LibraryChange, LibraryFilter, LibraryId, LibraryKind, LibraryName, Limits, NewLibrary, PersonChange,
    PersonFilter, Similarity, Thing, Window,
};
use testkit::{actor, portrait};

use crate::stage::{Stage, gate};

#[tokio::test]
async fn removing_a_library_removes_people_who_are_in_no_other() {
    let stage = Stage::new();
    let staff = stage.library("staff", LibraryKind::Allow).await;
    let (alice, bob) = (stage.enrol_into("alice", staff).await, stage.enrol_into("bob", staff).await);
    let both = PersonChange { libraries: Some(vec![LibraryId::DEFAULT, staff]), ..PersonChange::default() };
    stage.appliance.by(&actor("test")).update_person(bob.id, both).await.unwrap();
    stage.appliance.by(&actor("test")).remove_library(staff).await.unwrap();
    assert!(matches!(stage.appliance.library(staff).await, Err(Error::NotFound { what: Thing::Library })));
    assert!(matches!(stage.appliance.person(alice.id).await, Err(Error::NotFound { what: Thing::Person })));
    assert_eq!(stage.appliance.person(bob.id).await.unwrap().libraries, [LibraryId::DEFAULT]);
    for (name, hits) in [("alice", 0), ("bob", 1)] {
        let near = stage.appliance.search(portrait(name), vec![LibraryId::DEFAULT, staff], 5, Similarity::new(0.7));
        assert_eq!(near.await.unwrap().hits.len(), hits, "{name}");
    }
    assert!(stage.library("staff", LibraryKind::Allow).await > staff, "an id is never reused");
}

#[tokio::test]
async fn a_watched_library_cannot_be_removed() {
    let stage = Stage::new();
    let staff = stage.library("staff", LibraryKind::Allow).await;
    let mut camera = gate();
    camera.watch.libraries.insert(staff);
    let camera = stage.add(camera).await;
    let refused = stage.appliance.by(&actor("test")).remove_library(staff).await;
    assert!(matches!(refused, Err(Error::InUse { by: Thing::Camera })));
    stage.appliance.by(&actor("test")).remove_camera(camera.id).await.unwrap();
    stage.appliance.by(&actor("test")).remove_library(staff).await.unwrap();
}

#[tokio::test]
async fn names_are_unique_and_a_change_keeps_what_was_not_changed() {
    let stage = Stage::new();
    let staff = stage.library("staff", LibraryKind::Allow).await;
    let guests = stage.library("guests", LibraryKind::Block).await;
    let name = |name| LibraryChange { name: Some(LibraryName::new(name).unwrap()), ..LibraryChange::default() };
    let taken = stage.appliance.by(&actor("test")).update_library(guests, name("staff")).await;
    assert!(matches!(taken, Err(Error::AlreadyExists { what: Thing::Library })));
    stage.fakes.clock.advance(Duration::from_secs(60));
    let changed = stage.appliance.by(&actor("test")).update_library(staff, name("crew")).await.unwrap();
    assert_eq!((changed.name.as_str(), changed.kind), ("crew", LibraryKind::Allow));
    assert!(changed.updated_at > changed.created_at);
    let listed = stage.appliance.libraries(LibraryFilter::default()).await.unwrap();
    let names: Vec<_> = listed.iter().map(|library| library.name.as_str()).collect();
    assert_eq!(names, ["default_group", "crew", "guests"]);
}

#[tokio::test]
async fn a_library_counts_its_people() {
    let stage = Stage::new();
    stage.enrol("alice").await;
    let bob = stage.enrol("bob").await;
    assert_eq!(stage.appliance.library(LibraryId::DEFAULT).await.unwrap().people, 2);
    stage.appliance.by(&actor("test")).remove_from_library(bob.id, LibraryId::DEFAULT).await.unwrap();
    assert_eq!(stage.appliance.library(LibraryId::DEFAULT).await.unwrap().people, 1);
}

#[tokio::test]
async fn a_person_removed_from_all_libraries_concurrently_is_removed_from_the_device() {
    for _ in 0..20 {
        let stage = Stage::new();
        let staff = stage.library("staff", LibraryKind::Allow).await;
        let alice = stage.enrol("alice").await;
        let both = PersonChange { libraries: Some(vec![LibraryId::DEFAULT, staff]), ..PersonChange::default() };
        stage.appliance.by(&actor("test")).update_person(alice.id, both).await.unwrap();
        let test = actor("test");
        let (first, second) = tokio::join!(
            stage.appliance.by(&test).remove_from_library(alice.id, LibraryId::DEFAULT),
            stage.appliance.by(&test).remove_from_library(alice.id, staff),
        );
        first.unwrap();
        second.unwrap();
        let window = Window { skip: 0, limit: 10 };
        assert_eq!(stage.appliance.people(PersonFilter::default(), window).await.unwrap().total, 0);
    }
}

#[tokio::test]
async fn the_number_of_libraries_is_limited() {
    let limits = Limits { libraries: 2, ..Limits::default() };
    let (appliance, _fakes) = testkit::appliance_with(limits).unwrap();
    let library = |name| NewLibrary {
        name: LibraryName::new(name).unwrap(),
        kind: LibraryKind::Allow,
        description: String::new(),
        note: None,
    };
    let staff = appliance.by(&actor("test")).create_library(library("staff")).await.unwrap();
    let refused = appliance.by(&actor("test")).create_library(library("guests")).await;
    assert!(matches!(refused, Err(Error::LimitReached { what: Thing::Library })));
    appliance.by(&actor("test")).remove_library(staff.id).await.unwrap();
    appliance.by(&actor("test")).create_library(library("guests")).await.unwrap();
}

//! Enrolling, finding, changing and removing people.

use bytes::Bytes;
use domain::{
    Amendment, Appliance, Error, LibraryId, LibraryKind, Limits, NewPerson, PersonChange, PersonFilter, Profile,
    SeveralFaces, Similarity, Thing, Window,
};
use testkit::{Picture, actor, portrait};

use crate::stage::{Stage, face, newcomer};

const ALL: Window = Window { skip: 0, limit: 100 };

#[tokio::test]
async fn an_enrolled_person_is_found_at_once() {
    let stage = Stage::new();
    let alice = stage.enrol("alice").await;
    assert_eq!(stage.appliance.person(alice.id).await.unwrap(), alice);
    assert_eq!(stage.appliance.person_by_code(alice.code.clone()).await.unwrap(), alice);
    assert_eq!(found(&stage.appliance, "alice").await, ["alice"]);
    assert_eq!(stage.appliance.picture(alice.photo).await.unwrap(), newcomer("alice", LibraryId::DEFAULT).photo);
}

#[tokio::test]
async fn a_removed_person_is_no_longer_found() {
    let stage = Stage::new();
    let alice = stage.enrol("alice").await;
    stage.appliance.by(&actor("test")).remove_person(alice.id).await.unwrap();
    assert!(found(&stage.appliance, "alice").await.is_empty());
    assert!(matches!(stage.appliance.person(alice.id).await, Err(Error::NotFound { what: Thing::Person })));
    assert!(matches!(stage.appliance.embedding(alice.id).await, Err(Error::NotFound { what: Thing::Person })));
    assert!(matches!(stage.appliance.picture(alice.photo).await, Err(Error::NotFound { what: Thing::Picture })));
    assert!(stage.enrol("alice").await.id > alice.id, "an id is never reused");
}

#[tokio::test]
async fn a_refused_enrolment_leaves_nothing_behind() {
    let stage = Stage::new();
    stage.enrol("alice").await;
    let before = snapshot(&stage).await;
    for (person, wanted) in refused() {
        let error = stage.appliance.by(&actor("test")).enrol(person).await.unwrap_err();
        assert_eq!(error.to_string(), wanted);
        assert_eq!(snapshot(&stage).await, before, "{wanted}");
    }
    assert!(found(&stage.appliance, "bob").await.is_empty());
}

/// People who cannot be enrolled, with the error.
fn refused() -> Vec<(NewPerson, &'static str)> {
    let bob = |adjust: &dyn Fn(&mut NewPerson)| {
        let mut person = newcomer("bob", LibraryId::DEFAULT);
        adjust(&mut person);
        person
    };
    let shown = |photo: Bytes| bob(&|person| person.photo = photo.clone());
    let (pair, poor) = ([face("bob").at(20, 20), face("eve").at(400, 20)], [face("bob").quality(19)]);
    let mut broken = portrait("bob").to_vec();
    broken.truncate(broken.len() / 2);
    vec![
        (bob(&|person| person.libraries = vec![LibraryId::DEFAULT, LibraryId(9)]), "library does not exist"),
        (bob(&|person| person.libraries.clear()), "libraries is invalid: at least one is needed"),
        (bob(&|person| person.code = Some("alice".parse().unwrap())), "person code already exists"),
        (shown(Picture::empty().png()), "no face in the picture"),
        (shown(Picture::of(pair).png()), "more than one face in the picture"),
        (shown(Picture::of(poor).png()), "face quality is too low: 19 of 100, 20 needed"),
        (shown(Picture::of([]).sized(5_000, 4_000).png()), "bad picture: 5000x4000 pixels are too many"),
        (shown(Bytes::new()), "bad picture: The image format could not be determined"),
        (shown(broken.into()), "bad picture: unexpected end of file"),
    ]
}

#[tokio::test]
async fn the_largest_of_several_faces_is_taken_when_asked_for() {
    let stage = Stage::new();
    let photo = Picture::of([face("eve").at(20, 20).sized(80), face("bob").at(300, 20)]).jpeg();
    let person = NewPerson { photo, several_faces: SeveralFaces::TakeLargest, ..newcomer("bob", LibraryId::DEFAULT) };
    stage.appliance.by(&actor("test")).enrol(person).await.unwrap();
    assert_eq!(found(&stage.appliance, "bob").await, ["bob"]);
    assert!(found(&stage.appliance, "eve").await.is_empty());
}

#[tokio::test]
async fn of_concurrent_enrolments_of_one_code_exactly_one_succeeds() {
    let stage = Stage::new();
    let mut attempts = tokio::task::JoinSet::new();
    for _ in 0..16 {
        let appliance = stage.appliance.clone();
        attempts.spawn(async move { appliance.by(&actor("test")).enrol(newcomer("alice", LibraryId::DEFAULT)).await });
    }
    let results = attempts.join_all().await;
    assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 1);
    let lost = |e: &Error| matches!(e, Error::AlreadyExists { what: Thing::PersonCode });
    assert_eq!(results.iter().filter_map(|result| result.as_ref().err()).filter(|e| lost(e)).count(), 15);
    assert_eq!(stage.appliance.people(PersonFilter::default(), ALL).await.unwrap().total, 1);
    assert_eq!(found(&stage.appliance, "alice").await, ["alice"]);
}

#[tokio::test]
async fn a_full_device_enrols_nobody_until_a_person_is_removed() {
    let limits = Limits { people: 1, ..Limits::default() };
    let (appliance, _fakes) = testkit::appliance_with(limits).unwrap();
    let alice = appliance.by(&actor("test")).enrol(newcomer("alice", LibraryId::DEFAULT)).await.unwrap();
    let refused = appliance.by(&actor("test")).enrol(newcomer("bob", LibraryId::DEFAULT)).await;
    assert!(matches!(refused, Err(Error::LimitReached { what: Thing::Person })));
    appliance.by(&actor("test")).remove_person(alice.id).await.unwrap();
    appliance.by(&actor("test")).enrol(newcomer("bob", LibraryId::DEFAULT)).await.unwrap();
}

#[tokio::test]
async fn a_full_disk_refuses_enrolments_and_keeps_existing_people() {
    let stage = Stage::new();
    stage.enrol("alice").await;
    stage.fakes.store.fill_up(true);
    let refused = stage.appliance.by(&actor("test")).enrol(newcomer("bob", LibraryId::DEFAULT)).await;
    assert!(matches!(refused, Err(Error::StorageFull)));
    assert_eq!(found(&stage.appliance, "alice").await, ["alice"]);
    assert!(found(&stage.appliance, "bob").await.is_empty());
}

#[tokio::test]
async fn people_are_found_again_after_a_restart() {
    let stage = Stage::new();
    let alice = stage.enrol("alice").await;
    let bob = stage.enrol("bob").await;
    stage.appliance.by(&actor("test")).remove_person(bob.id).await.unwrap();
    let restarted = stage.fakes.restart(Limits::default()).unwrap();
    assert_eq!(found(&restarted, "alice").await, ["alice"]);
    assert!(found(&restarted, "bob").await.is_empty());
    assert_eq!(restarted.person(alice.id).await.unwrap(), alice);
}

#[tokio::test]
async fn a_changed_person_keeps_what_was_not_changed() {
    let stage = Stage::new();
    let alice = stage.enrol("alice").await;
    let staff = stage.library("staff", LibraryKind::Allow).await;
    let change = PersonChange { libraries: Some(vec![staff]), ..PersonChange::default() };
    let moved = stage.appliance.by(&actor("test")).update_person(alice.id, change).await.unwrap();
    assert_eq!((moved.libraries.as_slice(), &moved.profile), (&[staff][..], &alice.profile));
    assert!(found_in(&stage.appliance, "alice", LibraryId::DEFAULT).await.is_empty());
    assert_eq!(found_in(&stage.appliance, "alice", staff).await, ["alice"]);
    let profile = Profile { remark: "left-handed".into(), ..alice.profile };
    let change = PersonChange { profile: Some(profile.clone()), ..PersonChange::default() };
    let changed = stage.appliance.by(&actor("test")).update_person(alice.id, change).await.unwrap();
    assert_eq!((changed.libraries, changed.profile), (moved.libraries, profile));
}

#[tokio::test]
async fn another_photo_is_searched_at_once_and_after_a_restart() {
    let stage = Stage::new();
    let alice = stage.enrol("alice").await;
    let amendment = Amendment { photo: Some(portrait("bob")), ..Default::default() };
    let rename = |profile| Profile { name: "Bob".into(), ..profile };
    let changed = stage.appliance.by(&actor("test")).amend_person(alice.id, amendment, rename).await.unwrap();
    assert_eq!((changed.id, changed.profile.name.as_str()), (alice.id, "Bob"));
    assert!(found(&stage.appliance, "alice").await.is_empty());
    assert_eq!(found(&stage.appliance, "bob").await, ["alice"], "the code stays");
    let restarted = stage.fakes.restart(Limits::default()).unwrap();
    assert_eq!(found(&restarted, "bob").await, ["alice"]);
    assert!(found(&restarted, "alice").await.is_empty());
}

#[tokio::test]
async fn a_photo_that_is_refused_changes_nothing_of_a_person() {
    let stage = Stage::new();
    let alice = stage.enrol("alice").await;
    let amendment = Amendment { photo: Some(Picture::empty().png()), ..Default::default() };
    let rename = |profile| Profile { name: "Bob".into(), ..profile };
    let refused = stage.appliance.by(&actor("test")).amend_person(alice.id, amendment, rename).await;
    assert!(matches!(refused, Err(Error::NoFace)), "{refused:?}");
    assert_eq!(stage.appliance.person(alice.id).await.unwrap(), alice);
    assert_eq!(found(&stage.appliance, "alice").await, ["alice"]);
}

#[tokio::test]
async fn a_person_is_in_at_least_one_library() {
    let stage = Stage::new();
    let alice = stage.enrol("alice").await;
    let change = PersonChange { libraries: Some(Vec::new()), ..PersonChange::default() };
    let refused = stage.appliance.by(&actor("test")).update_person(alice.id, change).await;
    assert!(matches!(refused, Err(Error::Invalid { field: "libraries", .. })), "{refused:?}");
    assert_eq!(found(&stage.appliance, "alice").await, ["alice"]);
}

#[tokio::test]
async fn two_faces_are_compared_and_nothing_is_stored() {
    let stage = Stage::new();
    let before = snapshot(&stage).await;
    let other = Picture::of([face("alice").at(10, 200)]).jpeg();
    let same = stage.appliance.compare(portrait("alice"), other).await.unwrap();
    let different = stage.appliance.compare(portrait("alice"), portrait("bob")).await.unwrap();
    assert!(same.value() > 0.9 && different.value() < 0.7, "{same:?} {different:?}");
    assert!(matches!(stage.appliance.compare(portrait("alice"), Picture::empty().png()).await, Err(Error::NoFace)));
    let both = Picture::of([face("bob").at(20, 20).sized(80), face("alice").at(200, 20)]).png();
    let faces = stage.appliance.faces(both).await.unwrap();
    let boxes: Vec<_> = faces.iter().map(|face| face.detection.face_box.width()).collect();
    assert_eq!(boxes, [160.0, 80.0]);
    assert_eq!(snapshot(&stage).await, before);
}

/// Codes of the people of the default library who are similar to the face of this name.
async fn found(appliance: &Appliance, name: &str) -> Vec<String> {
    found_in(appliance, name, LibraryId::DEFAULT).await
}

async fn found_in(appliance: &Appliance, name: &str, library: LibraryId) -> Vec<String> {
    let near = appliance.search(portrait(name), vec![library], 5, Similarity::new(0.7)).await.unwrap();
    near.hits.into_iter().map(|hit| hit.person.code.to_string()).collect()
}

/// All that an enrolment could change.
async fn snapshot(stage: &Stage) -> (Vec<domain::Person>, u64, Vec<domain::AuditEntry>) {
    let people = stage.appliance.people(PersonFilter::default(), ALL).await.unwrap();
    (people.rows, people.total, stage.appliance.by(&actor("test")).audit_log(100).await.unwrap())
}

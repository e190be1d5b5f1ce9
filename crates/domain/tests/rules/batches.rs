//! Batches of people and removals of many records.

use std::time::Duration;

use domain::{Error, LibraryId, LibraryKind, PersonChange, RecordFilter, RecordKind, Thing, Window};
use testkit::{Picture, Take, actor};

use crate::stage::{Stage, face, names, newcomer, secs};

const ALL: Window = Window { skip: 0, limit: 100 };

#[tokio::test]
async fn a_batch_returns_one_result_per_person_in_order() {
    let stage = Stage::new();
    stage.enrol("alice").await;
    let mut people: Vec<_> =
        ["bob", "alice", "carol", "dave", "eve", "bob"].map(|name| newcomer(name, LibraryId::DEFAULT)).into();
    people[2].photo = Picture::empty().png();
    let answers = stage.appliance.by(&actor("test")).enrol_all(people).await;
    let outcomes: Vec<_> =
        answers.iter().map(|a| a.as_ref().map(|p| p.code.to_string()).map_err(Error::to_string)).collect();
    let taken = || Err("person code already exists".to_owned());
    let no_face = Err("no face in the picture".to_owned());
    assert_eq!(outcomes, [Ok("bob".into()), taken(), no_face, Ok("dave".into()), Ok("eve".into()), taken()]);
    let stored = stage.appliance.people(Default::default(), ALL).await.unwrap();
    assert_eq!(stored.total, 4);
}

#[tokio::test]
async fn of_a_code_that_occurs_twice_in_a_batch_the_first_good_photo_is_enrolled() {
    let stage = Stage::new();
    let mut people: Vec<_> = ["bob", "bob", "bob"].map(|name| newcomer(name, LibraryId::DEFAULT)).into();
    people[0].photo = Picture::empty().png();
    people[2].profile.name = "another".into();
    let answers = stage.appliance.by(&actor("test")).enrol_all(people).await;
    assert!(matches!(answers[..], [Err(Error::NoFace), Ok(_), Err(Error::AlreadyExists { what: Thing::PersonCode })]));
    let bob = stage.appliance.person_by_code("bob".parse().unwrap()).await.unwrap();
    assert_eq!(bob.profile.name, "bob");
}

#[tokio::test]
async fn people_removed_from_their_only_library_are_removed_from_the_device() {
    let stage = Stage::new();
    let staff = stage.library("staff", LibraryKind::Allow).await;
    for name in ["alice", "bob", "carol", "dave"] {
        stage.appliance.by(&actor("test")).enrol(newcomer(name, staff)).await.unwrap();
    }
    let code = |name: &str| name.parse().unwrap();
    let bob = stage.appliance.person_by_code(code("bob")).await.unwrap();
    let both = PersonChange { libraries: Some(vec![LibraryId::DEFAULT, staff]), ..Default::default() };
    stage.appliance.by(&actor("test")).update_person(bob.id, both).await.unwrap();
    let codes = || ["alice", "bob", "nobody", "carol"].map(code).to_vec();
    assert_eq!(stage.appliance.by(&actor("test")).remove_all_from_library(staff, codes()).await.unwrap(), 3);
    assert_eq!(stage.appliance.by(&actor("test")).remove_all_from_library(staff, codes()).await.unwrap(), 0);
    assert_eq!(stage.appliance.person(bob.id).await.unwrap().libraries, [LibraryId::DEFAULT]);
    let left = stage.appliance.people(Default::default(), ALL).await.unwrap();
    let left: Vec<_> = left.rows.iter().map(|person| person.code.as_str()).collect();
    assert_eq!(left, ["dave", "bob"]);
    let unknown = stage.appliance.by(&actor("test")).remove_all_from_library(LibraryId(99), codes()).await;
    assert!(matches!(unknown, Err(Error::NotFound { what: Thing::Library })));
}

#[tokio::test]
async fn concurrent_changes_of_one_profile_all_take_effect() {
    let stage = Stage::new();
    let alice = stage.enrol("alice").await;
    let mut changes = tokio::task::JoinSet::new();
    for _ in 0..100 {
        let (appliance, id) = (stage.appliance.clone(), alice.id);
        let longer = |mut profile: domain::Profile| {
            profile.remark.push('x');
            profile
        };
        changes.spawn(async move { appliance.by(&actor("test")).change_profile(id, longer).await });
    }
    assert!(changes.join_all().await.iter().all(Result::is_ok));
    let profile = stage.appliance.person(alice.id).await.unwrap().profile;
    assert_eq!((profile.remark.len(), profile.name.as_str()), (100, "alice"));
}

#[tokio::test(start_paused = true)]
async fn all_records_are_removed_and_new_ones_are_recorded() {
    let pass = |take: Take, name| take.show(secs(1.0), [face(name)]).nobody(secs(10.0));
    let mut stage = Stage::playing([["alice", "bob"].into_iter().fold(Take::new(), pass)]).await;
    stage.open();
    tokio::time::sleep(Duration::from_secs(8)).await;
    let before = stage.records().await;
    assert_eq!(before.len(), 1);
    assert_eq!(stage.appliance.by(&actor("test")).remove_all_records().await.unwrap(), 1);
    assert_eq!(stage.appliance.records(RecordFilter::default(), ALL).await.unwrap().total, 0);
    assert!(stage.appliance.picture(before[0].capture.crop.clone()).await.is_err());
    assert_eq!(stage.appliance.by(&actor("test")).remove_all_records().await.unwrap(), 0);
    tokio::time::sleep(Duration::from_secs(12)).await;
    stage.close().await;
    let after = stage.records().await;
    assert_eq!(after.len(), 1);
    assert!(after[0].seq > before[0].seq, "a place in the log is never reused");
}

#[tokio::test(start_paused = true)]
async fn the_records_of_people_are_removed_and_those_of_strangers_stay() {
    let take = Take::new().show(secs(2.0), [face("alice")]).nobody(secs(3.0)).show(secs(2.0), [face("mallory")]);
    let mut stage = Stage::playing([take]).await;
    stage.enrol("alice").await;
    stage.open();
    tokio::time::sleep(secs(15.0)).await;
    stage.close().await;
    assert_eq!(names(&stage.records().await), ["alice", "?"]);
    assert_eq!(stage.appliance.by(&actor("test")).remove_records_of(RecordKind::People).await.unwrap(), 1);
    assert_eq!(names(&stage.records().await), ["?"]);
    assert_eq!(stage.appliance.by(&actor("test")).remove_records_of(RecordKind::Strangers).await.unwrap(), 1);
    assert!(stage.records().await.is_empty());
}

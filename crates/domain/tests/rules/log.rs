//! Openings, corrections and notices in the log.

use std::sync::Arc;

use domain::ports::Reader;
use domain::{
    CameraId, ContactUse, Decider, Door, DoorRules, EntryKind, Error, Means, Opening, Output, Proof, Scan, Seq, Thing,
    Topic, What, notices, readers,
};
use testkit::{FakeReader, Take, actor};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::doors::own_door_before;
use crate::stage::{GATE, Stage, face, secs};

/// Alice passes in the first two seconds.
fn alice_passes() -> Take {
    Take::new().show(secs(2.0), [face("alice")]).nobody(secs(600.0))
}

async fn openings(stage: &Stage) -> Vec<(Option<CameraId>, Opening)> {
    let entries = stage.appliance.entries_after(Seq(0), &[EntryKind::Opening], 100).await.unwrap();
    let opening = |entry: domain::Entry| match entry.what {
        What::Opening(opening) => (entry.camera, opening),
        other => panic!("{other:?} is no opening"),
    };
    entries.into_iter().map(opening).collect()
}

/// The notices so far: topic, subject, and whether raised.
async fn noticed(stage: &Stage) -> Vec<(Topic, String, bool)> {
    let entries = stage.appliance.entries_after(Seq(0), &[EntryKind::Notice], 100).await.unwrap();
    let notice = |entry: domain::Entry| match entry.what {
        What::Notice(notice) => (notice.topic, notice.subject, notice.raised),
        other => panic!("{other:?} is no notice"),
    };
    entries.into_iter().map(notice).collect()
}

#[tokio::test(start_paused = true)]
async fn a_door_that_opens_to_a_face_is_an_entry_with_camera_and_person() {
    let (mut stage, _tasks) = own_door_before(DoorRules::default(), alice_passes()).await;
    stage.open();
    tokio::time::sleep(secs(5.0)).await;
    let opened = openings(&stage).await;
    let [(camera, opening)] = opened.as_slice() else { panic!("{opened:?}") };
    assert_eq!(*camera, Some(CameraId(1)));
    let alice = opening.person.as_ref().unwrap();
    assert_eq!((alice.code.as_str(), &*alice.name), ("alice", "alice"));
    assert_eq!((opening.door, opening.opened, opening.by), (Door::Own, true, Means::Face));
    assert_eq!((&*opening.actor, &*opening.why), ("camera 1", ""));
    stage.close().await;
}

#[tokio::test(start_paused = true)]
async fn an_opening_names_the_means() {
    let card = async |rules: DoorRules| {
        let (mut stage, mut tasks) = own_door_before(rules, alice_passes()).await;
        let profile = domain::Profile { cards: vec!["7".into()], ..domain::Profile::default() };
        let change = domain::PersonChange { profile: Some(profile), ..domain::PersonChange::default() };
        let alice = stage.appliance.person_by_code("alice".parse().unwrap()).await.unwrap();
        stage.appliance.by(&actor("test")).update_person(alice.id, change).await.unwrap();
        let reader = FakeReader::new("gate");
        let all: Vec<Arc<dyn Reader>> = vec![reader.clone()];
        tasks.spawn(readers::run(stage.appliance.clone(), all, CancellationToken::new()));
        while !reader.is_read() {
            tokio::time::sleep(secs(0.01)).await;
        }
        stage.open();
        tokio::time::sleep(secs(3.0)).await;
        assert!(reader.show(Scan::Card(7)));
        tokio::time::sleep(secs(1.0)).await;
        stage.close().await;
        openings(&stage).await.pop().unwrap().1
    };
    let by_card = card(DoorRules { proof: Proof::Card, ..DoorRules::default() }).await;
    assert_eq!((by_card.by, by_card.door, &*by_card.actor), (Means::Card, Door::Own, "reader gate"));
    let by_both = card(DoorRules { proof: Proof::FaceAndCard, ..DoorRules::default() }).await;
    assert_eq!(by_both.by, Means::FaceAndCard);
    let unused = DoorRules { proof: Proof::Card, contact: ContactUse::Unused, ..DoorRules::default() };
    assert_eq!(card(unused).await.door, Door::Controller);
}

#[tokio::test(start_paused = true)]
async fn a_command_opens_without_a_person_and_an_unreachable_door_stays_closed() {
    let (stage, _tasks) = own_door_before(DoorRules::factory(), Take::new()).await;
    stage.appliance.by(&actor("platform")).open_door().await.unwrap();
    stage.fakes.host.take_offline(Output::Contact, true);
    stage.appliance.by(&actor("platform")).open_door().await.unwrap_err();
    let opened = openings(&stage).await;
    let [(_, done), (_, failed)] = opened.as_slice() else { panic!("{opened:?}") };
    assert_eq!((done.opened, &done.person, done.by, &*done.actor), (true, &None, Means::Command, "platform"));
    assert!(!failed.opened && !failed.why.is_empty(), "{failed:?}");
}

#[tokio::test(start_paused = true)]
async fn a_refusal_by_a_platform_is_an_opening_that_stayed_closed() {
    let rules = DoorRules { decided_by: Decider::FaceThenRemote, ..DoorRules::default() };
    let (mut stage, _tasks) = own_door_before(rules, alice_passes()).await;
    stage.open();
    let appliance = stage.appliance.clone();
    appliance.newest_entry().wait_for(|seq| seq.0 == 1).await.unwrap();
    let capture = stage.records().await[0].capture.id;
    for _ in 0..2 {
        appliance.by(&actor("platform")).refuse_entry(capture).await.unwrap();
    }
    let refused = openings(&stage).await;
    let [(camera, refusal)] = refused.as_slice() else {
        panic!("an answer that arrives twice counts once: {refused:?}")
    };
    assert_eq!((*camera, refusal.opened, &*refusal.why), (Some(CameraId(1)), false, "refused"));
    assert_eq!(refusal.person.as_ref().unwrap().code.as_str(), "alice");
    stage.close().await;
}

#[tokio::test(start_paused = true)]
async fn a_correction_names_the_person_shown_and_changes_no_record() {
    let stage = Stage::playing([alice_passes()]).await;
    let bob = stage.enrol("bob").await.id;
    let appliance = stage.appliance.clone();
    let records = stage.watch(secs(5.0)).await;
    let shown = records[0].seq;
    let place = appliance.by(&actor("carol")).correct_record(shown, Some(bob)).await.unwrap();
    let entries = appliance.entries_after(Seq(place.0 - 1), &EntryKind::ALL, 9).await.unwrap();
    let What::Correction(correction) = &entries[0].what else { panic!("{entries:?}") };
    assert_eq!((correction.record, &*correction.actor), (shown, "carol"));
    assert_eq!(correction.shows.as_ref().unwrap().code.as_str(), "bob");
    appliance.by(&actor("carol")).correct_record(shown, None).await.unwrap();
    assert_eq!(appliance.records_after(Seq(0), 9).await.unwrap(), records);
    let missing = appliance.by(&actor("carol")).correct_record(Seq(99), None).await;
    assert!(matches!(missing, Err(Error::NotFound { what: Thing::Record })), "{missing:?}");
    let unknown = appliance.by(&actor("carol")).correct_record(shown, Some(domain::PersonId(99))).await;
    assert!(matches!(unknown, Err(Error::NotFound { what: Thing::Person })), "{unknown:?}");
}

#[tokio::test(start_paused = true)]
async fn a_failing_camera_raises_and_clears_one_notice_also_over_a_restart() {
    let broken = Take::refused(domain::ports::SourceError::Unauthorised);
    let takes = [Take::new().nobody(secs(5.0)).break_off(), broken.clone(), broken, Take::new().nobody(secs(600.0))];
    let mut stage = Stage::playing(takes).await;
    let (mut tasks, cancel) = (JoinSet::new(), CancellationToken::new());
    tasks.spawn(notices::run(stage.appliance.clone(), cancel.clone()));
    stage.open();
    tokio::time::sleep(secs(4.0)).await;
    assert_eq!(noticed(&stage).await, [], "nothing was wrong");
    tokio::time::sleep(secs(60.0)).await;
    let camera = |raised| (Topic::Camera, "1".to_owned(), raised);
    assert_eq!(noticed(&stage).await, [camera(true), camera(false)]);
    stage.close().await;
    stage.fakes.frames.script(GATE, [Take::refused(domain::ports::SourceError::Unauthorised)]);
    stage.reopen();
    stage.open();
    tokio::time::sleep(secs(5.0)).await;
    cancel.cancel();
    stage.close().await;
    assert_eq!(noticed(&stage).await.len(), 3, "offline again");
    // After a restart the notice stands until the camera is online or counts as removed.
    let appliance = stage.fakes.restart(domain::Limits::default()).unwrap();
    tasks.spawn(notices::run(appliance, CancellationToken::new()));
    tokio::time::sleep(secs(60.0)).await;
    assert_eq!(noticed(&stage).await.len(), 3);
    tokio::time::sleep(secs(90.0)).await;
    assert_eq!(noticed(&stage).await[3..], [camera(false)]);
}

#[tokio::test(start_paused = true)]
async fn a_lost_reader_raises_a_notice_until_it_is_back() {
    let (stage, reader) = (Stage::new(), FakeReader::new("gate"));
    let all: Vec<Arc<dyn Reader>> = vec![reader.clone()];
    let mut tasks = JoinSet::new();
    tasks.spawn(readers::run(stage.appliance.clone(), all, CancellationToken::new()));
    tasks.spawn(notices::run(stage.appliance.clone(), CancellationToken::new()));
    tokio::time::sleep(secs(5.0)).await;
    reader.set_plugged(false);
    tokio::time::sleep(secs(60.0)).await;
    reader.set_plugged(true);
    tokio::time::sleep(secs(60.0)).await;
    let reader = |raised| (Topic::Reader, "gate".to_owned(), raised);
    assert_eq!(noticed(&stage).await, [reader(true), reader(false)]);
}

#[tokio::test(start_paused = true)]
async fn a_notice_that_could_not_be_written_is_written_later() {
    let mut stage = Stage::playing([Take::refused(domain::ports::SourceError::Unauthorised)]).await;
    stage.fakes.store.write_protect(true);
    let mut tasks = JoinSet::new();
    tasks.spawn(notices::run(stage.appliance.clone(), CancellationToken::new()));
    stage.open();
    tokio::time::sleep(secs(10.0)).await;
    assert_eq!(noticed(&stage).await, []);
    stage.fakes.store.write_protect(false);
    tokio::time::sleep(secs(2.0)).await;
    assert_eq!(noticed(&stage).await, [(Topic::Camera, "1".to_owned(), true)]);
    stage.close().await;
}

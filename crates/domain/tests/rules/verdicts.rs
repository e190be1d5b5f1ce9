//! The verdict of a record.

use domain::{
    Category, LibraryId, LibraryKind, NewCamera, PersonChange, Profile, Similarity, Timestamp, UnclearFaces, Validity,
    Verdict,
};
use testkit::{FakeClock, Take, actor};

use crate::stage::{GATE, Stage, face, gate, secs};

#[tokio::test(start_paused = true)]
async fn a_person_who_is_not_enrolled_is_recorded_as_a_stranger() {
    let record = alice_passes(|_| {}, None).await;
    assert_eq!(record.verdict, Verdict::Stranger);
    assert_eq!(record.own_match().unwrap().best, None);
}

#[tokio::test(start_paused = true)]
async fn a_stranger_is_recorded_with_the_nearest_person_who_is_not_accepted() {
    let stage = Stage::playing([Take::new().show(secs(2.0), [face("mallory")])]).await;
    stage.enrol("alice").await;
    let records = stage.watch(secs(6.0)).await;
    assert_eq!(records.len(), 1);
    assert_eq!(records[0].verdict, Verdict::Stranger);
    let best = records[0].own_match().unwrap().best.as_ref().unwrap();
    assert_eq!(best.code.as_str(), "alice");
    assert!(best.similarity.value() < 0.7);
}

#[tokio::test(start_paused = true)]
async fn a_shot_too_poor_to_identify_is_unclear_unless_the_watch_is_set_otherwise() {
    let poor = async |unclear, enrolled: bool| {
        let stage = Stage::new();
        stage.fakes.frames.script(GATE, [Take::new().show(secs(2.0), [face("mallory").quality(17)])]);
        let mut camera = gate();
        camera.watch.unclear = unclear;
        stage.add(camera).await;
        if enrolled {
            stage.enrol("alice").await;
        }
        stage.watch(secs(6.0)).await.into_iter().map(|record| record.verdict).collect::<Vec<_>>()
    };
    assert_eq!(poor(UnclearFaces::AsUnclear, true).await, [Verdict::Unclear]);
    assert_eq!(poor(UnclearFaces::AsStrangers, true).await, [Verdict::Stranger]);
    assert_eq!(poor(UnclearFaces::Ignore, true).await, []);
    assert_eq!(poor(UnclearFaces::AsUnclear, false).await, [Verdict::Stranger], "nobody is enrolled");
}

#[tokio::test(start_paused = true)]
async fn nobody_is_recognised_below_the_threshold() {
    let record = alice_passes(|camera| camera.watch.threshold = Similarity::new(1.0), Some(Profile::default())).await;
    assert_eq!(record.verdict, Verdict::Stranger);
    assert_eq!(record.own_match().unwrap().threshold, Similarity::new(1.0));
    assert!(record.own_match().unwrap().best.as_ref().unwrap().similarity.value() > 0.9);
}

#[tokio::test(start_paused = true)]
async fn a_person_of_a_library_that_is_not_watched_is_a_stranger() {
    let record = alice_passes(|camera| camera.watch.libraries.clear(), Some(Profile::default())).await;
    assert_eq!(record.verdict, Verdict::Stranger);
    assert_eq!(record.own_match().unwrap().best, None);
}

#[tokio::test(start_paused = true)]
async fn a_person_of_a_blocked_library_is_blocked() {
    let stage = Stage::new();
    let blocked = stage.library("wanted", LibraryKind::Block).await;
    stage.fakes.frames.script(GATE, [Take::new().show(secs(2.0), [face("alice")])]);
    let mut camera = gate();
    camera.watch.libraries.insert(blocked);
    stage.add(camera).await;
    stage.enrol_into("alice", blocked).await;
    let records = stage.watch(secs(6.0)).await;
    assert_eq!(records[0].verdict, Verdict::Blocked);
    let candidate = records[0].accepted().unwrap();
    assert_eq!((candidate.library, candidate.library_name.as_str()), (blocked, "wanted"));
    assert_eq!(candidate.library_kind, LibraryKind::Block);
}

#[tokio::test(start_paused = true)]
async fn a_blocked_person_is_blocked_in_any_library() {
    let profile = Profile { category: Category::Blocked, ..Profile::default() };
    assert_eq!(alice_passes(|_| {}, Some(profile)).await.verdict, Verdict::Blocked);
}

#[tokio::test(start_paused = true)]
async fn a_person_outside_the_validity_is_not_allowed_now() {
    let hour = 3_600_000;
    let between = |first, last| valid(FakeClock::START.plus_millis(first), FakeClock::START.plus_millis(last));
    assert_eq!(alice_passes(|_| {}, Some(between(-hour, hour))).await.verdict, Verdict::Known);
    assert_eq!(alice_passes(|_| {}, Some(between(hour, 2 * hour))).await.verdict, Verdict::NotAllowedNow);
    assert_eq!(alice_passes(|_| {}, Some(between(-2 * hour, -hour))).await.verdict, Verdict::NotAllowedNow);
}

#[tokio::test(start_paused = true)]
async fn a_changed_profile_counts_at_once() {
    let stage = Stage::playing([Take::new().show(secs(2.0), [face("alice")])]).await;
    let alice = stage.enrol("alice").await;
    let profile = Profile { name: "Alice B.".into(), category: Category::Blocked, ..Profile::default() };
    let change = PersonChange { profile: Some(profile), ..PersonChange::default() };
    stage.appliance.by(&actor("test")).update_person(alice.id, change).await.unwrap();
    let records = stage.watch(secs(6.0)).await;
    assert_eq!(records[0].verdict, Verdict::Blocked);
    assert_eq!(records[0].accepted().unwrap().name, "Alice B.");
}

fn valid(first: Timestamp, last: Timestamp) -> Profile {
    Profile { validity: Validity::Between(first, last), ..Profile::default() }
}

/// The record of alice at the gate, enrolled with this profile if any.
async fn alice_passes(adjust: impl FnOnce(&mut NewCamera), profile: Option<Profile>) -> domain::Record {
    let stage = Stage::new();
    stage.fakes.frames.script(GATE, [Take::new().show(secs(2.0), [face("alice")])]);
    let mut camera = gate();
    adjust(&mut camera);
    stage.add(camera).await;
    if let Some(profile) = profile {
        let alice = domain::NewPerson { profile, ..crate::stage::newcomer("alice", LibraryId::DEFAULT) };
        stage.appliance.by(&actor("test")).enrol(alice).await.unwrap();
    }
    let mut records = stage.watch(secs(6.0)).await;
    assert_eq!(records.len(), 1);
    records.remove(0)
}

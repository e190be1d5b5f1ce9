//! Visits: looks that vote, visits that are continued, faces that are distinguished.

use domain::ports::{FaceAnalyzer, PersonStore};
use domain::{LibraryId, NewCamera, NewPerson, SnapMode};
use testkit::{FakeFace, Picture, Take, actor};

use crate::stage::{GATE, Stage, face, gate, names, newcomer, secs};

#[tokio::test(start_paused = true)]
async fn several_looks_recognise_a_person_better_than_one() {
    let stage = Stage::new();
    let step = |left| [face("alice").at(left, 120)];
    let take = [240, 255, 270, 285, 300, 315].into_iter().fold(Take::new(), |take, x| take.show(secs(0.7), step(x)));
    stage.fakes.frames.script(GATE, [take]);
    stage.add(gate()).await;
    stage.enrol("alice").await;
    // So similar that a single look is not sure.
    enrol_again(&stage, "alice", "twin").await;
    let (analyzer, store) = (stage.fakes.analyzer.clone(), stage.fakes.store.clone());
    let records = stage.watch(secs(10.0)).await;
    assert_eq!(records.len(), 1);
    let best = records[0].accepted().unwrap();
    let photo = store.embedding(best.person, analyzer.model()).unwrap();
    let alone = analyzer.calibration().similarity(photo.cosine(&records[0].capture.embedding).unwrap());
    assert!(best.similarity > alone, "{:?} together, {alone:?} alone", best.similarity);
}

#[tokio::test(start_paused = true)]
async fn a_face_that_fits_two_people_gets_another_look_before_it_is_decided() {
    for (twin, early) in [(false, 1), (true, 0)] {
        let mut stage = Stage::new();
        stage.fakes.frames.script(GATE, [Take::new().show(secs(8.0), [face("alice")])]);
        stage.add(first_mode()).await;
        stage.enrol("alice").await;
        if twin {
            enrol_again(&stage, "alice", "twin").await;
        }
        stage.open();
        tokio::time::sleep(secs(1.0)).await;
        assert_eq!(stage.records().await.len(), early, "after the first look, twin: {twin}");
        tokio::time::sleep(secs(3.0)).await;
        let records = stage.records().await;
        assert_eq!(records.len(), 1);
        assert!(records[0].accepted().is_some(), "in the end it is the more similar one");
        stage.close().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_stranger_is_not_decided_at_the_first_look() {
    let mut stage = Stage::new();
    stage.fakes.frames.script(GATE, [Take::new().show(secs(8.0), [face("mallory")])]);
    stage.add(first_mode()).await;
    stage.enrol("alice").await;
    stage.open();
    tokio::time::sleep(secs(1.0)).await;
    assert!(stage.records().await.is_empty(), "a better look may recognise somebody");
    tokio::time::sleep(secs(3.0)).await;
    assert_eq!(names(&stage.records().await), ["?"], "the deadline has passed");
    stage.close().await;
}

#[tokio::test(start_paused = true)]
async fn an_undecided_visit_continues_when_the_face_is_found_again() {
    let (here, there) = ([face("alice").at(60, 100)], [face("alice").at(400, 200)]);
    let take = Take::new().show(secs(1.0), here).nobody(secs(1.8)).show(secs(1.0), there);
    let stage = Stage::new();
    stage.fakes.frames.script(GATE, [take]);
    let mut camera = gate();
    camera.watch.rearm = secs(1.0);
    stage.add(camera).await;
    stage.enrol("alice").await;
    enrol_again(&stage, "alice", "twin").await;
    let records = stage.watch(secs(12.0)).await;
    assert_eq!(records.len(), 1, "{:?}", names(&records));
}

#[tokio::test(start_paused = true)]
async fn a_face_that_the_tracker_loses_in_full_view_is_still_one_visit() {
    // The first shots are too poor to be described before the face is found elsewhere, or good enough.
    for quality in [40, 90] {
        let (here, there) = ([face("alice").at(40, 100).quality(quality)], [face("alice").at(420, 220)]);
        let take = Take::new().show(secs(0.6), here).show(secs(5.0), there);
        let stage = Stage::playing([take]).await;
        stage.enrol("alice").await;
        let records = stage.watch(secs(12.0)).await;
        assert_eq!(names(&records), ["alice"], "quality of the first shots: {quality}");
    }
}

#[tokio::test(start_paused = true)]
async fn another_person_soon_after_is_another_visit() {
    let take = Take::new().show(secs(1.0), [face("mallory")]).nobody(secs(1.8)).show(secs(1.0), [face("trudy")]);
    let stage = Stage::playing([take]).await;
    stage.enrol("alice").await;
    assert_eq!(names(&stage.watch(secs(12.0)).await), ["?", "?"]);
}

#[tokio::test(start_paused = true)]
async fn two_people_who_approach_each_other_and_turn_back_are_not_confused() {
    let small = |name, x, y| -> FakeFace { face(name).sized(96).at(x, y) };
    // In the middle one hides the other; at the predicted place of each the other one appears.
    let ways = [(60, 440), (120, 380), (180, 320), (240, 260), (240, 260), (180, 320), (120, 380), (60, 440)];
    let pair = |(a, b)| [small("alice", a, 100), small("bob", b, 130)];
    let take = ways.into_iter().fold(Take::new(), |take, way| take.show(secs(0.2), pair(way)));
    let stage = Stage::playing([take.show(secs(3.0), pair(ways[0]))]).await;
    stage.enrol("alice").await;
    stage.enrol("bob").await;
    let records = stage.watch(secs(14.0)).await;
    let mut seen = names(&records);
    seen.sort_unstable();
    assert_eq!(seen, ["alice", "bob"]);
    for record in &records {
        assert!(record.accepted().unwrap().similarity.value() > 0.97, "the looks of both were not mixed");
    }
}

/// Enrols the same face under another name.
async fn enrol_again(stage: &Stage, face_of: &str, name: &str) {
    let photo = Picture::of([face(face_of).at(210, 110).sized(190)]).png();
    let person = NewPerson { photo, ..newcomer(name, LibraryId::DEFAULT) };
    stage.appliance.by(&actor("test")).enrol(person).await.unwrap();
}

fn first_mode() -> NewCamera {
    let mut camera = gate();
    camera.settings.snap_mode = SnapMode::First;
    camera
}

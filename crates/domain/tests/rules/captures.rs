//! The records of a visit, and their content.

use domain::ports::{FaceAnalyzer, Lane, Search};
use domain::{SnapMode, Verdict};
use testkit::Take;

use crate::stage::{GATE, Stage, face, gate, names, secs};

#[tokio::test(start_paused = true)]
async fn a_passage_is_one_record() {
    let stage = Stage::playing([Take::new().nobody(secs(1.0)).show(secs(2.0), [face("alice")])]).await;
    let alice = stage.enrol("alice").await;
    let records = stage.watch(secs(10.0)).await;
    assert_eq!(names(&records), ["alice"]);
    let (record, capture) = (&records[0], &records[0].capture);
    assert_eq!(record.verdict, Verdict::Known);
    assert_eq!((capture.camera_name.as_str(), capture.camera_position.as_str()), ("gate", "north"));
    assert!((0..2_000).contains(&capture.at.millis_since(capture.first_seen)));
    let candidate = record.accepted().unwrap();
    assert_eq!((candidate.person, &candidate.photo, candidate.name.as_str()), (alice.id, &alice.photo, "alice"));
    assert!(candidate.similarity.value() > 0.9, "{:?}", candidate.similarity);
}

#[tokio::test(start_paused = true)]
async fn the_stored_pictures_show_the_face() {
    let stage = Stage::playing([Take::new().show(secs(2.0), [face("alice").at(100, 200)])]).await;
    let (appliance, analyzer) = (stage.appliance.clone(), stage.fakes.analyzer.clone());
    let capture = stage.watch(secs(5.0)).await.remove(0).capture;
    assert_eq!(capture.face_box, face("alice").at(100, 200).face_box());
    for (picture, size) in [(capture.scene, (640, 480)), (capture.crop, (256, 256))] {
        let bytes = appliance.picture(picture).await.unwrap();
        let frame = analyzer.decode(bytes, capture.at).await.unwrap();
        assert_eq!((frame.width(), frame.height()), size);
        assert_eq!(analyzer.detect(frame, Search::ANYWHERE, Lane::Photo).await.unwrap().len(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn a_record_without_its_scene_is_better_than_none() {
    let stage = Stage::playing([Take::new().show(secs(2.0), [face("alice")])]).await;
    stage.enrol("alice").await;
    stage.fakes.analyzer.refuse_scenes();
    let records = stage.watch(secs(5.0)).await;
    assert_eq!(names(&records), ["alice"]);
    assert!(records[0].capture.crop.is_kept() && !records[0].capture.scene.is_kept());
}

#[tokio::test(start_paused = true)]
async fn two_people_in_one_frame_are_both_recognised() {
    let pair = [face("alice").at(60, 100), face("bob").at(400, 120)];
    let stage = Stage::playing([Take::new().show(secs(2.0), pair)]).await;
    stage.enrol("alice").await;
    stage.enrol("bob").await;
    let records = stage.watch(secs(6.0)).await;
    let mut names = names(&records);
    names.sort_unstable();
    assert_eq!(names, ["alice", "bob"]);
}

#[tokio::test(start_paused = true)]
async fn the_same_person_is_never_matched_twice_in_a_frame() {
    let twins = [face("alice").at(60, 100), face("alice").at(400, 120)];
    let stage = Stage::playing([Take::new().show(secs(2.0), twins)]).await;
    stage.enrol("alice").await;
    stage.enrol("bob").await;
    let records = stage.watch(secs(6.0)).await;
    let mut names = names(&records);
    names.sort_unstable();
    assert_eq!(names, ["?", "alice"], "the other face is not alice");
}

#[tokio::test(start_paused = true)]
async fn a_second_face_like_a_person_in_view_is_not_that_person() {
    let (first, second) = (face("alice").at(60, 100), face("alice").at(400, 120));
    let take = Take::new().show(secs(4.0), [first]).show(secs(4.0), [first, second]);
    let stage = Stage::playing([take]).await;
    stage.enrol("alice").await;
    assert_eq!(names(&stage.watch(secs(12.0)).await), ["alice", "?"]);
}

#[tokio::test(start_paused = true)]
async fn a_short_occlusion_does_not_split_a_record() {
    let take = Take::new().show(secs(1.0), [face("alice")]).nobody(secs(0.7)).show(secs(1.0), [face("alice")]);
    let stage = Stage::playing([take]).await;
    stage.enrol("alice").await;
    assert_eq!(names(&stage.watch(secs(10.0)).await), ["alice"]);
}

#[tokio::test(start_paused = true)]
async fn a_return_within_the_rearm_time_is_not_recorded() {
    let take = Take::new().show(secs(2.0), [face("alice")]).nobody(secs(3.0)).show(secs(2.0), [face("alice")]);
    let stage = Stage::playing([take]).await;
    stage.enrol("alice").await;
    assert_eq!(names(&stage.watch(secs(15.0)).await), ["alice"]);
}

#[tokio::test(start_paused = true)]
async fn a_return_after_the_rearm_time_is_recorded() {
    for name in ["alice", "a stranger"] {
        let take = Take::new().show(secs(2.0), [face(name)]).nobody(secs(7.0)).show(secs(2.0), [face(name)]);
        let stage = Stage::playing([take]).await;
        stage.enrol("alice").await;
        assert_eq!(stage.watch(secs(20.0)).await.len(), 2, "{name}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_person_who_stays_in_view_is_recorded_once() {
    let stage = Stage::playing([Take::new().show(secs(60.0), [face("alice"), face("bob").at(20, 20).sized(80)])]).await;
    stage.enrol("alice").await;
    assert_eq!(stage.watch(secs(70.0)).await.len(), 2);
}

#[tokio::test(start_paused = true)]
async fn best_mode_records_the_best_look() {
    let look = |quality| [face("alice").quality(quality)];
    let take = Take::new().show(secs(0.8), look(40)).show(secs(0.8), look(90)).show(secs(4.0), look(60));
    let mut stage = Stage::playing([take]).await;
    stage.open();
    tokio::time::sleep(secs(2.5)).await;
    assert!(stage.records().await.is_empty(), "a better look may come");
    tokio::time::sleep(secs(1.5)).await;
    let records = stage.records().await;
    assert_eq!(records.len(), 1, "the deadline has passed");
    assert_eq!(records[0].capture.quality.overall, 90);
    stage.close().await;
}

#[tokio::test(start_paused = true)]
async fn first_mode_records_the_first_good_look_at_once() {
    let take = Take::new().show(secs(0.5), [face("alice").quality(30)]).show(secs(9.0), [face("alice").quality(60)]);
    let mut stage = Stage::new();
    stage.fakes.frames.script(GATE, [take]);
    stage.add(in_mode(SnapMode::First)).await;
    stage.open();
    tokio::time::sleep(secs(1.2)).await;
    let records = stage.records().await;
    assert_eq!(records.len(), 1);
    assert_eq!(records[0].capture.quality.overall, 60);
    tokio::time::sleep(secs(8.0)).await;
    stage.close().await;
    assert_eq!(stage.records().await.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn timed_mode_records_a_face_in_view_repeatedly() {
    let stage = Stage::new();
    stage.fakes.frames.script(GATE, [Take::new().show(secs(17.0), [face("alice")])]);
    stage.add(in_mode(SnapMode::Timed)).await;
    stage.enrol("alice").await;
    let records = stage.watch(secs(25.0)).await;
    assert_eq!(names(&records), ["alice"; 4]);
    let apart = |pair: &[domain::Record]| pair[1].capture.at.millis_since(pair[0].capture.at);
    // The first is taken at once, the others are the best look of each interval.
    assert!(records[1..].windows(2).all(|pair| (4_000..6_000).contains(&apart(pair))));
}

#[tokio::test(start_paused = true)]
async fn a_face_of_too_low_quality_is_not_recorded() {
    let stage = Stage::playing([Take::new().show(secs(4.0), [face("alice").quality(10)])]).await;
    stage.enrol("alice").await;
    assert!(stage.watch(secs(10.0)).await.is_empty());
}

fn in_mode(snap_mode: SnapMode) -> domain::NewCamera {
    let mut camera = gate();
    camera.settings.snap_mode = snap_mode;
    camera
}

//! Living faces and pictures of them.

use domain::{LivenessRule, Verdict};
use testkit::{FakeFace, Take, actor};

use crate::stage::{Stage, face, names, secs};

/// The apparent age of a face in a picture held before the camera.
const PICTURE: u8 = 99;
/// The apparent age of a face without a score.
const UNJUDGED: u8 = 98;

fn score(face: &FakeFace) -> Option<f32> {
    match face.age {
        PICTURE => Some(0.2),
        UNJUDGED => None,
        _ => Some(0.9),
    }
}

fn picture(name: &str) -> FakeFace {
    FakeFace { age: PICTURE, ..face(name) }
}

/// The records of these takes, with alice enrolled.
async fn recorded(takes: impl IntoIterator<Item = Take>) -> Vec<domain::Record> {
    let stage = Stage::playing(takes).await;
    stage.fakes.analyzer.judge_liveness(0.5, score);
    stage.enrol("alice").await;
    stage.watch(secs(12.0)).await
}

fn verdicts(records: &[domain::Record]) -> Vec<Verdict> {
    records.iter().map(|record| record.verdict).collect()
}

#[tokio::test(start_paused = true)]
async fn a_picture_of_a_person_is_a_spoof_and_nobody_is_recognised() {
    let records = recorded([Take::new().show(secs(2.0), [picture("alice")])]).await;
    assert_eq!((verdicts(&records), names(&records)), (vec![Verdict::Spoof], vec!["?"]));
    assert_eq!(records[0].best(), None, "alice is not reported to platforms");
    let own = records[0].own_match().unwrap();
    assert_eq!(own.best.as_ref().unwrap().code.as_str(), "alice", "an operator sees whose picture it was");
    assert_eq!(records[0].capture.liveness, Some(0.2));
}

#[tokio::test(start_paused = true)]
async fn a_face_without_a_score_is_not_accepted_while_one_is_demanded() {
    let unjudged = FakeFace { age: UNJUDGED, ..face("alice") };
    let records = recorded([Take::new().show(secs(2.0), [unjudged])]).await;
    assert_eq!((verdicts(&records), names(&records)), (vec![Verdict::Spoof], vec!["?"]));
}

#[tokio::test(start_paused = true)]
async fn a_living_face_is_known() {
    let records = recorded([Take::new().show(secs(2.0), [face("alice")])]).await;
    assert_eq!((verdicts(&records), names(&records)), (vec![Verdict::Known], vec!["alice"]));
}

#[tokio::test(start_paused = true)]
async fn a_person_after_a_picture_of_the_same_person_is_known_at_once() {
    let shown = Take::new().show(secs(2.0), [picture("alice").at(20, 20)]).show(secs(2.0), []);
    let records = recorded([shown.show(secs(2.0), [face("alice").at(400, 200)])]).await;
    assert_eq!(verdicts(&records), [Verdict::Spoof, Verdict::Known]);
}

#[tokio::test(start_paused = true)]
async fn a_living_stranger_who_then_holds_up_a_picture_is_not_the_person_in_it() {
    let living = Take::new().show(secs(0.6), [face("mallory").quality(90)]);
    let records = recorded([living.show(secs(4.0), [picture("alice")])]).await;
    assert_eq!((verdicts(&records), names(&records)), (vec![Verdict::Stranger], vec!["?"]));
}

#[tokio::test(start_paused = true)]
async fn a_picture_does_not_reserve_the_person_beside_it() {
    let pair = [picture("alice").at(20, 20), face("alice").at(400, 200)];
    let records = recorded([Take::new().show(secs(2.0), pair)]).await;
    let mut verdicts = verdicts(&records);
    verdicts.sort_by_key(|verdict| *verdict == Verdict::Spoof);
    assert_eq!(verdicts, [Verdict::Known, Verdict::Spoof]);
}

#[tokio::test(start_paused = true)]
async fn a_platform_sets_when_faces_must_be_living() {
    let at = |clock: &str| clock.parse().unwrap();
    // The clock shows nine in the morning.
    let cases = [
        (LivenessRule::Always, Verdict::Spoof),
        (LivenessRule::Never, Verdict::Known),
        (LivenessRule::Daily(at("08:00:00"), at("10:00:00")), Verdict::Spoof),
        (LivenessRule::Daily(at("10:00:00"), at("19:00:00")), Verdict::Known),
        (LivenessRule::Daily(at("22:00:00"), at("09:30:00")), Verdict::Spoof),
        (LivenessRule::Daily(at("22:00:00"), at("06:00:00")), Verdict::Known),
    ];
    for (rule, verdict) in cases {
        let stage = Stage::playing([Take::new().show(secs(2.0), [picture("alice")])]).await;
        stage.fakes.analyzer.judge_liveness(0.5, score);
        stage.enrol("alice").await;
        stage.appliance.by(&actor("test")).set_liveness_rule(rule).await.unwrap();
        let restarted = stage.fakes.restart(domain::Limits::default()).unwrap();
        assert_eq!(restarted.liveness_rule(), rule, "it stays over a restart");
        assert_eq!(verdicts(&stage.watch(secs(12.0)).await), [verdict], "{rule:?}");
    }
}

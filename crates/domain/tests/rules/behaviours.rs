//! Rules over moving objects, from frames to entries of the log.

use domain::geometry::{Point, Rect};
use domain::ports::{FaceAnalyzer, LogStore, Pictures};
use domain::{
    Behaviour, BehaviourKind, CameraId, Crossing, Entry, EntryKind, Error, ObjectClass, Rule, RuleId, RuleOptions,
    RuleSettings, Seq, Source, Thing, Timestamp, What,
};
use testkit::{FakeDetector, Take, actor};

use crate::stage::{GATE, Stage, face, gate, names, secs};

const FIRST: CameraId = CameraId(1);

/// Down the middle of the picture: side A is on its right.
fn line(name: &str, direction: Crossing) -> RuleSettings {
    let points = vec![Point { x: 0.5, y: 0.1 }, Point { x: 0.5, y: 1.0 }];
    let (kind, object) = (BehaviourKind::Line, ObjectClass::Person);
    RuleSettings { name: name.into(), kind, object, points, direction, options: RuleOptions::default() }
}

/// Somebody walks from one place to another, a step in 200 ms, and is gone.
fn walk(take: Take, from: u32, to: u32) -> Take {
    let step = |n: u32| (from * (10 - n) + to * n) / 10;
    let walked = (0..=10).fold(take, |take, n| take.show(secs(0.2), [face("alice").sized(64).at(step(n), 200)]));
    walked.nobody(secs(3.0))
}

fn rightwards() -> Take {
    walk(Take::new().nobody(secs(1.0)), 60, 460)
}

fn leftwards() -> Take {
    walk(Take::new().nobody(secs(1.0)), 460, 60)
}

async fn add(stage: &Stage, rule: RuleSettings) -> Rule {
    stage.appliance.by(&actor("test")).add_rule(FIRST, rule).await.unwrap()
}

/// Looks for so long, then stops and answers what rules found, oldest first.
async fn watch(stage: &mut Stage, time: f64) -> Vec<(Timestamp, Behaviour)> {
    stage.open();
    tokio::time::sleep(secs(time)).await;
    stage.close().await;
    behaviours(stage)
}

fn behaviours(stage: &Stage) -> Vec<(Timestamp, Behaviour)> {
    let entries = stage.fakes.store.entries_after(Seq(0), &[EntryKind::Behaviour], 100).unwrap();
    let behaviour = |Entry { at, camera, what, .. }: Entry| {
        let What::Behaviour(behaviour) = what else { unreachable!("only behaviours were asked for") };
        assert_eq!(camera, Some(FIRST));
        (at, *behaviour)
    };
    entries.into_iter().map(behaviour).collect()
}

/// The rule, whether it fired, and its count.
fn told(found: &[(Timestamp, Behaviour)]) -> Vec<(&str, bool, u32)> {
    found.iter().map(|(_, found)| (found.rule.as_str(), found.fired, found.count)).collect()
}

#[tokio::test(start_paused = true)]
async fn somebody_who_crosses_a_line_is_an_entry_with_pictures_and_its_end_another() {
    let mut stage = Stage::playing([rightwards()]).await;
    add(&stage, line("threshold", Crossing::Both)).await;
    let found = watch(&mut stage, 8.0).await;
    assert_eq!(told(&found), [("threshold", true, 1), ("threshold", false, 1)]);
    let (at, fired) = &found[0];
    assert_eq!((fired.camera_name.as_str(), fired.camera_position.as_str()), ("gate", "north"));
    assert_eq!((fired.kind, fired.object, fired.quality), (BehaviourKind::Line, ObjectClass::Person, 87));
    let [target] = fired.targets[..] else { panic!("{:?}", fired.targets) };
    assert!((320.0..420.0).contains(&target.center().x), "{target:?} is not behind the line, or far behind it");
    let analyzer = &stage.fakes.analyzer;
    for (picture, part) in [(&fired.crop, target.scaled(1.2)), (&fired.scene, Rect::new(0.0, 0.0, 640.0, 480.0))] {
        let jpeg = stage.fakes.store.get(picture).unwrap();
        let frame = analyzer.decode(jpeg, *at).await.unwrap();
        let part = part.clamped_to(&Rect::new(0.0, 0.0, 640.0, 480.0));
        assert!((frame.width() as f32 - part.width()).abs() <= 1.0, "{} for {part:?}", frame.width());
    }
    let over = &found[1].1;
    assert!(!over.crop.is_kept() && !over.scene.is_kept());
}

#[tokio::test(start_paused = true)]
async fn a_rule_with_a_direction_counts_only_those_who_go_that_way() {
    for (direction, ways) in [(Crossing::BToA, [2, 0]), (Crossing::AToB, [0, 2]), (Crossing::Both, [2, 2])] {
        for (take, entries) in [rightwards(), leftwards()].into_iter().zip(ways) {
            let mut stage = Stage::playing([take]).await;
            add(&stage, line("threshold", direction)).await;
            assert_eq!(watch(&mut stage, 8.0).await.len(), entries, "{direction:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn nothing_is_recorded_of_those_who_stay_on_their_side() {
    let beside = walk(walk(Take::new().nobody(secs(1.0)), 20, 220), 220, 20);
    let mut stage = Stage::playing([beside]).await;
    add(&stage, line("threshold", Crossing::Both)).await;
    assert!(watch(&mut stage, 14.0).await.is_empty());
    assert!(stage.fakes.detector.asked().len() > 10, "they were looked for");
}

#[tokio::test(start_paused = true)]
async fn a_counting_line_says_who_came_in_and_who_went_out() {
    let mut stage = Stage::playing([walk(walk(rightwards(), 460, 60), 60, 460)]).await;
    add(&stage, RuleSettings { kind: BehaviourKind::LineCount, ..line("gate", Crossing::BToA) }).await;
    let found = watch(&mut stage, 18.0).await;
    let counted: Vec<_> = found.iter().map(|(_, found)| (found.inwards, found.outwards, found.count)).collect();
    assert_eq!(counted, [(1, 0, 1), (0, 1, 2), (1, 0, 3)]);
    assert!(found.iter().all(|(_, found)| found.fired && found.ends.is_none()));
}

#[tokio::test(start_paused = true)]
async fn a_counting_line_starts_again_at_its_hour() {
    let mut stage = Stage::playing([walk(rightwards(), 60, 460)]).await;
    let mut gate = RuleSettings { kind: BehaviourKind::LineCount, ..line("gate", Crossing::BToA) };
    gate.options.reset_hour = Some(9);
    add(&stage, gate).await;
    // Five seconds before nine in the morning; the second one crosses eight seconds later.
    stage.fakes.clock.set(testkit::FakeClock::START.plus_millis(-5_000));
    let found = watch(&mut stage, 12.0).await;
    assert_eq!(told(&found), [("gate", true, 1), ("gate", true, 1)]);
}

#[tokio::test(start_paused = true)]
async fn a_recovery_names_the_entry_that_it_ends() {
    let mut stage = Stage::playing([walk(rightwards(), 460, 60)]).await;
    add(&stage, line("threshold", Crossing::Both)).await;
    let found = watch(&mut stage, 12.0).await;
    let ends: Vec<_> = found.iter().map(|(_, found)| found.ends).collect();
    assert_eq!(ends, [None, Some(found[0].1.id), None, Some(found[2].1.id)]);
}

#[tokio::test(start_paused = true)]
async fn a_post_that_nobody_attends_is_an_entry_without_a_target() {
    let mut stage = Stage::playing([rightwards()]).await;
    let points = [(0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0)].map(|(x, y)| Point { x, y }).to_vec();
    let mut post = RuleSettings { kind: BehaviourKind::Absence, points, ..line("post", Crossing::Both) };
    post.options.after = secs(4.0);
    add(&stage, post).await;
    // Somebody is there from the first second on, for two; frames in which nothing moves are looked at now and then.
    let found = watch(&mut stage, 14.0).await;
    assert_eq!(told(&found), [("post", true, 0), ("post", false, 0)], "the camera is closed");
    let (at, unattended) = &found[0];
    assert!(unattended.targets.is_empty() && unattended.quality == 0 && unattended.scene.is_kept());
    assert!((7_000..11_000).contains(&at.millis_since(testkit::FakeClock::START)), "{at:?}");
}

#[tokio::test(start_paused = true)]
async fn several_rules_of_a_camera_count_for_themselves() {
    let mut stage = Stage::playing([walk(walk(rightwards(), 460, 60), 60, 460)]).await;
    add(&stage, line("in", Crossing::BToA)).await;
    add(&stage, line("out", Crossing::AToB)).await;
    let found = watch(&mut stage, 18.0).await;
    let fired: Vec<_> = told(&found).into_iter().filter(|(_, fired, _)| *fired).collect();
    assert_eq!(fired, [("in", true, 1), ("out", true, 1), ("in", true, 2)]);
    assert_eq!(found.len(), 6, "each recovers");
}

#[tokio::test(start_paused = true)]
async fn a_rule_about_vehicles_is_not_fired_by_people() {
    for (vehicles, entries) in [(false, 0), (true, 2)] {
        let mut stage = Stage::playing([rightwards()]).await;
        stage.fakes.detector.sees_vehicles(vehicles);
        add(&stage, RuleSettings { object: ObjectClass::Vehicle, ..line("drive", Crossing::Both) }).await;
        assert_eq!(watch(&mut stage, 8.0).await.len(), entries, "vehicles: {vehicles}");
        assert!(stage.fakes.detector.asked().iter().all(|asked| *asked == [ObjectClass::Vehicle]));
    }
}

#[tokio::test(start_paused = true)]
async fn faces_are_recorded_beside_rules_and_without_an_armed_watch_rules_go_on() {
    for (armed, recorded) in [(true, &["alice"][..]), (false, &[])] {
        let mut stage = Stage::new();
        stage.fakes.frames.script(GATE, [rightwards()]);
        let mut camera = gate();
        camera.watch.enabled = armed;
        stage.add(camera).await;
        stage.enrol("alice").await;
        add(&stage, line("threshold", Crossing::Both)).await;
        assert_eq!(watch(&mut stage, 8.0).await.len(), 2, "armed: {armed}");
        assert_eq!(names(&stage.records().await), recorded);
    }
}

#[tokio::test(start_paused = true)]
async fn a_detector_that_hangs_is_given_up_and_holds_up_no_faces() {
    let mut stage = Stage::playing([walk(rightwards(), 60, 460)]).await;
    stage.fakes.detector.hang();
    stage.enrol("alice").await;
    add(&stage, line("threshold", Crossing::Both)).await;
    stage.open();
    tokio::time::sleep(secs(6.0)).await;
    assert_eq!(names(&stage.records().await), ["alice"]);
    tokio::time::sleep(secs(20.0)).await;
    let counters = stage.appliance.camera_counters(FIRST);
    assert!(counters.frames_analysed + counters.frames_still > 120, "five looks a second: {counters:?}");
    stage.close().await;
    assert!(behaviours(&stage).is_empty());
    assert_eq!(stage.fakes.detector.asked().len(), 2, "again after 20 s");
}

#[tokio::test(start_paused = true)]
async fn a_camera_without_rules_asks_for_no_objects() {
    let mut stage = Stage::playing([rightwards()]).await;
    let mut yard = gate();
    yard.settings.source = Source::Rtsp { url: "rtsp://yard".into() };
    stage.fakes.frames.script("rtsp://yard", [Take::new()]);
    let yard = stage.add(yard).await.id;
    stage.appliance.by(&actor("test")).add_rule(yard, line("threshold", Crossing::Both)).await.unwrap();
    assert!(watch(&mut stage, 8.0).await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn rules_are_applied_changed_and_removed_while_the_camera_runs() {
    let mut stage = Stage::playing([walk(walk(rightwards(), 60, 460), 60, 460)]).await;
    stage.open();
    let rule = add(&stage, line("threshold", Crossing::Both)).await;
    tokio::time::sleep(secs(6.0)).await;
    assert_eq!(behaviours(&stage).len(), 2);
    let changed = stage.appliance.by(&actor("test")).update_rule(rule.id, line("sill", Crossing::Both)).await.unwrap();
    assert_eq!(stage.appliance.rules(FIRST).await.unwrap(), [changed]);
    tokio::time::sleep(secs(5.0)).await;
    let found = behaviours(&stage);
    assert_eq!(told(&found)[2..], [("sill", true, 1), ("sill", false, 1)], "it starts again");
    stage.appliance.by(&actor("test")).remove_rule(rule.id).await.unwrap();
    tokio::time::sleep(secs(6.0)).await;
    stage.close().await;
    assert_eq!(behaviours(&stage).len(), 4);
    let acts: Vec<_> =
        stage.appliance.by(&actor("test")).audit_log(9).await.unwrap().into_iter().map(|entry| entry.action).collect();
    assert_eq!(acts[..3], ["rule.remove", "rule.update", "rule.add"]);
}

#[tokio::test(start_paused = true)]
async fn rules_and_what_they_found_survive_a_restart() {
    let mut stage = Stage::playing([rightwards(), leftwards()]).await;
    let rule = add(&stage, line("threshold", Crossing::Both)).await;
    assert_eq!(watch(&mut stage, 8.0).await.len(), 2);
    stage.appliance = stage.fakes.restart(domain::Limits::default()).unwrap();
    stage.reopen();
    assert_eq!(stage.appliance.rules(FIRST).await.unwrap(), [rule]);
    let found = watch(&mut stage, 8.0).await;
    assert_eq!(told(&found), [("threshold", true, 1), ("threshold", false, 1)].repeat(2));
}

#[tokio::test(start_paused = true)]
async fn a_line_that_somebody_has_just_crossed_recovers_when_the_camera_is_lost() {
    let crossing = (0..=7).fold(Take::new().nobody(secs(1.0)), |take, n| {
        take.show(secs(0.2), [face("alice").sized(64).at(60 + 40 * n, 200)])
    });
    let mut stage = Stage::playing([crossing.break_off()]).await;
    add(&stage, line("threshold", Crossing::Both)).await;
    let found = watch(&mut stage, 5.0).await;
    assert_eq!(told(&found), [("threshold", true, 1), ("threshold", false, 1)]);
}

#[tokio::test(start_paused = true)]
async fn without_pictures_behaviours_are_recorded_all_the_same() {
    let mut stage = Stage::playing([rightwards()]).await;
    stage.appliance.by(&actor("test")).keep_pictures(false).await.unwrap();
    add(&stage, line("threshold", Crossing::Both)).await;
    let found = watch(&mut stage, 8.0).await;
    assert_eq!(found.len(), 2);
    assert!(found.iter().all(|(_, found)| !found.crop.is_kept() && !found.scene.is_kept()));
}

#[tokio::test(start_paused = true)]
async fn a_behaviour_that_cannot_be_written_waits() {
    let mut stage = Stage::playing([rightwards()]).await;
    add(&stage, line("threshold", Crossing::Both)).await;
    stage.open();
    stage.fakes.store.break_down(true);
    tokio::time::sleep(secs(8.0)).await;
    stage.close().await;
    stage.fakes.store.break_down(false);
    assert!(behaviours(&stage).is_empty());
    let cancel = tokio_util::sync::CancellationToken::new();
    cancel.cancel();
    domain::retention::run(stage.appliance.clone(), cancel).await;
    assert_eq!(told(&behaviours(&stage)), [("threshold", true, 1), ("threshold", false, 1)]);
}

#[tokio::test(start_paused = true)]
async fn rules_that_make_no_sense_are_refused() {
    let stage = Stage::playing([Take::new()]).await;
    let appliance = &stage.appliance;
    let kept = add(&stage, line("threshold", Crossing::Both)).await;
    let points = |points: &[(f32, f32)]| RuleSettings {
        points: points.iter().map(|(x, y)| Point { x: *x, y: *y }).collect(),
        ..line("line", Crossing::Both)
    };
    let ends = [(0.2, 0.5), (0.8, 0.5)];
    let wrong = [
        ("rule name", line("", Crossing::Both)),
        ("rule name", line(&"é".repeat(65), Crossing::Both)),
        ("rule points", points(&[])),
        ("rule points", points(&ends[..1])),
        ("rule points", points(&[ends[0], ends[1], (0.5, 0.9)])),
        ("rule points", points(&[ends[0], ends[0]])),
        ("rule points", points(&[ends[0], (1.01, 0.5)])),
        ("rule points", points(&[(-0.01, 0.5), ends[1]])),
        ("rule points", points(&[(f32::NAN, 0.5), ends[1]])),
    ];
    for (field, rule) in wrong {
        for refused in [
            appliance.by(&actor("test")).add_rule(FIRST, rule.clone()).await,
            appliance.by(&actor("test")).update_rule(kept.id, rule.clone()).await,
        ] {
            assert!(matches!(&refused, Err(Error::Invalid { field: f, .. }) if *f == field), "{rule:?}: {refused:?}");
        }
    }
    let twice = appliance.by(&actor("test")).add_rule(FIRST, line("threshold", Crossing::AToB)).await;
    assert!(matches!(twice, Err(Error::AlreadyExists { what: Thing::Rule })));
    let nowhere = appliance.by(&actor("test")).add_rule(CameraId(9), points(&ends)).await;
    assert!(matches!(nowhere, Err(Error::NotFound { what: Thing::Camera })));
    assert!(matches!(appliance.rules(CameraId(9)).await, Err(Error::NotFound { what: Thing::Camera })));
    let unknown = RuleId(kept.id.0 + 1);
    for missing in [
        appliance.by(&actor("test")).update_rule(unknown, points(&ends)).await.map(drop),
        appliance.by(&actor("test")).remove_rule(unknown).await,
    ] {
        assert!(matches!(missing, Err(Error::NotFound { what: Thing::Rule })));
    }
    for more in 2..=64 {
        add(&stage, RuleSettings { name: format!("line {more}"), ..points(&ends) }).await;
    }
    let full = appliance.by(&actor("test")).add_rule(FIRST, points(&ends)).await;
    assert!(matches!(full, Err(Error::LimitReached { what: Thing::Rule })));
}

#[tokio::test(start_paused = true)]
async fn a_camera_that_delivers_single_pictures_takes_no_rules() {
    let stage = Stage::new();
    let mut camera = gate();
    let device = domain::DeviceAddress { host: "192.0.2.7".into(), port: 80, ..domain::DeviceAddress::default() };
    camera.settings.source = Source::Capture { device, vendor: "maker".into(), product: String::new() };
    stage.add(camera).await;
    let refused = stage.appliance.by(&actor("test")).add_rule(FIRST, line("threshold", Crossing::Both)).await;
    assert!(matches!(refused, Err(Error::NotSupported { .. })), "{refused:?}");
}

#[tokio::test(start_paused = true)]
async fn without_a_model_that_finds_objects_new_rules_are_refused_and_kept_ones_do_not_run() {
    let mut stage = Stage::playing([rightwards()]).await;
    let rule = add(&stage, line("threshold", Crossing::Both)).await;
    stage.appliance = stage.fakes.restart_without_detector().unwrap();
    assert!(!stage.appliance.finds_objects(ObjectClass::Person));
    let refused = stage.appliance.by(&actor("test")).add_rule(FIRST, line("other", Crossing::Both)).await;
    assert!(matches!(refused, Err(Error::NotSupported { .. })), "{refused:?}");
    assert!(watch(&mut stage, 8.0).await.is_empty());
    let id = rule.id;
    assert_eq!(stage.appliance.rules(FIRST).await.unwrap(), [rule]);
    stage.appliance.by(&actor("test")).remove_rule(id).await.unwrap();
}

#[test]
fn the_detector_of_tests_finds_bodies_that_fit_the_picture() {
    let body = FakeDetector::body(&face("alice").sized(64).at(60, 200));
    assert_eq!((body.bottom, body.center().x), (456.0, 92.0));
}

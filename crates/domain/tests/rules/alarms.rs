//! What is stored of a behaviour beside its pictures: its clip, and the faces that were compared.

use std::time::Duration;

use domain::geometry::Point;
use domain::ports::{LogStore, Pictures};
use domain::{
    Behaviour, BehaviourKind, CameraId, ClipSpan, ClipState, Crossing, Entry, EntryKind, Error, LibraryId, LibraryKind,
    ObjectClass, PictureId, RuleOptions, RuleSettings, Seq, Source, Timestamp, What,
};
use testkit::{Take, actor};

use crate::stage::{GATE, Stage, face, gate, secs};

const FIRST: CameraId = CameraId(1);
const SPAN: ClipSpan = ClipSpan { before: Duration::from_secs(2), after: Duration::from_secs(5) };

/// Fires once for each person who comes.
fn area(options: RuleOptions) -> RuleSettings {
    let points = [(0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0)].map(|(x, y)| Point { x, y }).to_vec();
    let (kind, object, direction) = (BehaviourKind::Area, ObjectClass::Person, Crossing::Both);
    RuleSettings { name: "area".into(), kind, object, points, direction, options }
}

fn with_clip() -> RuleSettings {
    area(RuleOptions { clip: Some(SPAN), ..RuleOptions::default() })
}

fn identifying() -> RuleSettings {
    area(RuleOptions { identify: true, ..RuleOptions::default() })
}

/// Somebody comes after four seconds.
fn visit(name: &str) -> Take {
    Take::new().nobody(secs(4.0)).show(secs(2.0), [face(name).sized(64).at(200, 150)])
}

async fn playing(take: Take, rule: RuleSettings) -> Stage {
    let stage = Stage::playing([take]).await;
    stage.appliance.by(&actor("test")).add_rule(FIRST, rule).await.unwrap();
    stage
}

async fn watch(stage: &mut Stage, time: f64) {
    stage.open();
    tokio::time::sleep(secs(time)).await;
    stage.close().await;
}

/// What fired, oldest first.
fn fired(stage: &Stage) -> Vec<(Timestamp, Behaviour)> {
    let entries = stage.fakes.store.entries_after(Seq(0), &[EntryKind::Behaviour], 100).unwrap();
    let of = |entry: Entry| match entry.what {
        What::Behaviour(behaviour) if behaviour.fired => Some((entry.at, *behaviour)),
        _ => None,
    };
    entries.into_iter().filter_map(of).collect()
}

/// The clips in the log.
fn clips(stage: &Stage) -> Vec<(CameraId, domain::Clip)> {
    let entries = stage.fakes.store.entries_after(Seq(0), &[EntryKind::Clip], 100).unwrap();
    let of = |entry: Entry| {
        let What::Clip(clip) = entry.what else { unreachable!("only clips were asked for") };
        (entry.camera.unwrap(), clip)
    };
    entries.into_iter().map(of).collect()
}

/// When the first and the last picture of a video were taken, milliseconds from `moment`.
fn ends(stage: &Stage, video: &PictureId, moment: Timestamp) -> (i64, i64) {
    let text = String::from_utf8(stage.fakes.store.get(video).unwrap().to_vec()).unwrap();
    let times = text.lines().map(|line| Timestamp::from_millis(line[1..].parse().unwrap()).millis_since(moment));
    let times: Vec<_> = times.collect();
    assert!(text.starts_with('K') && times.windows(2).all(|pair| pair[1] - pair[0] == 100), "{times:?}");
    (times[0], times[times.len() - 1])
}

fn stored(clip: &ClipState) -> &PictureId {
    let ClipState::Stored(video) = clip else { panic!("{clip:?}") };
    video
}

#[tokio::test(start_paused = true)]
async fn a_clip_follows_its_behaviour_in_the_log() {
    let mut stage = playing(visit("alice"), with_clip()).await;
    stage.open();
    tokio::time::sleep(secs(6.0)).await;
    assert_eq!(fired(&stage)[0].1.clip, ClipState::Awaited);
    assert!(clips(&stage).is_empty());
    tokio::time::sleep(secs(6.0)).await;
    stage.close().await;
    let [(at, behaviour)] = &fired(&stage)[..] else { panic!("one visit") };
    let video = stored(&behaviour.clip).clone();
    let (first, last) = ends(&stage, &video, *at);
    assert!((-3_000..=-2_000).contains(&first) && (4_900..=5_000).contains(&last), "{first} to {last}");
    assert_eq!(clips(&stage), [(FIRST, domain::Clip { of: behaviour.id, video: Some(video) })]);
}

#[tokio::test(start_paused = true)]
async fn a_clip_ends_early_when_the_device_stops() {
    let mut stage = playing(visit("alice"), with_clip()).await;
    watch(&mut stage, 6.0).await;
    let [(at, behaviour)] = &fired(&stage)[..] else { panic!("one visit") };
    let (first, last) = ends(&stage, stored(&behaviour.clip), *at);
    assert!((-3_000..=-2_000).contains(&first) && (1_000..=2_000).contains(&last), "{first} to {last}");
}

#[tokio::test(start_paused = true)]
async fn a_clip_that_a_crash_has_cut_off_is_lost_and_not_awaited_any_more() {
    let mut stage = playing(visit("alice"), with_clip()).await;
    stage.open();
    tokio::time::sleep(secs(6.0)).await;
    stage.crash().await;
    let behaviour = fired(&stage)[0].1.clone();
    assert_eq!(behaviour.clip, ClipState::Awaited);
    stage.appliance = stage.fakes.restart(domain::Limits::default()).unwrap();
    watch(&mut stage, 1.0).await;
    assert_eq!(clips(&stage), [(FIRST, domain::Clip { of: behaviour.id, video: None })]);
    assert_eq!(fired(&stage)[0].1.clip, ClipState::Lost);
    stage.reopen();
    watch(&mut stage, 1.0).await;
    assert_eq!(clips(&stage).len(), 1, "once");
}

#[tokio::test(start_paused = true)]
async fn a_clip_shows_what_there_was_when_the_camera_is_lost_and_found_again() {
    let again = Take::new().nobody(secs(20.0));
    let mut stage = Stage::playing([visit("alice").break_off(), again]).await;
    stage.appliance.by(&actor("test")).add_rule(FIRST, with_clip()).await.unwrap();
    watch(&mut stage, 14.0).await;
    let (at, behaviour) = &fired(&stage)[0];
    let (first, last) = ends(&stage, stored(&behaviour.clip), *at);
    assert!((-3_000..=-2_000).contains(&first) && (1_000..=2_000).contains(&last), "{first} to {last}");
}

#[tokio::test(start_paused = true)]
async fn no_clip_is_made_where_none_is_wanted_or_pictures_are_not_stored() {
    let mut stage = playing(visit("alice"), area(RuleOptions::default())).await;
    watch(&mut stage, 12.0).await;
    assert_eq!((fired(&stage)[0].1.clip.clone(), clips(&stage)), (ClipState::None, vec![]));
    let mut stage = playing(visit("alice"), with_clip()).await;
    stage.appliance.by(&actor("test")).keep_pictures(false).await.unwrap();
    watch(&mut stage, 12.0).await;
    assert_eq!((fired(&stage)[0].1.clip.clone(), clips(&stage)), (ClipState::None, vec![]));
}

#[tokio::test(start_paused = true)]
async fn a_clip_that_cannot_be_stored_is_lost() {
    let mut stage = playing(visit("alice"), with_clip()).await;
    stage.open();
    tokio::time::sleep(secs(6.0)).await;
    stage.fakes.store.break_down(true);
    tokio::time::sleep(secs(6.0)).await;
    stage.close().await;
    stage.fakes.store.break_down(false);
    assert_eq!(fired(&stage)[0].1.clip, ClipState::Awaited);
    write_waiting(&stage).await;
    assert_eq!(fired(&stage)[0].1.clip, ClipState::Lost);
}

#[tokio::test(start_paused = true)]
async fn a_behaviour_that_waits_to_be_written_has_lost_its_clip() {
    let mut stage = playing(visit("alice"), with_clip()).await;
    stage.fakes.store.break_down(true);
    watch(&mut stage, 12.0).await;
    stage.fakes.store.break_down(false);
    write_waiting(&stage).await;
    assert_eq!((fired(&stage)[0].1.clip.clone(), clips(&stage)), (ClipState::Lost, vec![]));
}

async fn write_waiting(stage: &Stage) {
    let cancel = tokio_util::sync::CancellationToken::new();
    cancel.cancel();
    domain::retention::run(stage.appliance.clone(), cancel).await;
}

#[tokio::test(start_paused = true)]
async fn a_rule_whose_clip_changes_goes_on() {
    let mut stage = Stage::playing([visit("alice").show(secs(4.0), [face("alice").sized(64).at(200, 150)])]).await;
    let rule = stage.appliance.by(&actor("test")).add_rule(FIRST, area(RuleOptions::default())).await.unwrap();
    stage.open();
    tokio::time::sleep(secs(6.0)).await;
    stage.appliance.by(&actor("test")).update_rule(rule.id, with_clip()).await.unwrap();
    tokio::time::sleep(secs(8.0)).await;
    stage.close().await;
    assert_eq!(fired(&stage).len(), 1, "it remembers who is there");
}

#[tokio::test(start_paused = true)]
async fn a_clip_of_more_than_half_a_minute_before_or_after_is_refused() {
    let stage = Stage::playing([Take::new()]).await;
    for (before, after) in [(31, 0), (0, 31)] {
        let clip = Some(ClipSpan { before: Duration::from_secs(before), after: Duration::from_secs(after) });
        let rule = area(RuleOptions { clip, ..RuleOptions::default() });
        let refused = stage.appliance.by(&actor("test")).add_rule(FIRST, rule).await;
        assert!(matches!(refused, Err(Error::Invalid { field: "rule clip", .. })), "{refused:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_face_of_who_fires_a_rule_is_compared() {
    for (who, accepted) in [("alice", true), ("mallory", false)] {
        let mut stage = playing(visit(who), identifying()).await;
        let alice = stage.enrol("alice").await;
        watch(&mut stage, 8.0).await;
        let [(_, behaviour)] = &fired(&stage)[..] else { panic!("one visit") };
        let [compared] = &behaviour.comparisons[..] else { panic!("{behaviour:?}") };
        assert_eq!((compared.target, compared.best.person), (0, alice.id));
        assert_eq!(compared.accepted().is_some(), accepted, "{who}");
        assert!(compared.attributes.gender.is_some());
    }
}

#[tokio::test(start_paused = true)]
async fn each_of_several_faces_is_compared_for_itself() {
    let both = [face("alice").sized(64).at(60, 150), face("bob").sized(64).at(400, 150)];
    let mut stage = playing(Take::new().nobody(secs(2.0)).show(secs(3.0), both), identifying()).await;
    for name in ["alice", "bob"] {
        stage.enrol(name).await;
    }
    watch(&mut stage, 8.0).await;
    let fired = fired(&stage);
    let compared = fired.iter().flat_map(|(_, behaviour)| &behaviour.comparisons);
    let mut names: Vec<_> = compared.map(|face| face.accepted().unwrap().name.as_str()).collect();
    names.sort_unstable();
    assert_eq!(names, ["alice", "bob"]);
}

#[tokio::test(start_paused = true)]
async fn faces_are_compared_only_where_that_is_asked_for_and_the_camera_watches_for_somebody() {
    for (libraries, rule) in [(true, area(RuleOptions::default())), (false, identifying())] {
        let mut stage = Stage::new();
        stage.fakes.frames.script(GATE, [visit("alice")]);
        let mut camera = gate();
        if !libraries {
            camera.watch.libraries.clear();
        }
        camera.watch.enabled = false;
        stage.add(camera).await;
        stage.enrol("alice").await;
        stage.appliance.by(&actor("test")).add_rule(FIRST, rule).await.unwrap();
        watch(&mut stage, 8.0).await;
        assert_eq!(fired(&stage)[0].1.comparisons, []);
        assert!(stage.fakes.analyzer.live_searches().is_empty(), "no face was looked for");
    }
}

#[tokio::test(start_paused = true)]
async fn only_people_of_the_libraries_are_compared_with() {
    let mut stage = Stage::new();
    stage.fakes.frames.script(GATE, [visit("alice")]);
    let guests = stage.library("guests", LibraryKind::Allow).await;
    let mut camera = gate();
    camera.watch.libraries = [guests].into();
    camera.settings.source = Source::Rtsp { url: GATE.into() };
    stage.add(camera).await;
    stage.enrol_into("alice", LibraryId::DEFAULT).await;
    stage.appliance.by(&actor("test")).add_rule(FIRST, identifying()).await.unwrap();
    watch(&mut stage, 8.0).await;
    assert_eq!(fired(&stage)[0].1.comparisons, [], "nobody to compare with");
}

#[tokio::test(start_paused = true)]
async fn a_picture_of_a_face_is_not_compared() {
    let mut stage = playing(visit("alice"), identifying()).await;
    stage.fakes.analyzer.judge_liveness(0.5, |_| Some(0.1));
    stage.enrol("alice").await;
    watch(&mut stage, 8.0).await;
    assert_eq!(fired(&stage)[0].1.comparisons, []);
}

//! When and where a camera searches.

use domain::geometry::Rect;
use domain::ports::{Detail, Search};
use domain::{CameraChange, DayWindow, NewCamera, Similarity, WeeklyPlan};
use testkit::{Take, actor};

use crate::stage::{GATE, Stage, face, gate, names, secs};

/// A weekly plan of one window.
fn plan(day: &str, from: i8, to: i8) -> WeeklyPlan {
    // 2026-03-02 is a Monday.
    let date = jiff::civil::date(2026, 3, if day == "Monday" { 2 } else { 3 });
    let hour = |hour| jiff::civil::time(hour, 0, 0, 0);
    WeeklyPlan::within(vec![DayWindow { day: date.weekday(), from: hour(from), to: hour(to) }])
}

#[tokio::test(start_paused = true)]
async fn nothing_is_captured_outside_the_weekly_plan() {
    for (plan, captured) in [
        (plan("Monday", 8, 18), 1),
        (plan("Tuesday", 8, 18), 0),
        // The clock shows 9:00 in Shanghai, 1:00 UTC.
        (plan("Monday", 0, 2), 0),
    ] {
        let stage = passing(|camera| camera.watch.plan = plan.clone()).await;
        assert_eq!(stage.watch(secs(8.0)).await.len(), captured, "{plan:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_end_of_a_window_of_the_plan_records_people_in_view() {
    let mut stage = Stage::new();
    stage.fakes.frames.script(GATE, [Take::new().show(secs(60.0), [face("alice")])]);
    let mut camera = gate();
    camera.watch.plan = plan("Monday", 8, 9);
    stage.add(camera).await;
    stage.fakes.clock.set(stage.appliance.now().plus_millis(-1_000));
    stage.open();
    tokio::time::sleep(secs(2.0)).await;
    assert_eq!(stage.records().await.len(), 1);
    stage.close().await;
    assert_eq!(stage.records().await.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_watch_that_is_off_captures_nothing() {
    let stage = passing(|camera| camera.watch.enabled = false).await;
    let analyzer = stage.fakes.analyzer.clone();
    assert!(stage.watch(secs(8.0)).await.is_empty());
    assert!(analyzer.live_searches().is_empty());
}

#[tokio::test(start_paused = true)]
async fn faces_are_searched_for_in_the_configured_region_and_sizes() {
    let region = Some(Rect::new(0.0, 0.0, 200.0, 480.0));
    let stage = passing(|camera| camera.settings.region = region).await;
    let analyzer = stage.fakes.analyzer.clone();
    assert!(stage.watch(secs(8.0)).await.is_empty(), "alice is to the right of it");
    let search = Search { region, min_face_px: 60, max_face_px: 1_000, detail: Detail::Full, tiles: None };
    assert!(analyzer.live_searches().iter().all(|seen| Search { tiles: None, ..*seen } == search));
    for (smallest, largest, captured) in [(170, 1_000, 0), (60, 150, 0), (160, 160, 1)] {
        let sizes = |camera: &mut NewCamera| {
            (camera.settings.min_face_px, camera.settings.max_face_px) = (smallest, largest);
        };
        assert_eq!(passing(sizes).await.watch(secs(8.0)).await.len(), captured, "{smallest}..{largest}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_changed_watch_takes_effect_without_reopening_the_camera() {
    let visit = |take: Take| take.show(secs(2.0), [face("alice")]).nobody(secs(8.0));
    let mut stage = Stage::playing([visit(visit(Take::new()))]).await;
    stage.enrol("alice").await;
    stage.open();
    tokio::time::sleep(secs(6.0)).await;
    let mut watch = gate().watch;
    watch.threshold = Similarity::new(1.0);
    let change = CameraChange { watch: Some(watch), ..CameraChange::default() };
    stage.appliance.by(&actor("test")).update_camera(domain::CameraId(1), change).await.unwrap();
    tokio::time::sleep(secs(10.0)).await;
    stage.close().await;
    assert_eq!(names(&stage.records().await), ["alice", "?"]);
    assert_eq!(stage.fakes.frames.opened(GATE), 1);
}

/// A stage where alice walks past the adjusted camera.
async fn passing(adjust: impl FnOnce(&mut NewCamera)) -> Stage {
    let stage = Stage::new();
    stage.fakes.frames.script(GATE, [Take::new().show(secs(2.0), [face("alice")])]);
    let mut camera = gate();
    adjust(&mut camera);
    stage.add(camera).await;
    stage
}

//! Which frames are searched, and what happens under overload.

use domain::{CameraCounters, CameraId, Source};
use testkit::Take;

use crate::stage::{GATE, Stage, face, gate, names, secs};

#[tokio::test(start_paused = true)]
async fn a_still_scene_is_searched_every_two_seconds() {
    let stage = Stage::playing([Take::new()]).await;
    let (analyzer, appliance) = (stage.fakes.analyzer.clone(), stage.appliance.clone());
    assert!(stage.watch(secs(20.0)).await.is_empty());
    let searched = analyzer.live_searches().len();
    assert!((9..=12).contains(&searched), "{searched} times in 20 s");
    let counters = appliance.camera_counters(CameraId(1));
    assert_eq!(counters.frames_analysed, searched as u64);
    assert!((80..=95).contains(&counters.frames_still), "{counters:?}");
}

#[tokio::test(start_paused = true)]
async fn a_face_in_an_empty_scene_is_found_at_once_however_small() {
    let small = face("alice").sized(60).at(400, 300);
    let visits = (0..5).fold(Take::new(), |take, _| take.nobody(secs(9.3)).show(secs(0.9), [small]));
    let stage = Stage::playing([visits]).await;
    stage.enrol("alice").await;
    let records = stage.watch(secs(60.0)).await;
    assert_eq!(names(&records), ["alice"; 5]);
    for record in &records {
        let phase = record.capture.first_seen.as_millis() - records[0].capture.first_seen.as_millis();
        let late = (phase + 5_100) % 10_200 - 5_100;
        assert!(late.abs() <= 400, "{late} ms off the others: found by chance, not by motion");
    }
}

#[tokio::test(start_paused = true)]
async fn a_face_that_stands_still_is_followed() {
    let stage = Stage::playing([Take::new().show(secs(20.0), [face("alice")])]).await;
    let analyzer = stage.fakes.analyzer.clone();
    stage.watch(secs(10.0)).await;
    assert!(analyzer.live_searches().len() >= 45, "{}", analyzer.live_searches().len());
}

#[tokio::test(start_paused = true)]
async fn four_cameras_within_the_capacity_are_searched_at_the_configured_rate() {
    for counters in busy_cameras(4, 0.035).await {
        assert_eq!((counters.interval_ms, counters.frames_coarse), (200, 0));
        assert!(counters.frames_analysed >= 280, "{counters:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn eight_cameras_are_searched_less_often_in_full_detail() {
    for counters in busy_cameras(8, 0.035).await {
        assert!((201..500).contains(&counters.interval_ms), "{counters:?}");
        assert!(counters.frames_analysed >= 150 && counters.frames_coarse == 0, "{counters:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn far_too_many_cameras_are_searched_in_less_detail_and_none_is_left_out() {
    let all = busy_cameras(8, 0.1).await;
    let most = all.iter().map(|counters| counters.frames_analysed).max().unwrap();
    for counters in all {
        assert_eq!(counters.interval_ms, 500);
        assert!(counters.frames_coarse > 0);
        assert!(counters.frames_analysed * 10 >= most * 9, "{counters:?} beside {most}");
    }
}

/// Counters of this many cameras after a minute with a face always in view, when a full search takes `effort` seconds.
async fn busy_cameras(cameras: u32, effort: f64) -> Vec<CameraCounters> {
    let mut stage = Stage::new();
    for camera in 0..cameras {
        let url = format!("{GATE}{camera}");
        stage.fakes.frames.script(&url, [Take::new().show(secs(90.0), [face("somebody")])]);
        let mut busy = gate();
        busy.settings.source = Source::Rtsp { url };
        stage.add(busy).await;
    }
    stage.fakes.analyzer.set_effort(secs(effort));
    stage.open();
    tokio::time::sleep(secs(60.0)).await;
    stage.close().await;
    (1..=cameras).map(|camera| stage.appliance.camera_counters(CameraId(camera))).collect()
}

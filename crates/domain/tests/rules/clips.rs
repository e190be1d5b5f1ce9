//! Clips of what a camera showed around a moment.

use std::time::Duration;

use domain::ports::Clock;
use domain::surveillance::KeptVideo;
use domain::{CameraId, Error, Result, Thing, Timestamp};
use testkit::Take;
use tokio::time::Instant;

use crate::stage::{Stage, secs};

const FIRST: CameraId = CameraId(1);
const KEPT: Duration = Duration::from_secs(30);

/// A stage whose video is kept from the start.
async fn kept(takes: impl IntoIterator<Item = Take>) -> (Stage, KeptVideo) {
    let mut stage = Stage::playing(takes).await;
    let video = stage.appliance.keep_video(FIRST, KEPT).await.unwrap();
    stage.open();
    (stage, video)
}

/// When the pictures of a clip were taken, in milliseconds from `moment`; the first is a key frame.
fn pictures(clip: Result<bytes::Bytes>, moment: Timestamp) -> Vec<i64> {
    let clip = String::from_utf8(clip.unwrap().to_vec()).unwrap();
    assert!(clip.starts_with('K'), "{clip}");
    let at = |line: &str| Timestamp::from_millis(line[1..].parse().unwrap()).millis_since(moment);
    clip.lines().map(at).collect()
}

async fn clip(video: &KeptVideo, moment: Timestamp, before: f64, after: f64) -> Result<bytes::Bytes> {
    video.clip(moment, secs(before), secs(after)).await
}

fn is_unavailable(clip: &Result<bytes::Bytes>) -> bool {
    matches!(clip, Err(Error::Unavailable { .. }))
}

#[tokio::test(start_paused = true)]
async fn a_clip_shows_the_time_around_a_moment_from_a_key_frame_on() {
    let (mut stage, video) = kept([Take::new()]).await;
    tokio::time::sleep(secs(10.0)).await;
    let moment = stage.fakes.clock.now().plus_millis(-4_000);
    let shown = pictures(clip(&video, moment, 3.0, 2.0).await, moment);
    let (first, last) = (shown[0], shown[shown.len() - 1]);
    assert!((-4_000..=-3_000).contains(&first), "{first}");
    assert!((1_900..=2_000).contains(&last), "{last}");
    assert!(shown.windows(2).all(|pair| pair[1] - pair[0] == 100), "none is missing: {shown:?}");
    stage.close().await;
}

#[tokio::test(start_paused = true)]
async fn a_clip_waits_for_video_that_has_not_arrived_yet() {
    let (mut stage, video) = kept([Take::new()]).await;
    tokio::time::sleep(secs(5.0)).await;
    let (moment, since) = (stage.fakes.clock.now(), Instant::now());
    let shown = pictures(clip(&video, moment, 1.0, 3.0).await, moment);
    assert!((2_900..=3_000).contains(&shown[shown.len() - 1]), "{shown:?}");
    assert!((secs(2.9)..secs(3.2)).contains(&since.elapsed()), "{:?}", since.elapsed());
    stage.close().await;
}

#[tokio::test(start_paused = true)]
async fn a_clip_ends_where_the_camera_stalls() {
    let (mut stage, video) = kept([Take::new().nobody(secs(4.0)).stall()]).await;
    tokio::time::sleep(secs(3.9)).await;
    let (moment, since) = (stage.fakes.clock.now(), Instant::now());
    let shown = pictures(clip(&video, moment, 1.0, 3.0).await, moment);
    assert!(shown[shown.len() - 1] <= 200, "{shown:?}");
    assert!(since.elapsed() <= secs(5.2), "the wait is bounded: {:?}", since.elapsed());
    stage.close().await;
}

#[tokio::test(start_paused = true)]
async fn video_is_kept_only_while_it_is_wanted_and_for_half_a_minute() {
    let (mut stage, video) = kept([Take::new()]).await;
    tokio::time::sleep(secs(60.0)).await;
    let now = stage.fakes.clock.now();
    let shown = pictures(clip(&video, now.plus_millis(-25_000), 5.0, 25.0).await, now);
    assert!((-31_000..=-30_000).contains(&shown[0]), "{}", shown[0]);
    assert!(is_unavailable(&clip(&video, now.plus_millis(-40_000), 1.0, 1.0).await));
    drop(video);
    tokio::time::sleep(secs(5.0)).await;
    let video = stage.appliance.keep_video(FIRST, KEPT).await.unwrap();
    tokio::time::sleep(secs(5.0)).await;
    let moment = stage.fakes.clock.now().plus_millis(-7_000);
    assert!(is_unavailable(&clip(&video, moment, 1.0, 0.5).await), "it was not wanted then");
    let shown = pictures(clip(&video, moment, 1.0, 6.0).await, moment);
    assert!(shown[0] >= 2_000, "the part that was kept: {shown:?}");
    stage.close().await;
}

#[tokio::test(start_paused = true)]
async fn a_clip_does_not_span_a_lost_connection() {
    let (mut stage, video) = kept([Take::new().nobody(secs(5.0)).break_off(), Take::new()]).await;
    tokio::time::sleep(secs(12.0)).await;
    let moment = stage.fakes.clock.now();
    let shown = pictures(clip(&video, moment, 12.0, 0.0).await, moment);
    assert!(shown[0] > -7_000, "{shown:?}");
    stage.close().await;
}

#[tokio::test(start_paused = true)]
async fn a_clip_that_cannot_be_made_says_why() {
    let (mut stage, video) = kept([Take::refused(domain::ports::SourceError::Unauthorised)]).await;
    tokio::time::sleep(secs(1.0)).await;
    let now = stage.fakes.clock.now();
    assert!(is_unavailable(&clip(&video, now, 1.0, 0.0).await), "the camera is offline");
    for (before, after) in [(20.0, 10.1), (31.0, 0.0)] {
        let long = clip(&video, now, before, after).await;
        assert!(matches!(long, Err(Error::Invalid { field: "clip", .. })), "{long:?}");
    }
    let endless = video.clip(now, Duration::MAX, Duration::MAX).await;
    assert!(matches!(endless, Err(Error::Invalid { field: "clip", .. })));
    let nowhere = stage.appliance.keep_video(CameraId(9), KEPT).await.err();
    assert!(matches!(nowhere, Some(Error::NotFound { what: Thing::Camera })));
    stage.close().await;
}

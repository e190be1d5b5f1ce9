//! Video files as cameras.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use domain::ports::SourceError;
use testkit::clip::{self, Codec, Shape};
use tokio::time::Instant;
use video::Options;

use crate::{assert_picture, directory, frame, next, open, pattern, refusal};

fn url(file: &Path) -> String {
    format!("file://{}", file.display())
}

/// A file that ffmpeg makes of these arguments.
fn made(name: &str, arguments: &[&str]) -> PathBuf {
    let file = directory().join(name);
    let status = Command::new("ffmpeg").args(["-v", "error", "-nostdin", "-y"]).args(arguments).arg(&file).status();
    assert!(status.unwrap().success());
    file
}

/// Plays it to its end: how many frames, and how long that took.
async fn play(file: &Path) -> (u32, Duration) {
    let mut stream = open(&url(file)).await.unwrap();
    let start = Instant::now();
    let mut frames = 0;
    while let Some(frame) = next(&mut *stream).await.unwrap() {
        assert_picture(&frame, 640, 360);
        frames += 1;
    }
    assert!(next(&mut *stream).await.unwrap().is_none(), "the end is the end");
    (frames, start.elapsed())
}

#[tokio::test]
async fn a_file_is_played_once_at_its_own_pace() {
    for codec in [Codec::H264, Codec::H265] {
        let (frames, time) = play(&pattern(codec)).await;
        assert_eq!(frames, 50);
        assert!(time > Duration::from_millis(1800), "{time:?}");
    }
}

#[tokio::test]
async fn a_file_with_sound_is_played_without_it() {
    let clip = pattern(Codec::H264);
    let sine = ["-f", "lavfi", "-i", "sine=duration=2", "-c:v", "copy", "-c:a", "aac", "-shortest"];
    let file = made("sound.mp4", &[&["-i", clip.to_str().unwrap()], &sine[..]].concat());
    let (frames, _) = play(&file).await;
    assert!((45..=50).contains(&frames), "{frames}");
}

#[tokio::test]
async fn a_file_may_be_coded_in_another_way_than_a_camera() {
    let source = "testsrc2=size=640x360:rate=10:duration=1";
    let file = made("moving.avi", &["-f", "lavfi", "-i", source, "-c:v", "mjpeg", "-pix_fmt", "yuvj420p"]);
    assert_eq!(play(&file).await.0, 10);
}

#[tokio::test]
async fn a_consumer_that_takes_its_time_misses_no_frame_of_a_file() {
    let shape = Shape { fps: 10, ..Shape::small(Codec::H264) };
    let mut stream = open(&url(&clip::pattern(directory(), shape, 1).unwrap())).await.unwrap();
    let mut frames = 0;
    while next(&mut *stream).await.unwrap().is_some() {
        frames += 1;
        tokio::time::sleep(Duration::from_millis(150)).await;
    }
    assert_eq!(frames, 10);
}

#[tokio::test]
async fn a_looping_file_goes_on_past_its_end() {
    let shape = Shape { fps: 10, ..Shape::small(Codec::H264) };
    let file = clip::pattern(directory(), shape, 1).unwrap();
    let mut stream = open(&format!("{}?loop=1", url(&file))).await.unwrap();
    let start = Instant::now();
    for _ in 0..45 {
        assert_picture(&frame(&mut *stream).await, 640, 360);
    }
    let time = start.elapsed();
    assert!(time > Duration::from_millis(3900), "not at its own pace: {time:?}");
    assert!(time < Duration::from_millis(9000), "a gap at its end: {time:?}");
}

#[tokio::test]
async fn the_path_is_percent_encoded() {
    let file = directory().join("a #1 %20 clip.mp4");
    std::fs::copy(pattern(Codec::H264), &file).unwrap();
    let mut stream = open(&format!("file://{}/a%20%231%20%2520%20clip.mp4", directory().display())).await.unwrap();
    assert_picture(&frame(&mut *stream).await, 640, 360);
}

#[tokio::test]
async fn what_is_no_file_is_no_stream() {
    for path in ["/nonexistent/clip.mp4", "/", "/dev/zero"] {
        let why = refusal(Options::default(), &format!("file://{path}")).await;
        assert!(matches!(&why, SourceError::NoStream(text) if text.starts_with(path)), "{why}");
    }
}

#[tokio::test]
async fn what_is_no_video_is_undecodable() {
    let text = directory().join("text.mp4");
    std::fs::write(&text, "no video at all\n".repeat(1000)).unwrap();
    let half = directory().join("half.mp4");
    let whole = std::fs::read(pattern(Codec::H264)).unwrap();
    std::fs::write(&half, &whole[..whole.len() / 2]).unwrap();
    let empty = directory().join("empty.mp4");
    std::fs::write(&empty, "").unwrap();
    for file in [text, half, empty] {
        let why = refusal(Options::default(), &url(&file)).await;
        assert!(matches!(why, SourceError::Undecodable(_)), "{}: {why}", file.display());
    }
}

#[tokio::test]
async fn a_file_with_sound_alone_has_no_video() {
    let file = made("alone.wav", &["-f", "lavfi", "-i", "sine=duration=1"]);
    let why = refusal(Options::default(), &url(&file)).await;
    assert!(matches!(why, SourceError::NoStream(_)), "{why}");
}

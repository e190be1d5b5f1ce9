//! Clips of a camera's coded pictures.

use std::time::Duration;

use bytes::Bytes;
use domain::ports::{FrameSource, FrameStream};
use domain::{AccessUnit, Error, Source};
use testkit::clip::Codec;
use testkit::rtsp::{RtspOptions, RtspServer};
use tokio::sync::broadcast::Receiver;
use tokio::time::{Instant, timeout};
use video::{Options, VideoSource};

use crate::{SOON, assert_picture, directory, next, open, pattern, source};

/// The coded pictures of a camera from a key frame on, beside its decoded ones.
async fn units(source: &VideoSource, codec: Codec, count: usize) -> Vec<AccessUnit> {
    let server = RtspServer::start(&[&pattern(codec)], &RtspOptions { codec, ..RtspOptions::default() }).unwrap();
    let mut stream = source.open(&Source::Rtsp { url: server.url() }).await.unwrap();
    let feed = stream.units().expect("a camera has coded pictures");
    assert!(!feed.is_wanted());
    let mut receiver = feed.subscribe();
    let taken = async {
        tokio::select! {
            units = take(&mut receiver, count) => units,
            () = watch(&mut *stream) => unreachable!("a camera does not end"),
        }
    };
    timeout(SOON, taken).await.expect("coded pictures stay away")
}

async fn take(receiver: &mut Receiver<AccessUnit>, count: usize) -> Vec<AccessUnit> {
    let mut units = Vec::new();
    while units.len() < count {
        let unit = receiver.recv().await.expect("none is missed");
        if unit.key || !units.is_empty() {
            units.push(unit);
        }
    }
    units
}

async fn watch(stream: &mut dyn FrameStream) {
    while let Ok(Some(frame)) = stream.next().await {
        assert_picture(&frame, 640, 360);
    }
}

/// Plays a clip as a file: how many pictures it shows, and how long that takes.
async fn play(name: &str, clip: &Bytes) -> (usize, Duration) {
    let file = directory().join(name);
    std::fs::write(&file, clip).unwrap();
    let mut stream = open(&format!("file://{}", file.display())).await.unwrap();
    let (start, mut frames) = (Instant::now(), 0);
    while let Some(frame) = next(&mut *stream).await.unwrap() {
        assert_picture(&frame, 640, 360);
        frames += 1;
    }
    (frames, start.elapsed())
}

/// The length of a file as its header says.
fn length(name: &str) -> f64 {
    let mut probe = std::process::Command::new("ffprobe");
    probe.args(["-v", "error", "-show_entries", "format=duration", "-of", "csv=p=0"]).arg(directory().join(name));
    let output = probe.output().unwrap();
    assert!(output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim().parse().unwrap()
}

#[tokio::test]
async fn a_clip_shows_every_picture_in_the_time_it_took() {
    for codec in [Codec::H264, Codec::H265] {
        let source = source(Options::default());
        let units = units(&source, codec, 60).await;
        let shown = units[59].at.millis_since(units[0].at) as f64 / 1000.0;
        assert!((2.0..3.0).contains(&shown), "59 pictures of 40 ms took {shown} s");
        let name = format!("clip-{}.mp4", codec.name());
        let clip = source.write_clip(units).await.unwrap();
        let (frames, time) = play(&name, &clip).await;
        assert_eq!(frames, 60, "{codec:?}");
        assert!((time.as_secs_f64() - shown).abs() < 0.5, "{codec:?}: {time:?} for {shown} s");
        assert!((length(&name) - shown).abs() < 0.2, "{codec:?}: {} s for {shown} s", length(&name));
    }
}

#[tokio::test]
async fn a_camera_gives_its_coded_pictures_whole_beside_the_decoded_ones() {
    let source = source(Options::default());
    let units = units(&source, Codec::H264, 30).await;
    let keys: Vec<_> = units.iter().map(|unit| unit.key).collect();
    assert_eq!(keys.iter().filter(|key| **key).count(), 2, "one in a second");
    for unit in &units {
        assert!(unit.data.starts_with(&[0, 0, 0, 1]) || unit.data.starts_with(&[0, 0, 1]), "Annex B");
        assert_eq!(unit.codec, domain::Codec::H264);
    }
    let parameters = |unit: &AccessUnit| unit.data.windows(4).any(|part| part[..3] == [0, 0, 1] && part[3] & 31 == 7);
    assert!(units.iter().filter(|unit| unit.key).all(parameters), "a key frame brings its parameters");
    let clip = source.write_clip(units.into_iter().take(1).collect()).await.unwrap();
    assert_eq!(play("clip-alone.mp4", &clip).await.0, 1);
}

#[tokio::test]
async fn what_cannot_be_played_from_its_start_is_no_clip() {
    let source = source(Options::default());
    let good = units(&source, Codec::H264, 3).await;
    let other = AccessUnit { codec: domain::Codec::H265, ..good[1].clone() };
    for wrong in [vec![], good[1..].to_vec(), vec![good[0].clone(), other]] {
        let refused = source.write_clip(wrong).await;
        assert!(matches!(refused, Err(Error::Invalid { field: "clip", .. })), "{refused:?}");
    }
    let noise = AccessUnit { data: Bytes::from(vec![0xff; 1000]), ..good[0].clone() };
    let failed = source.write_clip(vec![noise]).await;
    assert!(matches!(failed, Err(Error::Internal { .. })), "{failed:?}");
}

#[tokio::test]
async fn a_file_has_no_coded_pictures_to_give() {
    let stream = open(&format!("file://{}", pattern(Codec::H264).display())).await.unwrap();
    assert!(stream.units().is_none());
}

//! Cameras and files as the core sees them, against a real RTSP server and real clips.

#![allow(clippy::expect_used, clippy::unwrap_used, reason = "a helper that panics fails its test")]

mod camera;
mod capture;
mod clips;
mod fault;
mod file;
mod gb28181;
mod harmless;
mod onvif;
mod pixels;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use domain::frame::{Frame, PixelFormat};
use domain::ports::{Clock, FrameSource, FrameStream, SourceError};
use domain::{Source, Timestamp};
use testkit::clip::{self, Codec, Shape};
use tokio::time::{Instant, timeout};
use video::{Options, VideoSource};

/// Longest that anything that should happen may take on a busy machine.
const SOON: Duration = Duration::from_secs(30);

struct WallClock;

impl Clock for WallClock {
    fn now(&self) -> Timestamp {
        jiff::Timestamp::now().into()
    }
}

fn source(options: Options) -> VideoSource {
    VideoSource::new(Arc::new(WallClock), options).unwrap()
}

async fn open_with(options: Options, url: &str) -> Result<Box<dyn FrameStream>, SourceError> {
    let url = url.to_owned();
    let wanted = if url.starts_with("file:") { Source::File { url } } else { Source::Rtsp { url } };
    timeout(SOON, source(options).open(&wanted)).await.expect("opening waits for ever")
}

async fn open(url: &str) -> Result<Box<dyn FrameStream>, SourceError> {
    open_with(Options::default(), url).await
}

async fn refusal(options: Options, url: &str) -> SourceError {
    open_with(options, url).await.err().expect("it opened")
}

async fn next(stream: &mut dyn FrameStream) -> Result<Option<Frame>, SourceError> {
    timeout(SOON, stream.next()).await.expect("the next frame is waited for for ever")
}

async fn frame(stream: &mut dyn FrameStream) -> Frame {
    next(stream).await.expect("a frame").expect("no end")
}

/// How the stream ends, and after which time.
async fn end(stream: &mut dyn FrameStream) -> (Result<(), SourceError>, Duration) {
    let start = Instant::now();
    let over = timeout(SOON, async {
        loop {
            match stream.next().await {
                Ok(Some(_)) => {}
                Ok(None) => return Ok(()),
                Err(e) => return Err(e),
            }
        }
    });
    (over.await.expect("the stream goes on for ever"), start.elapsed())
}

fn directory() -> &'static Path {
    Path::new(env!("CARGO_TARGET_TMPDIR"))
}

/// Two seconds of 640 x 360 at 25 frames in a second.
fn pattern(codec: Codec) -> PathBuf {
    clip::pattern(directory(), Shape::small(codec), 2).unwrap()
}

/// A picture of the test pattern: of this size, and neither blank nor torn in its planes.
fn assert_picture(frame: &Frame, width: u32, height: u32) {
    assert_eq!((frame.width(), frame.height()), (width, height));
    assert!(matches!(frame.format(), PixelFormat::I420 | PixelFormat::Nv12));
    for (plane, (row, rows)) in frame.planes().iter().zip(frame.format().planes(width, height)) {
        let last = &plane.data[plane.stride * (rows - 1)..][..row];
        let first = &plane.data[..row];
        assert!(first.iter().any(|sample| *sample != first[0]), "a blank first row");
        assert!(last.iter().any(|sample| *sample != last[0]), "a blank last row");
    }
}

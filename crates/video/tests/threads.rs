//! Apart from the other tests, because it counts the threads of its process.

#![allow(clippy::expect_used, clippy::unwrap_used, reason = "a helper that panics fails its test")]

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use domain::ports::{Clock, FrameSource};
use domain::{Source, Timestamp};
use testkit::clip::{self, Codec, Shape};
use testkit::rtsp::{RtspOptions, RtspServer};
use tokio::time::{Instant, sleep, timeout};
use video::{Options, VideoSource};

struct WallClock;

impl Clock for WallClock {
    fn now(&self) -> Timestamp {
        jiff::Timestamp::now().into()
    }
}

fn threads() -> usize {
    std::fs::read_dir("/proc/self/task").unwrap().count()
}

async fn watch(source: &VideoSource, wanted: &Source) -> usize {
    let mut stream = source.open(wanted).await.unwrap();
    for _ in 0..5 {
        assert!(timeout(Duration::from_secs(30), stream.next()).await.unwrap().unwrap().is_some());
    }
    threads()
}

#[tokio::test]
async fn a_dropped_stream_gives_its_threads_back() {
    let clip = clip::pattern(Path::new(env!("CARGO_TARGET_TMPDIR")), Shape::small(Codec::H264), 2).unwrap();
    let server = RtspServer::start(&[&clip], &RtspOptions::default()).unwrap();
    let source = VideoSource::new(Arc::new(WallClock), Options::default()).unwrap();
    let wanted = [Source::Rtsp { url: server.url() }, Source::File { url: format!("file://{}", clip.display()) }];

    let before = threads();
    let mut most = 0;
    for _ in 0..5 {
        for one in &wanted {
            most = watch(&source, one).await.max(most);
        }
    }
    assert!(most > before, "a stream has threads");

    // Pools keep an idle thread for 15 s.
    let start = Instant::now();
    while threads() > before + 1 {
        assert!(start.elapsed() < Duration::from_secs(40), "{} threads of {before} stay", threads());
        sleep(Duration::from_millis(100)).await;
    }
}

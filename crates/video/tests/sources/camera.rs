//! Cameras that work.

use domain::ports::{Clock, FrameSource, SourceError};
use domain::{Decoding, Source};
use testkit::clip::{self, Codec, Shape};
use testkit::rtsp::{Login, RtspOptions, RtspServer, Scheme, Transport};
use tokio::time::{Duration, timeout};
use video::{Options, VideoSource};

use crate::{SOON, WallClock, assert_picture, directory, frame, open, open_with, pattern, refusal, source};

fn serve(options: &RtspOptions) -> RtspServer {
    RtspServer::start(&[&pattern(options.codec)], options).unwrap()
}

/// Frames of the right size arrive at their pace, from a server that offers only this transport.
async fn assert_delivers(codec: Codec, transport: Transport, fragment: &str) {
    let server = serve(&RtspOptions { codec, transport, ..RtspOptions::default() });
    let mut stream = open(&format!("{}{fragment}", server.url())).await.unwrap();
    let mut last = frame(&mut *stream).await;
    assert_picture(&last, 640, 360);
    for _ in 0..60 {
        let next = frame(&mut *stream).await;
        assert_picture(&next, 640, 360);
        assert!(next.at() >= last.at());
        last = next;
    }
}

#[tokio::test]
async fn h264_arrives_within_the_connection() {
    assert_delivers(Codec::H264, Transport::Tcp, "").await;
}

#[tokio::test]
async fn h265_arrives_within_the_connection() {
    assert_delivers(Codec::H265, Transport::Tcp, "#transport=tcp").await;
}

#[tokio::test]
async fn h264_arrives_by_datagram_when_asked_for() {
    assert_delivers(Codec::H264, Transport::Any, "#transport=udp").await;
}

#[tokio::test]
async fn h265_arrives_by_datagram_when_asked_for() {
    assert_delivers(Codec::H265, Transport::Udp, "#transport=udp").await;
}

#[tokio::test]
async fn a_camera_that_refuses_rtp_within_the_connection_is_asked_for_datagrams() {
    assert_delivers(Codec::H264, Transport::Udp, "").await;
}

#[tokio::test]
async fn a_forced_transport_is_not_replaced() {
    let server = serve(&RtspOptions { transport: Transport::Udp, ..RtspOptions::default() });
    let why = refusal(Options::default(), &format!("{}#transport=tcp", server.url())).await;
    assert_eq!(why, SourceError::Broken("the camera refuses the transport".into()));
}

/// What was done with the units of a film of which a picture is wanted every 150 ms: in total, and as its stream says.
async fn spared(film: &std::path::Path, codec: Codec) -> (video::Counters, Decoding) {
    let server = RtspServer::start(&[film], &RtspOptions { codec, ..RtspOptions::default() }).unwrap();
    let source = source(Options { pictures_every: Duration::from_millis(150), ..Options::default() });
    let mut stream = source.open(&Source::Rtsp { url: server.url() }).await.unwrap();
    let mut last = frame(&mut *stream).await;
    let start = last.at();
    while last.at().millis_since(start) < 3_000 {
        let next = frame(&mut *stream).await;
        assert_picture(&next, 640, 360);
        assert!(next.at().millis_since(last.at()) < 1_000, "pictures keep coming");
        last = next;
    }
    (source.counters(), stream.decoding())
}

#[tokio::test]
async fn pictures_that_no_other_one_needs_are_not_decoded_before_one_is_wanted() {
    for codec in [Codec::H264, Codec::H265] {
        let film = clip::pattern_with_disposable_pictures(directory(), Shape::small(codec), 2).unwrap();
        let (counters, decoding) = spared(&film, codec).await;
        assert!(decoding.spared * 3 > decoding.units && decoding.skipped == 0, "{decoding:?}");
        assert!(decoding.busy > Duration::ZERO && decoding.busy < Duration::from_secs(60), "{decoding:?}");
        assert!(counters.units_spared * 3 > counters.units, "two or three of four are disposable: {counters:?}");
        assert_eq!(counters.units_skipped, 0);
        assert!(counters.pictures >= 12, "{counters:?}");
    }
}

#[tokio::test]
async fn pictures_that_others_need_are_all_decoded() {
    for codec in [Codec::H264, Codec::H265] {
        let (counters, decoding) = spared(&pattern(codec), codec).await;
        assert_eq!((counters.units_spared, decoding.spared), (0, 0), "{codec:?}");
        assert!(decoding.units > 0 && counters.pictures > counters.units * 3 / 4, "{codec:?}: {counters:?}");
        assert!(decoding.pictures > decoding.units * 3 / 4, "{codec:?}: {decoding:?}");
    }
}

async fn assert_password_is_checked(scheme: Scheme) {
    let login = Login { scheme, user: "us er".into(), password: "p@ss:#1".into() };
    let server = serve(&RtspOptions { login: Some(login), ..RtspOptions::default() });
    let mut stream = open(&server.url_as("us%20er", "p%40ss%3A%231")).await.unwrap();
    assert_picture(&frame(&mut *stream).await, 640, 360);
    for url in [server.url(), server.url_as("us%20er", "wrong"), server.url_as("nobody", "p%40ss%3A%231")] {
        assert_eq!(refusal(Options::default(), &url).await, SourceError::Unauthorised);
    }
}

#[tokio::test]
async fn a_camera_checks_the_password_by_digest() {
    assert_password_is_checked(Scheme::Digest).await;
}

#[tokio::test]
async fn a_camera_checks_the_password_by_basic_authentication() {
    assert_password_is_checked(Scheme::Basic).await;
}

#[tokio::test]
async fn a_camera_may_change_its_resolution() {
    let small = Shape { width: 320, height: 180, ..Shape::small(Codec::H264) };
    let clips = [small, Shape::small(Codec::H264)].map(|shape| clip::pattern(directory(), shape, 1).unwrap());
    let server = RtspServer::start(&[&clips[0], &clips[1]], &RtspOptions::default()).unwrap();
    let mut stream = open(&server.url()).await.unwrap();
    let mut widths = Vec::new();
    while widths.len() < 4 {
        let frame = frame(&mut *stream).await;
        assert_picture(&frame, frame.width(), frame.width() * 9 / 16);
        widths.push(frame.width());
        widths.dedup();
    }
    assert_eq!(widths, [320, 640, 320, 640]);
}

async fn pictures_reach(source: &VideoSource, wanted: u64) {
    let reached = async {
        while source.counters().pictures < wanted {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(SOON, reached).await.expect("decoding stopped");
}

#[tokio::test]
async fn a_late_consumer_gets_the_newest_picture() {
    let server = serve(&RtspOptions::default());
    let source = source(Options::default());
    let mut stream = source.open(&Source::Rtsp { url: server.url() }).await.unwrap();
    frame(&mut *stream).await;
    let before = source.counters().pictures;
    pictures_reach(&source, before + 25).await;
    let then = WallClock.now();
    pictures_reach(&source, before + 50).await;
    assert!(frame(&mut *stream).await.at() > then);
}

#[tokio::test]
async fn a_decoder_that_does_not_work_gives_way_to_the_next() {
    let server = serve(&RtspOptions::default());
    // Not installed; does not take H.264; passes the stream through undecoded; fails once it runs.
    let wanted = ["nosuchdec", "jpegdec", "identity", "avdec_h264 ! identity error-after=1"];
    let options = Options { decoders: wanted.map(str::to_owned).to_vec(), ..Options::default() };
    let mut stream = open_with(options, &server.url()).await.unwrap();
    for _ in 0..10 {
        assert_picture(&frame(&mut *stream).await, 640, 360);
    }
}

#[tokio::test]
async fn a_decoder_that_cannot_keep_up_leaves_out_whole_groups_of_pictures() {
    let server = serve(&RtspOptions::default());
    let slow = "identity sleep-time=120000 ! avdec_h264".to_owned();
    let source = source(Options { decoders: vec![slow], ..Options::default() });
    let mut stream = source.open(&Source::Rtsp { url: server.url() }).await.unwrap();
    let skipped = async {
        while source.counters().units_skipped == 0 {
            frame(&mut *stream).await;
        }
        // Beyond what had been queued before.
        for _ in 0..70 {
            assert_picture(&frame(&mut *stream).await, 640, 360);
        }
    };
    timeout(SOON, skipped).await.expect("the queue is never full");
}

#[tokio::test]
async fn cameras_learn_that_their_sessions_have_ended() {
    let server = serve(&RtspOptions { transport: Transport::Udp, ..RtspOptions::default() });
    let source = source(Options::default());
    let mut stream = source.open(&Source::Rtsp { url: server.url() }).await.unwrap();
    frame(&mut *stream).await;
    drop(stream);
    timeout(Duration::from_secs(5), source.close()).await.expect("closing is not bounded");
}

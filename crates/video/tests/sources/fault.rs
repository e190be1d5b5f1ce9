//! Cameras that do not work: the right reason, in time.

use std::time::Duration;

use domain::ports::SourceError;
use domain::{DeviceAddress, Source};
use testkit::clip::{self, Codec, Shape};
use testkit::rtsp::{RtspOptions, RtspServer};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::Instant;
use video::Options;

use crate::{directory, end, frame, open_with, pattern, refusal, source};

/// Short enough for a test, long enough for a busy machine.
fn hasty() -> Options {
    Options { answer: Duration::from_secs(2), stall: Duration::from_secs(2), ..Options::default() }
}

fn serve(options: &RtspOptions) -> RtspServer {
    RtspServer::start(&[&pattern(options.codec)], options).unwrap()
}

/// A camera that gives the same answer to everything; `None`: it says nothing.
async fn camera_that_answers(answer: Option<&'static str>) -> (String, JoinSet<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("rtsp://user:secret@{}/live", listener.local_addr().unwrap());
    let mut server = JoinSet::new();
    server.spawn(async move {
        let mut open = Vec::new();
        loop {
            let (connection, _) = listener.accept().await.unwrap();
            match answer {
                Some(answer) => reply(connection, answer).await,
                None => open.push(connection),
            }
        }
    });
    (url, server)
}

async fn reply(connection: TcpStream, answer: &str) {
    let (read, mut write) = connection.into_split();
    let mut lines = BufReader::new(read).lines();
    let mut sequence = String::new();
    while let Ok(Some(line)) = lines.next_line().await {
        if let Some(number) = line.strip_prefix("CSeq:") {
            number.trim().clone_into(&mut sequence);
        }
        if line.is_empty() {
            let (head, body) = answer.split_once("\n\n").unwrap_or((answer, ""));
            let length = body.len();
            let text = format!("RTSP/1.0 {head}\r\nCSeq: {sequence}\r\nContent-Length: {length}\r\n\r\n{body}");
            let _ = write.write_all(text.as_bytes()).await;
        }
    }
}

async fn refusal_of(answer: &'static str) -> SourceError {
    let (url, _server) = camera_that_answers(Some(answer)).await;
    let why = refusal(hasty(), &url).await;
    assert!(!why.to_string().contains("secret"), "{why}");
    why
}

#[tokio::test]
async fn nobody_listening_is_unreachable() {
    let free = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let why = refusal(hasty(), &format!("rtsp://user:secret@{free}/live")).await;
    assert!(matches!(&why, SourceError::Unreachable(text) if text.contains("refused")), "{why}");
}

#[tokio::test]
async fn a_host_that_says_nothing_is_unreachable_in_time() {
    let (url, _server) = camera_that_answers(None).await;
    let start = Instant::now();
    let why = refusal(hasty(), &url).await;
    assert_eq!(why, SourceError::Unreachable("no answer to DESCRIBE within 2 s".into()));
    assert!(start.elapsed() < Duration::from_secs(6));
}

#[tokio::test]
async fn what_speaks_another_protocol_is_unreachable() {
    let (url, _server) = camera_that_answers(Some("garbage\r\nwithout sense\r\n\r\n")).await;
    let why = refusal(hasty(), &url).await;
    assert!(matches!(why, SourceError::Unreachable(_)), "{why}");
}

#[tokio::test]
async fn an_unknown_path_is_no_stream() {
    let server = serve(&RtspOptions::default());
    let why = refusal(hasty(), &server.url().replace("live", "other")).await;
    assert_eq!(why, SourceError::NoStream("the camera answers 404 to DESCRIBE".into()));
}

#[tokio::test]
async fn every_refusal_has_its_reason() {
    assert_eq!(refusal_of("403 Forbidden").await, SourceError::Unauthorised);
    assert!(matches!(refusal_of("454 Session Not Found").await, SourceError::NoStream(_)));
    assert!(matches!(refusal_of("503 Service Unavailable").await, SourceError::Broken(_)));
    let sound = "200 OK\r\nContent-Type: application/sdp\n\n\
        v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\nm=audio 0 RTP/AVP 0\r\na=control:a\r\n";
    assert!(matches!(refusal_of(sound).await, SourceError::NoStream(_)));
    let pictures = "200 OK\r\nContent-Type: application/sdp\n\n\
        v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\nm=video 0 RTP/AVP 26\r\na=control:v\r\n";
    let why = refusal_of(pictures).await;
    assert!(matches!(&why, SourceError::Undecodable(text) if text.contains("jpeg")), "{why}");
}

#[tokio::test]
async fn a_picture_too_large_is_refused() {
    let wide = Shape { width: 8320, height: 64, fps: 5, codec: Codec::H264 };
    let clip = clip::pattern(directory(), wide, 1).unwrap();
    let server = RtspServer::start(&[&clip], &RtspOptions::default()).unwrap();
    let why = refusal(hasty(), &server.url()).await;
    assert!(matches!(&why, SourceError::Undecodable(text) if text.contains("8320 x 64")), "{why}");
}

#[tokio::test]
async fn a_camera_that_dies_ends_the_stream_at_once() {
    let mut server = serve(&RtspOptions::default());
    let mut stream = open_with(hasty(), &server.url()).await.unwrap();
    frame(&mut *stream).await;
    server.kill();
    let (why, after) = end(&mut *stream).await;
    assert_eq!(why, Err(SourceError::Broken("the camera closed the connection".into())));
    assert!(after < Duration::from_secs(2), "{after:?}");
    assert_eq!(end(&mut *stream).await.0, why);
}

#[tokio::test]
async fn a_camera_that_stops_sending_is_stalled() {
    for url in ["", "#transport=udp"] {
        let server = serve(&RtspOptions { silent_after: Some(1.0), ..RtspOptions::default() });
        let mut stream = open_with(hasty(), &format!("{}{url}", server.url())).await.unwrap();
        let (why, after) = end(&mut *stream).await;
        assert_eq!(why, Err(SourceError::Stalled(2)));
        assert!(after < Duration::from_secs(8), "{after:?}");
    }
}

#[tokio::test]
async fn a_stream_that_ends_does_not_hang() {
    let server = serve(&RtspOptions { end_after: Some(1.0), ..RtspOptions::default() });
    let mut stream = open_with(hasty(), &server.url()).await.unwrap();
    let (why, _) = end(&mut *stream).await;
    assert!(matches!(why, Err(SourceError::Stalled(_) | SourceError::Broken(_))), "{why:?}");
}

#[tokio::test]
async fn a_decoder_that_gives_nothing_is_told_apart_from_a_silent_camera() {
    let server = serve(&RtspOptions::default());
    let black_hole = "avdec_h264 ! identity drop-probability=1.0".to_owned();
    let first_picture = Duration::from_secs(3);
    let options = Options { decoders: vec![black_hole], first_picture, ..Options::default() };
    let why = refusal(options, &server.url()).await;
    assert_eq!(why, SourceError::Undecodable("the decoder produced no picture within 3 s".into()));
}

#[tokio::test]
async fn a_camera_that_delivers_pictures_has_no_video() {
    use domain::ports::FrameSource;
    let wanted = Source::Capture { device: DeviceAddress::default(), vendor: String::new(), product: String::new() };
    assert_eq!(source(hasty()).open(&wanted).await.err(), Some(SourceError::NotSupported));
}

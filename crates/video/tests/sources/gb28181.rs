//! Cameras that are called by SIP.

use std::net::SocketAddr;

use domain::ports::{FrameSource, FrameStream, SourceError};
use domain::{DeviceAddress, Source};
use metrics_exporter_prometheus::PrometheusBuilder;
use testkit::clip::Codec;
use testkit::gb28181::{CAMERA, Omission, Peer, PeerOptions, SERVER};
use tokio::net::UdpSocket;
use tokio::time::{Duration, Instant, timeout};
use video::{Options, Sip, VideoSource};

use crate::{SOON, assert_picture, end, frame, pattern, source};

const OWN: &str = "34020000002000000001";
pub(crate) const PASSWORD: &str = "secret";

fn hasty() -> Options {
    let sip = Sip { id: OWN.into(), listen: ([127, 0, 0, 1], 0).into(), ..Sip::default() };
    let second = Duration::from_secs(1);
    Options { answer: 3 * second, first_picture: 4 * second, stall: 2 * second, sip, ..Options::default() }
}

async fn server(options: PeerOptions) -> Peer {
    Peer::server(&pattern(options.codec), PASSWORD, options).await.unwrap()
}

fn wanted(server: SocketAddr, id: &str, password: &str) -> Source {
    let host = server.ip().to_string();
    let server = DeviceAddress { host, port: server.port(), user: String::new(), password: password.into() };
    Source::Gb28181 { server, server_sip_id: id.into(), camera_sip_id: CAMERA.into() }
}

async fn open(source: &VideoSource, wanted: &Source) -> Result<Box<dyn FrameStream>, SourceError> {
    timeout(SOON, source.open(wanted)).await.expect("opening waits for ever")
}

pub(crate) async fn open_at(peer: &Peer) -> Result<Box<dyn FrameStream>, SourceError> {
    open(&source(hasty()), &wanted(peer.address(), SERVER, PASSWORD)).await
}

async fn assert_shows(stream: &mut dyn FrameStream, pictures: usize) {
    for _ in 0..pictures {
        assert_picture(&frame(stream).await, 640, 360);
    }
}

async fn until_heard(peer: &Peer, method: &str) {
    let deadline = Instant::now() + SOON;
    while !peer.requests().iter().any(|heard| heard == method) {
        assert!(Instant::now() < deadline, "no {method} among {:?}", peer.requests());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn a_camera_behind_a_server_is_called_and_told_when_nobody_looks_any_more() {
    for codec in [Codec::H264, Codec::H265] {
        let peer = server(PeerOptions { codec, swap_every: 7, ..PeerOptions::default() }).await;
        let mut stream = open_at(&peer).await.unwrap();
        assert_shows(&mut *stream, 40).await;
        assert_eq!(peer.requests(), ["REGISTER", "REGISTER", "INVITE", "ACK"], "{codec:?}");
        drop(stream);
        until_heard(&peer, "BYE").await;
    }
}

#[tokio::test]
async fn a_camera_that_refuses_datagrams_is_asked_for_a_connection() {
    let peer = server(PeerOptions { tcp_only: true, ..PeerOptions::default() }).await;
    let mut stream = open_at(&peer).await.unwrap();
    assert_shows(&mut *stream, 40).await;
}

#[tokio::test]
async fn what_is_not_heard_is_said_again() {
    let peer = server(PeerOptions { ignore_first_requests: true, ..PeerOptions::default() }).await;
    let options = Options { first_picture: Duration::from_secs(10), ..hasty() };
    let mut stream = open(&source(options), &wanted(peer.address(), SERVER, PASSWORD)).await.unwrap();
    assert_shows(&mut *stream, 5).await;
}

#[tokio::test]
async fn frames_that_are_not_whole_are_left_out_and_counted() {
    let peer = server(PeerOptions { lose_every: 150, ..PeerOptions::default() }).await;
    let source = source(hasty());
    let mut stream = open(&source, &wanted(peer.address(), SERVER, PASSWORD)).await.unwrap();
    let deadline = Instant::now() + SOON;
    while source.counters().packets_lost == 0 {
        assert!(Instant::now() < deadline, "no packet was lost");
        assert_shows(&mut *stream, 1).await;
    }
    assert_shows(&mut *stream, 20).await;
}

#[tokio::test]
async fn a_camera_logs_in_at_the_device_and_is_called_back() {
    let source = source(hasty());
    let device = source.sip_address().await.unwrap();
    let peer = Peer::camera(&pattern(Codec::H264), PASSWORD, PeerOptions::default(), device).await.unwrap();
    let wanted = wanted(peer.address(), OWN, PASSWORD);
    for _ in 0..2 {
        let mut stream = open(&source, &wanted).await.unwrap();
        assert_shows(&mut *stream, 10).await;
        drop(stream);
        until_heard(&peer, "BYE").await;
    }
    assert!(!peer.requests().contains(&"REGISTER".to_owned()));
}

#[tokio::test]
async fn a_wrong_password_is_told_on_both_sides() {
    let peer = server(PeerOptions::default()).await;
    let why = open(&source(hasty()), &wanted(peer.address(), SERVER, "wrong")).await.err();
    assert_eq!(why, Some(SourceError::Unauthorised));
    assert!(!peer.requests().contains(&"INVITE".to_owned()));
    let source = source(hasty());
    let device = source.sip_address().await.unwrap();
    let peer = Peer::camera(&pattern(Codec::H264), "wrong", PeerOptions::default(), device).await.unwrap();
    let why = open(&source, &wanted(peer.address(), OWN, PASSWORD)).await.err();
    assert_eq!(why, Some(SourceError::Unauthorised));
    assert!(peer.requests().is_empty(), "a camera that is not known is called by nobody");
}

/// Whether it is the right reason.
type Wanted = fn(&SourceError) -> bool;

#[tokio::test]
async fn a_camera_that_is_not_there_says_so() {
    let cases: [(&str, Wanted); 3] = [
        ("404 Not Found", |why| matches!(why, SourceError::NoStream(text) if text.contains("404"))),
        ("403 Forbidden", |why| *why == SourceError::Unauthorised),
        ("486 Busy Here", |why| matches!(why, SourceError::Broken(text) if text.contains("486 Busy Here"))),
    ];
    for (refusal, wanted) in cases {
        let peer = server(PeerOptions { refuse_with: Some(refusal), ..PeerOptions::default() }).await;
        let why = open_at(&peer).await.err().unwrap();
        assert!(wanted(&why), "{refusal}: {why}");
        until_heard(&peer, "ACK").await;
    }
    let nobody = tokio::net::UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let nobody = wanted(nobody.local_addr().unwrap(), SERVER, PASSWORD);
    let why = open(&source(hasty()), &nobody).await.err().unwrap();
    assert_eq!(why, SourceError::Unreachable("no answer to REGISTER within 3 s".into()));
    let own = wanted(([127, 0, 0, 1], 9).into(), OWN, PASSWORD);
    let why = open(&source(hasty()), &own).await.err().unwrap();
    assert!(matches!(&why, SourceError::Unreachable(text) if text.contains("not logged in")), "{why}");
}

#[tokio::test]
async fn a_camera_that_hangs_up_or_falls_silent_ends_the_stream() {
    let peer = server(PeerOptions { bye_after: Some(100), ..PeerOptions::default() }).await;
    let mut stream = open_at(&peer).await.unwrap();
    let (why, _) = end(&mut *stream).await;
    assert_eq!(why, Err(SourceError::Broken("the camera ended the call".into())));
    let peer = server(PeerOptions { silent_after: Some(50), ..PeerOptions::default() }).await;
    let mut stream = open_at(&peer).await.unwrap();
    assert_eq!(end(&mut *stream).await.0, Err(SourceError::Stalled(2)));
    let peer = server(PeerOptions { silent_after: Some(0), ..PeerOptions::default() }).await;
    assert_eq!(open_at(&peer).await.err(), Some(SourceError::Stalled(4)));
}

#[tokio::test]
async fn an_id_that_is_none_is_refused() {
    for id in ["", "1 2", "a\r\nb", &"1".repeat(21)] {
        let why = open(&source(hasty()), &wanted(([127, 0, 0, 1], 9).into(), id, "")).await.err();
        assert!(matches!(why, Some(SourceError::BadAddress(_))), "{id:?}");
    }
}

/// What devices leave out.
const OMISSIONS: [Omission; 8] = [
    Omission::Via,
    Omission::Names,
    Omission::Returns,
    Omission::Lengths,
    Omission::Brackets,
    Omission::Requests,
    Omission::Map,
    Omission::Quotes,
];

#[tokio::test]
async fn a_camera_behind_a_server_is_shown_whatever_these_leave_out() {
    for omission in OMISSIONS {
        for codec in [Codec::H264, Codec::H265] {
            let peer = server(PeerOptions { codec, omission: Some(omission), ..PeerOptions::default() }).await;
            let opened = open_at(&peer).await;
            let mut stream = opened.unwrap_or_else(|why| panic!("{omission:?}: {why}; heard {:?}", peer.requests()));
            assert_shows(&mut *stream, 5).await;
            drop(stream);
            until_heard(&peer, "BYE").await;
        }
    }
}

#[tokio::test]
async fn a_camera_that_logs_in_is_shown_whatever_it_leaves_out() {
    for omission in OMISSIONS {
        let source = source(hasty());
        let device = source.sip_address().await.unwrap();
        let options = PeerOptions { codec: Codec::H265, omission: Some(omission), ..PeerOptions::default() };
        let peer = Peer::camera(&pattern(Codec::H265), PASSWORD, options, device).await.unwrap();
        let opened = open(&source, &wanted(peer.address(), OWN, PASSWORD)).await;
        let mut stream = opened.unwrap_or_else(|why| panic!("{omission:?}: {why}; heard {:?}", peer.requests()));
        assert_shows(&mut *stream, 5).await;
    }
}

/// Somebody who guesses passwords, at an address of his own.
struct Stranger(UdpSocket);

impl Stranger {
    async fn of(device: SocketAddr) -> Self {
        let socket = UdpSocket::bind("127.0.0.2:0").await.unwrap();
        socket.connect(device).await.unwrap();
        Self(socket)
    }

    /// The answer to a login as a camera, with these words to prove it.
    async fn try_as(&self, camera: &str, proof: &str) -> String {
        let text = format!(
            "REGISTER sip:{OWN}@3402000000 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.2:9;branch=z9hG4bK1\r\n\
             From: <sip:{camera}@3402000000>;tag=s\r\nTo: <sip:{camera}@3402000000>\r\nCall-ID: s\r\n\
             CSeq: 1 REGISTER\r\nExpires: 60\r\n{proof}\r\n"
        );
        self.0.send(text.as_bytes()).await.unwrap();
        let mut answer = vec![0; 65_536];
        let length = timeout(SOON, self.0.recv(&mut answer)).await.expect("no answer").unwrap();
        String::from_utf8_lossy(&answer[..length]).into_owned()
    }

    /// The answer to a guess that is made as it should be.
    async fn guess(&self, camera: &str) -> String {
        let challenge = self.try_as(camera, "").await;
        let Some((_, rest)) = challenge.split_once("nonce=\"") else { return challenge };
        let nonce = rest.split('"').next().unwrap();
        let proof = format!("Authorization: Digest username=\"{camera}\", nonce=\"{nonce}\", response=\"guessed\"\r\n");
        self.try_as(camera, &proof).await
    }
}

#[tokio::test]
async fn a_stranger_is_kept_out_and_counted_and_the_camera_is_not() {
    let recorder = PrometheusBuilder::new().build_recorder();
    let _recording = metrics::set_default_local_recorder(&recorder);
    let source = source(hasty());
    let device = source.sip_address().await.unwrap();
    let expected = wanted(device, OWN, PASSWORD);
    // From now on the camera is expected.
    let why = open(&source, &expected).await.err().unwrap();
    assert!(matches!(&why, SourceError::Unreachable(text) if text.contains("not logged in")), "{why}");
    let stranger = Stranger::of(device).await;
    // Who is expected and who is not cannot be told apart.
    for camera in ["34020000001320000099", CAMERA] {
        for _ in 0..5 {
            assert!(stranger.guess(camera).await.starts_with("SIP/2.0 401"), "{camera}");
        }
        assert!(stranger.guess(camera).await.starts_with("SIP/2.0 403"), "{camera}: no sixth guess");
    }
    let peer = Peer::camera(&pattern(Codec::H264), PASSWORD, PeerOptions::default(), device).await.unwrap();
    let mut stream = open(&source, &expected).await.unwrap();
    assert_shows(&mut *stream, 5).await;
    assert!(stranger.guess(CAMERA).await.starts_with("SIP/2.0 403"), "the camera does not let others in");
    drop(peer);
    let figures = recorder.handle().render();
    for line in ["unknown_camera\"} 11", "wrong_password\"} 5", "locked\"} 2"] {
        assert!(figures.contains(&format!("polyface_sip_logins_refused_total{{why=\"{line}\n")), "{line}: {figures}");
    }
}

#[tokio::test]
async fn a_camera_without_a_password_of_its_own_is_not_let_in() {
    let sip = Sip { refused_passwords: vec!["printed".into()], ..hasty().sip };
    let source = source(Options { sip, ..hasty() });
    let device = source.sip_address().await.unwrap();
    for password in ["", "printed"] {
        let _peer = Peer::camera(&pattern(Codec::H264), password, PeerOptions::default(), device).await;
        let why = open(&source, &wanted(device, OWN, password)).await.err().unwrap();
        assert!(matches!(&why, SourceError::BadAddress(text) if text.contains("password")), "{why}");
    }
}

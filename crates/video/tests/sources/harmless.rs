//! Cameras with faults that no picture is lost by: they play on over their one session.

use domain::Source;
use domain::ports::{FrameSource, SourceError};
use testkit::clip::Codec;
use testkit::rtsp_script::{AnswerFn, InterleaveFn, PacketsFn, Request, Script, ScriptedCamera, answer, challenge};
use tokio::time::{Duration, timeout};
use video::{Counters, Options};

use crate::{SOON, assert_picture, frame, open, pattern, refusal, source};

const LOGIN: &str = "admin:pass@";

async fn camera(script: Script) -> ScriptedCamera {
    ScriptedCamera::start(&pattern(Codec::H264), script).await.unwrap()
}

/// Plays one second of the camera; it is connected to so often.
async fn assert_plays_on(name: &str, login: &str, suffix: &str, connections: usize, script: Script) -> Counters {
    let (camera, source) = (camera(script).await, source(Options::default()));
    let url = format!("{}{suffix}", camera.url(login));
    let opened = timeout(SOON, source.open(&Source::Rtsp { url })).await.expect("it opens");
    let mut stream = opened.unwrap_or_else(|why| panic!("{name}: {why}"));
    for _ in 0..50 {
        assert_picture(&frame(&mut *stream).await, 640, 360);
    }
    let again = camera.requests().iter().filter(|request| request.method == "DESCRIBE" && request.before == 0).count();
    assert_eq!(again, connections, "{name}");
    source.counters()
}

async fn assert_plays(name: &str, answer: AnswerFn) {
    assert_plays_on(name, "", "", 1, Script { answer, ..Script::default() }).await;
}

#[tokio::test]
async fn answers_as_cameras_write_them_are_understood() {
    let odd: [(&str, AnswerFn); 18] = [
        ("session with blanks", |_, right| right.replace("12345678;timeout=60", "12345678 ; timeout = 60")),
        ("no time at all", |_, right| right.replace("timeout=60", "timeout=0")),
        ("no session", |_, right| right.replace("Session: 12345678;timeout=60\r\n", "")),
        ("no channels", |_, right| right.replace(";interleaved=0-1", "")),
        ("no transport", |_, right| right.replace("Transport: RTP/AVP/TCP;unicast;interleaved=0-1\r\n", "")),
        ("one channel", |_, right| right.replace("interleaved=0-1", "interleaved=0")),
        ("another source", |_, right| right.replace("interleaved=0-1", "interleaved=0-1;ssrc=DEADBEEF")),
        ("a source that is none", |_, right| {
            right.replace("interleaved=0-1", "interleaved=0-1;ssrc=9372397280;mode=play")
        }),
        ("another sequence", |_, right| right.replace("seq=1000;rtptime=91800", "seq=5000;rtptime=9")),
        ("empty values", |_, right| right.replace("seq=1000;rtptime=91800", "seq=;rtptime=")),
        ("no url", |_, right| right.replace("RTP-Info: url=", "RTP-Info: ")),
        ("no numbers in answers", |_, right| right.replace("CSeq: ", "X: ")),
        ("line feeds", |_, right| line_feeds(&right)),
        ("small letters", |_, right| {
            right.replace("CSeq", "cseq").replace("Session", "session").replace("Content-Length", "content-length")
        }),
        ("no type", |_, right| right.replace("Content-Type: application/sdp\r\n", "")),
        ("another type", |_, right| right.replace("application/sdp\r\n", "application/SDP;charset=utf-8\r\n")),
        ("a line that is no field", |_, right| right.replace("CSeq", "no field\r\nCSeq")),
        ("first a provisional answer", |_, right| format!("RTSP/1.0 100 Continue\r\nCSeq: 1\r\n\r\n{right}")),
    ];
    for (name, answer) in odd {
        assert_plays(name, answer).await;
    }
}

#[tokio::test]
async fn what_is_no_video_is_passed_over_and_counted() {
    let noise: [(&str, PacketsFn); 9] = [
        ("short report", |n, right| noisy(n, right, 1, &[0x80, 200, 0, 6, 1, 1, 1, 1])),
        ("no report", |n, right| noisy(n, right, 1, &[])),
        ("zeros for a report", |n, right| noisy(n, right, 1, &[0; 7])),
        ("no packet", |n, right| noisy(n, right, 0, &[])),
        ("a packet of another version", |n, right| noisy(n, right, 0, &[0x40; 40])),
        ("a head without end", |n, right| noisy(n, right, 0, &[0x9f, 96, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0])),
        ("another channel", |n, right| noisy(n, right, 7, b"hello")),
        ("sound nobody asked for", |n, right| noisy(n, right, 2, &[0x80, 8, 0, 1, 0, 0, 0, 0, 9, 9, 9, 9, 1, 2, 3, 4])),
        ("every packet twice", |_, right| vec![(0, right.clone()), (0, right)]),
    ];
    for (name, packets) in noise {
        let counters = assert_plays_on(name, "", "", 1, Script { packets, ..Script::default() }).await;
        assert!(counters.packets_ignored > 5, "{name}: {counters:?}");
        assert_eq!(counters.packets_lost, 0, "{name}");
    }
}

/// With line feeds alone in the head.
fn line_feeds(right: &str) -> String {
    let (head, body) = right.split_once("\r\n\r\n").unwrap();
    format!("{}\n\n{body}", head.replace('\r', ""))
}

/// With something else before every tenth packet.
fn noisy(n: u64, right: Vec<u8>, channel: u8, noise: &[u8]) -> Vec<(u8, Vec<u8>)> {
    let noise = n.is_multiple_of(10).then(|| (channel, noise.to_vec()));
    noise.into_iter().chain([(0, right)]).collect()
}

#[tokio::test]
async fn packets_are_taken_as_they_come_whatever_was_announced() {
    let odd: [(&str, PacketsFn); 6] = [
        ("the first packet is of another version", |n, right| {
            vec![(
                0,
                edited(right, |packet| {
                    if n == 0 {
                        packet[0] = 0x40;
                    }
                }),
            )]
        }),
        ("padding of no bytes", |_, right| vec![(0, [&edited(right, |packet| packet[0] |= 0x20)[..], &[0]].concat())]),
        ("an extension", |_, right| {
            vec![(
                0,
                [&edited(right.clone(), |packet| packet[0] |= 0x10)[..12], &[1, 2, 0, 1, 3, 3, 3, 3], &right[12..]]
                    .concat(),
            )]
        }),
        ("another payload type", |_, right| vec![(0, edited(right, |packet| packet[1] += 1))]),
        ("another channel", |_, right| vec![(4, right)]),
        ("numbers that begin anew", |n, right| {
            vec![(0, edited(right, |packet| packet[2..4].copy_from_slice(&((n % 30) as u16).to_be_bytes())))]
        }),
    ];
    for (name, packets) in odd {
        assert_plays_on(name, "", "", 1, Script { packets, ..Script::default() }).await;
    }
}

fn edited(mut packet: Vec<u8>, edit: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    edit(&mut packet);
    packet
}

#[tokio::test]
async fn a_camera_that_goes_on_under_another_source_is_followed() {
    let packets = |n, right| vec![(0, edited(right, |packet: &mut Vec<u8>| packet[8] = u8::from(n > 40)))];
    let counters = assert_plays_on("another source", "", "", 1, Script { packets, ..Script::default() }).await;
    assert_eq!(counters.packets_ignored, 0, "nothing of it is lost");
}

#[tokio::test]
async fn messages_and_noise_between_packets_do_not_end_a_session() {
    let between: [(&str, InterleaveFn); 4] = [
        ("requests", |n| if n == 20 { b"OPTIONS * RTSP/1.0\r\nCSeq: 77\r\n\r\n".to_vec() } else { Vec::new() }),
        ("an announcement", |n| {
            if n == 20 {
                b"ANNOUNCE rtsp://a/ RTSP/1.0\r\nCSeq: 78\r\nContent-Length: 5\r\n\r\nhello".to_vec()
            } else {
                Vec::new()
            }
        }),
        ("an answer to nothing", |n| {
            if n == 20 { b"RTSP/1.0 454 Session Not Found\r\nCSeq: 900\r\n\r\n".to_vec() } else { Vec::new() }
        }),
        ("bytes without sense", |n| if n % 20 == 19 { vec![0xa5; 300] } else { Vec::new() }),
    ];
    for (name, between) in between {
        assert_plays_on(name, "", "", 1, Script { between, ..Script::default() }).await;
    }
}

fn digest(nonce: &str, stale: bool) -> String {
    format!("Digest realm=\"cam\", nonce=\"{nonce}\", stale={stale}")
}

/// Takes the login with this nonce only.
fn demanding(request: &Request, nonce: &str, stale: bool, right: String) -> String {
    if request.login.contains(&format!("nonce=\"{nonce}\"")) {
        right
    } else {
        challenge(request, &digest(nonce, stale))
    }
}

#[tokio::test]
async fn a_nonce_that_runs_out_is_answered_with_the_new_one() {
    let logins: [(&str, AnswerFn); 5] = [
        ("at SETUP, stale", |request, right| {
            demanding(request, if request.method == "DESCRIBE" { "a" } else { "b" }, true, right)
        }),
        ("at PLAY, merely new", |request, right| {
            demanding(request, if request.method == "PLAY" { "b" } else { "a" }, false, right)
        }),
        ("at every request", |request, right| demanding(request, &request.method.clone(), false, right)),
        ("before anything was granted", |request, right| {
            demanding(
                request,
                if request.method == "DESCRIBE" && request.before == 0 { "a" } else { "b" },
                request.before > 0,
                right,
            )
        }),
        ("only SETUP wants a login", |request, right| {
            if request.method == "SETUP" { demanding(request, "a", false, right) } else { right }
        }),
    ];
    for (name, answer) in logins {
        assert_plays_on(name, LOGIN, "", 1, Script { answer, ..Script::default() }).await;
    }
}

#[tokio::test]
async fn a_session_is_kept_alive_whatever_the_camera_answers_to_it() {
    let answers: [(&str, AnswerFn, &[&str]); 5] = [
        (
            "a stale nonce",
            |request, right| signs(request, |request, right| demanding(request, "b", true, right), right),
            &["OPTIONS", "OPTIONS"],
        ),
        (
            "no such session",
            |request, right| signs(request, |request, _| answer(request, "454 Session Not Found", ""), right),
            &["OPTIONS", "OPTIONS"],
        ),
        (
            "not implemented",
            |request, right| signs(request, |request, _| answer(request, "501 Not Implemented", ""), right),
            &["OPTIONS", "GET_PARAMETER", "SET_PARAMETER"],
        ),
        ("nothing", |request, right| signs(request, |_, _| String::new(), right), &["OPTIONS", "OPTIONS"]),
        (
            "what it knows",
            |request, right| signs(request, |_, right| right.replace("PLAY", "GET_PARAMETER"), right),
            &["OPTIONS", "GET_PARAMETER"],
        ),
    ];
    for (name, answer, methods) in answers {
        let camera = camera(Script { answer, ..Script::default() }).await;
        let mut stream = open(&camera.url(LOGIN)).await.unwrap_or_else(|why| panic!("{name}: {why}"));
        let signs =
            || camera.requests().into_iter().map(|request| request.method).filter(|method| !is_handshake(method));
        let kept = async {
            while signs().count() < methods.len() {
                frame(&mut *stream).await;
            }
        };
        timeout(SOON, kept).await.unwrap_or_else(|_| panic!("{name}: no sign of life"));
        assert_eq!(signs().take(methods.len()).collect::<Vec<_>>(), methods, "{name}");
        assert_picture(&frame(&mut *stream).await, 640, 360);
        assert_eq!(camera.count("PLAY"), 1, "{name}");
    }
}

fn is_handshake(method: &str) -> bool {
    matches!(method, "DESCRIBE" | "SETUP" | "PLAY" | "TEARDOWN")
}

/// A session that must be kept alive every half second, and what is answered to signs of life.
fn signs(request: &Request, of_sign: AnswerFn, right: String) -> String {
    if is_handshake(&request.method) { right.replace("timeout=60", "timeout=1") } else { of_sign(request, right) }
}

#[tokio::test]
async fn a_redirect_within_the_camera_is_followed() {
    fn moved(request: &Request, method: &str, status: &str, right: String) -> String {
        let location = request.uri.replace("/live", "/main");
        let here = request.method == method && request.uri.contains("/live");
        if here { answer(request, status, &format!("Location: {location}\r\n")) } else { right }
    }
    let redirects: [(&str, AnswerFn); 4] = [
        ("302", |request, right| moved(request, "DESCRIBE", "302 Moved Temporarily", right)),
        ("301", |request, right| moved(request, "DESCRIBE", "301 Moved Permanently", right)),
        ("307 by path", |request, right| {
            moved(request, "DESCRIBE", "307 Temporary Redirect", right).replace("rtsp://127.0.0.1", "RTSP://127.0.0.1")
        }),
        ("login first", |request, right| {
            demanding(request, "a", false, moved(request, "DESCRIBE", "303 See Other", right))
        }),
    ];
    for (name, answer) in redirects {
        assert_plays_on(name, LOGIN, "", 2, Script { answer, ..Script::default() }).await;
    }
    let at_setup = |request: &Request, right: String| match request.uri.contains("/live/track") {
        true => {
            answer(request, "302 Found", &format!("Location: {}\r\n", request.uri.replace("/live/trackID=1", "/main")))
        }
        false => right,
    };
    assert_plays_on("at SETUP", LOGIN, "", 2, Script { answer: at_setup, ..Script::default() }).await;
}

#[tokio::test]
async fn a_redirect_to_another_host_or_without_end_is_refused_and_no_login_goes_there() {
    let elsewhere = |request: &Request, _| answer(request, "302 Found", "Location: rtsp://localhost:1/other\r\n");
    let camera_elsewhere = camera(Script { answer: elsewhere, ..Script::default() }).await;
    let why = refusal(Options::default(), &camera_elsewhere.url(LOGIN)).await;
    assert!(matches!(&why, SourceError::Broken(text) if text.contains("localhost")), "{why}");
    let endless = |request: &Request, _| answer(request, "302 Found", &format!("Location: {}x\r\n", request.uri));
    let camera = camera(Script { answer: endless, ..Script::default() }).await;
    let why = refusal(Options::default(), &camera.url(LOGIN)).await;
    assert!(matches!(&why, SourceError::Broken(text) if text.contains("more than 5 times")), "{why}");
    assert_eq!(camera.count("DESCRIBE"), 6);
}

#[tokio::test]
async fn a_wrong_password_is_tried_once() {
    let answer = |request: &Request, _| challenge(request, &digest(&format!("n{}", request.before), false));
    let camera = camera(Script { answer, ..Script::default() }).await;
    assert_eq!(refusal(Options::default(), &camera.url(LOGIN)).await, SourceError::Unauthorised);
    assert_eq!(camera.count("DESCRIBE"), 2);
}

#[tokio::test]
async fn datagrams_that_come_twice_or_make_no_sense_are_passed_over() {
    let odd: [(&str, PacketsFn); 3] = [
        ("noise", |n, right| noisy(n, right, 0, &[0; 7])),
        ("short reports", |n, right| noisy(n, right, 1, &[0x80, 200, 0, 6])),
        ("twice", |_, right| vec![(0, right.clone()), (0, right)]),
    ];
    for (name, packets) in odd {
        let counters = assert_plays_on(name, "", "#transport=udp", 1, Script { packets, ..Script::default() }).await;
        assert!(counters.packets_ignored > 5, "{name}: {counters:?}");
    }
    let no_port = |_: &Request, right: String| right.replace(";server_port=6970-6971", "");
    assert_plays_on("no port", "", "#transport=udp", 1, Script { answer: no_port, ..Script::default() }).await;
}

#[tokio::test]
async fn the_end_of_a_session_is_told_to_the_camera() {
    let (camera, source) = (camera(Script::default()).await, source(Options::default()));
    let mut stream = source.open(&Source::Rtsp { url: camera.url("") }).await.unwrap();
    frame(&mut *stream).await;
    drop(stream);
    timeout(Duration::from_secs(5), source.close()).await.expect("closing is not bounded");
    assert_eq!(camera.count("TEARDOWN"), 1);
}

//! Cameras that are asked by ONVIF where their stream is.

use domain::ports::{CameraDiscovery, FrameSource, FrameStream, SourceError};
use domain::{DeviceAddress, FoundCamera, Source};
use testkit::clip::Codec;
use testkit::onvif::{AnswerMode, Auth, Offer, OnvifCamera, OnvifOptions};
use testkit::rtsp::{Login, RtspOptions, RtspServer, Scheme};
use tokio::time::{Duration, Instant, timeout};
use video::Options;

use crate::{SOON, assert_picture, frame, pattern, source};

const LOGIN: (&str, &str) = ("admin", "p<&>ss");

fn hasty() -> Options {
    Options { answer: Duration::from_secs(2), ..Options::default() }
}

fn serve() -> RtspServer {
    let login = Login { scheme: Scheme::Digest, user: LOGIN.0.into(), password: LOGIN.1.into() };
    let options = RtspOptions { login: Some(login), ..RtspOptions::default() };
    RtspServer::start(&[&pattern(Codec::H264)], &options).unwrap()
}

fn offer(codec: &str, url: &str) -> Offer {
    Offer { token: format!("t-{codec}"), name: format!("{codec} stream"), codec: codec.into(), url: url.into() }
}

/// The stream as the camera names it: by an inner address that nobody reaches.
fn inner(server: &RtspServer) -> String {
    format!("rtsp://192.0.2.1:{}/live", server.port())
}

fn guarded(auth: Auth, offers: Vec<Offer>) -> OnvifOptions {
    OnvifOptions { login: Some((LOGIN.0.into(), LOGIN.1.into(), auth)), offers, ..OnvifOptions::default() }
}

async fn open(device: DeviceAddress) -> Result<Box<dyn FrameStream>, SourceError> {
    timeout(SOON, source(hasty()).open(&Source::Onvif(device))).await.expect("opening waits for ever")
}

async fn refusal(device: DeviceAddress) -> SourceError {
    let why = open(device).await.err().expect("it opened");
    assert!(!why.to_string().contains(LOGIN.1), "{why}");
    why
}

#[tokio::test]
async fn the_main_stream_of_a_camera_is_played_with_its_login() {
    let server = serve();
    let offers = || vec![offer("JPEG", "rtsp://192.0.2.1/jpeg"), offer("H264", &inner(&server))];
    for (auth, ahead) in [(Auth::Token, 0), (Auth::Token, -9_000), (Auth::Digest, 0)] {
        let camera = OnvifCamera::start(OnvifOptions { ahead, ..guarded(auth, offers()) }).await.unwrap();
        let mut stream = open(camera.address(LOGIN.0, LOGIN.1)).await.unwrap();
        assert_picture(&frame(&mut *stream).await, 640, 360);
        assert_eq!(camera.requests(), ["GetSystemDateAndTime", "GetCapabilities", "GetProfiles", "GetStreamUri"]);
    }
}

#[tokio::test]
async fn a_wrong_login_is_told_however_the_camera_asks() {
    for auth in [Auth::Token, Auth::Digest] {
        let camera = OnvifCamera::start(guarded(auth, vec![offer("H264", "rtsp://192.0.2.1/a")])).await.unwrap();
        for (user, password) in [(LOGIN.0, "wrong"), ("nobody", LOGIN.1), ("", "")] {
            assert_eq!(refusal(camera.address(user, password)).await, SourceError::Unauthorised, "{auth:?} {user}");
        }
        assert_eq!(camera.requests().into_iter().filter(|name| name != "GetSystemDateAndTime").count(), 0);
    }
}

/// Whether it is the right reason.
type Wanted = fn(&SourceError) -> bool;

#[tokio::test]
async fn a_camera_without_a_stream_to_play_says_so() {
    let streams = |offers| OnvifOptions { offers, ..OnvifOptions::default() };
    let cases: [(Vec<Offer>, Wanted); 3] = [
        (vec![], |why| matches!(why, SourceError::NoStream(text) if text.contains("profile"))),
        (
            vec![offer("JPEG", "rtsp://a/b")],
            |why| matches!(why, SourceError::Undecodable(text) if text.contains("JPEG")),
        ),
        (vec![offer("H264", "http://192.0.2.1/a")], |why| matches!(why, SourceError::NoStream(_))),
    ];
    for (offers, wanted) in cases {
        let camera = OnvifCamera::start(streams(offers)).await.unwrap();
        let why = refusal(camera.address("", "")).await;
        assert!(wanted(&why), "{why}");
    }
}

#[tokio::test]
async fn what_a_camera_should_not_say_is_taken_in_small_doses() {
    for (answer_mode, text) in [
        (AnswerMode::Garbage, "with no XML document: `<html>it works"),
        (AnswerMode::Endless, "larger than"),
        (AnswerMode::Never, "no answer"),
    ] {
        let camera = OnvifCamera::start(OnvifOptions { answer_mode, ..OnvifOptions::default() }).await.unwrap();
        let start = Instant::now();
        let why = refusal(camera.address("a", "b")).await;
        assert!(why.to_string().contains(text), "{answer_mode:?}: {why}");
        assert!(start.elapsed() < Duration::from_secs(10), "{answer_mode:?} took {:?}", start.elapsed());
    }
}

#[tokio::test]
async fn nobody_listening_is_unreachable() {
    let free = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let device = DeviceAddress { host: "127.0.0.1".into(), port: free.port(), ..DeviceAddress::default() };
    let why = refusal(device).await;
    assert!(matches!(&why, SourceError::Unreachable(text) if text.contains("refused")), "{why}");
}

#[tokio::test]
async fn all_streams_of_a_camera_are_told_the_playable_first() {
    let offers = vec![offer("JPEG", "rtsp://u:p@10.9.9.9/jpeg"), offer("H264", "rtsp://10.9.9.9:5554/main?a=b")];
    let options = OnvifOptions { lists_services: true, ..guarded(Auth::Token, offers) };
    let camera = OnvifCamera::start(options).await.unwrap();
    let source = source(hasty());
    let told = source.streams(&camera.address(LOGIN.0, LOGIN.1)).await.unwrap();
    let told: Vec<_> = told.iter().map(|s| (s.codec.as_str(), s.url.as_str(), s.width, s.name.as_str())).collect();
    let main = ("H264", "rtsp://127.0.0.1:5554/main?a=b", 640, "H264 stream");
    assert_eq!(told, [main, ("JPEG", "rtsp://127.0.0.1/jpeg", 640, "JPEG stream")]);
    assert!(camera.requests().contains(&"GetServices".to_owned()));
    let why = source.streams(&camera.address(LOGIN.0, "wrong")).await;
    assert_eq!(why, Err(SourceError::Unauthorised));
}

#[tokio::test]
async fn a_search_finds_the_cameras_that_answer_it_once_each() {
    let camera = OnvifCamera::start(OnvifOptions::default()).await.unwrap();
    let search = Duration::from_millis(600);
    let found = source(Options { searched: camera.search(), search, ..hasty() }).discover().await.unwrap();
    let DeviceAddress { host, port, .. } = camera.address("", "");
    let [name, hardware, location] = ["Acme Gate", "A-1", "north"].map(str::to_owned);
    assert_eq!(found, [FoundCamera { host, port, maker: String::new(), name, hardware, location }]);
    let nobody = tokio::net::UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let searched = nobody.local_addr().unwrap();
    let start = Instant::now();
    assert_eq!(source(Options { searched, search, ..hasty() }).discover().await, Ok(vec![]));
    assert!(start.elapsed() >= search);
}

/// A camera that streams, with this oddity.
async fn assert_plays(what: &str, options: OnvifOptions) -> OnvifCamera {
    let camera = OnvifCamera::start(options).await.unwrap();
    let opened = open(camera.address(LOGIN.0, LOGIN.1)).await;
    let mut stream = opened.unwrap_or_else(|why| panic!("{what}: {why}; asked {:?}", camera.requests()));
    assert_picture(&frame(&mut *stream).await, 640, 360);
    camera
}

#[tokio::test]
async fn a_camera_that_tells_its_local_time_only_accepts_the_login() {
    let server = serve();
    let offers = vec![offer("H264", &inner(&server))];
    for (zone, ahead) in [("CST-8", 0), ("CST-8:00:00", -120), ("EST5EDT,M3.2.0,M11.1.0", 90), ("<+0330>-3:30", 0)] {
        let options = OnvifOptions { zone: Some(zone), ahead, ..guarded(Auth::Token, offers.clone()) };
        assert_plays(zone, options).await;
    }
}

#[tokio::test]
async fn labels_in_national_encodings_and_junk_around_the_answers_do_no_harm() {
    let server = serve();
    let main = Offer { name: "\u{5927}\u{95e8}".into(), ..offer("H264", &format!("{}?a=1&b=2", inner(&server))) };
    let lists_services = true;
    let options = OnvifOptions { malformed: true, lists_services, ..guarded(Auth::Token, vec![main]) };
    let camera = OnvifCamera::start(options).await.unwrap();
    let told = source(hasty()).streams(&camera.address(LOGIN.0, LOGIN.1)).await.unwrap();
    assert_eq!((told[0].name.as_str(), told[0].codec.as_str()), ("\u{5927}\u{95e8}", "H264"));
    assert!(told[0].url.ends_with("/live?a=1&b=2"), "{}", told[0].url);
    let main = offer("H264", &inner(&server));
    let options = guarded(Auth::Token, vec![offer("H264", &inner(&server))]);
    let start = Instant::now();
    assert_plays("lengths that are too large", OnvifOptions { overstated_length: true, ..options }).await;
    assert!(start.elapsed() < Duration::from_secs(6), "no answer is waited for when it is whole");
    assert_plays("malformed", OnvifOptions { malformed: true, ..guarded(Auth::Token, vec![main]) }).await;
}

#[tokio::test]
async fn the_first_profile_need_not_have_a_stream() {
    let server = serve();
    let main = || offer("H264", &inner(&server));
    for (what, first) in [
        ("no encoder", offer("", "")),
        ("no encoder but an address", offer("", "rtsp://192.0.2.1:1/sound")),
        ("an encoder without an address", Offer { token: "first".into(), ..offer("H264", "") }),
        ("an address that cannot be played", Offer { token: "first".into(), ..offer("H264", "http://192.0.2.1/a") }),
        ("another coding", offer("JPEG", "rtsp://192.0.2.1/jpeg")),
    ] {
        let camera = assert_plays(what, guarded(Auth::Token, vec![first, main()])).await;
        let told = source(hasty()).streams(&camera.address(LOGIN.0, LOGIN.1)).await.unwrap();
        assert_eq!(told[0].codec, "H264", "{what}");
    }
    let bare = Offer { codec: String::new(), ..main() };
    assert_plays("nothing but a profile without an encoder", guarded(Auth::Token, vec![bare])).await;
}

#[tokio::test]
async fn a_media_service_is_found_wherever_the_camera_has_it() {
    let server = serve();
    for (what, media) in [
        ("a path of its own", "http://10.9.9.9/device/of/media"),
        ("several addresses", "http://10.9.9.9:1/nothing http://10.9.9.9/onvif/media2"),
        ("a path alone", "/onvif/media"),
        ("no scheme", "10.9.9.9:80/onvif/media"),
        ("an encrypted address", "https://10.9.9.9/onvif/media"),
        ("blanks", " http://10.9.9.9/onvif/media"),
    ] {
        let offers = vec![offer("H264", &inner(&server))];
        let options = OnvifOptions { media: Some(media), ..guarded(Auth::Token, offers) };
        assert_plays(what, options).await;
    }
    let offers = vec![offer("H264", &inner(&server))];
    let elsewhere = OnvifOptions { device: Some("/onvif/services"), ..guarded(Auth::Token, offers) };
    assert_plays("a device service elsewhere", elsewhere).await;
    let offers = vec![offer("H264", &inner(&server))];
    let newer = OnvifOptions { newer: true, ..guarded(Auth::Token, offers) };
    assert_plays("the newer service", newer).await;
}

#[tokio::test]
async fn a_camera_that_refuses_tokens_gets_the_login_by_http_alone() {
    let server = serve();
    assert_plays("no token", guarded(Auth::DigestOnly, vec![offer("H264", &inner(&server))])).await;
    let camera = OnvifCamera::start(guarded(Auth::DigestOnly, vec![])).await.unwrap();
    assert_eq!(refusal(camera.address(LOGIN.0, "wrong")).await, SourceError::Unauthorised);
}

#[tokio::test]
async fn the_reason_names_what_was_asked_and_answered() {
    let camera = OnvifCamera::start(guarded(Auth::Token, vec![offer("H264", "")])).await.unwrap();
    let why = refusal(camera.address(LOGIN.0, LOGIN.1)).await;
    assert_eq!(why, SourceError::Broken("the camera refuses GetStreamUri: not understood".into()));
    let camera = OnvifCamera::start(guarded(Auth::Token, vec![offer("H264", "http://192.0.2.1/a")])).await.unwrap();
    let why = refusal(camera.address(LOGIN.0, LOGIN.1)).await;
    let named = "the camera answers GetStreamUri with an address with the scheme http, not rtsp";
    assert_eq!(why, SourceError::NoStream(named.into()));
}

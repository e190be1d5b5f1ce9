//! Cameras that find faces themselves and deliver pictures.

use bytes::Bytes;
use domain::ports::{FrameSource, PictureStream, SourceError};
use domain::{DeviceAddress, Source};
use testkit::capture::{CaptureCamera, Dialect};
use testkit::{FakeFace, Picture};
use tokio::time::{Duration, timeout};
use video::Options;

use crate::{SOON, source};

fn hasty() -> Options {
    Options { answer: Duration::from_secs(2), heartbeat: Duration::from_secs(1), ..Options::default() }
}

async fn open(device: DeviceAddress) -> Result<Box<dyn PictureStream>, SourceError> {
    let wanted = Source::Capture { device, vendor: "acme".into(), product: String::new() };
    timeout(SOON, source(hasty()).open_pictures(&wanted)).await.expect("opening waits for ever")
}

async fn next(stream: &mut dyn PictureStream) -> Result<Bytes, SourceError> {
    timeout(SOON, stream.next()).await.expect("a picture is waited for for ever")
}

fn picture(name: &str) -> Bytes {
    Picture::of([FakeFace::of(name)]).jpeg()
}

#[tokio::test]
async fn every_picture_arrives_whole_and_at_once() {
    for dialect in [Dialect::Alerts, Dialect::Snaps] {
        let camera = CaptureCamera::start(dialect, "admin", "secret").await.unwrap();
        let mut stream = open(camera.address("admin", "secret")).await.unwrap();
        let (alice, bob) = (picture("alice"), picture("bob"));
        camera.deliver(std::slice::from_ref(&alice));
        assert_eq!(next(&mut *stream).await, Ok(alice.clone()), "{dialect:?}");
        camera.deliver(&[alice.clone(), bob.clone()]);
        camera.deliver_unmeasured(&bob);
        assert_eq!(next(&mut *stream).await, Ok(alice));
        assert_eq!(next(&mut *stream).await, Ok(bob.clone()));
        assert!(next(&mut *stream).await.unwrap().starts_with(&bob));
    }
}

#[tokio::test]
async fn a_wrong_login_is_told() {
    let camera = CaptureCamera::start(Dialect::Snaps, "admin", "secret").await.unwrap();
    for (user, password) in [("admin", "wrong"), ("root", "secret"), ("", "")] {
        assert_eq!(open(camera.address(user, password)).await.err(), Some(SourceError::Unauthorised));
    }
}

#[tokio::test]
async fn a_camera_that_offers_no_pictures_says_so() {
    let camera = CaptureCamera::start(Dialect::Other, "admin", "secret").await.unwrap();
    let why = open(camera.address("admin", "secret")).await.err().unwrap();
    assert!(matches!(why, SourceError::NoStream(_)), "{why}");
}

#[tokio::test]
async fn a_heartbeat_keeps_the_stream_and_silence_ends_it() {
    let camera = CaptureCamera::start(Dialect::Alerts, "admin", "secret").await.unwrap();
    let mut stream = open(camera.address("admin", "secret")).await.unwrap();
    let beating = async {
        for _ in 0..8 {
            tokio::time::sleep(Duration::from_millis(200)).await;
            camera.heartbeat();
        }
        camera.deliver(&[picture("alice")]);
    };
    let (_, delivered) = tokio::join!(beating, next(&mut *stream));
    assert_eq!(delivered, Ok(picture("alice")), "after more than the time of silence");
    assert_eq!(next(&mut *stream).await, Err(SourceError::Stalled(1)));
}

#[tokio::test]
async fn a_camera_that_goes_ends_the_stream() {
    let camera = CaptureCamera::start(Dialect::Alerts, "admin", "secret").await.unwrap();
    let mut stream = open(camera.address("admin", "secret")).await.unwrap();
    camera.close();
    let why = next(&mut *stream).await.err().unwrap();
    assert!(matches!(why, SourceError::Broken(_)), "{why}");
}

fn part(head: &str, content: &[u8]) -> Vec<u8> {
    [b"--myboundary\r\n", head.as_bytes(), b"\r\n", content, b"\r\n"].concat()
}

#[tokio::test]
async fn a_part_that_announces_too_much_costs_nothing_but_itself() {
    let camera = CaptureCamera::start(Dialect::Alerts, "admin", "secret").await.unwrap();
    let mut stream = open(camera.address("admin", "secret")).await.unwrap();
    let event = b"<EventNotificationAlert>faceSnap</EventNotificationAlert>";
    for (more, name) in [(86, "alice"), (5_000_000, "bob"), (3, "carol")] {
        let head = format!("Content-Type: application/xml\r\nContent-Length: {}\r\n", event.len() + more);
        camera.send_raw(&part(&head, event));
        camera.deliver(&[picture(name)]);
        assert_eq!(next(&mut *stream).await, Ok(picture(name)), "{more} too many, over the same connection");
    }
    let cut = &picture("dave")[..200];
    camera.send_raw(&part("Content-Type: image/jpeg\r\nContent-Length: 20000\r\n", cut));
    camera.deliver(&[picture("erin")]);
    assert_eq!(next(&mut *stream).await, Ok(Bytes::copy_from_slice(cut)));
    assert_eq!(next(&mut *stream).await, Ok(picture("erin")));
}

#[tokio::test]
async fn a_picture_arrives_at_once_whatever_its_head_says() {
    let camera = CaptureCamera::start(Dialect::Alerts, "admin", "secret").await.unwrap();
    let mut stream = open(camera.address("admin", "secret")).await.unwrap();
    let alice = picture("alice");
    let lines = format!("--myboundary\nContent-Length: {}\n\n", alice.len());
    camera.send_raw(&[lines.as_bytes(), &alice[..]].concat());
    assert_eq!(next(&mut *stream).await, Ok(alice.clone()), "LF alone and no type, before the next part begins");
    camera.send_raw(b"\n");
    camera.send_raw(&part("Content-Type: image/jpeg\r\nContent-Length: 100\r\n", &alice));
    camera.heartbeat();
    assert_eq!(next(&mut *stream).await, Ok(alice), "a length that is too small");
}

#[tokio::test]
async fn the_boundary_is_the_one_that_the_camera_writes() {
    for kind in [
        "multipart/mixed; boundary=something-else",
        "multipart/mixed",
        "multipart/mixed; boundary=\"----myboundary\"; charset=\"utf-8\"",
        "Multipart/X-Mixed-Replace;Boundary=MyBoundary",
    ] {
        let camera = CaptureCamera::start_as(Dialect::Snaps, "admin", "secret", kind).await.unwrap();
        let mut stream = open(camera.address("admin", "secret")).await.unwrap();
        camera.send_raw(b"\r\n");
        camera.deliver(&[picture("alice")]);
        camera.send_raw(b"--myboundary--\r\nan epilogue\r\n\r\n");
        camera.deliver(&[picture("bob")]);
        assert_eq!(next(&mut *stream).await, Ok(picture("alice")), "{kind}");
        assert_eq!(next(&mut *stream).await, Ok(picture("bob")), "{kind}");
    }
}

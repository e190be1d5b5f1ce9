//! Addresses of streams as platforms write them.

use domain::ports::SettingsStore;
use domain::{CameraChange, Error, Source, StreamAddress, StreamTransport};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use proptest::prelude::*;
use testkit::actor;

use crate::stage::{Stage, gate};

fn read(text: &str) -> StreamAddress {
    StreamAddress::parse(text).unwrap_or_else(|why| panic!("{text}: {why}"))
}

fn refusal(text: &str) -> String {
    StreamAddress::parse(text).err().unwrap_or_else(|| panic!("{text} is taken")).to_string()
}

#[track_caller]
fn assert_login(text: &str, user: &str, password: &str, host: &str) {
    let address = read(text);
    assert_eq!(
        (address.user.as_str(), address.password.as_str(), address.host.as_str()),
        (user, password, host),
        "{text}"
    );
}

#[test]
fn an_address_is_parsed_as_the_standard_says() {
    let address = read(" RTSP://ad%40min:p%23%3A%2Fss@cam.local:8554/h264?channel=1&sub=0#transport=udp ");
    assert_eq!((address.user.as_str(), address.password.as_str()), ("ad@min", "p#:/ss"));
    assert_eq!(
        (address.host.as_str(), address.port, address.path.as_str()),
        ("cam.local", Some(8554), "/h264?channel=1&sub=0")
    );
    assert_eq!((address.transport, address.encrypted), (StreamTransport::Udp, false));
    let bare = read("rtsps://[2001:db8::1]");
    assert_eq!((bare.host.as_str(), bare.port, bare.path.as_str(), bare.encrypted), ("[2001:db8::1]", None, "", true));
    assert_eq!(read("rtsp://cam:/live").port, None);
    assert!(!format!("{:?}", read("rtsp://admin:secret@cam/")).contains("secret"));
}

#[test]
fn delimiters_in_a_password_are_accepted_where_only_one_reading_is_possible() {
    for password in [
        "a#b",
        "a/b",
        "a?b",
        "#",
        "a:b",
        "a@b",
        "a b",
        "50%",
        "%zz",
        "[a]",
        "a#b@c",
        "a/b#c?d",
        "пароль#1",
        "a\\b",
        "a&b=c;d",
    ] {
        assert_login(
            &format!("rtsp://admin:{password}@192.168.1.64:554/Streaming/Channels/101"),
            "admin",
            password,
            "192.168.1.64",
        );
        assert_login(&format!("rtsp://admin:{password}@192.168.1.64"), "admin", password, "192.168.1.64");
    }
    assert_login("rtsp://ann@corp.example:a@10.0.0.5/live", "ann@corp.example", "a", "10.0.0.5");
    assert_login("rtsp://admin:a/b@[2001:db8::1]:554/live", "admin", "a/b", "[2001:db8::1]");
}

#[test]
fn an_at_sign_after_the_host_does_not_end_a_login() {
    assert_login("rtsp://admin:pw@10.0.0.5/live?user=a@b", "admin", "pw", "10.0.0.5");
    assert_login("rtsp://cam/live@2", "", "", "cam");
    assert_login("rtsp://10.0.0.5:554/live/a:b@c", "", "", "10.0.0.5");
    assert_login("rtsp://admin:pw@cam.local/live@2", "admin", "pw", "cam.local");
}

#[test]
fn an_ambiguous_address_is_refused_with_the_remedy() {
    for text in
        ["rtsp://admin:se@cret/1@10.0.0.5/live", "rtsp://admin:1234/secret@10.0.0.5/", "rtsp://admin:se/cret@a.b/c@d.e"]
    {
        let why = refusal(text);
        assert!(why.contains("two ways") && why.contains("%40") && why.contains("%2F"), "{text}: {why}");
        assert!(!why.contains("cret") && !why.contains("10.0.0.5"), "{why}");
    }
}

#[test]
fn an_invalid_address_is_refused_with_the_reason() {
    for (text, why) in [
        ("rtsp://", "no host"),
        ("rtsp:///live", "no host"),
        ("rtsp://:554/live", "no host"),
        ("rtsp://user:pass@/live", "no host"),
        ("rtsp://@", "no host"),
        ("rtsp://#", "no host"),
        ("rtsp://cam:port/", "port"),
        ("rtsp://cam:0/", "port"),
        ("rtsp://cam:65536/", "port"),
        ("rtsp://cam:+1/", "port"),
        ("rtsp://a b/", "host"),
        ("rtsp://[::1/", "host"),
        ("rtsp://[cam]/", "host"),
        ("rtsp://cam/live#udp", "transport=udp"),
        ("rtsp://user:a%00@cam/", "control"),
        ("rtsp://cam/\nlive", "control"),
        ("rtsp://%ff:a@cam/", "UTF-8"),
        ("rtsp:cam", "rtsp://"),
        ("http://cam/", "rtsp://"),
    ] {
        let reason = refusal(text);
        assert!(reason.contains(why), "{text}: {reason}");
    }
    assert!(refusal(&format!("rtsp://cam/{}", "x".repeat(2048))).contains("2048"));
}

#[test]
fn a_url_names_a_stream_or_a_file() {
    assert_eq!(Source::of_url(" rtsp://cam/live "), Ok(Source::Rtsp { url: "rtsp://cam/live".into() }));
    assert_eq!(Source::of_url("file:///a.mp4?loop=1"), Ok(Source::File { url: "file:///a.mp4?loop=1".into() }));
    assert!(matches!(Source::of_url("FILE://localhost/a.mp4"), Ok(Source::File { .. })));
    for bad in ["", "cam", "http://cam/", "file://", "file:///", "file://server/a.mp4", "file:a.mp4", "rtsp://"] {
        assert!(Source::of_url(bad).is_err(), "{bad}");
    }
}

#[tokio::test]
async fn no_camera_gets_an_address_that_cannot_be_used_but_an_old_one_can_be_renamed() {
    let stage = Stage::new();
    let refused = |outcome| match outcome {
        Err(Error::Invalid { field: "source", why }) => assert!(!why.contains("secret"), "{why}"),
        other => panic!("{other:?}"),
    };
    let mut camera = gate();
    for url in ["rtsp://admin:secret", "rtsp:///live", "rtsp://admin:a@secret/b@10.0.0.5/"] {
        camera.settings.source = Source::Rtsp { url: url.into() };
        refused(stage.appliance.by(&actor("test")).add_camera(camera.clone()).await);
    }
    camera.settings.source = Source::File { url: "file://".into() };
    refused(stage.appliance.by(&actor("test")).add_camera(camera).await);

    let mut old = gate();
    old.settings.source = Source::Rtsp { url: "rtsp://admin:secret".into() };
    let id = stage.fakes.store.insert_camera(&old, 16, domain::Timestamp::from_millis(0)).unwrap().id;
    old.settings.name = "renamed".into();
    let change = |settings| CameraChange { settings: Some(settings), ..CameraChange::default() };
    stage.appliance.by(&actor("test")).update_camera(id, change(old.settings.clone())).await.unwrap();
    old.settings.source = Source::Rtsp { url: "rtsp://admin:secret@".into() };
    refused(stage.appliance.by(&actor("test")).update_camera(id, change(old.settings)).await);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn an_encoded_login_is_decoded(user in "\\PC{1,20}", password in "\\PC{0,30}") {
        let encoded = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
        let text = format!("rtsp://{}:{}@cam.local/live", encoded(&user), encoded(&password));
        let read = StreamAddress::parse(&text).map(|address| (address.user, address.password));
        prop_assert_eq!(read, Ok((user, password)));
    }

    #[test]
    fn no_text_makes_parsing_panic(text in "[ -~]{0,80}", any in "\\PC{0,40}") {
        for text in [format!("rtsp://{text}"), any] {
            if let Ok(address) = StreamAddress::parse(&text) {
                prop_assert!(!address.host.is_empty());
            }
        }
    }
}

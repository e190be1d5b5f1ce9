//! Subscriptions over the WebSocket.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests panic like tests do")]

mod device;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use device::Device;
use domain::What;
use domain::ports::{LogStore, Pictures};
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use testkit::DEADLINE;
use testkit::store_suite::samples;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

/// What the sample receiver of the document asserts.
const ASSERTED: [&str; 23] = [
    "camera_name",
    "device_id",
    "channel",
    "img_id",
    "img",
    "img_path",
    "lib_name",
    "lib_type",
    "person_addr",
    "person_age",
    "person_gender",
    "person_idcard",
    "person_name",
    "position",
    "ranking",
    "similarity",
    "quality",
    "snap_id",
    "snap_buf",
    "snap_feat",
    "snap_path",
    "snap_frame",
    "trigger",
];

/// A client as in the document.
struct Client(WebSocketStream<MaybeTlsStream<TcpStream>>);

impl Client {
    async fn connect(device: &Device, path: &str) -> Self {
        let (socket, _) = connect_async(format!("ws://{}{path}", device.address)).await.unwrap();
        Self(socket)
    }

    async fn subscribed(device: &Device) -> Self {
        let mut client = Self::connect(device, "/ws/").await;
        assert_eq!(client.subscribe(&key(device).await).await, json!({"code": 0, "msg": ""}));
        client
    }

    async fn subscribe(&mut self, key: &str) -> Value {
        self.send(&json!({"key": key, "msg_id": "776"}).to_string()).await;
        self.message().await
    }

    async fn send(&mut self, text: &str) {
        self.0.send(Message::text(text)).await.unwrap();
    }

    async fn next(&mut self) -> Message {
        timeout(DEADLINE, self.0.next()).await.expect("nothing came").unwrap().unwrap()
    }

    /// The next JSON message; pings of the device are answered by the library.
    async fn message(&mut self) -> Value {
        loop {
            match self.next().await {
                Message::Text(text) => return serde_json::from_str(&text).unwrap(),
                Message::Ping(_) => {}
                other => panic!("{other:?} came"),
            }
        }
    }

    /// The data of the next capture, checked as the sample receiver checks it.
    async fn capture(&mut self) -> Value {
        let message = self.message().await;
        assert_eq!((&message["msg"], &message["msg_id"], &message["code"]), (&json!(""), &json!("777"), &json!(0)));
        for name in ASSERTED {
            assert!(message["data"].get(name).is_some(), "{name}");
        }
        message["data"].clone()
    }

    async fn closed(&mut self) -> CloseFrame {
        loop {
            match self.next().await {
                Message::Close(frame) => return frame.unwrap(),
                Message::Text(_) | Message::Ping(_) => {}
                other => panic!("{other:?} came"),
            }
        }
    }
}

async fn key(device: &Device) -> String {
    device.ask(json!({"msg_id": "1286"})).await["key"].as_str().unwrap().to_owned()
}

fn picture(uri: &Value) -> Vec<u8> {
    let (media_type, text) = uri.as_str().unwrap().split_once(',').unwrap();
    assert_eq!(media_type, "data:image/jpeg;base64");
    STANDARD.decode(text).unwrap()
}

#[tokio::test]
async fn a_subscriber_gets_known_people_with_all_pictures() {
    let device = Device::start().await;
    let library = device.enrol("staff", &["alice"]).await;
    let mut client = Client::subscribed(&device).await;
    device.watch(&library.to_string(), &["alice"]).await;
    let capture = client.capture().await;
    for (field, value) in [
        ("camera_name", json!("gate")),
        ("position", json!("north")),
        ("channel", json!(1)),
        ("threshold", json!(80)),
        ("img_id", json!("alice")),
        ("person_name", json!("alice")),
        ("img_path", json!(format!("img/{library}_alice.jpg"))),
        ("lib_id", json!(library)),
        ("lib_name", json!("staff")),
        ("lib_type", json!(2)),
        ("ranking", json!(1)),
        ("obj_label", json!(1)),
        ("device_id", json!("PF0001")),
    ] {
        assert_eq!(capture[field], value, "{field}");
    }
    assert!((80..=100).contains(&capture["similarity"].as_i64().unwrap()));
    assert!(capture["snap_feat"].as_str().unwrap().ends_with(','));
    assert_eq!(picture(&capture["img"]), testkit::Picture::of([testkit::FakeFace::of("alice")]).jpeg());
    assert!(picture(&capture["snap_frame"]).len() > picture(&capture["snap_buf"]).len());
    device.stop().await;
}

#[tokio::test]
async fn a_face_that_no_library_is_searched_for_has_no_match() {
    let device = Device::start().await;
    let mut client = Client::subscribed(&device).await;
    device.watch("", &["mallory"]).await;
    let capture = client.capture().await;
    for field in ["img", "similarity", "ranking", "lib_id", "lib_type"] {
        assert_eq!(capture[field], json!(-1), "{field}");
    }
    for field in ["img_id", "img_path", "lib_name", "person_name"] {
        assert_eq!(capture[field], json!(""), "{field}");
    }
    device.stop().await;
}

#[tokio::test]
async fn a_subscriber_gets_bodies_as_well_as_faces() {
    let device = Device::start().await;
    let mut client = Client::subscribed(&device).await;
    let store = &*device.handles.store;
    let entry = |fired: bool| {
        let mut entry = samples::line_crossed(store, 2, 0);
        let What::Behaviour(seen) = &mut entry.what else { panic!("a behaviour") };
        (seen.crop, seen.scene) =
            (store.put(&[0xff, 0xd8, 0xff, 1]).unwrap(), store.put(&[0xff, 0xd8, 0xff, 2]).unwrap());
        seen.fired = fired;
        (seen.id.to_string(), store.append(&entry).unwrap())
    };
    // What recovers shows nobody.
    entry(false);
    let (id, _) = entry(true);
    // The capture wakes the device.
    device.watch("", &["mallory"]).await;
    let body = client.capture().await;
    for (field, value) in [
        ("snap_id", json!(id)),
        ("channel", json!(2)),
        ("obj_label", json!(2)),
        ("quality", json!(67)),
        ("img", json!(-1)),
        ("similarity", json!(-1)),
        ("ranking", json!(-1)),
        ("img_id", json!("")),
    ] {
        assert_eq!(body[field], value, "{field}");
    }
    assert!(body["body_attr"].is_object() && body.get("face_attr").is_none());
    assert_eq!(picture(&body["snap_buf"]), [0xff, 0xd8, 0xff, 1]);
    assert_eq!(picture(&body["snap_frame"]), [0xff, 0xd8, 0xff, 2]);
    assert_eq!(client.capture().await["obj_label"], json!(1));
    device.stop().await;
}

#[tokio::test]
async fn all_subscribers_get_the_same_capture_on_either_path() {
    let device = Device::start().await;
    let mut first = Client::subscribed(&device).await;
    let mut second = Client::connect(&device, "/ws").await;
    let numeric = json!({"key": key(&device).await, "msg_id": 776}).to_string();
    second.send(&numeric).await;
    assert_eq!(second.message().await, json!({"code": 0, "msg": ""}));
    device.watch("", &["mallory"]).await;
    assert_eq!(first.capture().await["snap_id"], second.capture().await["snap_id"]);
    device.stop().await;
}

#[tokio::test]
async fn a_wrong_key_is_refused_and_the_socket_closed() {
    let device = Device::start().await;
    for (message, code) in [
        (json!({"msg_id": "776", "key": "7410342e-e4e8-47de-a92f-2fd918eb3d6a"}).to_string(), -3596),
        (json!({"msg_id": "776"}).to_string(), -3596),
        (json!({"msg_id": "777", "key": key(&device).await}).to_string(), -3599),
        ("no json".into(), -3596),
    ] {
        let mut client = Client::connect(&device, "/ws/").await;
        client.send(&message).await;
        let answer = client.message().await;
        assert_eq!(answer["code"], json!(code), "{message}");
        assert!(answer.get("data").is_none());
        client.closed().await;
    }
    device.stop().await;
}

#[tokio::test]
async fn pings_are_answered_and_chatter_is_passed_over() {
    let device = Device::start().await;
    let mut client = Client::subscribed(&device).await;
    client.send("hello").await;
    client.0.send(Message::Ping(Bytes::from_static(b"there?"))).await.unwrap();
    loop {
        match client.next().await {
            Message::Pong(payload) => break assert_eq!(payload, Bytes::from_static(b"there?")),
            Message::Ping(_) => {}
            other => panic!("{other:?} came"),
        }
    }
    device.stop().await;
}

#[tokio::test]
async fn a_subscriber_that_falls_behind_is_let_go_with_the_reason() {
    let device = Device::start().await;
    let mut client = Client::subscribed(&device).await;
    for second in 0..300 {
        device.handles.store.append_record(&samples::stranger(&*device.handles.store, 1, second)).unwrap();
    }
    device.watch("", &["mallory"]).await;
    assert_eq!(client.closed().await.reason.as_str(), "too slow");
    device.stop().await;
}

#[tokio::test]
async fn subscriptions_are_closed_when_the_device_stops() {
    let device = Device::start().await;
    let mut client = Client::subscribed(&device).await;
    let (closed, _) = tokio::join!(client.closed(), device.stop());
    assert_eq!(closed.reason.as_str(), "the device stops");
}

#[tokio::test]
async fn the_key_ends_with_the_sessions_in_a_restart() {
    let device = Device::start().await;
    let first = key(&device).await;
    let device = device.restart().await;
    assert_ne!(key(&device).await, first);
    device.stop().await;
}

#[tokio::test]
async fn a_subscription_is_made_on_every_path_that_clients_dial_and_in_their_json() {
    let device = Device::start().await;
    let key = key(&device).await;
    for path in ["/ws", "/ws/", "//ws", "//ws/"] {
        let mut client = Client::connect(&device, path).await;
        assert_eq!(client.subscribe(&key).await, json!({"code": 0, "msg": ""}), "{path}");
    }
    for (before, after) in [("\u{feff}", ""), ("", "\0"), ("", "\r\n\0\0")] {
        let mut client = Client::connect(&device, "//ws").await;
        client.send(&format!("{before}{{\"key\": \"{key}\", \"msg_id\": 776, \"x\": \"\\ud83d\",}}{after}")).await;
        assert_eq!(client.message().await, json!({"code": 0, "msg": ""}));
    }
    device.stop().await;
}

//! Pushes to a pretend platform that checks like the document's sample receiver.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests panic like tests do")]

mod device;

use std::collections::{HashMap, VecDeque};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use adapter::{Outbound, Policy};
use axum::Router;
use axum::extract::{Multipart, State};
use axum::http::StatusCode;
use bytes::Bytes;
use device::Device;
use serde_json::{Value, json};
use testkit::{DEADLINE, Rig};
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::timeout;

/// What the sample receiver asserts of a capture.
const ASSERTED: [&str; 19] = [
    "camera_name",
    "device_id",
    "channel",
    "position",
    "img_id",
    "img_path",
    "lib_name",
    "lib_type",
    "person_addr",
    "person_age",
    "person_gender",
    "person_idcard",
    "person_name",
    "snap_id",
    "similarity",
    "quality",
    "snap_feat",
    "snap_path",
    "trigger",
];

/// A message that came, and how it was answered.
struct Push {
    key: String,
    msg_id: i64,
    data: Value,
    files: HashMap<String, Bytes>,
    answered: u16,
}

/// A platform that gives preset answers, and 200 afterwards.
struct Platform {
    address: SocketAddr,
    pushes: mpsc::UnboundedReceiver<Push>,
    _serving: JoinSet<()>,
}

#[derive(Clone)]
struct Desk {
    answers: Arc<Mutex<VecDeque<u16>>>,
    pushes: mpsc::UnboundedSender<Push>,
}

impl Platform {
    async fn start(answers: impl IntoIterator<Item = u16>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        Self::start_on(listener, answers)
    }

    fn start_on(listener: TcpListener, answers: impl IntoIterator<Item = u16>) -> Self {
        let (sender, pushes) = mpsc::unbounded_channel();
        let desk = Desk { answers: Arc::new(Mutex::new(answers.into_iter().collect())), pushes: sender };
        let router = Router::new().fallback(receive).with_state(desk);
        let address = listener.local_addr().unwrap();
        let mut serving = JoinSet::new();
        serving.spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { address, pushes, _serving: serving }
    }

    /// Tells the device to push here.
    async fn register(&self, device: &Device) {
        let url = format!("{}/agbox/device/snap", self.address);
        device.ask(json!({"msg_id": "1298", "url": url, "key": "google-key"})).await;
    }

    async fn next(&mut self) -> Push {
        timeout(DEADLINE, self.pushes.recv()).await.expect("nothing was pushed").unwrap()
    }

    /// The next capture; heartbeats are passed over.
    async fn capture(&mut self) -> Push {
        loop {
            let push = self.next().await;
            if push.msg_id == 774 {
                return push;
            }
        }
    }
}

/// Checks as the sample receiver does, then answers; captures take the next prepared answer.
async fn receive(State(desk): State<Desk>, mut form: Multipart) -> StatusCode {
    let (mut texts, mut files) = (HashMap::new(), HashMap::new());
    while let Some(field) = form.next_field().await.unwrap() {
        let (name, is_file) = (field.name().unwrap().to_owned(), field.file_name().is_some());
        let content = field.bytes().await.unwrap();
        if is_file {
            files.insert(name, content)
        } else {
            texts.insert(name, content)
        };
    }
    let message: Value = serde_json::from_slice(&texts["json"]).unwrap();
    let (msg_id, data) = (message["msg_id"].as_i64().unwrap(), message["data"].clone());
    let asserted: &[&str] = if msg_id == 774 { &ASSERTED } else { &["device_id", "trigger"] };
    let complete = asserted.iter().all(|name| data.get(name).is_some())
        && (files.is_empty() || files.contains_key("snap") && files.contains_key("snap_frame"));
    let prepared = (msg_id == 774).then(|| desk.answers.lock().unwrap().pop_front()).flatten();
    let answered = if complete { prepared.unwrap_or(200) } else { 500 };
    let key = String::from_utf8(texts["key"].to_vec()).unwrap();
    desk.pushes.send(Push { key, msg_id, data, files, answered }).unwrap();
    StatusCode::from_u16(answered).unwrap()
}

#[tokio::test]
async fn every_capture_is_pushed_in_order_with_its_pictures() {
    let (device, mut platform) = (Device::start().await, Platform::start([]).await);
    let library = device.enrol("staff", &["alice"]).await;
    platform.register(&device).await;
    device.watch(&library.to_string(), &["alice", "mallory"]).await;
    let known = platform.capture().await;
    assert_eq!((known.key.as_str(), known.answered), ("google-key", 200));
    assert_eq!(known.data["img_id"], json!("alice"));
    assert_eq!(known.data["img_path"], json!(format!("img/{library}_alice.jpg")));
    assert_eq!(known.files["img"], testkit::Picture::of([testkit::FakeFace::of("alice")]).jpeg());
    assert!(known.files["snap_frame"].len() > known.files["snap"].len());
    let stranger = platform.capture().await;
    assert!(stranger.data["similarity"].as_i64() < Some(80), "the best match is told even below the threshold");
    assert_eq!(stranger.data["img_id"], json!("alice"));
    device.stop().await;
}

#[tokio::test]
async fn a_capture_without_a_match_has_no_library_picture() {
    let (device, mut platform) = (Device::start().await, Platform::start([]).await);
    platform.register(&device).await;
    device.watch("", &["mallory"]).await;
    let push = platform.capture().await;
    let mut files: Vec<_> = push.files.keys().map(String::as_str).collect();
    files.sort_unstable();
    assert_eq!(files, ["snap", "snap_frame"]);
    assert_eq!((&push.data["similarity"], &push.data["lib_id"]), (&json!(-1), &json!(-1)));
    device.stop().await;
}

#[tokio::test]
async fn a_push_comes_again_until_it_is_acknowledged_and_holds_its_place() {
    let (device, mut platform) = (Device::start().await, Platform::start([500, 302, 202]).await);
    platform.register(&device).await;
    device.watch("", &["mallory", "trudy"]).await;
    let first = platform.capture().await.data["snap_id"].clone();
    for answered in [302, 202] {
        let again = platform.capture().await;
        assert_eq!((&again.data["snap_id"], again.answered), (&first, answered));
    }
    assert_ne!(platform.capture().await.data["snap_id"], first);
    device.stop().await;
}

#[tokio::test]
async fn records_pass_by_while_there_is_no_receiver() {
    let (device, mut platform) = (Device::start().await, Platform::start([]).await);
    let mut newest = device.appliance.newest_entry();
    device.watch("", &["mallory"]).await;
    timeout(DEADLINE, newest.changed()).await.unwrap().unwrap();
    passed_by(&device).await;
    platform.register(&device).await;
    device.watch("", &["trudy"]).await;
    let push = platform.capture().await;
    let all = device.ask(json!({"msg_id": "1037"})).await;
    assert_eq!(all["total_num"], json!(2));
    assert_eq!(push.data["snap_id"], all["record"][0]["snap_id"], "the newest comes first");
    device.stop().await;
}

/// Waits until the feed has walked over everything recorded so far.
async fn passed_by(device: &Device) {
    let newest = *device.appliance.newest_entry().borrow();
    let state = device.appliance.state("sensetime");
    let walked = async {
        while state.cursor("push").await.unwrap() != Some(newest) {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    timeout(DEADLINE, walked).await.expect("the feed stands still");
}

#[tokio::test]
async fn an_empty_url_stops_the_pushes() {
    let (device, mut platform) = (Device::start().await, Platform::start([]).await);
    platform.register(&device).await;
    device.watch("", &["mallory"]).await;
    platform.capture().await;
    device.ask(json!({"msg_id": "1298", "url": "", "key": "k"})).await;
    assert_eq!(device.ask(json!({"msg_id": "1299"})).await, json!({"key": "k", "url": ""}));
    let mut newest = device.appliance.newest_entry();
    device.watch("", &["trudy"]).await;
    timeout(DEADLINE, newest.changed()).await.unwrap().unwrap();
    passed_by(&device).await;
    while let Ok(push) = platform.pushes.try_recv() {
        assert_ne!(push.msg_id, 774);
    }
    device.stop().await;
}

#[tokio::test]
async fn a_platform_that_was_away_gets_everything_after_a_restart() {
    let device = Device::start().await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    device.ask(json!({"msg_id": "1298", "url": format!("http://{address}/"), "key": "k"})).await;
    let mut newest = device.appliance.newest_entry();
    device.watch("", &["mallory"]).await;
    timeout(DEADLINE, newest.changed()).await.unwrap().unwrap();
    let snap_id = device.ask(json!({"msg_id": "1037"})).await["record"][0]["snap_id"].clone();
    let handles = device.stop().await;
    let mut platform = Platform::start_on(TcpListener::bind(address).await.unwrap(), []);
    let device = Device::start_on(Rig::restart(handles), DEADLINE).await;
    assert_eq!(platform.capture().await.data["snap_id"], snap_id);
    device.stop().await;
}

#[tokio::test]
async fn heartbeats_begin_when_the_receiver_is_set_and_go_on() {
    let device = Device::start_on(Rig::start(testkit::options()), Duration::from_millis(200)).await;
    let mut platform = Platform::start([]).await;
    platform.register(&device).await;
    for _ in 0..3 {
        let beat = platform.next().await;
        assert_eq!((beat.msg_id, beat.key.as_str()), (775, "google-key"));
        assert_eq!(beat.data["device_id"], json!("PF0001"));
        assert_eq!(beat.data["trigger"].as_str().unwrap().len(), "2019-01-24 15:05:05".len());
        assert!(beat.files.is_empty());
    }
    device.stop().await;
}

#[tokio::test]
async fn an_address_that_may_not_be_called_is_refused_when_it_is_set() {
    let outbound = Outbound::new(Policy { allow_private: true, allow_loopback: false }).unwrap();
    let device = Device::serve(outbound, |adapter| adapter, Rig::start(testkit::options())).await;
    for url in ["http://127.0.0.1:8080/", "127.0.0.1", "ftp://192.0.2.1/", "http://user:secret@192.0.2.1/"] {
        let answer = device.call(json!({"msg_id": "1298", "url": url, "key": "k"})).await;
        assert_eq!(answer.code, -3596, "{url}");
        assert!(!answer.msg.contains("secret"));
    }
    assert_eq!(device.ask(json!({"msg_id": "1299"})).await, json!({"key": "", "url": ""}));
    device.ask(json!({"msg_id": "1298", "url": "192.0.2.10:8088/x", "key": "k"})).await;
    assert_eq!(device.ask(json!({"msg_id": "1299"})).await["url"], json!("http://192.0.2.10:8088/x"));
    device.stop().await;
}

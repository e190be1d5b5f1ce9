//! A pretend platform: takes pushes over HTTP and WebSocket and remembers them.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::{DefaultBodyLimit, Multipart, State};
use axum::http::StatusCode;
use axum::routing::post;
use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_tungstenite::tungstenite::Message;

use crate::SenseTime;

/// One push as it arrived.
#[derive(Debug, Clone)]
pub struct Push {
    /// The part `key`.
    pub key: String,
    /// The part `json`.
    pub json: Value,
    /// The file parts, by name.
    pub files: Vec<(String, Bytes)>,
    /// When it arrived.
    pub at: Instant,
}

impl Push {
    /// A file part.
    pub fn file(&self, name: &str) -> Option<&Bytes> {
        self.files.iter().find(|(part, _)| part == name).map(|(_, bytes)| bytes)
    }

    /// The field of the capture.
    pub fn field(&self, name: &str) -> &Value {
        &self.json["data"][name]
    }
}

/// An HTTP receiver; it ends when dropped.
pub struct PushReceiver {
    address: SocketAddr,
    seen: Arc<Seen>,
    _server: JoinSet<()>,
}

struct Seen {
    pushes: Mutex<Vec<Push>>,
    status: AtomicU16,
    keep_pictures: bool,
}

impl PushReceiver {
    /// Listens on a free port.
    pub async fn start() -> Self {
        Self::start_on(SocketAddr::from(([127, 0, 0, 1], 0))).await
    }

    /// Listens on this address.
    pub async fn start_on(address: SocketAddr) -> Self {
        Self::listen(address, true).await
    }

    /// Listens on this address and keeps no pictures: for days of pushes.
    pub async fn start_without_pictures_on(address: SocketAddr) -> Self {
        Self::listen(address, false).await
    }

    async fn listen(address: SocketAddr, keep_pictures: bool) -> Self {
        let listener = TcpListener::bind(address).await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let seen = Arc::new(Seen { pushes: Mutex::default(), status: AtomicU16::new(200), keep_pictures });
        let routes = Router::new().route("/push", post(receive)).layer(DefaultBodyLimit::disable());
        let routes = routes.with_state(Arc::clone(&seen));
        let mut server = JoinSet::new();
        server.spawn(async move { axum::serve(listener, routes).await.expect("served") });
        Self { address, seen, _server: server }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What a device is told to push to.
    pub fn url(&self) -> String {
        format!("http://{}/push", self.address)
    }

    /// What it answers from now on.
    pub fn answer_with(&self, status: StatusCode) {
        self.seen.status.store(status.as_u16(), Ordering::SeqCst);
    }

    /// The captures it acknowledged, in order of arrival.
    pub fn captures(&self) -> Vec<Push> {
        self.of_kind(774)
    }

    /// The heartbeats it acknowledged.
    pub fn heartbeats(&self) -> Vec<Push> {
        self.of_kind(775)
    }

    fn of_kind(&self, msg_id: i64) -> Vec<Push> {
        let pushes = self.seen.pushes.lock().expect("unpoisoned");
        pushes.iter().filter(|push| push.json["msg_id"] == msg_id).cloned().collect()
    }
}

async fn receive(State(seen): State<Arc<Seen>>, form: Multipart) -> StatusCode {
    // A daemon that is killed leaves half a form; nothing of it counts.
    let Some(mut push) = read(form).await else { return StatusCode::BAD_REQUEST };
    let status = StatusCode::from_u16(seen.status.load(Ordering::SeqCst)).expect("a status");
    if status.is_success() {
        if !seen.keep_pictures {
            push.files.clear();
        }
        seen.pushes.lock().expect("unpoisoned").push(push);
    }
    status
}

/// The push of a form; `None` when the form is broken or ends early.
async fn read(mut form: Multipart) -> Option<Push> {
    let mut push = Push { key: String::new(), json: Value::Null, files: Vec::new(), at: Instant::now() };
    while let Some(part) = form.next_field().await.ok()? {
        let (name, is_file) = (part.name()?.to_owned(), part.file_name().is_some());
        let bytes = part.bytes().await.ok()?;
        match (name.as_str(), is_file) {
            ("key", false) => push.key = String::from_utf8_lossy(&bytes).into_owned(),
            ("json", false) => push.json = serde_json::from_slice(&bytes).ok()?,
            _ => push.files.push((name, bytes)),
        }
    }
    Some(push)
}

/// A WebSocket subscriber; it ends when dropped.
pub struct Subscription {
    frames: Arc<Mutex<Vec<Value>>>,
    _reader: JoinSet<()>,
}

impl Subscription {
    /// Subscribes with the key that the device gives.
    pub async fn open(client: &SenseTime, address: SocketAddr) -> Self {
        let key = client.call(json!({"msg_id": "1286"})).await.ok()["key"].clone();
        let (mut socket, _) = tokio_tungstenite::connect_async(format!("ws://{address}/ws/")).await.expect("a socket");
        let subscribe = json!({"key": key, "msg_id": "776"}).to_string();
        socket.send(Message::text(subscribe)).await.expect("the request is sent");
        let answer = tokio::time::timeout(Duration::from_secs(10), socket.next()).await.expect("an answer in time");
        let answer: Value =
            serde_json::from_str(answer.expect("a frame").expect("sound").to_text().expect("text")).expect("JSON");
        assert_eq!(answer, json!({"code": 0, "msg": ""}));
        let frames = Arc::new(Mutex::new(Vec::new()));
        let (kept, mut reader) = (Arc::clone(&frames), JoinSet::new());
        reader.spawn(async move {
            while let Some(Ok(message)) = socket.next().await {
                if let Message::Text(text) = message {
                    kept.lock().expect("unpoisoned").push(serde_json::from_str(&text).expect("JSON"));
                }
            }
        });
        Self { frames, _reader: reader }
    }

    /// The frames that arrived after the answer to the subscription.
    pub fn frames(&self) -> Vec<Value> {
        self.frames.lock().expect("unpoisoned").clone()
    }

    /// The captures that arrived.
    pub fn captures(&self) -> Vec<Value> {
        self.frames.lock().expect("unpoisoned").iter().map(|frame| frame["data"].clone()).collect()
    }
}

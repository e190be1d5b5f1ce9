//! A platform that takes messages, and whose answer a test chooses.

use std::sync::atomic::{AtomicU16, Ordering::Relaxed};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::{DefaultBodyLimit, FromRequest, Multipart, Request, State};
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use bytes::Bytes;
use serde_json::Value;
use testkit::eventually;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

/// A running platform; it ends when this is dropped.
pub(crate) struct Platform {
    taken: Arc<Taken>,
    pub(crate) url: String,
    _task: JoinSet<()>,
}

#[derive(Default)]
struct Taken {
    status: AtomicU16,
    messages: Mutex<Vec<(String, Value)>>,
    videos: Mutex<Vec<Video>>,
}

/// A video as it was sent, acknowledged or not.
#[derive(Debug, Clone)]
pub(crate) struct Video {
    /// Where it was sent.
    pub(crate) target: String,
    /// The parts, by name; with the file name of a file.
    pub(crate) parts: Vec<(String, Option<String>)>,
    pub(crate) uuid: String,
    pub(crate) content_type: String,
    pub(crate) file: Bytes,
}

impl Platform {
    /// Acknowledges everything.
    pub(crate) async fn start() -> Self {
        let taken = Arc::new(Taken::default());
        taken.status.store(200, Relaxed);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let router = Router::new().fallback(take).layer(DefaultBodyLimit::disable()).with_state(Arc::clone(&taken));
        let mut task = JoinSet::new();
        task.spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { taken, url, _task: task }
    }

    /// Answers with this status from now on.
    pub(crate) fn answer(&self, status: u16) {
        self.taken.status.store(status, Relaxed);
    }

    /// All messages so far that were sent to it, acknowledged or not, with where they were sent.
    pub(crate) fn messages(&self) -> Vec<(String, Value)> {
        self.taken.messages.lock().unwrap().clone()
    }

    /// All videos so far that were sent to it, acknowledged or not.
    pub(crate) fn videos(&self) -> Vec<Video> {
        self.taken.videos.lock().unwrap().clone()
    }

    /// The messages of this type, once there are so many.
    pub(crate) async fn of_type(&self, kind: i64, count: usize) -> Vec<Value> {
        eventually("the platform has the messages", async || {
            let all = self.messages().into_iter().map(|(_, message)| message);
            let found: Vec<_> = all.filter(|message| message["type"] == kind).collect();
            (found.len() >= count).then_some(found)
        })
        .await
    }
}

async fn take(State(taken): State<Arc<Taken>>, request: Request) -> StatusCode {
    let target = request.uri().to_string();
    let status = StatusCode::from_u16(taken.status.load(Relaxed)).unwrap();
    let is_form = request.headers().get(CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"multipart/"));
    if is_form {
        let video = video(target, request).await;
        taken.videos.lock().unwrap().push(video);
        return status;
    }
    let body = axum::body::to_bytes(request.into_body(), 64 << 20).await.unwrap();
    taken.messages.lock().unwrap().push((target, serde_json::from_slice(&body).unwrap()));
    status
}

async fn video(target: String, request: Request) -> Video {
    let mut form = Multipart::from_request(request, &()).await.unwrap();
    let (mut parts, mut uuid, mut content_type, mut file) = (Vec::new(), String::new(), String::new(), Bytes::new());
    while let Some(part) = form.next_field().await.unwrap() {
        parts.push((part.name().unwrap().to_owned(), part.file_name().map(str::to_owned)));
        if part.file_name().is_some() {
            content_type = part.content_type().unwrap().to_owned();
            file = part.bytes().await.unwrap();
        } else {
            uuid = part.text().await.unwrap();
        }
    }
    Video { target, parts, uuid, content_type, file }
}

//! A server that takes what the device sends, and whose answer a test chooses.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU16, Ordering::Relaxed};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use serde_json::{Value, json};
use testkit::eventually;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;

/// A running server; it ends when this is dropped.
pub(crate) struct Platform {
    taken: Arc<Taken>,
    pub(crate) url: String,
    _task: JoinSet<()>,
}

#[derive(Default)]
struct Taken {
    status: AtomicU16,
    messages: Mutex<Vec<(String, Value)>>,
    /// What is answered at a path, in place of the acknowledgement.
    answers: Mutex<HashMap<String, Vec<u8>>>,
    /// Paths at which nothing is answered until they are released.
    held: Mutex<HashMap<String, watch::Receiver<()>>>,
}

impl Platform {
    /// Acknowledges everything.
    pub(crate) async fn start() -> Self {
        let taken = Arc::new(Taken::default());
        taken.status.store(200, Relaxed);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let router = Router::new().fallback(take).with_state(Arc::clone(&taken));
        let mut task = JoinSet::new();
        task.spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { taken, url, _task: task }
    }

    /// Answers with this HTTP status from now on.
    pub(crate) fn answer(&self, status: u16) {
        self.taken.status.store(status, Relaxed);
    }

    /// Answers with this at a path from now on.
    pub(crate) fn answer_at(&self, path: &str, body: impl Into<Vec<u8>>) {
        self.taken.answers.lock().unwrap().insert(path.to_owned(), body.into());
    }

    /// Answers nothing at a path until what is returned is dropped.
    pub(crate) fn hold(&self, path: &str) -> watch::Sender<()> {
        let (release, held) = watch::channel(());
        self.taken.held.lock().unwrap().insert(path.to_owned(), held);
        release
    }

    /// All bodies so far, or queries, that were sent to this path, acknowledged or not.
    pub(crate) fn messages(&self, path: &str) -> Vec<Value> {
        let all = self.taken.messages.lock().unwrap();
        all.iter().filter(|(target, _)| target == path).map(|(_, body)| body.clone()).collect()
    }

    /// The bodies sent to this path, once there are so many.
    pub(crate) async fn several(&self, path: &str, count: usize) -> Vec<Value> {
        eventually(&format!("{count} messages come to {path}"), async || {
            let found = self.messages(path);
            (found.len() >= count).then_some(found)
        })
        .await
    }
}

async fn take(State(taken): State<Arc<Taken>>, request: Request) -> (StatusCode, Vec<u8>) {
    let (path, query) = (request.uri().path().to_owned(), request.uri().query().unwrap_or_default().to_owned());
    let is_json = request.headers().get(CONTENT_TYPE).is_some_and(|kind| kind == "application/json");
    let body = axum::body::to_bytes(request.into_body(), 64 << 20).await.unwrap();
    let told = match (is_json, body.is_empty()) {
        (true, _) => serde_json::from_slice(&body).unwrap(),
        (false, true) => json!(query),
        (false, false) => json!(String::from_utf8_lossy(&body)),
    };
    let held = taken.held.lock().unwrap().get(&path).cloned();
    taken.messages.lock().unwrap().push((path.clone(), told));
    if let Some(mut held) = held {
        // Ends with an error once it is released.
        let _ = held.changed().await;
    }
    let answer = taken.answers.lock().unwrap().get(&path).cloned();
    let answer = answer.unwrap_or_else(|| json!({"status": 0}).to_string().into_bytes());
    (StatusCode::from_u16(taken.status.load(Relaxed)).unwrap(), answer)
}

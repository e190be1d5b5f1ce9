//! A web server: it has pictures to be fetched, and takes what is pushed.

use std::collections::{HashMap, VecDeque};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use serde_json::Value;
use testkit::DEADLINE;
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinSet;
use tokio::time::timeout;

/// A message that was posted.
pub(crate) struct Post {
    pub(crate) path: String,
    pub(crate) login: Option<String>,
    pub(crate) message: Value,
}

pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    posts: mpsc::UnboundedReceiver<Post>,
    desk: Desk,
    _serving: JoinSet<()>,
}

#[derive(Clone)]
struct Desk {
    files: Arc<Mutex<HashMap<String, Bytes>>>,
    /// A file is given only when there is a permit left.
    gate: Arc<Semaphore>,
    answers: Arc<Mutex<VecDeque<&'static str>>>,
    posts: mpsc::UnboundedSender<Post>,
}

impl Server {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (sender, posts) = mpsc::unbounded_channel();
        let desk = Desk {
            files: Arc::default(),
            gate: Arc::new(Semaphore::new(Semaphore::MAX_PERMITS)),
            answers: Arc::default(),
            posts: sender,
        };
        let router = Router::new().fallback(serve).with_state(desk.clone());
        let address = listener.local_addr().unwrap();
        let mut serving = JoinSet::new();
        serving.spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { address, posts, desk, _serving: serving }
    }

    /// Offers a file and gives its address.
    pub(crate) fn offer(&self, path: &str, file: Bytes) -> String {
        self.desk.files.lock().unwrap().insert(path.to_owned(), file);
        format!("http://{}{path}", self.address)
    }

    /// Gives no more files until [`open`](Self::open).
    pub(crate) async fn close(&self) {
        self.desk.gate.forget_permits(Semaphore::MAX_PERMITS);
    }

    pub(crate) fn open(&self) {
        self.desk.gate.add_permits(Semaphore::MAX_PERMITS);
    }

    /// Answers the next posts like this, and later ones as the document wants it.
    pub(crate) fn will_answer(&self, answers: impl IntoIterator<Item = &'static str>) {
        self.desk.answers.lock().unwrap().extend(answers);
    }

    /// The next message posted to this path.
    pub(crate) async fn post(&mut self, path: &str) -> Post {
        let next = async {
            loop {
                let post = self.posts.recv().await.unwrap();
                if post.path == path {
                    return post;
                }
            }
        };
        timeout(DEADLINE, next).await.unwrap_or_else(|_| panic!("nothing was posted to {path}"))
    }
}

async fn serve(
    State(desk): State<Desk>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> (StatusCode, Bytes) {
    if method == Method::GET {
        desk.gate.acquire().await.unwrap().forget();
        let file = desk.files.lock().unwrap().get(uri.path()).cloned();
        return file.map_or((StatusCode::NOT_FOUND, Bytes::new()), |file| (StatusCode::OK, file));
    }
    let login = headers.get("authorization").map(|value| value.to_str().unwrap().to_owned());
    let message = serde_json::from_slice(&body).unwrap();
    desk.posts.send(Post { path: uri.path().to_owned(), login, message }).unwrap();
    let beats = uri.path().ends_with("HeartBeat");
    let answer = if beats { None } else { desk.answers.lock().unwrap().pop_front() };
    (StatusCode::OK, Bytes::from_static(answer.unwrap_or(r#"{"code": 200, "desc": "OK"}"#).as_bytes()))
}

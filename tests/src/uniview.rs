//! A client of the Uniview interface, and a pretend platform that it pushes to.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::{DefaultBodyLimit, FromRequest, Multipart, Request, State};
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use bytes::Bytes;
use http_auth::{PasswordClient, PasswordParams};
use reqwest::header::{AUTHORIZATION, WWW_AUTHENTICATE};
use reqwest::{Method, Response};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use crate::ADMIN_PASSWORD;
use crate::client::http;

/// A digest client, logged in as the administrator.
pub struct Uniview {
    address: SocketAddr,
    challenge: tokio::sync::Mutex<Option<PasswordClient>>,
}

impl Uniview {
    /// Of the device that listens there.
    pub fn new(address: SocketAddr) -> Self {
        Self { address, challenge: tokio::sync::Mutex::default() }
    }

    /// The data of a call below `/api/v2` that must succeed.
    pub async fn ok(&self, path: &str, fields: Value) -> Value {
        let path = format!("/api/v2{path}");
        let mut answer: Value = self.send(Method::POST, &path, &fields).await.json().await.expect("JSON");
        assert_eq!(answer["code"], 0, "{path} {fields}: {answer}");
        answer["data"].take()
    }

    /// The rows of a first page.
    pub async fn list(&self, path: &str, mut fields: Value) -> Vec<Value> {
        (fields["page"], fields["pagesize"]) = (json!(1), json!(1000));
        let mut data = self.ok(path, fields).await;
        let list = data.as_object_mut().expect("a page").values_mut().find_map(|value| value.as_array_mut());
        std::mem::take(list.expect("a list"))
    }

    /// Downloads what a relative address names.
    pub async fn download(&self, address: &str) -> Bytes {
        let answer = self.send(Method::GET, address, &Value::Null).await;
        assert_eq!(answer.status(), 200, "{address}");
        answer.bytes().await.expect("a body")
    }

    async fn send(&self, method: Method, target: &str, fields: &Value) -> Response {
        for _ in 0..3 {
            let proof = self.proof(&method, target).await;
            let answer = self.send_with(method.clone(), target, fields, proof.as_deref()).await;
            match answer.headers().get(WWW_AUTHENTICATE) {
                Some(challenge) => {
                    let challenge = PasswordClient::try_from(challenge.to_str().expect("text")).expect("a challenge");
                    *self.challenge.lock().await = Some(challenge);
                }
                None => return answer,
            }
        }
        panic!("{target}: the login is refused")
    }

    /// The value of the Authorization field for the next request; `None` before the first challenge.
    pub async fn proof(&self, method: &Method, target: &str) -> Option<String> {
        let (username, password) = ("admin", ADMIN_PASSWORD);
        let params = PasswordParams { username, password, uri: target, method: method.as_str(), body: None };
        Some(self.challenge.lock().await.as_mut()?.respond(&params).expect("a proof"))
    }

    /// Sends a request with this proof.
    pub async fn send_with(&self, method: Method, target: &str, fields: &Value, proof: Option<&str>) -> Response {
        let mut request = http().request(method, format!("http://{}{target}", self.address));
        if let Some(proof) = proof {
            request = request.header(AUTHORIZATION, proof);
        }
        let request = if fields.is_null() { request } else { request.json(fields) };
        request.send().await.expect("an answer")
    }
}

/// A video as it was pushed.
#[derive(Debug, Clone)]
pub struct UniviewVideo {
    /// The part `video_uuid`.
    pub uuid: String,
    /// The part `file`.
    pub file: Bytes,
}

/// A platform; it is away once it is dropped.
pub struct UniviewPlatform {
    taken: Arc<Taken>,
    address: SocketAddr,
    _server: JoinSet<()>,
}

#[derive(Default)]
struct Taken {
    messages: Mutex<Vec<Value>>,
    videos: Mutex<Vec<UniviewVideo>>,
}

impl UniviewPlatform {
    /// Listens on this address.
    pub async fn start_on(address: SocketAddr) -> Self {
        let listener = TcpListener::bind(address).await.expect("a free port");
        let (address, taken) = (listener.local_addr().expect("an address"), Arc::new(Taken::default()));
        let routes = Router::new().fallback(take).layer(DefaultBodyLimit::disable()).with_state(Arc::clone(&taken));
        let mut server = JoinSet::new();
        server.spawn(async move { axum::serve(listener, routes).await.expect("served") });
        Self { taken, address, _server: server }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The messages of this type, in order of arrival.
    pub fn of_type(&self, kind: i64) -> Vec<Value> {
        self.messages().into_iter().filter(|message| message["type"] == kind).collect()
    }

    /// All messages, in order of arrival.
    pub fn messages(&self) -> Vec<Value> {
        self.taken.messages.lock().expect("unpoisoned").clone()
    }

    /// The videos, in order of arrival.
    pub fn videos(&self) -> Vec<UniviewVideo> {
        self.taken.videos.lock().expect("unpoisoned").clone()
    }
}

async fn take(State(taken): State<Arc<Taken>>, request: Request) -> StatusCode {
    let is_form = request.headers().get(CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"multipart/"));
    if !is_form {
        let Ok(Ok(message)) =
            axum::body::to_bytes(request.into_body(), 64 << 20).await.map(|body| serde_json::from_slice(&body))
        else {
            return StatusCode::BAD_REQUEST;
        };
        taken.messages.lock().expect("unpoisoned").push(message);
        return StatusCode::OK;
    }
    match read_video(request).await {
        Some(video) => {
            taken.videos.lock().expect("unpoisoned").push(video);
            StatusCode::OK
        }
        None => StatusCode::BAD_REQUEST,
    }
}

async fn read_video(request: Request) -> Option<UniviewVideo> {
    let mut form = Multipart::from_request(request, &()).await.ok()?;
    let mut video = UniviewVideo { uuid: String::new(), file: Bytes::new() };
    while let Some(part) = form.next_field().await.ok()? {
        if part.file_name().is_some() {
            video.file = part.bytes().await.ok()?;
        } else {
            video.uuid = part.text().await.ok()?;
        }
    }
    Some(video)
}

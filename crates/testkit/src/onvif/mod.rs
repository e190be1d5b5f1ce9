//! A simulated ONVIF camera: it checks logins like a real one, lists its profiles, and answers discoveries.

mod answers;
mod login;

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use domain::DeviceAddress;
use futures_util::{StreamExt, stream};
use roxmltree::Document;
use tokio::net::{TcpListener, UdpSocket};
use tokio::task::JoinSet;

use self::login::Guard;
pub(crate) use self::login::proves;

/// Authentication of the camera.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Auth {
    /// By a token in every message, with the time of the camera's clock and a nonce not used before.
    Token,
    /// By HTTP digest.
    Digest,
    /// By HTTP digest; it refuses messages with a token.
    DigestOnly,
}

/// A stream the camera offers.
#[derive(Debug, Clone)]
pub struct Offer {
    /// The token of its profile.
    pub token: String,
    /// The name of its profile.
    pub name: String,
    /// `H264`, `JPEG`, …; empty: the profile has no encoder.
    pub codec: String,
    /// Its URL; empty: the camera refuses to return it.
    pub url: String,
}

/// How the camera answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum AnswerMode {
    /// Normally.
    #[default]
    Normal,
    /// With something else.
    Garbage,
    /// Endlessly.
    Endless,
    /// Not at all.
    Never,
}

/// Options of a camera; the default requires no login and has no streams.
#[derive(Debug, Clone, Default)]
pub struct OnvifOptions {
    /// Required user name and password, and the authentication.
    pub login: Option<(String, String, Auth)>,
    /// Offset of its clock from the machine's, seconds.
    pub ahead: i64,
    /// Its profiles, in order.
    pub offers: Vec<Offer>,
    /// Whether it lists its media service only in `GetServices`.
    pub lists_services: bool,
    /// Its time zone, if it returns local time only.
    pub zone: Option<&'static str>,
    /// Path of its device service; `None`: the usual one.
    pub device: Option<&'static str>,
    /// Announced address of its media service; `None`: an unreachable internal one.
    pub media: Option<&'static str>,
    /// Whether it has media service 2 (`ver20`).
    pub newer: bool,
    /// Whether its answers are in undeclared GB 18030, surrounded by junk, with an undeclared prefix.
    pub malformed: bool,
    /// Whether its answers are shorter than their announced length, and stay open.
    pub overstated_length: bool,
    /// How it answers.
    pub answer_mode: AnswerMode,
}

/// A running camera; it ends when dropped.
#[derive(Debug)]
pub struct OnvifCamera {
    http: SocketAddr,
    search: SocketAddr,
    shared: Arc<Shared>,
    _tasks: JoinSet<()>,
}

#[derive(Debug)]
struct Shared {
    options: OnvifOptions,
    guard: Guard,
    requests: Mutex<Vec<String>>,
}

impl OnvifCamera {
    /// Starts a camera on free ports of 127.0.0.1.
    ///
    /// # Errors
    /// When there is no free port.
    pub async fn start(options: OnvifOptions) -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let discovery = UdpSocket::bind("127.0.0.1:0").await?;
        let (http, search) = (listener.local_addr()?, discovery.local_addr()?);
        let guard = Guard::new(options.login.clone(), options.ahead);
        let shared = Arc::new(Shared { options, guard, requests: Mutex::default() });
        let routes = Router::new().fallback(answer).with_state(Arc::clone(&shared));
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            // Runs until the camera is dropped.
            let _ = axum::serve(listener, routes).await;
        });
        tasks.spawn(answer_discovery(discovery, http));
        Ok(Self { http, search, shared, _tasks: tasks })
    }

    /// Its address, with this login.
    pub fn address(&self, user: &str, password: &str) -> DeviceAddress {
        let host = self.http.ip().to_string();
        DeviceAddress { host, port: self.http.port(), user: user.into(), password: password.into() }
    }

    /// Its address for discovery.
    pub fn search(&self) -> SocketAddr {
        self.search
    }

    /// The names of the requests that were answered, in order.
    pub fn requests(&self) -> Vec<String> {
        self.shared.requests.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

async fn answer(State(camera): State<Arc<Shared>>, uri: Uri, headers: HeaderMap, body: Bytes) -> Response {
    match camera.options.answer_mode {
        AnswerMode::Normal => normal(&camera, &uri, &headers, &body),
        AnswerMode::Garbage => "<html>it works</html".into_response(),
        AnswerMode::Endless => {
            let garbage = stream::repeat_with(|| Ok::<_, io::Error>(Bytes::from_static(&[b'x'; 65_536])));
            Body::from_stream(garbage).into_response()
        }
        AnswerMode::Never => {
            tokio::time::sleep(Duration::from_secs(3600)).await;
            StatusCode::OK.into_response()
        }
    }
}

fn normal(camera: &Shared, uri: &Uri, headers: &HeaderMap, body: &Bytes) -> Response {
    let text = std::str::from_utf8(body).unwrap_or_default();
    let Ok(document) = Document::parse(text) else { return StatusCode::BAD_REQUEST.into_response() };
    let body = document.descendants().find(|node| node.tag_name().name() == "Body");
    let Some(request) = body.and_then(|body| body.first_element_child()) else {
        return StatusCode::BAD_REQUEST.into_response();
    };
    let name = request.tag_name().name();
    if !answers::is_there(&camera.options, uri.path()) {
        return (StatusCode::NOT_FOUND, "<html><body>not here</body></html>").into_response();
    }
    if name != "GetSystemDateAndTime" {
        if !camera.guard.admits(&document) {
            return (StatusCode::BAD_REQUEST, answers::not_authorized()).into_response();
        }
        if let Some(challenge) = camera.guard.challenge(uri.path(), headers) {
            return (StatusCode::UNAUTHORIZED, [(header::WWW_AUTHENTICATE, challenge)]).into_response();
        }
    }
    let Some(answer) = answers::answer(&camera.options, uri.path(), request) else {
        return (StatusCode::INTERNAL_SERVER_ERROR, answers::unknown()).into_response();
    };
    camera.requests.lock().unwrap_or_else(PoisonError::into_inner).push(name.to_owned());
    let answer = if camera.options.malformed { answers::malformed(&answer) } else { answer.into_bytes() };
    if camera.options.overstated_length { overstated_length(answer) } else { answer.into_response() }
}

/// An answer whose announced length is too large, and that does not end.
fn overstated_length(answer: Vec<u8>) -> Response {
    let length = [(header::CONTENT_LENGTH, answer.len() + 1000)];
    let chunks = stream::iter([Ok::<_, io::Error>(Bytes::from(answer))]).chain(stream::pending());
    (length, Body::from_stream(chunks)).into_response()
}

/// Answers discoveries twice, like cameras on two networks, and then sends garbage.
async fn answer_discovery(socket: UdpSocket, http: SocketAddr) {
    let mut request = vec![0; 65_536];
    while let Ok((length, from)) = socket.recv_from(&mut request).await {
        let text = std::str::from_utf8(&request[..length]).unwrap_or_default();
        let Some(answer) = answers::found(text, http) else { continue };
        for answer in [&answer, &answer, "garbage"] {
            // Fails when the client has closed its socket.
            let _ = socket.send_to(answer.as_bytes(), from).await;
        }
    }
}

//! A simulated camera that detects faces itself: it checks the login and delivers, in one long answer, the parts that a
//! test sends.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{OriginalUri, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use domain::DeviceAddress;
use futures_util::{StreamExt, stream};
use tokio::net::TcpListener;
use tokio::sync::broadcast;
use tokio::task::JoinSet;

use crate::onvif::proves;

/// Protocol of the camera.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// XML events between the pictures.
    Alerts,
    /// Text events between the pictures, scene and face in one part.
    Snaps,
    /// Neither.
    Other,
}

/// A command to the streams.
#[derive(Debug, Clone)]
enum Command {
    Part(Bytes),
    Close,
}

/// A running camera; it ends when dropped.
#[derive(Debug)]
pub struct CaptureCamera {
    address: SocketAddr,
    commands: broadcast::Sender<Command>,
    _tasks: JoinSet<()>,
}

struct Shared {
    login: (String, String),
    kind: &'static str,
    commands: broadcast::Sender<Command>,
}

impl CaptureCamera {
    /// Starts a camera on a free port of 127.0.0.1 that requires this login by digest.
    ///
    /// # Errors
    /// When there is no free port.
    pub async fn start(dialect: Dialect, user: &str, password: &str) -> io::Result<Self> {
        Self::start_as(dialect, user, password, "multipart/x-mixed-replace; boundary=myboundary").await
    }

    /// Starts a camera whose stream has this content type.
    ///
    /// # Errors
    /// When there is no free port.
    pub async fn start_as(dialect: Dialect, user: &str, password: &str, kind: &'static str) -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let (commands, _) = broadcast::channel(64);
        let login = (user.to_owned(), password.to_owned());
        let shared = Arc::new(Shared { login, kind, commands: commands.clone() });
        let routes = match dialect {
            Dialect::Alerts => Router::new().route("/ISAPI/Event/notification/alertStream", get(pictures)),
            Dialect::Snaps => Router::new().route("/cgi-bin/snapManager.cgi", get(pictures)),
            Dialect::Other => Router::new(),
        };
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            // Runs until the camera is dropped.
            let _ = axum::serve(listener, routes.with_state(shared)).await;
        });
        Ok(Self { address, commands, _tasks: tasks })
    }

    /// Its address, with this login.
    pub fn address(&self, user: &str, password: &str) -> DeviceAddress {
        let host = self.address.ip().to_string();
        DeviceAddress { host, port: self.address.port(), user: user.into(), password: password.into() }
    }

    /// Sends these JPEGs to all streams, in one part, after an event.
    pub fn deliver(&self, pictures: &[Bytes]) {
        let event = b"<EventNotificationAlert>faceCapture</EventNotificationAlert>";
        self.send(part("application/xml", event, true));
        self.send(part("image/jpeg", &pictures.concat(), true));
    }

    /// Sends a JPEG in a part without a length; the event that follows ends it.
    pub fn deliver_unmeasured(&self, picture: &Bytes) {
        self.send(part("image/jpeg", picture, false));
        self.send(part("text/plain", b"Heartbeat", true));
    }

    /// Sends these bytes as they are.
    pub fn send_raw(&self, bytes: &[u8]) {
        self.send(Bytes::copy_from_slice(bytes));
    }

    /// Sends a heartbeat.
    pub fn heartbeat(&self) {
        self.send(part("text/plain", b"Heartbeat", true));
    }

    /// Ends the streams.
    pub fn close(&self) {
        let _ = self.commands.send(Command::Close);
    }

    fn send(&self, part: Bytes) {
        // Fails without streams.
        let _ = self.commands.send(Command::Part(part));
    }
}

fn part(kind: &str, content: &[u8], measured: bool) -> Bytes {
    let length = if measured { format!("Content-Length: {}\r\n", content.len()) } else { String::new() };
    let head = format!("--myboundary\r\nContent-Type: {kind}\r\n{length}\r\n");
    [head.as_bytes(), content, b"\r\n"].concat().into()
}

async fn pictures(State(camera): State<Arc<Shared>>, OriginalUri(uri): OriginalUri, headers: HeaderMap) -> Response {
    let sent = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let path = uri.path_and_query().map(ToString::to_string).unwrap_or_default();
    let (user, password) = &camera.login;
    if !proves(sent, "GET", &path, user, password) {
        let challenge = "Digest realm=\"camera\", qop=\"auth\", nonce=\"a7c1\", algorithm=MD5";
        return (StatusCode::UNAUTHORIZED, [(header::WWW_AUTHENTICATE, challenge)]).into_response();
    }
    let commands = stream::unfold(camera.commands.subscribe(), async |mut commands| match commands.recv().await {
        Ok(Command::Part(part)) => Some((Ok::<_, io::Error>(part), commands)),
        Ok(Command::Close) | Err(_) => None,
    });
    ([(header::CONTENT_TYPE, camera.kind)], Body::from_stream(commands.boxed())).into_response()
}

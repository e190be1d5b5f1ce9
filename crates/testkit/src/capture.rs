//! A pretend camera that finds faces itself: it checks the login and delivers, over one long answer, what it is given.

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

/// Which of the published protocols it speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// XML events between the pictures.
    Alerts,
    /// Text events between the pictures, scene and face in one part.
    Snaps,
    /// None.
    Other,
}

/// What a stream is given.
#[derive(Debug, Clone)]
enum Order {
    Part(Bytes),
    Close,
}

/// A running camera; it ends when dropped.
#[derive(Debug)]
pub struct CaptureCamera {
    address: SocketAddr,
    orders: broadcast::Sender<Order>,
    _tasks: JoinSet<()>,
}

struct Shared {
    login: (String, String),
    kind: &'static str,
    orders: broadcast::Sender<Order>,
}

impl CaptureCamera {
    /// Starts a camera on a free port of 127.0.0.1 that demands this login by digest.
    ///
    /// # Errors
    /// There is no free port.
    pub async fn start(dialect: Dialect, user: &str, password: &str) -> io::Result<Self> {
        Self::start_as(dialect, user, password, "multipart/x-mixed-replace; boundary=myboundary").await
    }

    /// Starts a camera that announces its stream by this content type.
    ///
    /// # Errors
    /// There is no free port.
    pub async fn start_as(dialect: Dialect, user: &str, password: &str, kind: &'static str) -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let (orders, _) = broadcast::channel(64);
        let login = (user.to_owned(), password.to_owned());
        let shared = Arc::new(Shared { login, kind, orders: orders.clone() });
        let routes = match dialect {
            Dialect::Alerts => Router::new().route("/ISAPI/Event/notification/alertStream", get(pictures)),
            Dialect::Snaps => Router::new().route("/cgi-bin/snapManager.cgi", get(pictures)),
            Dialect::Other => Router::new(),
        };
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            // Ends with the test only.
            let _ = axum::serve(listener, routes.with_state(shared)).await;
        });
        Ok(Self { address, orders, _tasks: tasks })
    }

    /// Where it is, with this login.
    pub fn address(&self, user: &str, password: &str) -> DeviceAddress {
        let host = self.address.ip().to_string();
        DeviceAddress { host, port: self.address.port(), user: user.into(), password: password.into() }
    }

    /// Delivers these JPEGs to whoever listens, in one part, after an event.
    pub fn deliver(&self, pictures: &[Bytes]) {
        let event = b"<EventNotificationAlert>faceCapture</EventNotificationAlert>";
        self.send(part("application/xml", event, true));
        self.send(part("image/jpeg", &pictures.concat(), true));
    }

    /// Delivers a JPEG in a part that does not say how long it is; the event that follows ends it.
    pub fn deliver_unmeasured(&self, picture: &Bytes) {
        self.send(part("image/jpeg", picture, false));
        self.send(part("text/plain", b"Heartbeat", true));
    }

    /// Sends these bytes as they are.
    pub fn say(&self, bytes: &[u8]) {
        self.send(Bytes::copy_from_slice(bytes));
    }

    /// Says that it is still there.
    pub fn beat(&self) {
        self.send(part("text/plain", b"Heartbeat", true));
    }

    /// Ends the streams.
    pub fn close(&self) {
        let _ = self.orders.send(Order::Close);
    }

    fn send(&self, part: Bytes) {
        // Nobody may be listening.
        let _ = self.orders.send(Order::Part(part));
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
    let orders = stream::unfold(camera.orders.subscribe(), async |mut orders| match orders.recv().await {
        Ok(Order::Part(part)) => Some((Ok::<_, io::Error>(part), orders)),
        Ok(Order::Close) | Err(_) => None,
    });
    ([(header::CONTENT_TYPE, camera.kind)], Body::from_stream(orders.boxed())).into_response()
}

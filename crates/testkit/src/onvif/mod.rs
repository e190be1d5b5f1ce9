//! A pretend ONVIF camera: it checks who asks as a real one does, tells its profiles, and answers searches.

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

/// How the camera asks for the login.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asks {
    /// For a token in every message, made by the camera's clock and never used before.
    Token,
    /// By HTTP digest.
    Digest,
    /// By HTTP digest; it refuses messages with a token.
    DigestAlone,
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
    /// Where it is; empty: the camera refuses to say.
    pub url: String,
}

/// What the camera does instead of answering.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Manner {
    /// It answers.
    #[default]
    Honest,
    /// It says something else.
    Garbage,
    /// It never stops.
    Endless,
    /// It says nothing.
    Mute,
}

/// A camera to be started; the default asks nobody for a login and offers nothing.
#[derive(Debug, Clone, Default)]
pub struct OnvifOptions {
    /// User name and password, and how it asks for them.
    pub login: Option<(String, String, Asks)>,
    /// How far its clock is ahead of the machine's, seconds.
    pub ahead: i64,
    /// Its profiles, in its order.
    pub offers: Vec<Offer>,
    /// Whether it tells of its media service only when asked for all services.
    pub lists_services: bool,
    /// Its zone, when it tells its local time only.
    pub zone: Option<&'static str>,
    /// Where its device service is, instead of the usual path.
    pub device: Option<&'static str>,
    /// Where it says that its media service is, instead of its inner address.
    pub media: Option<&'static str>,
    /// Whether its media service is the newer one.
    pub newer: bool,
    /// Whether what it says is in GB 2312, undeclared, with junk around it and a prefix that is not declared.
    pub slovenly: bool,
    /// Whether its answers are shorter than they announce, and stay open.
    pub boastful: bool,
    /// How it behaves.
    pub manner: Manner,
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
    asked: Mutex<Vec<String>>,
}

impl OnvifCamera {
    /// Starts a camera on free ports of 127.0.0.1.
    ///
    /// # Errors
    /// There is no free port.
    pub async fn start(options: OnvifOptions) -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let searched = UdpSocket::bind("127.0.0.1:0").await?;
        let (http, search) = (listener.local_addr()?, searched.local_addr()?);
        let guard = Guard::new(options.login.clone(), options.ahead);
        let shared = Arc::new(Shared { options, guard, asked: Mutex::default() });
        let routes = Router::new().fallback(answer).with_state(Arc::clone(&shared));
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            // Ends with the test only.
            let _ = axum::serve(listener, routes).await;
        });
        tasks.spawn(be_found(searched, http));
        Ok(Self { http, search, shared, _tasks: tasks })
    }

    /// Where it is, with this login.
    pub fn address(&self, user: &str, password: &str) -> DeviceAddress {
        let host = self.http.ip().to_string();
        DeviceAddress { host, port: self.http.port(), user: user.into(), password: password.into() }
    }

    /// Where it listens for searches.
    pub fn search(&self) -> SocketAddr {
        self.search
    }

    /// The names of the questions that were understood and answered, in their order.
    pub fn asked(&self) -> Vec<String> {
        self.shared.asked.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

async fn answer(State(camera): State<Arc<Shared>>, uri: Uri, headers: HeaderMap, body: Bytes) -> Response {
    match camera.options.manner {
        Manner::Honest => honest(&camera, &uri, &headers, &body),
        Manner::Garbage => "<html>it works</html".into_response(),
        Manner::Endless => {
            let rubbish = stream::repeat_with(|| Ok::<_, io::Error>(Bytes::from_static(&[b'x'; 65_536])));
            Body::from_stream(rubbish).into_response()
        }
        Manner::Mute => {
            tokio::time::sleep(Duration::from_secs(3600)).await;
            StatusCode::OK.into_response()
        }
    }
}

fn honest(camera: &Shared, uri: &Uri, headers: &HeaderMap, body: &Bytes) -> Response {
    let text = std::str::from_utf8(body).unwrap_or_default();
    let Ok(document) = Document::parse(text) else { return StatusCode::BAD_REQUEST.into_response() };
    let body = document.descendants().find(|node| node.tag_name().name() == "Body");
    let Some(question) = body.and_then(|body| body.first_element_child()) else {
        return StatusCode::BAD_REQUEST.into_response();
    };
    let name = question.tag_name().name();
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
    let Some(answer) = answers::answer(&camera.options, uri.path(), question) else {
        return (StatusCode::INTERNAL_SERVER_ERROR, answers::unknown()).into_response();
    };
    camera.asked.lock().unwrap_or_else(PoisonError::into_inner).push(name.to_owned());
    let answer = if camera.options.slovenly { answers::slovenly(&answer) } else { answer.into_bytes() };
    if camera.options.boastful { boastful(answer) } else { answer.into_response() }
}

/// An answer that announces more than there is, and does not end.
fn boastful(answer: Vec<u8>) -> Response {
    let length = [(header::CONTENT_LENGTH, answer.len() + 1000)];
    let pieces = stream::iter([Ok::<_, io::Error>(Bytes::from(answer))]).chain(stream::pending());
    (length, Body::from_stream(pieces)).into_response()
}

/// Answers searches, twice, as cameras on two networks do, and then says something that was not asked.
async fn be_found(socket: UdpSocket, http: SocketAddr) {
    let mut question = vec![0; 65_536];
    while let Ok((length, from)) = socket.recv_from(&mut question).await {
        let text = std::str::from_utf8(&question[..length]).unwrap_or_default();
        let Some(answer) = answers::found(text, http) else { continue };
        for answer in [&answer, &answer, "garbage"] {
            // The asker may have gone.
            let _ = socket.send_to(answer.as_bytes(), from).await;
        }
    }
}

//! Serving HTTP to callers who may mean harm.

mod connection;
mod pace;
mod place;
mod socket;

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{ConnectInfo, DefaultBodyLimit, Request};
use axum::http::Extensions;
use axum::middleware::{Next, from_fn};
use domain::Appliance;
use domain::progress::Part;
use rustls::ServerConfig;
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower_http::catch_panic::CatchPanicLayer;

use place::Places;

/// What one listener puts up with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of one request body.
    pub body_bytes: usize,
    /// Bytes of a body that its handler bounds itself and takes piece by piece.
    pub upload_bytes: usize,
    /// Connections at the same time, WebSockets included.
    pub connections: usize,
    /// Time for the head of a request, from its first byte or, on a new connection, from the start.
    pub head: Duration,
    /// How long a connection may stay open between two requests.
    pub idle: Duration,
    /// How long a caller may stop sending a body or stop reading an answer.
    pub stall: Duration,
    /// Time for running requests to finish when the listener is closed.
    pub drain: Duration,
}

impl Default for Limits {
    /// 40 MiB, 2 GiB piece by piece, 512 connections, 10 s for heads, 60 s idle, 15 s stalled, 8 s to drain.
    fn default() -> Self {
        Self {
            body_bytes: 40 << 20,
            upload_bytes: 2 << 30,
            connections: 512,
            head: Duration::from_secs(10),
            idle: Duration::from_secs(60),
            stall: Duration::from_secs(15),
            drain: Duration::from_secs(8),
        }
    }
}

/// Serves HTTP/1 on a bound listener until `cancel` is cancelled; then accepts no more, lets running requests finish
/// within `limits.drain` and returns. Handlers find the caller in `ConnectInfo<SocketAddr>`. A handler that panics
/// is answered with 500.
///
/// At the limit of connections a new one takes the place of the one that has been silent for longest; when all are
/// being served, the new one is refused. A WebSocket holds its place until it ends, so a route that upgrades before it
/// knows the caller must wait for the proof with a deadline of its own.
pub async fn serve(listener: TcpListener, router: Router, limits: Limits, cancel: CancellationToken) {
    serve_connections(listener, router, limits, None, cancel).await;
}

/// As [`serve`], over TLS.
pub(crate) async fn serve_encrypted(
    listener: TcpListener,
    router: Router,
    limits: Limits,
    config: Arc<ServerConfig>,
    cancel: CancellationToken,
) {
    serve_connections(listener, router, limits, Some(config.into()), cancel).await;
}

async fn serve_connections(
    listener: TcpListener,
    router: Router,
    limits: Limits,
    tls: Option<TlsAcceptor>,
    cancel: CancellationToken,
) {
    let tasks = TaskTracker::new();
    let places = Places::new(limits.connections, tasks.clone());
    let router = router.layer(DefaultBodyLimit::max(limits.body_bytes)).layer(CatchPanicLayer::new());
    let server = Server { router, limits, tls, closing: cancel.clone() };
    loop {
        let accepted = tokio::select! {
            biased;
            () = cancel.cancelled() => break,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, peer)) => {
                if let Some(place) = places.take() {
                    tasks.spawn(connection::drive(server.clone(), stream, peer, place));
                }
            }
            Err(error) => wait_out(&error).await,
        }
    }
    drop(listener);
    tasks.close();
    if tokio::time::timeout(limits.drain, tasks.wait()).await.is_err() {
        tracing::warn!(connections = tasks.len(), "connections are cut off");
        places.vacate();
        tasks.wait().await;
    }
}

/// The address that a request with these extensions comes from; `None` for one that [`serve`] has not taken.
pub fn caller_address(extensions: &Extensions) -> Option<IpAddr> {
    extensions.get::<ConnectInfo<SocketAddr>>().map(|info| info.0.ip().to_canonical())
}

/// The address of this machine that a request came in on, among its extensions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct LocalAddress(IpAddr);

/// What is asked by machines that watch the device, and not by anybody who uses it.
const WATCHED: [&str; 2] = ["/healthz", "/metrics"];

/// Routes that report to the appliance on which of its addresses every request comes in
/// ([`Appliance::note_arrival`]), and that it was answered.
pub fn noting_arrivals(router: Router, appliance: Appliance) -> Router {
    router.layer(from_fn(move |request: Request, next: Next| {
        let appliance = appliance.clone();
        async move {
            if let Some(LocalAddress(address)) = request.extensions().get() {
                appliance.note_arrival(*address);
            }
            let counts = !WATCHED.contains(&request.uri().path());
            let response = next.run(request).await;
            if counts {
                appliance.progress().stamp(Part::Commands);
            }
            response
        }
    }))
}

/// What every connection of a listener shares.
#[derive(Clone)]
struct Server {
    router: Router,
    limits: Limits,
    /// Whether connections are encrypted.
    tls: Option<TlsAcceptor>,
    closing: CancellationToken,
}

/// A connection that broke before it was accepted is nobody's loss; otherwise the process is short of something,
/// most likely file descriptors, and trying again at once would only burn time.
async fn wait_out(error: &io::Error) {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    if !matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset) {
        tracing::warn!(%error, "cannot accept connections");
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}

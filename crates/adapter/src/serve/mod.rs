//! HTTP server for possibly hostile callers.

mod connection;
mod pace;
mod place;
mod proxies;
mod socket;
mod standing;
mod transport;

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
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower_http::catch_panic::CatchPanicLayer;

pub use transport::{LOGIN_REFUSED, Transport, refusing_clear_logins};

use place::Places;
pub use proxies::TrustedProxies;
pub use standing::Standing;

/// Limits of a listener.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Maximum size of a request body, bytes.
    pub body_bytes: usize,
    /// Maximum size of a streamed body whose handler has its own limit, bytes.
    pub upload_bytes: usize,
    /// Maximum number of concurrent connections, including WebSockets.
    pub connections: usize,
    /// Maximum number of them from one IPv4 address or IPv6 network of 64 bits, except from a trusted proxy.
    pub per_address: usize,
    /// The proxies that state the caller's address.
    pub trusted_proxies: TrustedProxies,
    /// Timeout for the head of a request, from its first byte or, on a new connection, from the start.
    pub head: Duration,
    /// Maximum idle time between two requests.
    pub idle: Duration,
    /// Maximum time without progress in sending a body or reading a response.
    pub stall: Duration,
    /// Maximum time for running requests to finish when the listener closes.
    pub drain: Duration,
}

impl Default for Limits {
    /// 40 MiB, 2 GiB streamed, 512 connections, 128 from one address, no proxies, 10 s for heads, 60 s idle, 15 s stalled, 8 s to drain.
    fn default() -> Self {
        Self {
            body_bytes: 40 << 20,
            upload_bytes: 2 << 30,
            connections: 512,
            per_address: 128,
            trusted_proxies: TrustedProxies::NONE,
            head: Duration::from_secs(10),
            idle: Duration::from_secs(60),
            stall: Duration::from_secs(15),
            drain: Duration::from_secs(8),
        }
    }
}

/// Serves HTTP/1 on a bound listener until `cancel` is cancelled; then stops accepting, lets running requests finish
/// within `limits.drain` and returns. Handlers get the caller from `ConnectInfo<SocketAddr>`. A panicking handler is
/// answered with 500.
///
/// At the maximum number of connections, a new one replaces one on which nothing was authenticated
/// ([`Standing::authenticated`]), whatever it is doing, or else the one that has been idle the longest; when all are
/// authenticated and being served, the new one is rejected. At the maximum of an address, a new connection replaces one
/// of the same address in the same way. A route that upgrades to a WebSocket before authentication must enforce its own
/// deadline.
pub async fn serve(listener: TcpListener, router: Router, limits: Limits, cancel: CancellationToken) {
    serve_connections(listener, router, limits, None, cancel).await;
}

/// Like [`serve`], over TLS.
pub async fn serve_encrypted(
    listener: TcpListener,
    router: Router,
    limits: Limits,
    config: Arc<ServerConfig>,
    cancel: CancellationToken,
) {
    let (_kept, config) = watch::channel(config);
    serve_connections(listener, router, limits, Some(config), cancel).await;
}

/// Like [`serve_encrypted`]; a new connection uses the newest configuration.
pub(crate) async fn serve_with_changes(
    listener: TcpListener,
    router: Router,
    limits: Limits,
    config: watch::Receiver<Arc<ServerConfig>>,
    cancel: CancellationToken,
) {
    serve_connections(listener, router, limits, Some(config), cancel).await;
}

async fn serve_connections(
    listener: TcpListener,
    router: Router,
    limits: Limits,
    tls: Option<watch::Receiver<Arc<ServerConfig>>>,
    cancel: CancellationToken,
) {
    let tasks = TaskTracker::new();
    let places = Places::new(&limits, tasks.clone());
    let router = router.layer(DefaultBodyLimit::max(limits.body_bytes)).layer(CatchPanicLayer::new());
    let drain = limits.drain;
    let server = Server { router, limits, tls, closing: cancel.clone() };
    loop {
        let accepted = tokio::select! {
            biased;
            () = cancel.cancelled() => break,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, peer)) => {
                let is_proxy = server.limits.trusted_proxies.contain(peer.ip());
                if let Some(place) = places.take((!is_proxy).then(|| peer.ip())) {
                    tasks.spawn(connection::drive(server.clone(), stream, peer, place));
                }
            }
            Err(error) => wait_out(&error).await,
        }
    }
    drop(listener);
    tasks.close();
    if tokio::time::timeout(drain, tasks.wait()).await.is_err() {
        tracing::warn!(connections = tasks.len(), "connections closed before their requests finished");
        places.vacate();
        tasks.wait().await;
    }
}

/// The caller's address, as a trusted proxy states it; `None` for a request not received by [`serve`].
pub fn caller_address(extensions: &Extensions) -> Option<IpAddr> {
    extensions.get::<ConnectInfo<SocketAddr>>().map(|info| info.0.ip().to_canonical())
}

/// Local address on which a request arrived, as a request extension.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct LocalAddress(IpAddr);

/// Paths requested by monitoring rather than by users.
const WATCHED: [&str; 2] = ["/healthz", "/metrics"];

/// Wraps routes so that the appliance learns where authenticated requests arrive ([`Standing::authenticated`]), and that
/// every request was answered.
pub fn noting_arrivals(router: Router, appliance: Appliance) -> Router {
    router.layer(from_fn(move |mut request: Request, next: Next| {
        let appliance = appliance.clone();
        async move {
            if let Some(LocalAddress(address)) = request.extensions().get().copied() {
                let standing = Standing::of(request.extensions()).arriving(appliance.clone(), address);
                request.extensions_mut().insert(standing);
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

/// State shared by all connections of a listener.
#[derive(Clone)]
struct Server {
    router: Router,
    limits: Limits,
    /// `Some` for encrypted connections.
    tls: Option<watch::Receiver<Arc<ServerConfig>>>,
    closing: CancellationToken,
}

/// Handles a failed accept. A connection that broke before it was accepted is ignored; otherwise a resource is
/// exhausted, most likely file descriptors, and an immediate retry would only busy-loop.
async fn wait_out(error: &io::Error) {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    if !matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset) {
        tracing::warn!(%error, "failed to accept connection");
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}

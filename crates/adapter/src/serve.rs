//! Serving HTTP to callers who may mean harm.

use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

/// What one listener puts up with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of one request body.
    pub body_bytes: usize,
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
    /// 40 MiB, 512 connections, 10 s for heads, 60 s idle, 15 s stalled, 8 s to drain.
    fn default() -> Self {
        Self {
            body_bytes: 40 << 20,
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
/// At the limit of connections a new one takes the place of the one that has been silent for longest; when none is
/// silent, the new one is refused. A WebSocket holds its place until it ends, so a route that upgrades before it
/// knows the caller must wait for the proof with a deadline of its own.
pub async fn serve(listener: TcpListener, router: Router, limits: Limits, cancel: CancellationToken) {
    let _ = limits;
    let service = router.into_make_service_with_connect_info::<SocketAddr>();
    if let Err(error) = axum::serve(listener, service).with_graceful_shutdown(cancel.cancelled_owned()).await {
        tracing::error!(%error, "listener failed");
    }
}

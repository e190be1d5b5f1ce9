//! One connection.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::ConnectInfo;
use axum::http::StatusCode;
use hyper::body::{Body as _, Incoming};
use hyper::server::conn::http1;
use hyper::service::{Service, service_fn};
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::interval;
use tokio_rustls::TlsAcceptor;
use tracing::Instrument;

use super::pace::{Watched, paced};
use super::place::{Place, Pulse};
use super::socket::Socket;
use super::transport::Peer;
use super::{Limits, LocalAddress, Server, Standing, Transport};

/// Maximum size of a request head, and of what is read ahead of a body, bytes. So much memory a caller takes who has
/// proved nothing.
const LONGEST_HEAD: usize = 32 << 10;
/// Interval at which timeouts are checked while the listener closes.
const CLOSING_TICK: Duration = Duration::from_millis(50);

/// The two ends of a connection, and what is between them.
#[derive(Clone, Copy)]
struct Ends {
    peer: SocketAddr,
    local: Option<SocketAddr>,
    transport: Transport,
}

/// Serves a connection until either side is done with it.
pub(super) async fn drive(server: Server, stream: TcpStream, peer: SocketAddr, place: Place) {
    // Otherwise responses in several pieces may wait for the caller's delayed acknowledgement. A failure is harmless.
    let _ = stream.set_nodelay(true);
    let pulse = place.pulse().clone();
    let transport = if server.tls.is_some() { Transport::Encrypted } else { Transport::Clear };
    let ends = Ends { peer, local: stream.local_addr().ok(), transport };
    let socket = Socket::new(stream, place, server.limits.stall);
    let config = server.tls.as_ref().map(|configs| Arc::clone(&configs.borrow()));
    match config {
        None => converse(server, socket, ends, pulse).await,
        Some(config) => {
            let acceptor = TlsAcceptor::from(config);
            let handshake = tokio::time::timeout(server.limits.head, acceptor.accept(socket));
            // A failed handshake needs no response.
            if let Some(Ok(Ok(socket))) = server.closing.clone().run_until_cancelled(handshake).await {
                converse(server, socket, ends, pulse).await;
            }
        }
    }
}

/// Serves HTTP on an open connection.
async fn converse(
    server: Server,
    socket: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    ends: Ends,
    pulse: Arc<Pulse>,
) {
    let Server { router, limits, closing, .. } = server;
    let socket = TokioIo::new(socket);
    let service = TowerToHyperService::new(router);
    let answer = service_fn(|request| answer(service.clone(), request, ends, &limits, pulse.clone()));
    let connection = http1::Builder::new()
        // Timeouts are checked below, with separate limits for heads and idleness.
        .header_read_timeout(None)
        .max_buf_size(LONGEST_HEAD)
        .title_case_headers(true)
        .serve_connection(socket, answer)
        .with_upgrades();
    let mut connection = pin!(connection);
    let mut ticks = interval((limits.head.min(limits.idle) / 4).max(CLOSING_TICK));
    let mut is_closing = false;
    loop {
        tokio::select! {
            biased;
            // The result is ignored: callers usually just disconnect.
            _ = connection.as_mut() => return,
            () = pulse.given_up().cancelled() => return,
            () = closing.cancelled(), if !is_closing => {
                is_closing = true;
                connection.as_mut().graceful_shutdown();
                ticks = interval(CLOSING_TICK);
            }
            _ = ticks.tick() => if pulse.is_overdue(&limits, is_closing) { return },
        }
    }
}

async fn answer(
    service: TowerToHyperService<Router>,
    request: Request<Incoming>,
    ends: Ends,
    limits: &Limits,
    pulse: Arc<Pulse>,
) -> Result<Response<Watched>, Infallible> {
    pulse.requested(!request.body().is_end_stream());
    let mut request = request.map(|body| paced(body, limits, &pulse));
    let caller = limits.trusted_proxies.caller(ends.peer, request.headers());
    request.extensions_mut().insert(ConnectInfo(caller));
    request.extensions_mut().insert(Peer(ends.peer));
    request.extensions_mut().insert(ends.transport);
    request.extensions_mut().insert(Standing::new(pulse.clone()));
    if let Some(local) = ends.local {
        request.extensions_mut().insert(LocalAddress(local.ip()));
    }
    let span = tracing::info_span!("request", http.method = %request.method(), net.peer = %caller.ip());
    let response = service.call(request).instrument(span).await?;
    if response.status() == StatusCode::SWITCHING_PROTOCOLS {
        pulse.upgraded();
    }
    Ok(response.map(|body| Watched::new(body, pulse)))
}

//! How a request reached the device, and what that allows.

use std::convert::Infallible;
use std::net::SocketAddr;

use axum::Router;
use axum::extract::{FromRequestParts, Request};
use axum::http::Extensions;
use axum::http::request::Parts;
use axum::middleware::{Next, from_fn};

/// The explanation for a caller whose login is refused because it is not encrypted.
pub const LOGIN_REFUSED: &str = "logins over HTTP from other machines are refused, use HTTPS";

/// How a request reached the device; an extractor. A request not received by [`serve`](crate::serve) counts as clear.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transport {
    /// Over TLS.
    Encrypted,
    /// In clear.
    Clear,
    /// In clear from another machine, where logins in clear are refused: neither a password nor a session counts.
    Refused,
}

impl Transport {
    /// The transport of a request with these extensions.
    pub fn of(extensions: &Extensions) -> Self {
        extensions.get().copied().unwrap_or(Self::Clear)
    }

    /// Whether passwords and sessions must not be accepted.
    pub fn refuses_logins(self) -> bool {
        self == Self::Refused
    }
}

impl<S: Sync> FromRequestParts<S> for Transport {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self::of(&parts.extensions))
    }
}

/// The other end of the connection, which may be a proxy, as a request extension.
#[derive(Clone, Copy)]
pub(super) struct Peer(pub(super) SocketAddr);

/// Wraps routes of an adapter to mark requests in clear from other machines as [`Transport::Refused`]. The address that
/// counts is that of the connection, so a proxy on this machine may terminate TLS.
pub fn refusing_clear_logins(router: Router) -> Router {
    router.layer(from_fn(async |mut request: Request, next: Next| {
        let peer = request.extensions().get::<Peer>().map(|peer| peer.0.ip().to_canonical());
        let local = peer.is_some_and(|peer| peer.is_loopback());
        if !local && Transport::of(request.extensions()) == Transport::Clear {
            request.extensions_mut().insert(Transport::Refused);
        }
        next.run(request).await
    }))
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use axum::routing::get;
    use tower::ServiceExt;

    use super::*;

    async fn transport(peer: &str, encrypted: bool) -> String {
        let routes = Router::new().route("/", get(async |transport: Transport| format!("{transport:?}")));
        let mut request = Request::new(Body::empty());
        let peer: SocketAddr = peer.parse().unwrap();
        request.extensions_mut().insert(Peer(peer));
        request.extensions_mut().insert(if encrypted { Transport::Encrypted } else { Transport::Clear });
        let answer = refusing_clear_logins(routes).oneshot(request).await.unwrap();
        String::from_utf8(axum::body::to_bytes(answer.into_body(), 99).await.unwrap().to_vec()).unwrap()
    }

    #[tokio::test]
    async fn only_this_machine_may_log_in_in_clear() {
        for (peer, encrypted, wanted) in [
            ("127.0.0.1:9", false, "Clear"),
            ("127.9.9.9:9", false, "Clear"),
            ("[::1]:9", false, "Clear"),
            ("[::ffff:127.0.0.1]:9", false, "Clear"),
            ("192.0.2.7:9", false, "Refused"),
            ("[::ffff:192.0.2.7]:9", false, "Refused"),
            ("[fe80::7]:9", false, "Refused"),
            ("192.0.2.7:9", true, "Encrypted"),
        ] {
            assert_eq!(transport(peer, encrypted).await, wanted, "{peer}");
        }
    }
}

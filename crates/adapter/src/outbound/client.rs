//! The HTTP client behind [`Outbound`](super::Outbound).

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::{Client, ClientBuilder, Response, redirect};
use tokio::io::AsyncWriteExt;

use super::{OutboundError, Policy};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// A client that resolves names under the policy, uses no proxy and follows no redirect, so every address it connects
/// to has been checked.
pub(super) fn build(policy: Policy) -> Result<Client, OutboundError> {
    // Fails when a provider is already installed, which is then used.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let builder = || -> ClientBuilder {
        Client::builder()
            .user_agent(concat!("polyface/", env!("CARGO_PKG_VERSION")))
            .dns_resolver(Resolver { policy })
            .redirect(redirect::Policy::none())
            .no_proxy()
            .connect_timeout(CONNECT_TIMEOUT)
    };
    let without_certificates = |error: reqwest::Error| {
        tracing::warn!(%error, "no trusted certificates on this machine: https calls will fail");
        builder().tls_certs_only([]).build()
    };
    builder().build().or_else(without_certificates).map_err(|error| OutboundError::Setup { why: error.to_string() })
}

/// Reads a response of at most `max_bytes`; the announced length is checked before reading.
pub(super) async fn read(answer: &mut Response, max_bytes: usize) -> Result<Bytes, OutboundError> {
    if answer.content_length().is_some_and(|length| length > max_bytes as u64) {
        return Err(OutboundError::TooLarge);
    }
    let mut body = BytesMut::new();
    while let Some(piece) = answer.chunk().await.map_err(|error| OutboundError::of(&error))? {
        if piece.len() > max_bytes - body.len() {
            return Err(OutboundError::TooLarge);
        }
        body.extend_from_slice(&piece);
    }
    Ok(body.freeze())
}

/// Writes a response of at most `max_bytes` to a file, which is synced when this returns. `patience`: maximum wait for
/// each piece.
pub(super) async fn write(
    answer: &mut Response,
    to: &Path,
    max_bytes: u64,
    patience: Duration,
) -> Result<(), OutboundError> {
    let disk = |error: std::io::Error| OutboundError::Disk(error.kind());
    if answer.content_length().is_some_and(|length| length > max_bytes) {
        return Err(OutboundError::TooLarge);
    }
    let mut file = tokio::fs::File::create(to).await.map_err(disk)?;
    let mut written = 0;
    loop {
        let piece = tokio::time::timeout(patience, answer.chunk()).await.map_err(|_| OutboundError::TimedOut)?;
        let Some(piece) = piece.map_err(|error| OutboundError::of(&error))? else { break };
        written += piece.len() as u64;
        if written > max_bytes {
            return Err(OutboundError::TooLarge);
        }
        file.write_all(&piece).await.map_err(disk)?;
    }
    file.sync_all().await.map_err(disk)
}

struct Resolver {
    policy: Policy,
}

/// The name has addresses, but the policy allows none of them.
#[derive(Debug, thiserror::Error)]
#[error("the address is not allowed")]
struct AllRefused;

/// The name has no address.
#[derive(Debug, thiserror::Error)]
#[error("the name is unknown")]
struct NoAddress;

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        let policy = self.policy;
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await.map_err(|_| NoAddress)?;
            let allowed: Vec<SocketAddr> = found.filter(|address| policy.allows(address.ip())).collect();
            if allowed.is_empty() {
                return Err(AllRefused.into());
            }
            Ok(Box::new(allowed.into_iter()) as Addrs)
        })
    }
}

impl OutboundError {
    /// Classifies a client error. Its own text contains the URL, so only the innermost cause is reported.
    pub(super) fn of(error: &reqwest::Error) -> Self {
        let mut innermost: &(dyn std::error::Error + 'static) = error;
        while let Some(cause) = innermost.source() {
            innermost = cause;
        }
        if innermost.is::<AllRefused>() {
            Self::NotAllowed
        } else if innermost.is::<NoAddress>() {
            Self::UnknownHost
        } else if error.is_timeout() {
            Self::TimedOut
        } else if innermost.is::<reqwest::Error>() {
            Self::Unreachable { why: "the connection failed".into() }
        } else {
            Self::Unreachable { why: innermost.to_string() }
        }
    }
}

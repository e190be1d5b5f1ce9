//! HTTPS: an adapter is served either over HTTP or over HTTPS, and can switch while it runs.

mod credentials;

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use axum::Router;
use axum::extract::Request;
use axum::http::StatusCode;
use axum::http::header::CONNECTION;
use axum::middleware::{Next, from_fn};
use axum::response::IntoResponse;
use bytes::Bytes;
use domain::Timestamp;
use rustls::ServerConfig;
use tokio::net::TcpListener;
use tokio::sync::{Mutex, mpsc, oneshot, watch};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::Limits;
use crate::serve::serve_encrypted;

use credentials::Credentials;
pub use credentials::{CredentialError, Piece};

/// How an adapter is served.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    /// Not yet decided: requests wait.
    Undecided,
    Clear,
    Encrypted,
}

/// A command to the serving task, with the channel for its result.
struct Order {
    /// `None` switches to HTTP.
    config: Option<Arc<ServerConfig>>,
    done: oneshot::Sender<io::Result<()>>,
}

/// The handle by which an adapter switches between HTTP and HTTPS. Until its first decision, requests wait.
#[derive(Clone)]
pub struct Encryption {
    shared: Arc<Shared>,
    credentials: Credentials,
}

struct Shared {
    mode: watch::Sender<Mode>,
    orders: mpsc::Sender<Order>,
    taken: Mutex<mpsc::Receiver<Order>>,
}

impl Encryption {
    /// Uses the certificate and key in this folder, which is created when needed.
    pub fn new(folder: PathBuf) -> Self {
        let (orders, taken) = mpsc::channel(1);
        let shared = Shared { mode: watch::Sender::new(Mode::Undecided), orders, taken: Mutex::new(taken) };
        Self { shared: Arc::new(shared), credentials: Credentials::new(folder) }
    }

    /// Stores a certificate or key (PEM or DER), replacing the previous one, readable only by its owner.
    ///
    /// # Errors
    /// `Unusable`; `Io`, with the previous file still in place.
    pub async fn put(&self, piece: Piece, content: Bytes) -> Result<(), CredentialError> {
        self.blocking(move |credentials| credentials.put(piece, &content)).await
    }

    /// Removes the certificate or key; a missing one is not an error.
    ///
    /// # Errors
    /// `Io`.
    pub async fn remove(&self, piece: Piece) -> Result<(), CredentialError> {
        self.blocking(move |credentials| credentials.remove(piece)).await
    }

    /// The configuration for [`Encryption::turn_on`]. With `now`, the certificate must be valid at that time.
    ///
    /// # Errors
    /// All variants.
    pub async fn server(&self, now: Option<Timestamp>) -> Result<Arc<ServerConfig>, CredentialError> {
        self.blocking(move |credentials| credentials.server(now)).await
    }

    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Credentials) -> Result<T, CredentialError> + Send + 'static,
    ) -> Result<T, CredentialError> {
        let credentials = self.credentials.clone();
        tokio::task::spawn_blocking(move || work(&credentials)).await.map_err(io::Error::other)?
    }

    /// Whether the adapter is served over HTTPS.
    pub fn is_on(&self) -> bool {
        *self.shared.mode.borrow() == Mode::Encrypted
    }

    /// Switches to HTTPS; running requests complete.
    ///
    /// # Errors
    /// The HTTPS address cannot be bound. Nothing changes then.
    pub async fn turn_on(&self, config: Arc<ServerConfig>) -> io::Result<()> {
        self.order(Some(config)).await
    }

    /// Switches to HTTP; running requests complete.
    pub async fn turn_off(&self) -> io::Result<()> {
        self.order(None).await
    }

    /// Rejects HTTP requests although HTTPS is not served either.
    pub fn refuse_clear(&self) {
        self.shared.mode.send_replace(Mode::Encrypted);
    }

    async fn order(&self, config: Option<Arc<ServerConfig>>) -> io::Result<()> {
        let (done, answer) = oneshot::channel();
        let gone = |_| io::Error::from(io::ErrorKind::BrokenPipe);
        self.shared.orders.send(Order { config, done }).await.map_err(|_| io::ErrorKind::BrokenPipe)?;
        answer.await.map_err(gone)?
    }

    /// The routes for the HTTP listener: while the adapter is served over HTTPS they reject everything.
    pub fn clear(&self, routes: Router) -> Router {
        let shared = Arc::clone(&self.shared);
        routes.layer(from_fn(move |request: Request, next: Next| {
            let mut mode = shared.mode.subscribe();
            async move {
                let mode = mode.wait_for(|mode| *mode != Mode::Undecided).await.map(|mode| *mode);
                match mode {
                    Ok(Mode::Clear) => next.run(request).await,
                    _ => (StatusCode::FORBIDDEN, [(CONNECTION, "close")], "served over HTTPS only").into_response(),
                }
            }
        }))
    }

    /// Executes the adapter's commands until cancelled: serves the routes over HTTPS on `address` while it is on.
    /// `announce` receives the address in use.
    pub async fn serve(
        &self,
        address: SocketAddr,
        routes: Router,
        limits: Limits,
        announce: impl Fn(Option<SocketAddr>) + Send,
        cancel: CancellationToken,
    ) {
        let mut orders = self.shared.taken.lock().await;
        let mut serving = CancellationToken::new();
        let mut tasks = JoinSet::new();
        while let Some(Some(Order { config, done })) = cancel.run_until_cancelled(orders.recv()).await {
            let outcome = match config {
                Some(config) => bind(address).await.map(|listener| {
                    serving.cancel();
                    serving = cancel.child_token();
                    announce(listener.local_addr().ok());
                    tasks.spawn(serve_encrypted(listener, routes.clone(), limits, config, serving.clone()));
                    self.shared.mode.send_replace(Mode::Encrypted);
                }),
                None => {
                    self.shared.mode.send_replace(Mode::Clear);
                    serving.cancel();
                    announce(None);
                    Ok(())
                }
            };
            while tasks.try_join_next().is_some() {}
            // The caller may have stopped waiting.
            let _ = done.send(outcome);
        }
        serving.cancel();
        while tasks.join_next().await.is_some() {}
    }
}

async fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    let bound = TcpListener::bind(address).await;
    bound.inspect_err(|error| tracing::error!(%error, listener.address = %address, "failed to listen for HTTPS"))
}

//! HTTPS: an adapter is served either in clear or encrypted, and changes between the two while it runs.

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
    /// Not known yet: requests wait.
    Undecided,
    Clear,
    Encrypted,
}

/// An order to the task behind the handle, and where to answer it.
struct Order {
    /// `None`: in clear from now on.
    config: Option<Arc<ServerConfig>>,
    done: oneshot::Sender<io::Result<()>>,
}

/// The handle by which an adapter changes how it is served. Until it says for the first time, requests wait.
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
    /// With certificate and key in this folder, which is made when it is needed.
    pub fn new(folder: PathBuf) -> Self {
        let (orders, taken) = mpsc::channel(1);
        let shared = Shared { mode: watch::Sender::new(Mode::Undecided), orders, taken: Mutex::new(taken) };
        Self { shared: Arc::new(shared), credentials: Credentials::new(folder) }
    }

    /// Keeps a certificate or key (PEM or DER), in place of the one before, readable by its owner alone.
    ///
    /// # Errors
    /// `Unusable`; `Io`, and the one before is still there.
    pub async fn put(&self, piece: Piece, content: Bytes) -> Result<(), CredentialError> {
        self.blocking(move |credentials| credentials.put(piece, &content)).await
    }

    /// Removes certificate or key; it may be gone already.
    ///
    /// # Errors
    /// `Io`.
    pub async fn remove(&self, piece: Piece) -> Result<(), CredentialError> {
        self.blocking(move |credentials| credentials.remove(piece)).await
    }

    /// What [`Encryption::turn_on`] needs. With `now` the certificate must be valid then.
    ///
    /// # Errors
    /// All.
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

    /// Whether the adapter is served encrypted.
    pub fn is_on(&self) -> bool {
        *self.shared.mode.borrow() == Mode::Encrypted
    }

    /// From now on the adapter is served encrypted and no longer in clear; running requests end in peace.
    ///
    /// # Errors
    /// The address for encrypted connections cannot be taken. All stays as it was.
    pub async fn turn_on(&self, config: Arc<ServerConfig>) -> io::Result<()> {
        self.order(Some(config)).await
    }

    /// From now on the adapter is served in clear; running requests end in peace.
    pub async fn turn_off(&self) -> io::Result<()> {
        self.order(None).await
    }

    /// Has requests in clear refused, though encrypted ones are not served either.
    pub fn refuse_clear(&self) {
        self.shared.mode.send_replace(Mode::Encrypted);
    }

    async fn order(&self, config: Option<Arc<ServerConfig>>) -> io::Result<()> {
        let (done, answer) = oneshot::channel();
        let gone = |_| io::Error::from(io::ErrorKind::BrokenPipe);
        self.shared.orders.send(Order { config, done }).await.map_err(|_| io::ErrorKind::BrokenPipe)?;
        answer.await.map_err(gone)?
    }

    /// The routes for the listener in clear: while the adapter is served encrypted they refuse everything.
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

    /// Obeys the adapter until cancelled: serves the routes encrypted on `address` while it wants that. `announce` is
    /// told the address in use.
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
            let obeyed = match config {
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
            // The one who asked may have left.
            let _ = done.send(obeyed);
        }
        serving.cancel();
        while tasks.join_next().await.is_some() {}
    }
}

async fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    let bound = TcpListener::bind(address).await;
    bound.inspect_err(|error| tracing::error!(%error, listener.address = %address, "cannot listen for HTTPS"))
}

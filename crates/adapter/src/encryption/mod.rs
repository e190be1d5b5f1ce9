//! HTTPS: a listener is served over HTTP and, where that is configured, over HTTPS; an adapter can switch its listener to
//! HTTPS alone while it runs.

mod credentials;
mod own;

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
use crate::serve::serve_with_changes;

use credentials::Credentials;
pub use credentials::{CredentialError, Piece};
pub use own::{OwnCertificate, own_certificate};

/// How a listener is served.
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

/// Where a listener that can be switched is reached over HTTPS.
pub enum HttpsPlace {
    /// On this address, only while it is switched to HTTPS.
    WhileSwitched(SocketAddr),
    /// On this socket: with this configuration over HTTP too, or with that of the switch.
    Always(TcpListener, Arc<ServerConfig>),
}

/// How a listener is served from now on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Served {
    /// Address of HTTPS, while it is served.
    pub https: Option<SocketAddr>,
    /// Whether HTTP is served.
    pub clear: bool,
}

/// The handle by which an adapter switches its listener between HTTP and HTTPS. Until its first decision, requests in
/// clear wait.
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

    /// Whether the listener is switched to HTTPS.
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

    /// The routes for the HTTP listener: while the listener is switched to HTTPS they reject everything.
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

    /// Executes the adapter's commands until cancelled: serves the routes over HTTPS as the place says. `changed`
    /// receives every change of how the listener is served.
    pub async fn serve(
        &self,
        place: HttpsPlace,
        routes: Router,
        limits: Limits,
        changed: impl Fn(Served) + Send,
        cancel: CancellationToken,
    ) {
        let mut orders = self.shared.taken.lock().await;
        let mut secure = Secure::open(place, routes, limits, &cancel);
        while let Some(Some(Order { config, done })) = cancel.run_until_cancelled(orders.recv()).await {
            let (mode, outcome) = match config {
                Some(config) => (Mode::Encrypted, secure.turn_on(config).await),
                None => (Mode::Clear, secure.turn_off()),
            };
            if outcome.is_ok() {
                self.shared.mode.send_replace(mode);
                changed(Served { https: secure.address(), clear: mode == Mode::Clear });
            }
            // The caller may have stopped waiting.
            let _ = done.send(outcome);
        }
        secure.close().await;
    }
}

/// The HTTPS side of a listener.
struct Secure {
    /// Where it is opened.
    listen: SocketAddr,
    /// The configuration while HTTP is served too; `None`: it is closed then.
    standing: Option<Arc<ServerConfig>>,
    routes: Router,
    limits: Limits,
    cancel: CancellationToken,
    opened: Option<Opened>,
    tasks: JoinSet<()>,
}

struct Opened {
    address: Option<SocketAddr>,
    configs: watch::Sender<Arc<ServerConfig>>,
    stop: CancellationToken,
}

impl Secure {
    fn open(place: HttpsPlace, routes: Router, limits: Limits, cancel: &CancellationToken) -> Self {
        let unspecified = SocketAddr::from(([0, 0, 0, 0], 0));
        let (listen, always) = match place {
            HttpsPlace::WhileSwitched(listen) => (listen, None),
            HttpsPlace::Always(listener, config) => {
                (listener.local_addr().unwrap_or(unspecified), Some((listener, config)))
            }
        };
        let standing = always.as_ref().map(|(_, config)| Arc::clone(config));
        let (cancel, tasks) = (cancel.clone(), JoinSet::new());
        let mut secure = Self { listen, standing, routes, limits, cancel, opened: None, tasks };
        if let Some((listener, config)) = always {
            secure.serve(listener, config);
        }
        secure
    }

    fn serve(&mut self, listener: TcpListener, config: Arc<ServerConfig>) {
        let (address, stop) = (listener.local_addr().ok(), self.cancel.child_token());
        let (configs, current) = watch::channel(config);
        self.tasks.spawn(serve_with_changes(listener, self.routes.clone(), self.limits.clone(), current, stop.clone()));
        self.opened = Some(Opened { address, configs, stop });
    }

    /// Serves with this configuration; one that is open takes it for new connections.
    async fn turn_on(&mut self, config: Arc<ServerConfig>) -> io::Result<()> {
        match &self.opened {
            Some(opened) => drop(opened.configs.send_replace(config)),
            None => {
                let listener = bind(self.listen).await?;
                self.serve(listener, config);
            }
        }
        Ok(())
    }

    /// Serves as while HTTP is served too.
    fn turn_off(&mut self) -> io::Result<()> {
        match (&self.standing, &self.opened) {
            (Some(config), Some(opened)) => drop(opened.configs.send_replace(Arc::clone(config))),
            (_, Some(opened)) => {
                opened.stop.cancel();
                self.opened = None;
            }
            (_, None) => {}
        }
        while self.tasks.try_join_next().is_some() {}
        Ok(())
    }

    fn address(&self) -> Option<SocketAddr> {
        self.opened.as_ref().and_then(|opened| opened.address)
    }

    async fn close(mut self) {
        if let Some(opened) = &self.opened {
            opened.stop.cancel();
        }
        while self.tasks.join_next().await.is_some() {}
    }
}

async fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    let bound = TcpListener::bind(address).await;
    bound.inspect_err(|error| tracing::error!(%error, listener.address = %address, "failed to listen for HTTPS"))
}

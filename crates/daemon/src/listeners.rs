//! The sockets adapters are served on, and the file that tells their ports.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use anyhow::{Context, Result};
use axum::http::StatusCode;
use tokio::net::TcpListener;

/// One socket and the adapters behind it.
pub(crate) struct Listener {
    pub(crate) socket: TcpListener,
    pub(crate) address: SocketAddr,
    pub(crate) routes: axum::Router,
    /// The status of a path that nobody behind it knows.
    unknown: StatusCode,
}

/// All sockets of the daemon.
#[derive(Default)]
pub(crate) struct Listeners {
    /// By configured address: adapters with the same one share a socket.
    by_address: BTreeMap<SocketAddr, Listener>,
    names: BTreeMap<&'static str, SocketAddr>,
}

impl Listeners {
    /// Adds an adapter's routes to the socket of its address. Port 0 is a socket of its own. A path that the adapter
    /// does not know is answered with `unknown`, but where several share a socket that has no meaning for others.
    pub(crate) async fn add(
        &mut self,
        name: &'static str,
        wanted: SocketAddr,
        routes: axum::Router,
        unknown: StatusCode,
    ) -> Result<()> {
        if let Some(shared) = self.by_address.get_mut(&wanted).filter(|_| wanted.port() != 0) {
            shared.routes = std::mem::take(&mut shared.routes).merge(routes);
            if shared.unknown != unknown {
                shared.unknown = StatusCode::NOT_FOUND;
            }
            self.names.insert(name, shared.address);
            return Ok(());
        }
        let socket = TcpListener::bind(wanted).await.with_context(|| format!("{name} cannot listen on {wanted}"))?;
        let address = socket.local_addr().context("a socket without an address")?;
        self.names.insert(name, address);
        self.by_address.insert(address, Listener { socket, address, routes, unknown });
        Ok(())
    }

    /// Which adapter is reached where.
    pub(crate) fn names(&self) -> &BTreeMap<&'static str, SocketAddr> {
        &self.names
    }

    /// Writes `run/listeners.json` into the storage directory, whole or not at all.
    pub(crate) fn publish(&self, storage: &Path) -> Result<()> {
        write(&self.names, storage)
    }

    /// The sockets, to be served.
    pub(crate) fn into_sockets(self) -> impl Iterator<Item = Listener> {
        self.by_address.into_values().map(|mut listener| {
            let unknown = listener.unknown;
            listener.routes = listener.routes.fallback(move || std::future::ready(unknown));
            listener
        })
    }
}

/// What the file tells, while listeners come and go.
pub(crate) struct Published {
    names: Mutex<BTreeMap<&'static str, SocketAddr>>,
    storage: PathBuf,
}

impl Published {
    /// As it was published at the start.
    pub(crate) fn new(listeners: &Listeners, storage: &Path) -> Self {
        Self { names: Mutex::new(listeners.names.clone()), storage: storage.to_owned() }
    }

    /// Tells where a listener is reached from now on, if anywhere.
    pub(crate) fn announce(&self, name: &'static str, address: Option<SocketAddr>) {
        let mut names = self.names.lock().unwrap_or_else(PoisonError::into_inner);
        match address {
            Some(address) => {
                names.insert(name, address);
                tracing::info!(listener.name = name, listener.address = %address, "listening");
            }
            None if names.remove(name).is_some() => tracing::info!(listener.name = name, "no longer listening"),
            None => {}
        }
        if let Err(error) = write(&names, &self.storage) {
            tracing::error!(error = format!("{error:#}"), "nobody is told of a listener");
        }
    }
}

fn write(names: &BTreeMap<&'static str, SocketAddr>, storage: &Path) -> Result<()> {
    let dir = storage.join("run");
    let write = || -> std::io::Result<()> {
        std::fs::create_dir_all(&dir)?;
        let fresh = dir.join("listeners.json.new");
        std::fs::write(&fresh, serde_json::to_vec(names)?)?;
        std::fs::rename(fresh, dir.join("listeners.json"))
    };
    write().with_context(|| format!("{} cannot be written", dir.display()))
}

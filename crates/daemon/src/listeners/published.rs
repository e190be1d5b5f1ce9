//! The file that gives the addresses of the listeners.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use anyhow::{Context, Result};

/// The content of the file, while listeners come and go.
pub(super) struct Published {
    names: Mutex<BTreeMap<String, SocketAddr>>,
    storage: PathBuf,
}

impl Published {
    /// Writes `run/listeners.json` into the storage directory.
    pub(super) fn new(names: impl Iterator<Item = (String, SocketAddr)>, storage: &Path) -> Result<Self> {
        let names: BTreeMap<_, _> = names.collect();
        write(&names, storage)?;
        for (name, address) in &names {
            tracing::info!(listener.name = name, listener.address = %address, "listening");
        }
        Ok(Self { names: Mutex::new(names), storage: storage.to_owned() })
    }

    /// Publishes where a listener is reached from now on, if anywhere.
    pub(super) fn announce(&self, name: String, address: Option<SocketAddr>) {
        let mut names = self.names.lock().unwrap_or_else(PoisonError::into_inner);
        let changed = match address {
            Some(address) if names.get(&name) != Some(&address) => {
                tracing::info!(listener.name = name, listener.address = %address, "listening");
                names.insert(name, address);
                true
            }
            Some(_) => false,
            None => {
                let closed = names.remove(&name).is_some();
                if closed {
                    tracing::info!(listener.name = name, "no longer listening");
                }
                closed
            }
        };
        if changed && let Err(error) = write(&names, &self.storage) {
            tracing::error!(error = format!("{error:#}"), "failed to write listeners.json");
        }
    }
}

/// Writes the file, whole or not at all.
fn write(names: &BTreeMap<String, SocketAddr>, storage: &Path) -> Result<()> {
    let dir = storage.join("run");
    let write = || -> std::io::Result<()> {
        std::fs::create_dir_all(&dir)?;
        let fresh = dir.join("listeners.json.new");
        std::fs::write(&fresh, serde_json::to_vec(names)?)?;
        std::fs::rename(fresh, dir.join("listeners.json"))
    };
    write().with_context(|| format!("{} cannot be written", dir.display()))
}

//! Opens the sealed storage, and changes its keys while the device is stopped.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use store::{OpenError, Store, StoreKey};

use crate::config::Config;
use crate::key;
use crate::run::notify;

/// Opens the store; a damaged database is replaced by its last good copy, and a former version's is migrated and sealed
/// first.
pub(crate) async fn open(config: &Config, key: StoreKey) -> Result<Arc<Store>> {
    let storage = config.storage.dir.clone();
    let opening = tokio::task::spawn_blocking(move || Store::open(&storage, &key, store::Options::default()));
    Ok(Arc::new(keep_waiting(opening).await??))
}

/// Whether the database is damaged and there is no good copy of it, so that another start would not help.
pub(crate) fn is_beyond_repair(error: &anyhow::Error) -> bool {
    matches!(error.downcast_ref(), Some(OpenError::Damaged { .. }))
}

/// Has systemd wait for a migration, however long it takes.
pub(crate) async fn keep_waiting<T>(work: impl Future<Output = T>) -> T {
    let mut work = std::pin::pin!(work);
    loop {
        match tokio::time::timeout(Duration::from_secs(10), &mut work).await {
            Ok(done) => return done,
            Err(_) => notify(sd_notify::NotifyState::ExtendTimeoutUsec(60_000_000)),
        }
    }
}

/// Seals everything again with a new data key; with `new_key`, a file, that becomes the storage key first.
pub(crate) fn rotate(config: &Config, new_key: Option<&Path>) -> Result<()> {
    let dir = &config.storage.dir;
    let mut key = key::existing(&config.storage)?;
    if let Some(file) = new_key {
        let content = fs::read(file).with_context(|| format!("{} cannot be read", file.display()))?;
        let new = StoreKey::parse(&content);
        let new = new.with_context(|| format!("{} is no key: 32 bytes or 64 hexadecimal digits", file.display()))?;
        store::change(dir, &key, &new).context("the storage key cannot be changed")?;
        eprintln!("polyfaced: the storage key is now that of {}: put it in place of the former one", file.display());
        key = new;
    }
    store::turn(dir, &key).context("what is stored cannot be sealed again; the next start goes on")
}

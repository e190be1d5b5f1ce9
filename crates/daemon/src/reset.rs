//! Resets the device while it does not run: by command, or at a start, when it was asked for before.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;

use anyhow::{Context, Result, ensure};
use daemon::cli::Erase;
use domain::{Reset, ResetStores};
use store::Store;

use crate::config::Config;
use crate::{key, sealing};

/// Erases by command.
pub(crate) fn command(config: &Config, options: &Erase) -> Result<()> {
    let dir = config.storage.dir.display();
    let reset = wanted(options);
    if reset.everything {
        ensure!(options.yes, "this erases {dir} and its key for good: confirm with --yes");
        erase_everything(config, true)?;
        discard(&config.storage.dir);
        return Ok(());
    }
    ensure!(options.yes, "this erases {reset} in {dir} for good: confirm with --yes");
    let key = key::existing(&config.storage)?;
    let store = Store::open(&config.storage.dir, &key, store::Options::default());
    parts(&Arc::new(store.context("the store cannot be opened")?), &config.storage.dir, reset)
}

fn wanted(options: &Erase) -> Reset {
    let Erase { settings, people, records, .. } = *options;
    let reset = Reset { settings, people, records, everything: false };
    if reset.is_nothing() { Reset::EVERYTHING } else { reset }
}

/// Erases everything if that was asked for before this start.
pub(crate) fn everything_if_wanted(config: &Config) -> Result<()> {
    let wanted = store::wanted_reset(&config.storage.dir).context("the wanted reset cannot be read")?;
    if wanted.is_some_and(|reset| reset.everything) {
        tracing::warn!("resetting the device: everything is erased");
        erase_everything(config, false)?;
    }
    Ok(())
}

/// Resets the parts that were asked for before this start.
pub(crate) async fn parts_if_wanted(store: &Arc<Store>, config: &Config) -> Result<()> {
    let dir = config.storage.dir.clone();
    let Some(reset) = store::wanted_reset(&dir).context("the wanted reset cannot be read")? else { return Ok(()) };
    tracing::warn!(%reset, "resetting the device");
    let store = Arc::clone(store);
    let work = tokio::task::spawn_blocking(move || {
        parts(&store, &dir, reset)?;
        store::forget_reset(&dir).context("the wanted reset cannot be forgotten")
    });
    sealing::keep_waiting(work).await?
}

fn parts(store: &Arc<Store>, dir: &Path, reset: Reset) -> Result<()> {
    let stores = ResetStores { people: store.clone(), log: store.clone(), settings: store.clone() };
    stores.reset(reset).with_context(|| format!("{reset} cannot be reset"))?;
    if reset.people || reset.records {
        // Copies have what was removed.
        store.remove_copies().context("copies of the database cannot be removed")?;
    }
    if reset.people {
        remove_exports(dir).context("exports and uploads cannot be removed")?;
    }
    Ok(())
}

/// What other parts of the daemon keep of people.
fn remove_exports(dir: &Path) -> io::Result<()> {
    for folder in ["exports", "uploads"] {
        match fs::remove_dir_all(dir.join(folder)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    Ok(())
}

/// Destroys the keys, then removes everything. The service may not destroy a key that lies in a folder of others:
/// `strict` makes that an error. Without the data keys, which lie in the storage directory, it opens nothing.
fn erase_everything(config: &Config, strict: bool) -> Result<()> {
    // While the storage still tells where it is.
    let key = key::file(&config.storage)?;
    let destroy = || match key::destroy(&key) {
        Err(error) if strict => Err(io::Error::other(format!("{error:#}"))),
        Err(error) => {
            tracing::warn!(
                error = format!("{error:#}"),
                "the storage key stays; the keys that it opened are destroyed"
            );
            Ok(())
        }
        Ok(()) => Ok(()),
    };
    store::erase(&config.storage.dir, destroy).context("the storage directory cannot be erased")
}

/// Has the medium forget unused blocks, where the storage is a file system of its own: of another one, everything unused
/// would have to be discarded. The keys are gone in any case.
fn discard(dir: &Path) {
    if !is_mounted(dir) {
        return;
    }
    let trimmed = Command::new("fstrim").arg(dir).stdin(Stdio::null()).output();
    if trimmed.is_ok_and(|done| done.status.success()) {
        eprintln!("polyfaced: the medium was told to discard what was erased");
    } else {
        eprintln!(
            "polyfaced: the medium cannot be told to discard what was erased, which is unreadable without the keys"
        );
    }
}

fn is_mounted(dir: &Path) -> bool {
    let device = |path: &Path| fs::metadata(path).map(|about| about.dev()).ok();
    device(dir) != device(&dir.join(".."))
}

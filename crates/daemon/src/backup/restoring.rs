//! `polyfaced restore`.

use std::fs;
use std::io;
use std::os::unix::fs::{MetadataExt, chown};
use std::path::Path;

use anyhow::{Context, Result};
use daemon::cli;
use domain::names::printable;
use store::{Incoming, OpenError, RestoreError};

use super::manifest::Manifest;
use super::{reading, secrets};
use crate::config::Config;
use crate::key;

/// Replaces what is stored by the content of a backup. When it fails, nothing has changed.
pub(crate) fn restore(config: &Config, options: &cli::Restore) -> Result<()> {
    let dir = &config.storage.dir;
    let owner = owner_of(dir);
    let incoming = Incoming::begin(dir).map_err(explain)?;
    let content = secrets::open(&options.from, &options.identities)?;
    let opened = reading::read(content, &incoming)?;
    let own = key::to_restore(&config.storage)?;
    incoming.check(&opened.key, &own)?;
    if let Some((user, group)) = owner {
        give(&incoming.folder(), user, group)
            .context("what is restored cannot be given to the owner of the storage")?;
    }
    incoming.commit()?;
    report(&opened.manifest, dir);
    Ok(())
}

fn explain(error: RestoreError) -> anyhow::Error {
    let in_use = matches!(error, RestoreError::Open(OpenError::InUse { .. }));
    let error = anyhow::Error::new(error);
    if in_use { error.context("stop the daemon first") } else { error }
}

fn report(manifest: &Manifest, dir: &Path) {
    let Manifest { device, made_at, pictures, .. } = manifest;
    println!(
        "{}: restored from the backup of {} ({}) of {}, {} pictures; what was stored before is kept in before-restore \
         until the device is healthy",
        dir.display(),
        printable(&device.name),
        printable(&device.serial),
        printable(made_at),
        pictures.count
    );
}

/// Whose the storage directory is, where this user is another one and can give files away.
fn owner_of(dir: &Path) -> Option<(u32, u32)> {
    let about = fs::metadata(dir).ok()?;
    let root = rustix::process::geteuid().is_root();
    (root && about.uid() != 0).then(|| (about.uid(), about.gid()))
}

fn give(path: &Path, user: u32, group: u32) -> io::Result<()> {
    if path.is_dir() {
        for entry in fs::read_dir(path)? {
            give(&entry?.path(), user, group)?;
        }
    }
    chown(path, Some(user), Some(group))
}

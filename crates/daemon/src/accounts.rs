//! The first account, and passwords set from the command line.

use std::fs::{self, OpenOptions};
use std::io::{BufRead, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use domain::names::printable;
use domain::ports::Clock;
use domain::{Account, Actor, Appliance, Role};
use rand::RngExt;
use rand::distr::Alphanumeric;

use crate::adapters;
use crate::clock::SystemClock;
use crate::config::{Accounts, Config};
use crate::key;

const RANDOM_PASSWORD_CHARS: usize = 20;

/// The file with the password that was made up for the first account.
pub(crate) fn initial_password(storage: &Path) -> PathBuf {
    storage.join("initial-password")
}

/// Makes the administrator when the device has no account yet. A configured password is the one that restoring the
/// factory settings brings back; a made-up one never comes back once it was changed.
pub(crate) async fn ensure_admin(appliance: &Appliance, config: &Accounts, storage: &Path) -> Result<()> {
    let accounts = appliance.accounts().await.context("accounts cannot be read")?;
    if let Some(first) = accounts.first() {
        return remove_outdated_password(first, storage);
    }
    let configured = configured_password(config)?;
    let password = match &configured {
        Some(password) => password.clone(),
        None => random_password(storage)?,
    };
    let made = appliance.by(&Actor::system()).create_account(&config.admin_user, Role::Admin, password.as_str()).await;
    made.context("the administrator cannot be created")?;
    if configured.is_some() {
        appliance.keep_factory_login(&config.admin_user).await.context("the first password cannot be kept")?;
    }
    tracing::info!("administrator account created");
    Ok(())
}

/// Removes the initial password of an account that has another one since, as after a crash in between.
fn remove_outdated_password(first: &Account, storage: &Path) -> Result<()> {
    let file = initial_password(storage);
    if first.revision == 1 || !file.exists() {
        return Ok(());
    }
    fs::remove_file(&file).with_context(|| format!("{} cannot be removed", file.display()))
}

fn configured_password(config: &Accounts) -> Result<Option<String>> {
    let Some(file) = &config.admin_password_file else { return Ok(config.admin_password.clone()) };
    let text = fs::read_to_string(file).with_context(|| format!("{} cannot be read", file.display()))?;
    Ok(Some(text.trim_end_matches(['\r', '\n']).to_owned()))
}

/// Makes a password and writes it to `initial-password`, for the owner's eyes only.
fn random_password(storage: &Path) -> Result<String> {
    let password: String = rand::rng().sample_iter(Alphanumeric).take(RANDOM_PASSWORD_CHARS).map(char::from).collect();
    let file = initial_password(storage);
    let write = || -> std::io::Result<()> {
        let mut out = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&file)?;
        writeln!(out, "{password}")?;
        out.sync_all()
    };
    write().with_context(|| format!("{} cannot be written", file.display()))?;
    tracing::warn!(file = %file.display(), "a random administrator password was written; changing it removes the file");
    Ok(password)
}

/// Reads a password from standard input and sets it; the daemon may be running meanwhile.
pub(crate) fn read_and_set_password(config: &Config, user: &str) -> Result<()> {
    let mut line = String::new();
    std::io::stdin().lock().read_line(&mut line).context("standard input cannot be read")?;
    let password = line.trim_end_matches(['\r', '\n']);
    let hashes = domain::hash_password(user, adapters::digest_realm(config), password)?;
    let key = key::existing(&config.storage)?;
    let store = store::Store::open_beside(&config.storage.dir, &key).context("the store cannot be opened")?;
    let initial = initial_password(&config.storage.dir);
    match domain::set_password_beside(&store, user, &hashes, &initial, SystemClock.now()) {
        Ok(()) => Ok(()),
        Err(domain::Error::NotFound { .. }) => bail!("there is no user {}", printable(user)),
        Err(error) => bail!("{}", error.chain()),
    }
}

//! `polyfaced install-packages`: installs the signed package that the daemon has put into its spool. Run by
//! polyface-upgrade.service as root, on a machine without two software slots.
//!
//! Nothing of the daemon is believed: the package is copied out of its reach, then signature, product and version are
//! checked again, with the key of the configuration, which the daemon cannot write. What is checked stays until dpkg is
//! done with it; after a power cut the next start of the machine goes on.

mod archive;
mod dpkg;

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use domain::upgrades::verify_package;
use semver::Version;

use crate::config::Config;
use crate::upgrades;

/// Name of the folder with packages that may be installed.
const READY: &str = "ready";
/// Name of the folder while it is filled.
const PART: &str = "ready.part";
/// Name of the file that tells the daemon how it went: empty, or why not.
const ANSWER: &str = "answer";
/// The version that is installed.
const INSTALLED: &str = env!("CARGO_PKG_VERSION");

/// The parts of the machine that are used.
#[derive(Debug, Clone)]
pub(crate) struct Places {
    /// Folder of root; systemd makes it.
    state: PathBuf,
    /// Configuration of RAUC, which exists on a machine with slots.
    rauc: PathBuf,
    /// The program that installs.
    dpkg: PathBuf,
}

impl Default for Places {
    fn default() -> Self {
        Self { state: "/var/lib/polyface-upgrade".into(), rauc: "/etc/rauc/system.conf".into(), dpkg: "dpkg".into() }
    }
}

/// Installs what is in the spool, or what a power cut interrupted; nothing where there is neither. The answer is on disk
/// when this returns.
pub(crate) fn run(config: &Config, places: &Places) -> Result<()> {
    let done = install(config, places);
    let answer = done.as_ref().err().map(|error| format!("{error:#}")).unwrap_or_default();
    write_answer(&places.state, &answer).context("the answer cannot be written")?;
    done
}

fn install(config: &Config, places: &Places) -> Result<()> {
    ensure!(!places.rauc.exists(), "this machine has two software slots and takes RAUC bundles");
    let ready = places.state.join(READY);
    if !ready.exists() {
        remove_if_there(&places.state.join(ANSWER))?;
        admit(config, places)?;
    }
    let installed = dpkg::install(&places.dpkg, &ready);
    // Repeating what dpkg refuses would have it refused again.
    fs::remove_dir_all(&ready).context("the installed packages cannot be removed")?;
    installed
}

/// Takes the package out of the spool and unpacks it when it may be installed.
fn admit(config: &Config, places: &Places) -> Result<()> {
    let spool = upgrades::folder(config).join(upgrades::SPOOL).join("package");
    let package = take(&spool, &places.state).context("the package cannot be read")?;
    let mut package = verify_package(package, config.host.upgrade_key.as_deref())?;
    let installed: Version = INSTALLED.parse().context("the installed version cannot be read")?;
    let version = package.version().clone();
    let newer = version > installed || config.host.allow_downgrade;
    ensure!(newer, "{version} is not above the installed {installed}");
    let part = places.state.join(PART);
    let unpacked = archive::unpack(&mut package, &part).and_then(|()| archive::check(&part, &version.to_string()));
    if let Err(error) = unpacked {
        let _ = fs::remove_dir_all(&part);
        return Err(error);
    }
    fs::rename(&part, places.state.join(READY)).context("the packages cannot be kept")?;
    sync(&places.state).context("the packages cannot be kept")
}

/// A copy of a file, which only root can reach; the file is removed. A link is not followed, and a pipe not waited for.
fn take(spool: &Path, state: &Path) -> io::Result<File> {
    let flags = rustix::fs::OFlags::NOFOLLOW | rustix::fs::OFlags::NONBLOCK;
    let mut from = OpenOptions::new().read(true).custom_flags(flags.bits().cast_signed()).open(spool)?;
    if !from.metadata()?.is_file() {
        return Err(io::Error::new(ErrorKind::InvalidInput, "not a regular file"));
    }
    let copy = state.join("package");
    remove_if_there(&copy)?;
    let mut to = OpenOptions::new().read(true).write(true).create_new(true).mode(0o600).open(&copy)?;
    // Its name is not needed any more.
    fs::remove_file(&copy)?;
    io::copy(&mut from, &mut to)?;
    fs::remove_file(spool)?;
    Ok(to)
}

fn remove_if_there(file: &Path) -> io::Result<()> {
    match fs::remove_file(file) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// The daemon may read it.
fn write_answer(state: &Path, text: &str) -> io::Result<()> {
    let part = state.join("answer.part");
    fs::write(&part, text)?;
    fs::set_permissions(&part, fs::Permissions::from_mode(0o644))?;
    File::open(&part)?.sync_all()?;
    fs::rename(part, state.join(ANSWER))?;
    sync(state)
}

fn sync(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

#[cfg(test)]
mod tests;

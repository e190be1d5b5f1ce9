//! What can be tried without starting: folders, files, models, devices.

use std::fs;
use std::io;
use std::path::Path;

use rustix::fs::{Access, access};
use vision::OpenError;

use super::ports;
use super::problem::Problems;
use super::{Accounts, Config, Door, Host, HostBackend, Terminal};
use crate::key;
use crate::{models, run};

/// Adds everything that would keep a start from doing what the file says. Changes nothing on the machine.
pub(super) fn run(config: &Config, problems: &mut Problems<'_>) {
    try_folder("storage.dir", &config.storage.dir, problems);
    if let Some(fault) = key::fault(&config.storage) {
        problems.add("storage.key", fault);
    }
    if config.backup.is_daily() {
        // It is not made: where a medium is not mounted, nothing must be written below its mount point.
        let there = config.backup.dir.is_dir();
        problems.require(there, "backup.dir", "is not a folder; make it, or mount what it is on");
        try_folder("backup.dir", &config.backup.dir, problems);
    }
    try_models(config, problems);
    if !store::Store::exists(&config.storage.dir) {
        try_password(&config.accounts, problems);
    }
    if config.host.backend == HostBackend::Auto {
        try_door(&config.door, problems);
    }
    for (number, reader) in config.reader.iter().enumerate().filter(|(_, reader)| reader.device.is_absolute()) {
        try_device(&format!("reader.{number}.device"), &reader.device, problems);
    }
    try_host(&config.host, problems);
    ports::check_reach(config, problems);
    try_certificate(config, problems);
    if config.terminal.enabled {
        try_broker(&config.terminal, problems);
    }
    if config.sophon.enabled
        && let Err(why) = config.sophon.login()
    {
        problems.add("sophon.password_file", why);
    }
    if config.sophon.enabled {
        try_file("sophon.ca_file", &config.sophon.ca_file, problems);
    }
    if config.sophon.enabled
        && config.sophon.ftp
        && let Err(why) = config.sophon.ftp_login()
    {
        problems.add("sophon.ftp_password_file", why);
    }
}

/// The folder, or the nearest above it that exists, must be one that can be written to.
fn try_folder(key: &str, dir: &Path, problems: &mut Problems<'_>) {
    // A relative folder begins where the program was started.
    let nearest = dir.ancestors().find(|folder| folder.exists()).unwrap_or(Path::new("."));
    let nearest_shown = nearest.display();
    if !nearest.is_dir() {
        problems.add(key, format!("{nearest_shown} is not a folder"));
    } else if let Err(error) = access(nearest, Access::WRITE_OK | Access::EXEC_OK) {
        problems.add(key, format!("{nearest_shown} cannot be written to: {}", io::Error::from(error)));
    }
}

fn try_models(config: &Config, problems: &mut Problems<'_>) {
    let Err(error) = vision::check(&models::options(config)) else { return };
    let key = match error {
        OpenError::UnknownSet { .. } => "models.set",
        OpenError::NoLiveness { .. } => "vision.liveness",
        _ => "models.dir",
    };
    let source = std::error::Error::source(&error).map(|source| format!(": {source}")).unwrap_or_default();
    problems.add(key, format!("{error}{source}"));
}

fn try_password(accounts: &Accounts, problems: &mut Problems<'_>) {
    let key = "accounts.admin_password_file";
    match accounts.admin_password_file.as_deref().map(fs::read_to_string) {
        Some(Ok(text)) => problems.require(!text.trim().is_empty(), key, "the file is empty"),
        Some(Err(error)) => problems.add(key, format!("the file cannot be read: {error}")),
        None => {}
    }
}

fn try_door(door: &Door, problems: &mut Problems<'_>) {
    if let Some(line) = door.contact_line() {
        try_device("door.contact", &line.chip, problems);
    }
    if let Some(line) = door.number_line() {
        try_device("door.wiegand", &line.chip, problems);
    }
}

fn try_device(key: &str, device: &Path, problems: &mut Problems<'_>) {
    if let Err(error) = access(device, Access::READ_OK | Access::WRITE_OK) {
        problems.add(key, format!("{} cannot be opened: {}", device.display(), io::Error::from(error)));
    }
}

fn try_host(host: &Host, problems: &mut Problems<'_>) {
    if let Some(key) = &host.upgrade_key {
        let usable = domain::is_upgrade_key(key);
        problems.require(usable, "host.upgrade_key", "is not a minisign public key, a line that begins with RW");
    }
    let absent = host.sounds != Host::default().sounds && !host.sounds.is_dir();
    problems.require(!absent, "host.sounds", format!("{} is not a folder", host.sounds.display()));
}

/// The certificate of HTTPS, unless it is still to be made.
fn try_certificate(config: &Config, problems: &mut Problems<'_>) {
    let Some(place) = config.places().into_iter().find(|place| place.https.is_some()) else { return };
    let folder = run::own_certificate_folder(config);
    if folder.join("certificate.pem").exists()
        && let Err(error) = adapter::own_certificate(folder.clone(), &config.device.name)
    {
        let key = format!("{}.listen_https", place.section);
        problems.add(key, format!("the certificate in {} cannot be used: {error}", folder.display()));
    }
}

fn try_broker(terminal: &Terminal, problems: &mut Problems<'_>) {
    for (key, file) in [("password_file", &terminal.password_file), ("ca_file", &terminal.ca_file)] {
        try_file(&format!("terminal.{key}"), file, problems);
    }
}

/// A file that need not be named, but must be readable if it is.
fn try_file(key: &str, file: &Path, problems: &mut Problems<'_>) {
    let tried = if file.as_os_str().is_empty() { Ok(()) } else { fs::read(file).map(drop) };
    if let Err(error) = tried {
        problems.add(key, format!("the file cannot be read: {error}"));
    }
}

//! The storage directory, its key, and the backups.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::{Duration, UNIX_EPOCH};

use bytesize::ByteSize;
use store::{OpenError, Store};

use super::finding::Finding;
use crate::config::Config;
use crate::key::{self, Loaded};
use crate::{backup, run, serial, upkeep};

const CHECK: &str = "storage";
const BACKUP: &str = "backup";
const DATABASE: &str = "database";
/// A newest backup older than this is a problem.
const TOO_OLD: Duration = Duration::from_secs(48 * 3600);

/// Space, owner, key and database.
pub(super) fn examine(config: &Config) -> Vec<Finding> {
    let dir = &config.storage.dir;
    let mut findings = vec![space(config)];
    if !Store::exists(dir) {
        findings.push(Finding::ok(CHECK, format!("{} is empty: the first start makes the database", dir.display())));
        return findings;
    }
    findings.extend(strangers_files(dir));
    findings.extend(database(config));
    findings.extend(copies(config));
    findings
}

fn space(config: &Config) -> Finding {
    let dir = &config.storage.dir;
    // A missing directory is made at the first start.
    let nearest = dir.ancestors().find(|folder| folder.exists()).unwrap_or(Path::new("."));
    let free = match rustix::fs::statvfs(nearest) {
        Ok(system) => system.f_bavail * system.f_frsize,
        Err(error) => return Finding::problem(CHECK, format!("{}: {error}", nearest.display()), "mount the medium"),
    };
    let reserve = run::storage_limits(config).reserve();
    let found = format!("{} are free for {}", ByteSize::b(free), dir.display());
    if free <= reserve {
        let remedy = "remove other files from this file system, or lower storage.max_bytes";
        return Finding::problem(CHECK, format!("{found}, {} must be", ByteSize::b(reserve)), remedy);
    }
    if free < 4 * reserve {
        return Finding::warning(CHECK, format!("only {found}"), "remove other files from this file system soon");
    }
    Finding::ok(CHECK, found)
}

/// Files of another user, as commands that were run as root leave them: the daemon cannot open them.
fn strangers_files(dir: &Path) -> Option<Finding> {
    let owner = fs::metadata(dir).ok()?.uid();
    let entries = fs::read_dir(dir).ok()?.flatten();
    let of_others = entries.filter(|entry| entry.metadata().is_ok_and(|about| about.uid() != owner));
    let names: Vec<_> = of_others.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    if names.is_empty() {
        return None;
    }
    let found = format!("{} in {} belong to another user than the directory", names.join(", "), dir.display());
    Some(Finding::problem(CHECK, found, "give them to its user with chown -R"))
}

fn database(config: &Config) -> Vec<Finding> {
    const KEY: &str = "storage key";
    let Loaded { key, attention } = match key::existing_loaded(&config.storage) {
        Ok(loaded) => loaded,
        Err(error) => {
            let remedy = "run this as root or as the user of the service; a lost key comes back only from its copy";
            return vec![Finding::problem(KEY, format!("{error:#}"), remedy)];
        }
    };
    let mut findings = Vec::new();
    match Store::open_beside(&config.storage.dir, &key) {
        Ok(_) => findings.push(Finding::ok(KEY, "it opens what is stored")),
        Err(error @ (OpenError::Older { .. } | OpenError::Unfinished)) => {
            findings.push(Finding::warning(CHECK, error.to_string(), "start the daemon"));
        }
        Err(error @ OpenError::Newer { .. }) => {
            findings.push(Finding::problem(CHECK, error.to_string(), "or restore a backup of this version"));
        }
        Err(error) => {
            let remedy = "put the right key in place, or restore a backup with polyfaced restore";
            findings.push(Finding::problem(KEY, format!("{:#}", anyhow::Error::new(error)), remedy));
        }
    }
    findings.extend(attention.map(|text| Finding::warning(KEY, text, "use polyface-key.service or storage.key")));
    findings
}

/// Whether there is a recent good copy, and a database that was damaged.
fn copies(config: &Config) -> Vec<Finding> {
    let dir = &config.storage.dir;
    let newest = match store::newest_copy(dir) {
        Err(error) => {
            return vec![Finding::problem(DATABASE, format!("{}: {error}", dir.display()), "run this as root")];
        }
        Ok(newest) => newest,
    };
    let mut findings = Vec::new();
    let age = newest.map(|made| made.elapsed().unwrap_or_default());
    findings.extend(match age {
        _ if config.storage.copies == 0 => None,
        None => Some(Finding::warning(DATABASE, "there is no good copy of it", "the running daemon makes one")),
        Some(age) if age > upkeep::TOO_OLD => {
            let found = format!("its newest good copy is {} hours old", age.as_secs() / 3600);
            Some(Finding::warning(DATABASE, found, "see the reason in the daemon's log"))
        }
        Some(age) => Some(Finding::ok(DATABASE, format!("its newest good copy is {} hours old", age.as_secs() / 3600))),
    });
    let damaged = store::damaged_databases(dir).unwrap_or_default();
    findings.extend(damaged.last().map(|file| {
        let found = format!("it was damaged, {} is what it was", file.display());
        Finding::warning(DATABASE, found, "examine the medium with smartctl; remove the file when it is not needed")
    }));
    findings
}

/// Whether there are backups, and recent ones.
pub(super) fn backups(config: &Config) -> Finding {
    if !config.backup.is_daily() {
        return Finding::warning(BACKUP, "no daily backup is configured", "set dir and recipients in [backup]");
    }
    let dir = config.backup.dir.display();
    let serial = config.device.serial.clone().unwrap_or_else(serial::machine_id);
    match backup::newest(&config.backup.dir, &serial) {
        // Already a problem of the configuration.
        Err(error) => Finding::warning(BACKUP, format!("{dir}: {error}"), "mount the medium of the backups"),
        Ok(None) => Finding::warning(BACKUP, format!("{dir} has no backup yet"), "the running daemon writes one"),
        Ok(Some(written)) => {
            let age = UNIX_EPOCH.elapsed().unwrap_or_default().saturating_sub(written);
            let found = format!("the newest backup in {dir} is {} hours old", age.as_secs() / 3600);
            if age > TOO_OLD {
                Finding::problem(BACKUP, found, "see the reason in the daemon's log")
            } else {
                Finding::ok(BACKUP, found)
            }
        }
    }
}

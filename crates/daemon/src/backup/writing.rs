//! Writes a backup.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use daemon::cli;
use domain::names::printable;
use store::{Snapshot, Store, StoreKey};

use super::archive::Archive;
use super::manifest::{Device, Entry, FORMAT, Manifest, Notes, Pictures};
use super::names;
use super::secrets::Lock;
use crate::config::Config;
use crate::{key, serial};

/// What goes into a backup.
pub(super) struct Content<'a> {
    pub(super) dir: &'a Path,
    pub(super) key: &'a StoreKey,
    pub(super) device: Device,
    /// Certificates, private keys and sounds too.
    pub(super) with_keys: bool,
}

/// What a backup contains.
pub(super) struct Written {
    pub(super) bytes: u64,
    pub(super) pictures: Pictures,
}

/// `polyfaced backup`.
pub(crate) fn command(config: &Config, options: &cli::Backup) -> Result<()> {
    let to = &options.to;
    require_free(to, options.force)?;
    let dir = &config.storage.dir;
    ensure!(Store::exists(dir), "{} has no database yet: there is nothing to back up", dir.display());
    let key = key::existing(&config.storage)?;
    let recipients = if options.recipients.is_empty() { &config.backup.recipients } else { &options.recipients };
    let lock = if options.passphrase || recipients.is_empty() {
        Lock::with_new_pass_phrase()?
    } else {
        Lock::for_recipients(recipients)?
    };
    let content = Content { dir: &config.storage.dir, key: &key, device: device(config), with_keys: options.with_keys };
    let Written { bytes, pictures } = write(&content, lock, to, options.force, &|| false)?;
    println!("{}: {bytes} bytes, {} pictures", to.display(), pictures.count);
    if pictures.missing > 0 {
        eprintln!("polyfaced: {} pictures were removed meanwhile and are not in the backup", pictures.missing);
    }
    Ok(())
}

/// The device, as backups name it.
pub(super) fn device(config: &Config) -> Device {
    let serial = config.device.serial.clone().unwrap_or_else(serial::machine_id);
    Device { name: config.device.name.clone(), serial }
}

/// Writes a backup, whole or not at all. `stop` is asked again and again; blocking.
pub(super) fn write(
    content: &Content<'_>,
    lock: Lock,
    to: &Path,
    force: bool,
    stop: &dyn Fn() -> bool,
) -> Result<Written> {
    let part = to.with_added_extension("part");
    let written = write_part(content, lock, &part, stop).and_then(|pictures| {
        require_free(to, force)?;
        let bytes = fs::metadata(&part)?.len();
        let named = || -> io::Result<()> {
            fs::rename(&part, to)?;
            File::open(folder(to))?.sync_all()
        };
        named().with_context(|| format!("{} cannot be written", to.display()))?;
        Ok(Written { bytes, pictures })
    });
    if written.is_err() {
        // Missing, or replaced by the next one.
        let _ = fs::remove_file(&part);
    }
    written
}

fn require_free(to: &Path, force: bool) -> Result<()> {
    let there = fs::symlink_metadata(to).is_ok();
    ensure!(force || !there, "{} exists; replace it with --force", to.display());
    Ok(())
}

fn folder(file: &Path) -> &Path {
    file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

fn write_part(content: &Content<'_>, lock: Lock, part: &Path, stop: &dyn Fn() -> bool) -> Result<Pictures> {
    let encryptor = lock.encryptor()?;
    let snapshot = Snapshot::take(content.dir, content.key, stop).context("what is stored cannot be copied")?;
    let create = || -> io::Result<File> {
        match fs::remove_file(part) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        OpenOptions::new().write(true).create_new(true).mode(0o600).open(part)
    };
    let cannot = || format!("{} cannot be written", part.display());
    let file = create().with_context(cannot)?;
    let now = jiff::Timestamp::now();
    let mut archive = Archive::new(file, encryptor, now.as_second().unsigned_abs()).with_context(cannot)?;
    let mut notes = Notes::default();
    add_store(&mut archive, &mut notes, &snapshot).with_context(cannot)?;
    if content.with_keys {
        add_own(&mut archive, &mut notes, content.dir).with_context(cannot)?;
    }
    add_pictures(&mut archive, &mut notes, &snapshot, stop).with_context(cannot)?;
    snapshot.confirm().context("what is stored cannot be copied")?;
    let (members, pictures) = notes.finish();
    let manifest = Manifest {
        format: FORMAT,
        product: "polyface".to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        schema: snapshot.version(),
        device: content.device.clone(),
        made_at: now.to_string(),
        members,
        pictures: pictures.clone(),
    };
    let manifest = serde_json::to_vec_pretty(&manifest)?;
    archive.add(names::MANIFEST, manifest.len() as u64, manifest.as_slice()).with_context(cannot)?;
    archive.finish().with_context(cannot)?;
    Ok(pictures)
}

fn add_store(archive: &mut Archive, notes: &mut Notes, snapshot: &Snapshot) -> io::Result<()> {
    let (database, key) = (snapshot.database(), snapshot.key().to_hex());
    notes.members.push(archive.add(names::KEY, key.len() as u64, key.as_bytes())?);
    let data_keys = snapshot.data_keys();
    notes.members.push(archive.add(names::DATA_KEYS, data_keys.len() as u64, data_keys)?);
    notes.members.push(add_file(archive, names::DATABASE, &database)?);
    Ok(())
}

/// Certificates, private keys and sounds, as far as there are any.
fn add_own(archive: &mut Archive, notes: &mut Notes, dir: &Path) -> io::Result<()> {
    for name in names::OWN {
        let file = dir.join(name);
        if file.is_file() {
            notes.members.push(add_file(archive, name, &file)?);
        }
    }
    for name in sounds(dir)? {
        let file = names::sound_file(dir, &name);
        notes.members.push(add_file(archive, &format!("{}/{name}", names::SOUNDS), &file)?);
    }
    Ok(())
}

fn sounds(dir: &Path) -> io::Result<Vec<String>> {
    let entries = match fs::read_dir(dir.join(names::SOUNDS)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries?,
    };
    let mut sounds = Vec::new();
    for entry in entries {
        let name = entry?.file_name().to_string_lossy().into_owned();
        if names::is_sound(&name) && names::sound_file(dir, &name).is_file() {
            sounds.push(name);
        } else {
            eprintln!("polyfaced: {} is not backed up: it is no sound, or its name is too long", printable(&name));
        }
    }
    sounds.sort_unstable();
    Ok(sounds)
}

fn add_file(archive: &mut Archive, name: &str, file: &PathBuf) -> io::Result<Entry> {
    let content = File::open(file)?;
    let bytes = content.metadata()?.len();
    archive.add(name, bytes, content)
}

fn add_pictures(
    archive: &mut Archive,
    notes: &mut Notes,
    snapshot: &Snapshot,
    stop: &dyn Fn() -> bool,
) -> io::Result<()> {
    snapshot.pictures(&mut |id, content| {
        if stop() {
            return Err(io::Error::other("the backup was stopped"));
        }
        let name = names::of_picture(id);
        match content {
            None => notes.note_missing(id.as_str()),
            Some(content) => notes.note_picture(&archive.add(&name, content.len() as u64, content.as_slice())?),
        }
        Ok(())
    })
}

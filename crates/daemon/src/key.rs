//! Where the key of the storage directory comes from.
//!
//! | place | when |
//! |---|---|
//! | the file `storage.key` | it is configured |
//! | systemd's credential `store-key` | the service has it |
//! | `<storage.dir>.key` | otherwise |
//!
//! A file that does not exist is made at the first start, and never once something is sealed.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, fchown};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use store::StoreKey;

use crate::config::Storage;

/// Name of the credential.
const CREDENTIAL: &str = "store-key";
/// Where systemd keeps the credential of the running service, for commands that run beside it.
const OF_SERVICE: &str = "/run/credentials/polyface.service";
/// Where the credential lies between starts, see `systemd/polyface-key.service`.
const ENCRYPTED: &str = "/etc/credstore.encrypted/polyface.store-key";

enum Source {
    Credential(PathBuf),
    File(PathBuf),
}

/// The key, and what the owner should know about it.
pub(crate) struct Loaded {
    pub(crate) key: StoreKey,
    /// The key lies in clear on the medium that it protects.
    pub(crate) attention: Option<String>,
}

/// The key of an existing store, for commands beside the daemon.
pub(crate) fn existing(storage: &Storage) -> Result<StoreKey> {
    read(&within_reach(storage, Path::new(ENCRYPTED))?, storage)?.with_context(|| missing(storage))
}

/// The key, which is made when nothing is sealed yet.
pub(crate) fn load_or_make(storage: &Storage) -> Result<Loaded> {
    let source = source(storage)?;
    let key = match read(&source, storage)? {
        Some(key) => key,
        None => make_first(&source, storage)?,
    };
    Ok(Loaded { key, attention: attention(&source, &storage.dir) })
}

/// The key that a restored storage is sealed with from now on, which is made when there is none.
pub(crate) fn to_restore(storage: &Storage) -> Result<StoreKey> {
    match within_reach(storage, Path::new(ENCRYPTED))? {
        // What is sealed with a lost key is replaced.
        Source::File(file) if !file.exists() => make(&file, storage),
        source => read(&source, storage)?.with_context(|| missing(storage)),
    }
}

/// As [`source`], for a command: the credential `encrypted` of a service that is stopped is out of its reach.
fn within_reach(storage: &Storage, encrypted: &Path) -> Result<Source> {
    let source = source(storage)?;
    if let Source::File(file) = &source {
        ensure!(
            !is_credential(storage, file, encrypted),
            "the storage key is a credential of the service: run this command as systemd-run --pipe --wait \
             -p LoadCredentialEncrypted={CREDENTIAL}:{} polyfaced …",
            encrypted.display()
        );
    }
    Ok(source)
}

/// Whether the service has the key as a credential, since there is no such file.
fn is_credential(storage: &Storage, file: &Path, encrypted: &Path) -> bool {
    named(storage).is_none() && !file.exists() && encrypted.exists()
}

/// As [`existing`], and what the owner should know about it.
pub(crate) fn existing_loaded(storage: &Storage) -> Result<Loaded> {
    let key = existing(storage)?;
    Ok(Loaded { key, attention: attention(&source(storage)?, &storage.dir) })
}

/// What is wrong with a configured key file; nothing when it is still to be made.
pub(crate) fn fault(storage: &Storage) -> Option<String> {
    let file = named(storage)?;
    read(&Source::File(file.to_owned()), storage).err().map(|error| format!("{error:#}"))
}

/// The file that the key lies in; that of a credential, encrypted, between starts of the unit.
pub(crate) fn file(storage: &Storage) -> Result<PathBuf> {
    Ok(match source(storage)? {
        // The service is stopped, and its credential is not to be seen.
        Source::File(file) if is_credential(storage, &file, Path::new(ENCRYPTED)) => PathBuf::from(ENCRYPTED),
        Source::File(file) => file,
        Source::Credential(_) => PathBuf::from(ENCRYPTED),
    })
}

/// Destroys the file of a key, if this user may.
pub(crate) fn destroy(file: &Path) -> Result<()> {
    let overwrite = || -> io::Result<()> {
        let length = fs::metadata(file)?.len();
        let mut out = OpenOptions::new().write(true).open(file)?;
        out.write_all(&vec![0; usize::try_from(length).unwrap_or_default()])?;
        out.sync_all()?;
        fs::remove_file(file)?;
        sync_folder(file)
    };
    match overwrite() {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            Err(error).with_context(|| format!("the storage key {} cannot be destroyed", file.display()))
        }
        _ => Ok(()),
    }
}

/// The configured key file.
fn named(storage: &Storage) -> Option<&Path> {
    storage.key.as_deref().filter(|file| !file.as_os_str().is_empty())
}

fn source(storage: &Storage) -> Result<Source> {
    if let Some(file) = named(storage) {
        return Ok(Source::File(file.to_owned()));
    }
    let own = std::env::var_os("CREDENTIALS_DIRECTORY").map(|folder| Path::new(&folder).join(CREDENTIAL));
    if let Some(file) = own.filter(|file| file.exists()) {
        return Ok(Source::Credential(file));
    }
    let file = beside(&storage.dir)?;
    let of_service = Path::new(OF_SERVICE).join(CREDENTIAL);
    if !file.exists() && store::is_sealed(&storage.dir)? && of_service.exists() {
        return Ok(Source::Credential(of_service));
    }
    Ok(Source::File(file))
}

/// The key file that is used unless another is named: beside the storage directory.
fn beside(dir: &Path) -> Result<PathBuf> {
    let dir = std::path::absolute(dir)?;
    ensure!(dir.file_name().is_some(), "storage.key: a key file must be named for {}", dir.display());
    Ok(dir.with_added_extension("key"))
}

fn read(source: &Source, storage: &Storage) -> Result<Option<StoreKey>> {
    let (Source::Credential(file) | Source::File(file)) = source;
    let content = match fs::read(file) {
        Ok(content) => content,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error).with_context(|| format!("the storage key {} cannot be read", file.display())),
    };
    if let Source::File(file) = source {
        require_outside(file, &storage.dir)?;
        let mode = fs::metadata(file)?.mode();
        ensure!(mode & 0o077 == 0, "the storage key {} can be read by others: set its mode to 0600", file.display());
    }
    let key = StoreKey::parse(&content);
    let key =
        key.with_context(|| format!("{} is no storage key: 32 bytes or 64 hexadecimal digits", file.display()))?;
    Ok(Some(key))
}

fn require_outside(file: &Path, dir: &Path) -> Result<()> {
    let folder = file.parent().unwrap_or(Path::new("/"));
    if let (Ok(folder), Ok(dir)) = (folder.canonicalize(), dir.canonicalize()) {
        let inside = folder.starts_with(dir);
        ensure!(!inside, "the storage key {} must not lie in the storage directory that it seals", file.display());
    }
    Ok(())
}

fn make_first(source: &Source, storage: &Storage) -> Result<StoreKey> {
    let Source::File(file) = source else { bail!(missing(storage)) };
    ensure!(!store::is_sealed(&storage.dir)?, missing(storage));
    make(file, storage)
}

fn make(file: &Path, storage: &Storage) -> Result<StoreKey> {
    require_outside(file, &storage.dir)?;
    let key = StoreKey::random().context("the storage key cannot be made")?;
    let write = || -> io::Result<()> {
        fs::create_dir_all(file.parent().unwrap_or(Path::new("/")))?;
        let mut out = OpenOptions::new().write(true).create_new(true).mode(0o600).open(file)?;
        writeln!(out, "{}", *key.to_hex())?;
        if let Ok(owner) = fs::metadata(&storage.dir) {
            // Made by root for the service; another user may not, and need not.
            let _ = fchown(&out, Some(owner.uid()), Some(owner.gid()));
        }
        out.sync_all()?;
        sync_folder(file)
    };
    write().with_context(|| format!("the storage key {} cannot be written", file.display()))?;
    tracing::warn!(file = %file.display(), "a storage key was made; what is stored cannot be read without it");
    Ok(key)
}

fn sync_folder(file: &Path) -> io::Result<()> {
    File::open(file.parent().unwrap_or(Path::new("/")))?.sync_all()
}

fn missing(storage: &Storage) -> String {
    let place = match source(storage) {
        Ok(Source::File(file) | Source::Credential(file)) => file.display().to_string(),
        Err(_) => "storage.key".to_owned(),
    };
    format!("the storage key {place} is missing, but {} is sealed with it: restore the key", storage.dir.display())
}

/// Whoever takes the medium has the key as well.
fn attention(source: &Source, dir: &Path) -> Option<String> {
    let Source::File(file) = source else { return None };
    let parent = dir.parent().unwrap_or(Path::new("/"));
    let device = |path: &Path| fs::metadata(path).map(|about| about.dev()).ok();
    let (key, stored) = (device(file)?, device(dir).or_else(|| device(parent))?);
    (key == stored).then(|| {
        format!(
            "the key {} lies in clear on the file system of what it seals: who takes the medium can read everything",
            file.display()
        )
    })
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn storage(dir: &Path) -> Storage {
        Storage { dir: dir.join("storage"), key: Some(dir.join("key")), ..Storage::default() }
    }

    fn text<T>(result: Result<T>) -> String {
        result.err().map(|error| format!("{error:#}")).unwrap_or_default()
    }

    #[test]
    fn a_key_is_made_once_and_private() {
        let dir = tempfile::tempdir().unwrap();
        let storage = storage(dir.path());
        let made = load_or_make(&storage).unwrap();
        assert_eq!(fs::metadata(dir.path().join("key")).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(*load_or_make(&storage).unwrap().key.to_hex(), *made.key.to_hex());
        assert!(made.attention.unwrap().contains("lies in clear"));
    }

    #[test]
    fn no_key_is_made_over_sealed_values() {
        let dir = tempfile::tempdir().unwrap();
        let storage = storage(dir.path());
        let key = load_or_make(&storage).unwrap().key;
        drop(store::Store::open(&storage.dir, &key, store::Options::default()).unwrap());
        fs::remove_file(dir.path().join("key")).unwrap();
        assert!(text(load_or_make(&storage)).contains("is missing"));
        assert!(text(existing(&storage)).contains("is missing"));
        assert!(!dir.path().join("key").exists());
    }

    #[test]
    fn a_command_names_how_to_reach_the_credential_of_a_stopped_service() {
        let dir = tempfile::tempdir().unwrap();
        let encrypted = dir.path().join("store-key");
        let mut storage = storage(dir.path());
        fs::write(&encrypted, "sealed").unwrap();
        assert!(within_reach(&storage, &encrypted).is_ok(), "another key is configured");
        storage.key = None;
        let hint = format!("-p LoadCredentialEncrypted=store-key:{} polyfaced …", encrypted.display());
        assert!(text(within_reach(&storage, &encrypted)).contains(&hint));
        fs::write(dir.path().join("storage.key"), "ab".repeat(32)).unwrap();
        assert!(within_reach(&storage, &encrypted).is_ok(), "the key is a file");
        assert!(within_reach(&storage, &dir.path().join("none")).is_ok());
    }

    #[test]
    fn a_key_within_the_storage_or_readable_by_others_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let mut storage = storage(dir.path());
        load_or_make(&storage).unwrap();
        fs::set_permissions(dir.path().join("key"), fs::Permissions::from_mode(0o640)).unwrap();
        assert!(text(load_or_make(&storage)).contains("can be read by others"));
        fs::create_dir_all(&storage.dir).unwrap();
        storage.key = Some(storage.dir.join("key"));
        assert!(text(load_or_make(&storage)).contains("must not lie in the storage directory"));
    }

    #[test]
    fn unless_another_is_named_the_key_lies_beside_the_storage() {
        for dir in ["/var/lib/polyface", "/var/lib/polyface/"] {
            assert_eq!(beside(Path::new(dir)).unwrap(), Path::new("/var/lib/polyface.key"));
        }
        assert!(text(beside(Path::new("/"))).contains("must be named"));
    }
}

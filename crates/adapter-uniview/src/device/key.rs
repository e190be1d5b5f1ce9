//! The RSA key that platforms encrypt passwords of cameras for.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use domain::{Error, Result};
use rsa::PrivateKey;
use rsa::pkcs8::{DecodePrivateKey, EncodePrivateKey, EncodePublicKey, LineEnding};
use sha1::Sha1;
use tokio::sync::OnceCell;

/// Length of the key.
const BITS: usize = 2048;

/// The key, which is made at the first start and kept in a file of mode 0600.
pub(crate) struct Key {
    file: PathBuf,
    key: OnceCell<Arc<PrivateKey>>,
}

impl Key {
    pub(crate) fn new(file: PathBuf) -> Self {
        Self { file, key: OnceCell::new() }
    }

    /// Makes the key when there is none, so that no caller waits for it.
    pub(crate) async fn prepare(&self) {
        if let Err(error) = self.get().await {
            tracing::error!(file = %self.file.display(), error = error.chain(), "failed to open the key for passwords");
        }
    }

    /// The public key as PEM (SubjectPublicKeyInfo).
    ///
    /// # Errors
    /// The key can be neither read nor made. A file that is no key is not replaced.
    pub(crate) async fn public(&self) -> Result<String> {
        let key = self.get().await?;
        key.to_public_key().to_public_key_pem(LineEnding::LF).map_err(Error::internal("writing the public key"))
    }

    /// Decrypts a password: base64 of RSA with OAEP (SHA-1) or PKCS#1 v1.5.
    ///
    /// # Errors
    /// `Invalid` for anything else; those of [`Key::public`].
    pub(crate) async fn decrypt(&self, text: &str) -> Result<String> {
        let key = self.get().await?;
        let sealed = STANDARD.decode(text.trim()).map_err(|_| unreadable())?;
        let opened = tokio::task::spawn_blocking(move || open(&key, &sealed)).await;
        opened.map_err(Error::internal("decrypting a password"))?.ok_or_else(unreadable)
    }

    async fn get(&self) -> Result<Arc<PrivateKey>> {
        let file = self.file.clone();
        let found = self.key.get_or_try_init(|| async {
            let opened = tokio::task::spawn_blocking(move || read_or_make(&file)).await;
            opened.map_err(Error::internal("opening the key for passwords"))?.map(Arc::new)
        });
        found.await.cloned()
    }
}

fn unreadable() -> Error {
    Error::invalid("pwd", "not encrypted with the device's public key")
}

/// OAEP first, because it detects what it is not: data that is not PKCS#1 v1.5 is decrypted to bytes made up from it
/// (implicit rejection), which are no text.
fn open(key: &PrivateKey, sealed: &[u8]) -> Option<String> {
    let opened = key.oaep_decrypt::<Sha1>(sealed).or_else(|_| key.pkcs1v15_decrypt(sealed)).ok()?;
    let text = String::from_utf8(opened).ok()?;
    let is_text = !text.is_empty() && !text.chars().any(char::is_control);
    is_text.then_some(text)
}

fn read_or_make(file: &Path) -> Result<PrivateKey> {
    match fs::read_to_string(file) {
        Ok(pem) => PrivateKey::from_pkcs8_pem(&pem).map_err(Error::internal("reading the key for passwords")),
        Err(error) if error.kind() == io::ErrorKind::NotFound => make(file),
        Err(error) => Err(Error::internal("reading the key for passwords")(error)),
    }
}

fn make(file: &Path) -> Result<PrivateKey> {
    let key = PrivateKey::new(&mut rand::rng(), BITS).map_err(Error::internal("making the key for passwords"))?;
    let pem = key.to_pkcs8_pem(LineEnding::LF).map_err(Error::internal("writing the key for passwords"))?;
    write(file, pem.as_bytes()).map_err(Error::internal("writing the key for passwords"))?;
    Ok(key)
}

/// The file is there with all of its content or not at all.
fn write(file: &Path, content: &[u8]) -> io::Result<()> {
    let folder = file.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder)?;
    let part = file.with_extension("part");
    let mut out = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&part)?;
    out.write_all(content)?;
    out.sync_all()?;
    fs::rename(&part, file)?;
    File::open(folder)?.sync_all()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[tokio::test]
    async fn the_key_is_made_once_and_opens_what_was_encrypted_for_it() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("keys/uniview.pem");
        let key = Key::new(file.clone());
        let public = key.public().await.unwrap();
        assert!(public.starts_with("-----BEGIN PUBLIC KEY-----"));
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        let again = Key::new(file);
        assert_eq!(again.public().await.unwrap(), public);

        let public = again.get().await.unwrap().to_public_key();
        for sealed in
            [public.pkcs1v15_encrypt(b"admin_123").unwrap(), public.oaep_encrypt::<Sha1>(b"admin_123").unwrap()]
        {
            assert_eq!(again.decrypt(&STANDARD.encode(sealed)).await.unwrap(), "admin_123");
        }
        for bad in ["admin_123", "", "YWRtaW5fMTIz", &STANDARD.encode([0xff; 256])] {
            assert!(matches!(again.decrypt(bad).await, Err(Error::Invalid { field: "pwd", .. })), "{bad}");
        }
    }

    #[tokio::test]
    async fn a_file_that_is_no_key_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("uniview.pem");
        fs::write(&file, "not a key").unwrap();
        assert!(matches!(Key::new(file.clone()).public().await, Err(Error::Internal { .. })));
        assert_eq!(fs::read_to_string(&file).unwrap(), "not a key");
    }
}

//! A certificate and its private key.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::PathBuf;
use std::sync::Arc;

use domain::Timestamp;
use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;
use x509_cert::Certificate;
use x509_cert::der::Decode;

/// Maximum size of a file, bytes; certificate chains have some ten thousand.
const LARGEST: usize = 256 << 10;

/// One of the two files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Piece {
    /// The certificate, followed by its issuers.
    Certificate,
    /// The private key.
    Key,
}

/// Why a certificate and a key cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum CredentialError {
    /// Not a certificate, or not a private key of a supported, unencrypted kind.
    #[error("the file is not a usable {0}")]
    Unusable(&'static str),
    /// The file does not exist.
    #[error("there is no {0}")]
    Missing(&'static str),
    /// The key does not belong to the certificate.
    #[error("the key is not that of the certificate")]
    Mismatch,
    /// The certificate is not yet valid, or has expired.
    #[error("the certificate is not valid now")]
    NotValidNow,
    /// A file system error.
    #[error("the file cannot be read or written")]
    Io(#[from] io::Error),
}

/// A certificate and its private key, in a folder that only its owner can read.
#[derive(Debug, Clone)]
pub(crate) struct Credentials {
    dir: PathBuf,
}

impl Piece {
    fn word(self) -> &'static str {
        match self {
            Self::Certificate => "certificate",
            Self::Key => "private key",
        }
    }

    fn file(self) -> &'static str {
        match self {
            Self::Certificate => "certificate.pem",
            Self::Key => "key.pem",
        }
    }

    fn unusable(self) -> CredentialError {
        CredentialError::Unusable(self.word())
    }

    fn check(self, content: &[u8]) -> Result<(), CredentialError> {
        if content.len() > LARGEST {
            return Err(self.unusable());
        }
        match self {
            Self::Certificate => certificates(content).map(drop),
            Self::Key => {
                let key = private_key(content)?;
                ring::sign::any_supported_type(&key).map(drop).map_err(|_| self.unusable())
            }
        }
    }
}

impl Credentials {
    /// The credentials in this folder, which is created when needed.
    pub(crate) fn new(dir: PathBuf) -> Self {
        Self { dir }
    }

    /// Stores a file (PEM or DER), replacing the previous one. Blocking.
    ///
    /// # Errors
    /// `Unusable`; `Io`, with the previous file still in place.
    pub(crate) fn put(&self, piece: Piece, content: &[u8]) -> Result<(), CredentialError> {
        piece.check(content)?;
        DirBuilder::new().recursive(true).mode(0o700).create(&self.dir)?;
        let fresh = self.dir.join("fresh");
        if fresh.exists() {
            fs::remove_file(&fresh)?;
        }
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&fresh)?;
        file.write_all(content)?;
        file.sync_all()?;
        fs::rename(fresh, self.path(piece))?;
        Ok(File::open(&self.dir)?.sync_all()?)
    }

    /// Removes a file; a missing one is not an error. Blocking.
    ///
    /// # Errors
    /// `Io`.
    pub(crate) fn remove(&self, piece: Piece) -> Result<(), CredentialError> {
        match fs::remove_file(self.path(piece)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error.into()),
            _ => Ok(()),
        }
    }

    /// The TLS configuration of a listener. With `now`, the certificate must be valid at that time. Blocking.
    ///
    /// # Errors
    /// All variants.
    pub(crate) fn server(&self, now: Option<Timestamp>) -> Result<Arc<ServerConfig>, CredentialError> {
        let chain = certificates(&self.read(Piece::Certificate)?)?;
        let key = private_key(&self.read(Piece::Key)?)?;
        if let Some(now) = now {
            check_validity(&chain, now)?;
        }
        let signer = ring::sign::any_supported_type(&key).map_err(|_| Piece::Key.unusable())?;
        let pair = CertifiedKey::new(chain.clone(), signer);
        pair.keys_match().map_err(|_| CredentialError::Mismatch)?;
        let builder = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()));
        let builder = builder.with_safe_default_protocol_versions().map_err(|_| Piece::Key.unusable())?;
        let built = builder.with_no_client_auth().with_single_cert(chain, key);
        let mut config = built.map_err(|_| CredentialError::Mismatch)?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Arc::new(config))
    }

    /// Whether the file exists.
    pub(crate) fn has(&self, piece: Piece) -> bool {
        self.path(piece).exists()
    }

    /// The text of a file in PEM. Blocking.
    ///
    /// # Errors
    /// `Unusable` for other content, `Missing`, `Io`.
    pub(crate) fn text(&self, piece: Piece) -> Result<String, CredentialError> {
        String::from_utf8(self.read(piece)?).map_err(|_| piece.unusable())
    }

    /// The device's own certificate, without its issuers. Blocking.
    ///
    /// # Errors
    /// `Unusable`, `Missing`, `Io`.
    pub(crate) fn own_certificate(&self) -> Result<CertificateDer<'static>, CredentialError> {
        let chain = certificates(&self.read(Piece::Certificate)?)?;
        chain.into_iter().next().ok_or_else(|| Piece::Certificate.unusable())
    }

    fn path(&self, piece: Piece) -> PathBuf {
        self.dir.join(piece.file())
    }

    fn read(&self, piece: Piece) -> Result<Vec<u8>, CredentialError> {
        fs::read(self.path(piece)).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => CredentialError::Missing(piece.word()),
            _ => error.into(),
        })
    }
}

fn is_pem(content: &[u8]) -> bool {
    content.windows(11).any(|window| window == b"-----BEGIN ")
}

/// The certificates of a file; fails unless all can be parsed.
fn certificates(content: &[u8]) -> Result<Vec<CertificateDer<'static>>, CredentialError> {
    let unusable = || Piece::Certificate.unusable();
    let chain = if is_pem(content) {
        let all: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(content).collect();
        all.map_err(|_| unusable())?
    } else {
        vec![CertificateDer::from(content.to_vec())]
    };
    let readable = chain.iter().all(|certificate| Certificate::from_der(certificate).is_ok());
    if chain.is_empty() || !readable { Err(unusable()) } else { Ok(chain) }
}

fn private_key(content: &[u8]) -> Result<PrivateKeyDer<'static>, CredentialError> {
    let key = if is_pem(content) {
        PrivateKeyDer::from_pem_slice(content).ok()
    } else {
        PrivateKeyDer::try_from(content.to_vec()).ok()
    };
    key.ok_or_else(|| Piece::Key.unusable())
}

/// The first certificate is the device's own.
fn check_validity(chain: &[CertificateDer<'_>], now: Timestamp) -> Result<(), CredentialError> {
    let own = chain.first().and_then(|own| Certificate::from_der(own).ok());
    let validity = own.ok_or_else(|| Piece::Certificate.unusable())?.tbs_certificate.validity;
    let now = now.as_millis().div_euclid(1000);
    let seconds = |time: x509_cert::time::Time| time.to_unix_duration().as_secs() as i64;
    if (seconds(validity.not_before)..=seconds(validity.not_after)).contains(&now) {
        Ok(())
    } else {
        Err(CredentialError::NotValidNow)
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;
    use std::path::Path;

    use super::*;

    /// 2026-03-02.
    const NOW: Timestamp = Timestamp::from_millis(1_772_413_200_000);

    /// Whether only its owner can read the file.
    fn is_private(path: &Path) -> bool {
        fs::metadata(path).unwrap().permissions().mode() & 0o777 == 0o600
    }

    fn pair(until: i32) -> (String, String) {
        let key = rcgen::KeyPair::generate().unwrap();
        let mut params = rcgen::CertificateParams::new(["device".to_owned()]).unwrap();
        params.not_before = rcgen::date_time_ymd(2020, 1, 1);
        params.not_after = rcgen::date_time_ymd(until, 1, 1);
        (params.self_signed(&key).unwrap().pem(), key.serialize_pem())
    }

    #[test]
    fn a_certificate_and_its_key_serve_and_nobody_else_reads_them() {
        let dir = tempfile::tempdir().unwrap();
        let credentials = Credentials::new(dir.path().join("tls"));
        let (certificate, key) = pair(2030);
        assert!(matches!(credentials.server(Some(NOW)), Err(CredentialError::Missing("certificate"))));
        credentials.put(Piece::Certificate, certificate.as_bytes()).unwrap();
        assert!(matches!(credentials.server(Some(NOW)), Err(CredentialError::Missing("private key"))));
        credentials.put(Piece::Key, key.as_bytes()).unwrap();
        credentials.server(Some(NOW)).unwrap();
        assert!(is_private(&credentials.path(Piece::Key)) && is_private(&credentials.path(Piece::Certificate)));
        credentials.remove(Piece::Key).unwrap();
        credentials.remove(Piece::Key).unwrap();
        assert!(matches!(credentials.server(None), Err(CredentialError::Missing("private key"))));
    }

    #[test]
    fn what_does_not_fit_or_is_out_of_date_does_not_serve() {
        let dir = tempfile::tempdir().unwrap();
        let credentials = Credentials::new(dir.path().to_owned());
        let ((certificate, _), (old, old_key)) = (pair(2030), pair(2021));
        credentials.put(Piece::Certificate, certificate.as_bytes()).unwrap();
        credentials.put(Piece::Key, old_key.as_bytes()).unwrap();
        assert!(matches!(credentials.server(Some(NOW)), Err(CredentialError::Mismatch)));
        credentials.put(Piece::Certificate, old.as_bytes()).unwrap();
        assert!(matches!(credentials.server(Some(NOW)), Err(CredentialError::NotValidNow)));
        credentials.server(None).unwrap();
    }

    #[test]
    fn a_file_that_is_not_what_it_should_be_replaces_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let credentials = Credentials::new(dir.path().to_owned());
        let (certificate, key) = pair(2030);
        credentials.put(Piece::Certificate, certificate.as_bytes()).unwrap();
        credentials.put(Piece::Key, key.as_bytes()).unwrap();
        let broken = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        let huge = vec![b'x'; LARGEST + 1];
        for bad in [key.as_bytes(), broken.as_bytes(), b"", b"junk", &huge] {
            assert!(matches!(credentials.put(Piece::Certificate, bad), Err(CredentialError::Unusable(_))));
        }
        for bad in [certificate.as_bytes(), b"", b"junk", &huge] {
            assert!(matches!(credentials.put(Piece::Key, bad), Err(CredentialError::Unusable(_))));
        }
        credentials.server(Some(NOW)).unwrap();
    }
}

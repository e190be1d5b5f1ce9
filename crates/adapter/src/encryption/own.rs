//! The device's own certificate.

use std::path::PathBuf;
use std::sync::Arc;

use rcgen::{CertificateParams, DnType, KeyPair, date_time_ymd};
use rustls::ServerConfig;
use sha2::{Digest, Sha256};

use super::credentials::{CredentialError, Credentials, Piece};

/// A certificate that HTTPS can be served with.
pub struct OwnCertificate {
    /// The TLS configuration of a listener.
    pub config: Arc<ServerConfig>,
    /// SHA-256 of the certificate, lower-case hexadecimal: what a client compares to recognise the device.
    pub fingerprint: String,
}

/// The certificate and key in this folder (`certificate.pem`, `key.pem`). What is missing is made: a key (P-256) that
/// only its owner can read, and for it a certificate signed by itself with this name, valid from 2020 to 2049 because
/// the clock of a new device may be wrong. Blocking.
///
/// # Errors
/// All variants; `Missing` for a certificate without its key.
pub fn own_certificate(folder: PathBuf, name: &str) -> Result<OwnCertificate, CredentialError> {
    let credentials = Credentials::new(folder);
    if !credentials.has(Piece::Certificate) {
        make(&credentials, name)?;
    }
    let config = credentials.server(None)?;
    let fingerprint = hex(&Sha256::digest(credentials.own_certificate()?));
    Ok(OwnCertificate { config, fingerprint })
}

/// Makes what is missing. The key is first: after an interruption the certificate is made for it.
fn make(credentials: &Credentials, name: &str) -> Result<(), CredentialError> {
    if !credentials.has(Piece::Key) {
        let key = KeyPair::generate().map_err(|_| CredentialError::Unusable("random source"))?;
        credentials.put(Piece::Key, key.serialize_pem().as_bytes())?;
    }
    let unusable = |_| CredentialError::Unusable("private key");
    let text = credentials.text(Piece::Key)?;
    let key = KeyPair::from_pem(&text).map_err(unusable)?;
    let certificate = request(name).and_then(|params| params.self_signed(&key)).map_err(unusable)?;
    credentials.put(Piece::Certificate, certificate.pem().as_bytes())?;
    tracing::info!("certificate for HTTPS created");
    Ok(())
}

fn request(name: &str) -> Result<CertificateParams, rcgen::Error> {
    let hosts = ["localhost", "127.0.0.1", "::1"].map(str::to_owned);
    let mut params = CertificateParams::new(hosts)?;
    params.distinguished_name.push(DnType::CommonName, name);
    params.not_before = date_time_ymd(2020, 1, 1);
    params.not_after = date_time_ymd(2049, 12, 31);
    Ok(params)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_key_is_made_once_and_only_its_owner_reads_it() {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().join("tls").join("own");
        let first = own_certificate(folder.clone(), "polyface \u{95e8} 1").unwrap();
        assert_eq!(fs::metadata(folder.join("key.pem")).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::metadata(&folder).unwrap().permissions().mode() & 0o777, 0o700);
        let again = own_certificate(folder.clone(), "another name").unwrap();
        assert_eq!((again.fingerprint.len(), again.fingerprint), (64, first.fingerprint));
    }

    #[test]
    fn an_interruption_before_the_certificate_leaves_a_key_to_go_on_with() {
        let dir = tempfile::tempdir().unwrap();
        own_certificate(dir.path().to_owned(), "polyface").unwrap();
        let key = fs::read(dir.path().join("key.pem")).unwrap();
        fs::remove_file(dir.path().join("certificate.pem")).unwrap();
        own_certificate(dir.path().to_owned(), "polyface").unwrap();
        assert_eq!(fs::read(dir.path().join("key.pem")).unwrap(), key);
    }

    #[test]
    fn the_files_of_the_owner_are_used_and_never_replaced() {
        let dir = tempfile::tempdir().unwrap();
        let key = KeyPair::generate().unwrap();
        let certificate = CertificateParams::new(["door.example".to_owned()]).unwrap().self_signed(&key).unwrap();
        fs::write(dir.path().join("key.pem"), key.serialize_pem()).unwrap();
        fs::write(dir.path().join("certificate.pem"), certificate.pem()).unwrap();
        let own = own_certificate(dir.path().to_owned(), "polyface").unwrap();
        assert_eq!(own.fingerprint, hex(&Sha256::digest(certificate.der())));
        fs::remove_file(dir.path().join("key.pem")).unwrap();
        let missing = own_certificate(dir.path().to_owned(), "polyface");
        assert!(matches!(missing.err(), Some(CredentialError::Missing("private key"))));
        assert!(!dir.path().join("key.pem").exists());
    }
}

//! Which certificates of servers the device trusts on connections that are not HTTP.

use std::path::Path;
use std::sync::Arc;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};

/// Why no certificates can be used.
#[derive(Debug, thiserror::Error)]
pub enum TrustError {
    /// The file cannot be read, or is not PEM.
    #[error("the certificates cannot be read: {0}")]
    Unreadable(String),
    /// The file contains no certificate that can be used.
    #[error("the file contains no usable certificate")]
    Empty,
}

/// TLS towards servers whose certificate one of these has issued: the certificates (PEM) in a file, or those that the
/// machine trusts. The file is read at each call, so that it can be replaced while the device runs. The name of the
/// server is always checked.
///
/// # Errors
/// The file cannot be used. Without trusted certificates on the machine every connection fails.
pub async fn server_trust(ca_file: Option<&Path>) -> Result<Arc<ClientConfig>, TrustError> {
    let file = ca_file.map(Path::to_owned);
    let read = tokio::task::spawn_blocking(move || match file {
        Some(file) => of_file(&file),
        None => Ok(of_machine()),
    });
    let roots = read.await.map_err(|error| TrustError::Unreadable(error.to_string()))??;
    Ok(Arc::new(ClientConfig::builder().with_root_certificates(roots).with_no_client_auth()))
}

fn of_file(file: &Path) -> Result<RootCertStore, TrustError> {
    let unreadable = |error: rustls::pki_types::pem::Error| TrustError::Unreadable(error.to_string());
    let read: Result<Vec<_>, _> = CertificateDer::pem_file_iter(file).map_err(unreadable)?.collect();
    let mut roots = RootCertStore::empty();
    let (usable, _) = roots.add_parsable_certificates(read.map_err(unreadable)?);
    if usable == 0 { Err(TrustError::Empty) } else { Ok(roots) }
}

fn of_machine() -> RootCertStore {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    roots
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_file_without_a_certificate_is_refused() {
        // Fails when another test has installed it.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("ca.pem");
        assert!(matches!(server_trust(Some(&file)).await, Err(TrustError::Unreadable(_))));
        std::fs::write(&file, "no certificate").unwrap();
        assert!(matches!(server_trust(Some(&file)).await, Err(TrustError::Empty)));
        let signed = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        std::fs::write(&file, signed.cert.pem()).unwrap();
        assert!(server_trust(Some(&file)).await.is_ok());
        assert!(server_trust(None).await.is_ok());
    }
}

//! RabbitMQ, which the scenarios share while they run.

use std::sync::{Arc, LazyLock, Weak};

use testkit::rabbitmq::{Broker, Certificate};
use tokio::sync::Mutex;

/// The one name that the broker proves.
pub(crate) const NAME: &str = "localhost";

static SHARED: Mutex<Weak<Broker>> = Mutex::const_new(Weak::new());
static CERTIFICATE: LazyLock<Certificate> = LazyLock::new(|| {
    let signed = rcgen::generate_simple_self_signed([NAME.to_owned()]).unwrap();
    Certificate { certificate: signed.cert.pem(), key: signed.signing_key.serialize_pem() }
});

/// The broker of all scenarios that run now; it can be reached over TLS as well.
pub(crate) async fn shared() -> Arc<Broker> {
    let mut shared = SHARED.lock().await;
    if let Some(running) = shared.upgrade() {
        return running;
    }
    let started = Arc::new(Broker::with_certificate(&CERTIFICATE).await);
    *shared = Arc::downgrade(&started);
    started
}

/// The certificate that the broker's is issued by, PEM.
pub(crate) fn issuer() -> &'static str {
    &CERTIFICATE.certificate
}

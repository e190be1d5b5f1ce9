//! One request: who sends it, and its fields.

use std::net::IpAddr;
use std::sync::Arc;

use adapter::{Authorization, BodyError, caller_address, parse_request, read_body};
use axum::extract::Request;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use domain::{Actor, Acts, Appliance, Error, ObjectClass};

use crate::codes::{Code, Fault};
use crate::convert::digest::Digest;
use crate::device::{Device, NAME};
use crate::wire::Fields;

/// A caller whose digest was right.
#[derive(Clone)]
pub(crate) struct Caller {
    pub(crate) device: Arc<Device>,
    /// As the core and the audit log know the caller.
    pub(crate) actor: Actor,
}

/// What a request carries of its sender.
pub(crate) struct Login {
    digest: Digest,
    /// Address of the sender, for the login guard.
    origin: Option<IpAddr>,
}

impl Login {
    /// Of a request; HTTP 401 without a digest for it.
    pub(crate) fn of(request: &Request) -> Result<Self, Fault> {
        let target = request.uri().path_and_query().map_or("/", |target| target.as_str());
        let sent = Authorization::of(request.headers());
        let digest = sent.and_then(|sent| Digest::read(&sent, request.method().as_str(), target));
        let digest = digest.ok_or_else(|| Fault::login(Code::NotAuthorized))?;
        Ok(Self { digest, origin: caller_address(request.extensions()) })
    }
}

impl Caller {
    /// The sender of a request.
    ///
    /// # Errors
    /// HTTP 401: with a wrong user or password, while the user is locked for this address, and when the digest is right but its nonce
    /// is too old or was used before.
    pub(crate) async fn of(device: &Arc<Device>, Login { digest, origin }: Login) -> Result<Self, Fault> {
        let (user, nonce, count) = (digest.username.clone(), digest.nonce, digest.count);
        let proves = move |ha1: &str| digest.is_proved_by(ha1);
        let account =
            device.appliance.log_in_by_digest(&user, proves, (origin, NAME)).await.map_err(|error| match error {
                Error::WrongCredentials => Fault::login(Code::WrongLogin),
                Error::Locked { .. } => Fault::login(Code::AddressLocked),
                other => other.into(),
            })?;
        if !device.nonces.take(nonce, count) {
            return Err(Fault::stale());
        }
        Ok(Self { device: Arc::clone(device), actor: Actor::user(&account, origin, NAME) })
    }

    /// What the caller may do.
    pub(crate) fn acts(&self) -> Acts<'_> {
        self.device.appliance.by(&self.actor)
    }

    /// Whether a model finds objects of a class.
    pub(crate) fn finds(&self) -> impl Fn(ObjectClass) -> bool + Sync + '_ {
        |class| self.device.appliance.finds_objects(class)
    }

    /// The appliance, to read.
    pub(crate) fn reading(&self) -> Result<&Appliance, Fault> {
        Ok(self.acts().reading()?)
    }
}

/// The fields of a JSON body of at most so many bytes, whatever its Content-Type says; an empty body has none.
///
/// # Errors
/// HTTP 413 for a larger one; code 2 for anything else.
pub(crate) async fn fields(request: Request, max_bytes: usize) -> Result<Fields, Fault> {
    let content_type = request.headers().get(CONTENT_TYPE).cloned();
    let body = read_body(request, max_bytes).await.map_err(|error| match error {
        BodyError::TooLarge => Fault::with_status(StatusCode::PAYLOAD_TOO_LARGE, Code::Arguments),
        BodyError::Incomplete | BodyError::Busy => Fault::argument(error.to_string()),
    })?;
    if body.trim_ascii().is_empty() {
        return Ok(Fields::new());
    }
    parse_request(content_type.as_ref(), &body).map_err(|error| Fault::argument(error.to_string()))
}

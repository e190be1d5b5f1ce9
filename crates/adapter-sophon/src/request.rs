//! One request: who sends it, and its fields.

use std::net::IpAddr;
use std::sync::Arc;

use adapter::{
    BodyError, Form, FormError, FormLimits, LOGIN_REFUSED, Part, Standing, Transport, caller_address, is_multipart,
    parse_request, read_body,
};
use axum::extract::Request;
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE, ORIGIN};
use axum::http::{Extensions, HeaderMap, StatusCode};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use domain::{Actor, Acts, Appliance, Error, Role};
use serde::Serialize;
use serde_json::Value;

use crate::codes::{Code, Fault};
use crate::device::{Device, Login, NAME, written};
use crate::wire::Fields;

/// A caller who was let in. The protocol has no users: everyone let in may do everything.
pub(crate) struct Caller {
    pub(crate) device: Arc<Device>,
    /// The caller as the core and the audit log know it.
    pub(crate) actor: Actor,
}

impl Caller {
    /// The sender of a request, when its address and login are allowed.
    pub(crate) async fn of(device: &Arc<Device>, extensions: &Extensions, headers: &HeaderMap) -> Result<Self, Fault> {
        let (config, origin) = (&device.config, caller_address(extensions));
        if !origin.is_some_and(|origin| config.allow_from.iter().any(|network| network.contains(&origin))) {
            return Err(Fault::with_status(StatusCode::FORBIDDEN, "this address is not allowed"));
        }
        if Transport::of(extensions).refuses_logins() {
            return Err(Fault::with_status(StatusCode::FORBIDDEN, LOGIN_REFUSED));
        }
        // A browser sends requests for any page that it shows, also from an allowed address and with a login it knows.
        if headers.contains_key(ORIGIN) {
            return Err(Fault::with_status(StatusCode::FORBIDDEN, "requests of web pages are not allowed"));
        }
        if let Some(login) = &config.login {
            log_in(device, login, origin, headers).await?;
        }
        let standing = Standing::of(extensions);
        // An address alone proves nothing.
        if config.login.is_some() {
            standing.authenticated();
        } else {
            standing.admitted();
        }
        Ok(Self { device: Arc::clone(device), actor: actor(origin) })
    }

    /// The acts of the caller.
    pub(crate) fn acts(&self) -> Acts<'_> {
        self.device.appliance.by(&self.actor)
    }

    /// The appliance, for a caller who may read.
    pub(crate) fn reading(&self) -> Result<&Appliance, Fault> {
        Ok(self.acts().reading()?)
    }

    /// Keeps a setting.
    pub(crate) async fn keep(&self, key: &'static str, value: &impl Serialize) -> Result<(), Fault> {
        Ok(self.acts().configure(&self.device.state(), key, Some(written(value)?)).await?)
    }
}

/// The platform, at this address.
fn actor(origin: Option<IpAddr>) -> Actor {
    Actor { name: NAME.to_owned(), role: Role::Admin, origin, adapter: NAME }
}

/// Checks the login of a request. A request without one does not count as a failure: clients may ask first whether one is
/// needed.
async fn log_in(device: &Device, login: &Login, origin: Option<IpAddr>, headers: &HeaderMap) -> Result<(), Fault> {
    let refused = || Fault::with_status(StatusCode::UNAUTHORIZED, "a login is needed");
    let (user, password) = offered(headers).ok_or_else(refused)?;
    match login.check(&device.appliance, (&user, &password), origin).await {
        Err(Error::WrongCredentials) => Err(refused()),
        Err(Error::Locked { .. }) => {
            Err(Fault::with_status(StatusCode::TOO_MANY_REQUESTS, "locked after failed logins; try again in minutes"))
        }
        outcome => Ok(outcome?),
    }
}

/// User and password of a request, by HTTP basic authentication.
fn offered(headers: &HeaderMap) -> Option<(String, String)> {
    let (scheme, proof) = headers.get(AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    let proof = STANDARD.decode(proof.trim()).ok().filter(|_| scheme.eq_ignore_ascii_case("basic"))?;
    let (user, password) = std::str::from_utf8(&proof).ok()?.split_once(':')?;
    Some((user.to_owned(), password.to_owned()))
}

/// What bodies an operation takes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Bodies {
    /// None: the fields are in the query.
    Query,
    /// JSON.
    Json,
    /// JSON, or a form.
    JsonOrForm,
}

/// The fields of a request. `other_type`: the code for a body of a type that is not taken.
pub(crate) async fn fields(
    request: Request,
    bodies: Bodies,
    max_body: usize,
    other_type: Code,
) -> Result<Fields, Fault> {
    if bodies == Bodies::Query {
        return Ok(query(&request));
    }
    let content_type = request.headers().get(CONTENT_TYPE).cloned();
    if is_multipart(request.headers()) {
        return if bodies == Bodies::JsonOrForm { form(request, max_body).await } else { Err(other_type.into()) };
    }
    let kind = content_type.as_ref().map(|value| value.to_str().unwrap_or_default().to_ascii_lowercase());
    if kind.is_some_and(|kind| !kind.contains("json")) {
        return Err(other_type.into());
    }
    let body = read_body(request, max_body).await.map_err(|error| match error {
        BodyError::TooLarge => Fault::from(Code::TooLarge),
        BodyError::Incomplete | BodyError::Busy => Code::BadRequest.into(),
    })?;
    if body.trim_ascii().is_empty() {
        return Err(Code::Empty.into());
    }
    parse_request(content_type.as_ref(), &body).map_err(|error| Fault::parameter(error.to_string()))
}

/// The parameters of the query; the first of several with one name counts.
fn query(request: &Request) -> Fields {
    let mut fields = Fields::new();
    for (name, value) in url::form_urlencoded::parse(request.uri().query().unwrap_or_default().as_bytes()) {
        fields.entry(name.into_owned()).or_insert_with(|| Value::String(value.into_owned()));
    }
    fields
}

/// The parts of a form; several with one name are a list (quirk S-FORMREQ).
async fn form(request: Request, max_body: usize) -> Result<Fields, Fault> {
    let limits = FormLimits { parts: 1024, part_bytes: max_body, total_bytes: max_body };
    let form = Form::read(request, limits).await.map_err(|error| match error {
        FormError::TooLarge => Code::TooLarge.into(),
        other => Fault::parameter(other.to_string()),
    })?;
    let mut fields = Fields::new();
    for part in form.into_parts() {
        let value = Value::String(part_text(&part)?);
        match fields.entry(part.name).or_insert(Value::Null) {
            before @ Value::Null => *before = value,
            Value::Array(all) => all.push(value),
            one => *one = Value::Array(vec![one.take(), value]),
        }
    }
    if fields.is_empty() { Err(Code::Empty.into()) } else { Ok(fields) }
}

/// The text of a part; a file is a picture, which is text in base64 elsewhere.
fn part_text(part: &Part) -> Result<String, Fault> {
    if part.file_name.is_some() {
        return Ok(STANDARD.encode(&part.bytes));
    }
    part.text().map(str::to_owned).ok_or_else(|| Fault::parameter("a part of the form is not text"))
}

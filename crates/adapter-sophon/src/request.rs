//! One request: who sends it, and its fields.

use std::net::IpAddr;
use std::sync::Arc;

use adapter::{
    Arrival, BodyError, Form, FormError, FormLimits, LOGIN_REFUSED, Part, Transport, caller_address, is_multipart,
    parse_request, read_body,
};
use axum::extract::Request;
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE, ORIGIN};
use axum::http::{HeaderMap, StatusCode};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use domain::{Actor, Acts, Appliance, Role};
use serde::Serialize;
use serde_json::Value;
use subtle::ConstantTimeEq;

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
    pub(crate) fn of(device: &Arc<Device>, request: &Request) -> Result<Self, Fault> {
        let origin = caller_address(request.extensions());
        let config = &device.config;
        if !origin.is_some_and(|origin| config.allow_from.iter().any(|network| network.contains(&origin))) {
            return Err(Fault::with_status(StatusCode::FORBIDDEN, "this address is not allowed"));
        }
        if Transport::of(request.extensions()).refuses_logins() {
            return Err(Fault::with_status(StatusCode::FORBIDDEN, LOGIN_REFUSED));
        }
        // A browser sends requests for any page that it shows, also from an allowed address and with a login it knows.
        if request.headers().contains_key(ORIGIN) {
            return Err(Fault::with_status(StatusCode::FORBIDDEN, "requests of web pages are not allowed"));
        }
        if !config.login.as_ref().is_none_or(|login| is_proved(login, request.headers())) {
            return Err(Fault::with_status(StatusCode::UNAUTHORIZED, "a login is needed"));
        }
        // An address alone proves nothing.
        if config.login.is_some() {
            Arrival::of(request.extensions()).authenticated();
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

/// Whether the request has the login, by HTTP basic authentication.
fn is_proved(login: &Login, headers: &HeaderMap) -> bool {
    let field = headers.get(AUTHORIZATION).and_then(|field| field.to_str().ok());
    let proof = field.and_then(|field| field.split_once(' '));
    let Some((_, proof)) = proof.filter(|(scheme, _)| scheme.eq_ignore_ascii_case("basic")) else { return false };
    let wanted = format!("{}:{}", login.user, login.password);
    STANDARD.decode(proof.trim()).is_ok_and(|proof| proof.ct_eq(wanted.as_bytes()).into())
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

/// The fields of a request.
pub(crate) async fn fields(request: Request, bodies: Bodies, max_body: usize) -> Result<Fields, Fault> {
    if bodies == Bodies::Query {
        return Ok(query(&request));
    }
    let content_type = request.headers().get(CONTENT_TYPE).cloned();
    if is_multipart(request.headers()) {
        return if bodies == Bodies::JsonOrForm {
            form(request, max_body).await
        } else {
            Err(Code::ContentType.into())
        };
    }
    let kind = content_type.as_ref().map(|value| value.to_str().unwrap_or_default().to_ascii_lowercase());
    if kind.is_some_and(|kind| !kind.contains("json")) {
        return Err(Code::ContentType.into());
    }
    let body = read_body(request, max_body).await.map_err(|error| match error {
        BodyError::TooLarge => Fault::from(Code::TooLarge),
        BodyError::Incomplete => Code::BadRequest.into(),
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

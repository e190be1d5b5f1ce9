//! Login and logout.

use std::convert::Infallible;
use std::net::IpAddr;
use std::sync::Arc;

use adapter::{Sender, Standing, Transport, caller_address};
use axum::extract::{FromRequest, FromRequestParts, OptionalFromRequestParts, Request, State};
use axum::http::header::{CONTENT_TYPE, COOKIE, RETRY_AFTER, SET_COOKIE};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use axum::{Form, Json};
use domain::{Account, Actor, Appliance, Error, Secret};
use serde::Deserialize;

use crate::api::Refusal;
use crate::{Desk, NAME, page};

/// The cookie's name.
const SESSION: &str = "polyface_session";
/// Strict: links and forms of other sites never send it. `Secure` is added over HTTPS.
const ATTRIBUTES: &str = "Path=/; HttpOnly; SameSite=Strict";

/// Fields of the login, as a form or JSON.
#[derive(Deserialize)]
pub(crate) struct Credentials {
    username: String,
    password: String,
}

/// The logged-in user. As an extractor it rejects other requests with 401; as an optional one it does not.
pub(crate) struct Viewer(Actor);

/// Checks the credentials and opens a session. They are taken as JSON, which no page of another site can have a browser
/// send, or from the console's own form.
pub(crate) async fn log_in(State(desk): State<Arc<Desk>>, transport: Transport, request: Request) -> Response {
    if transport.refuses_logins() {
        return page::login_in_clear();
    }
    let (origin, standing) = (caller_address(request.extensions()), Standing::of(request.extensions()));
    let Credentials { username, password } = match credentials(request).await {
        Ok(credentials) => credentials,
        Err(refusal) => return refusal,
    };
    match desk.appliance.log_in(&username, Secret::Password(password), (origin, NAME)).await {
        Ok(account) => {
            standing.authenticated();
            open_session(&desk, &account, (origin, transport)).await
        }
        Err(Error::WrongCredentials | Error::Locked { .. }) => page::login_refused(),
        Err(Error::Busy) => (StatusCode::SERVICE_UNAVAILABLE, [(RETRY_AFTER, "1")], "busy").into_response(),
        Err(error) => {
            tracing::error!(error = error.chain(), "failed to check login");
            StatusCode::SERVICE_UNAVAILABLE.into_response()
        }
    }
}

/// The credentials in a request, or its refusal.
async fn credentials(request: Request) -> Result<Credentials, Response> {
    let content_type = request.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let is_json = content_type.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case("application/json");
    match (Sender::of(request.headers()), is_json) {
        (Sender::OwnPage | Sender::Program, true) => {
            let json = Json::from_request(request, &()).await;
            json.map(|Json(credentials)| credentials).map_err(IntoResponse::into_response)
        }
        (Sender::OwnPage, false) => {
            let form = Form::from_request(request, &()).await;
            form.map(|Form(credentials)| credentials).map_err(IntoResponse::into_response)
        }
        (Sender::ForeignPage, _) | (Sender::Program, false) => Err(StatusCode::FORBIDDEN.into_response()),
    }
}

async fn open_session(desk: &Desk, account: &Account, (origin, transport): (Option<IpAddr>, Transport)) -> Response {
    let id = desk.sessions.open(account, origin).await;
    let secure = if transport == Transport::Encrypted { "; Secure" } else { "" };
    with_cookie(&format!("{SESSION}={id}; {ATTRIBUTES}{secure}"), Redirect::to("/"))
}

/// Ends the session.
pub(crate) async fn log_out(State(desk): State<Arc<Desk>>, request: Request) -> Response {
    let (origin, headers) = (caller_address(request.extensions()), request.headers().clone());
    if Sender::of(&headers) == Sender::ForeignPage {
        return StatusCode::FORBIDDEN.into_response();
    }
    if let Some(id) = session_id(&headers)
        && let Ok(Some(caller)) = desk.sessions.caller(id, origin).await
    {
        desk.sessions.close(&caller).await;
    }
    with_cookie(&format!("{SESSION}=; {ATTRIBUTES}; Max-Age=0"), Redirect::to("/login"))
}

fn with_cookie(cookie: &str, redirect: Redirect) -> Response {
    let mut response = redirect.into_response();
    // The text consists of constants and a UUID, so it is always a valid header value.
    if let Ok(cookie) = HeaderValue::from_str(cookie) {
        response.headers_mut().insert(SET_COOKIE, cookie);
    }
    response
}

fn session_id(headers: &HeaderMap) -> Option<&str> {
    let cookies = headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut pairs = cookies.flat_map(|value| value.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(name, _)| *name == SESSION).map(|(_, id)| id)
}

impl Viewer {
    async fn of(parts: &Parts, desk: &Desk) -> Option<Self> {
        if Transport::of(&parts.extensions).refuses_logins() {
            return None;
        }
        let (id, origin) = (session_id(&parts.headers)?, caller_address(&parts.extensions));
        let caller = desk.sessions.caller(id, origin).await.unwrap_or_else(|error| {
            tracing::error!(error = error.chain(), "failed to check session");
            None
        })?;
        Standing::of(&parts.extensions).authenticated();
        Some(Self(caller.actor))
    }

    /// The appliance, after checking the right to read.
    pub(crate) fn reading<'a>(&'a self, desk: &'a Desk) -> Result<&'a Appliance, Refusal> {
        Ok(desk.appliance.by(&self.0).reading()?)
    }
}

impl FromRequestParts<Arc<Desk>> for Viewer {
    type Rejection = StatusCode;

    async fn from_request_parts(parts: &mut Parts, desk: &Arc<Desk>) -> Result<Self, StatusCode> {
        Self::of(parts, desk).await.ok_or(StatusCode::UNAUTHORIZED)
    }
}

impl OptionalFromRequestParts<Arc<Desk>> for Viewer {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, desk: &Arc<Desk>) -> Result<Option<Self>, Infallible> {
        Ok(Self::of(parts, desk).await)
    }
}

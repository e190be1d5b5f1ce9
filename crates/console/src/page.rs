//! The pages: static files that load their data from the API.

use std::sync::Arc;

use adapter::Transport;
use axum::extract::{Path, Request, State};
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::middleware::Next;
use axum::response::{Html, IntoResponse, Redirect, Response};

use crate::Desk;
use crate::login::Viewer;

const OVERVIEW: &str = include_str!("../assets/overview.html");
const LOGIN: &str = include_str!("../assets/login.html");
const IN_CLEAR: &str = include_str!("../assets/in_clear.html");
const REFUSED: &str = include_str!("../assets/refused.html");

/// The live page, or a redirect to the login.
pub(crate) async fn overview(viewer: Option<Viewer>) -> Response {
    if viewer.is_some() { Html(OVERVIEW).into_response() } else { Redirect::to("/login").into_response() }
}

/// The login form; where logins in clear are refused, the reason.
pub(crate) async fn login(transport: Transport) -> Response {
    if transport.refuses_logins() { login_in_clear() } else { Html(LOGIN).into_response() }
}

/// The reason why nobody logs in here over HTTP.
pub(crate) fn login_in_clear() -> Response {
    (StatusCode::FORBIDDEN, Html(IN_CLEAR)).into_response()
}

/// The login form after a failed login.
pub(crate) fn login_refused() -> Response {
    (StatusCode::UNAUTHORIZED, Html(REFUSED)).into_response()
}

/// Static assets of the pages; they need no login because they contain no data.
pub(crate) async fn asset(Path(name): Path<String>) -> Response {
    let (content_type, content) = match name.as_str() {
        "style.css" => ("text/css; charset=utf-8", include_str!("../assets/style.css")),
        "overview.js" => ("text/javascript; charset=utf-8", include_str!("../assets/overview.js")),
        "icon.svg" => ("image/svg+xml", include_str!("../assets/icon.svg")),
        _ => return StatusCode::NOT_FOUND.into_response(),
    };
    ([(CONTENT_TYPE, content_type)], content).into_response()
}

/// Rejects requests while the management page is closed.
pub(crate) async fn gate(State(desk): State<Arc<Desk>>, request: Request, next: Next) -> Response {
    let open = *desk.appliance.console_open().borrow();
    if open {
        next.run(request).await
    } else {
        (StatusCode::FORBIDDEN, "the management page is closed").into_response()
    }
}

const HEADERS: [(HeaderName, &str); 5] = [
    (
        CONTENT_SECURITY_POLICY,
        "default-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
    ),
    (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    // Not `no-referrer`: with that, browsers send `null` as the origin of the console's own forms.
    (REFERRER_POLICY, "same-origin"),
    (CACHE_CONTROL, "no-store"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
];

/// Adds security headers to every reply.
pub(crate) async fn harden(mut response: Response) -> Response {
    for (name, value) in HEADERS {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}

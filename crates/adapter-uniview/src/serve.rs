//! The way of a request: admit the caller, find the operation, read, run, answer. Everything needs a login, so the caller
//! is looked at first: nothing is read for a stranger.

use std::future::Future;
use std::sync::Arc;

use adapter::{Sender, Standing, Transport, discard_body, picture_answer};
use axum::body::Body;
use axum::extract::rejection::QueryRejection;
use axum::extract::{DefaultBodyLimit, Query, Request, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, Method, StatusCode};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::any;
use axum::{Extension, Router};
use domain::Act;
use futures_util::future::BoxFuture;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::codes::{Code, Fault};
use crate::convert::digest::challenge;
use crate::device::Device;
use crate::ops::{channels, device as own, docking, key, libraries, people, pictures, plans, searches, smart, upgrade};
use crate::ops::{clothes, extended};
use crate::request::{self, Caller, Login};
use crate::wire::pictures::{PictureQuery, VideoQuery};
use crate::wire::{self, Fields, Refusal};

/// The largest body without pictures, bytes.
const MAX_BODY: usize = 1 << 20;
/// The largest body with one picture, bytes.
const MAX_PICTURE_BODY: usize = 8 << 20;
/// The largest body with many pictures, bytes.
const MAX_BATCH_BODY: usize = 64 << 20;
/// How much is read of a request that is refused, so that its sender reads the answer, bytes.
const MAX_REFUSED: usize = 1 << 20;

/// A path with a JSON body.
struct Operation {
    path: &'static str,
    max_body: usize,
    /// Does it and returns the body of the answer.
    run: fn(Caller, Fields) -> Running,
}

type Running = BoxFuture<'static, Result<Vec<u8>, Fault>>;

const fn operation(path: &'static str, run: fn(Caller, Fields) -> Running) -> Operation {
    Operation { path, max_body: MAX_BODY, run }
}

const fn with_picture(path: &'static str, run: fn(Caller, Fields) -> Running) -> Operation {
    Operation { path, max_body: MAX_PICTURE_BODY, run }
}

const fn with_pictures(path: &'static str, run: fn(Caller, Fields) -> Running) -> Operation {
    Operation { path, max_body: MAX_BATCH_BODY, run }
}

/// All paths with a JSON body, below `/api/v2`.
const OPERATIONS: &[Operation] = &[
    operation("/personlib/add", |caller, fields| run(caller, fields, Act::LIBRARY_CREATE, libraries::add)),
    operation("/personlib/delete", |caller, fields| run(caller, fields, Act::LIBRARY_REMOVE, libraries::delete)),
    operation("/personlib/update", |caller, fields| run(caller, fields, Act::LIBRARY_UPDATE, libraries::update)),
    operation("/personlib/list", |caller, fields| run(caller, fields, Act::READ, libraries::list)),
    with_picture("/person/add", |caller, fields| run(caller, fields, Act::PERSON_ENROL, people::add)),
    with_pictures("/person/import", |caller, fields| run(caller, fields, Act::PERSON_ENROL, people::import)),
    operation("/person/delete", |caller, fields| run(caller, fields, Act::PERSON_REMOVE, people::delete)),
    with_picture("/person/update", |caller, fields| run(caller, fields, Act::PERSON_UPDATE, people::update)),
    operation("/person/list", |caller, fields| run(caller, fields, Act::READ, people::list)),
    operation("/rsa/publickey", |caller, fields| run(caller, fields, Act::READ, key::public_key)),
    operation("/channel/device/info", |caller, fields| run(caller, fields, Act::ADDRESS_CALL, channels::device_info)),
    operation("/channel/add", |caller, fields| run(caller, fields, Act::CAMERA_ADD, channels::add)),
    operation("/channel/delete", |caller, fields| run(caller, fields, Act::CAMERA_REMOVE, channels::delete)),
    operation("/channel/update", |caller, fields| run(caller, fields, Act::CAMERA_UPDATE, channels::update)),
    operation("/channel/list", |caller, fields| run(caller, fields, Act::READ, channels::list)),
    operation("/channel/import", |caller, fields| run(caller, fields, Act::CAMERA_ADD, channels::import)),
    operation("/control/time/update", |caller, fields| run(caller, fields, Act::CAMERA_UPDATE, plans::update)),
    operation("/control/time/get", |caller, fields| run(caller, fields, Act::READ, plans::get)),
    operation("/smart/update", |caller, fields| run(caller, fields, Act::CAMERA_UPDATE, smart::update)),
    operation("/smart/list", |caller, fields| run(caller, fields, Act::READ, smart::list)),
    operation("/smart/task", |caller, fields| run(caller, fields, Act::CAMERA_UPDATE, smart::task)),
    operation("/smart/cycle", |caller, fields| run(caller, fields, Act::CAMERA_UPDATE, smart::cycle)),
    operation("/algo/list", |caller, fields| run(caller, fields, Act::READ, smart::algorithm_list)),
    // Of newer firmware, not in the document.
    operation("/algo/list/current", |caller, fields| run(caller, fields, Act::READ, smart::algorithm_list)),
    operation("/smart/enable/list", |caller, fields| run(caller, fields, Act::READ, smart::enabled_list)),
    operation("/extend/get", |caller, fields| run(caller, fields, Act::READ, extended::get)),
    operation("/extend/update", |caller, fields| run(caller, fields, Act::CAMERA_UPDATE, extended::update)),
    operation("/smart/params/get", |caller, fields| run(caller, fields, Act::READ, extended::params)),
    operation("/smart/params/update", |caller, fields| run(caller, fields, Act::CAMERA_UPDATE, extended::set_params)),
    operation("/workclotheslib/add", |caller, fields| run(caller, fields, Act::PICTURE_KEEP, clothes::add_library)),
    operation("/workclotheslib/update", |caller, fields| {
        run(caller, fields, Act::PICTURE_KEEP, clothes::rename_library)
    }),
    operation("/workclotheslib/delete", |caller, fields| {
        run(caller, fields, Act::PICTURE_REMOVE, clothes::delete_library)
    }),
    operation("/workclotheslib/list", |caller, fields| run(caller, fields, Act::READ, clothes::libraries)),
    with_picture("/workclothes/add", |caller, fields| run(caller, fields, Act::PICTURE_KEEP, clothes::add)),
    with_pictures("/workclothes/batchadd", |caller, fields| run(caller, fields, Act::PICTURE_KEEP, clothes::add_batch)),
    operation("/workclothes/delete", |caller, fields| run(caller, fields, Act::PICTURE_REMOVE, clothes::delete)),
    operation("/workclothes/list", |caller, fields| run(caller, fields, Act::READ, clothes::list)),
    operation("/device/update", |caller, fields| run(caller, fields, Act::ADAPTER_CONFIGURE, own::update)),
    operation("/device/get", |caller, fields| run(caller, fields, Act::READ, own::get)),
    operation("/search/behavior", |caller, fields| run(caller, fields, Act::READ, searches::behaviours)),
    operation("/search/facecap", |caller, fields| run(caller, fields, Act::READ, searches::face_captures)),
    operation("/search/behaviormatch", |caller, fields| run(caller, fields, Act::READ, searches::behaviour_matches)),
    operation("/search/facematch", |caller, fields| run(caller, fields, Act::READ, searches::face_matches)),
    operation("/docking/config/update", |caller, fields| run(caller, fields, Act::ADAPTER_CONFIGURE, docking::update)),
    operation("/docking/config/get", |caller, fields| run(caller, fields, Act::READ, docking::get)),
    operation("/docking/ability/get", |caller, fields| run(caller, fields, Act::READ, docking::ability)),
];

/// Refuses what the caller may not do, reads the fields, and does it.
fn run<T, A, F>(
    caller: Caller,
    fields: Fields,
    needed: Act,
    act: impl FnOnce(Caller, T) -> F + Send + 'static,
) -> Running
where
    T: DeserializeOwned + Send + 'static,
    A: Serialize + 'static,
    F: Future<Output = Result<A, Fault>> + Send + 'static,
{
    Box::pin(async move {
        caller.actor.may(needed)?;
        success(&act(caller, wire::read(fields)?).await?)
    })
}

/// Every path.
pub(crate) fn routes(device: Arc<Device>) -> Router {
    let mut router = Router::new();
    for operation in OPERATIONS {
        let path = format!("/api/v2{}", operation.path);
        router = router.route(&path, any(move |caller, request| answer(operation, caller, request)));
    }
    router
        .route("/api/v2/upgrade", any(upload_upgrade))
        .route("/api/v2/upgrade/status", any(upgrade_status))
        .route("/api/v2/smart/picture", any(show_picture))
        .route("/api/v2/smart/video", any(show_video))
        .route("/api/v2/{*path}", any(unknown))
        .layer(from_fn_with_state(device, admit))
        // The bodies are bounded where they are read.
        .layer(DefaultBodyLimit::disable())
}

/// Admits the sender of a request; a stranger gets a challenge. A browser adds a login that it knows to forms of any
/// page, so that pages of other sites are refused.
async fn admit(State(device): State<Arc<Device>>, mut request: Request, next: Next) -> Response {
    let caller = match Login::of(&request) {
        _ if Transport::of(request.extensions()).refuses_logins() => Err(Fault::in_clear()),
        _ if Sender::of(request.headers()) == Sender::ForeignPage => {
            Err(Fault::with_status(StatusCode::FORBIDDEN, Code::NoPermission))
        }
        Ok(login) => Caller::of(&device, login).await,
        Err(fault) => Err(fault),
    };
    match caller {
        Ok(caller) => {
            Standing::of(request.extensions()).authenticated();
            request.extensions_mut().insert(caller);
            next.run(request).await
        }
        Err(fault) => {
            let challenge = challenge_of(&device, &fault);
            let mut response = respond("", Err(fault));
            response.headers_mut().extend(challenge.map(|challenge| (WWW_AUTHENTICATE, challenge)));
            // A connection that is closed over an unread body may lose the answer.
            discard_body(request, MAX_REFUSED).await;
            response
        }
    }
}

/// What a caller without a good login is to answer; `None` when the device itself is at fault.
fn challenge_of(device: &Device, fault: &Fault) -> Option<HeaderValue> {
    let is_login = fault.status == StatusCode::UNAUTHORIZED;
    // Digits and fixed text are a header value.
    is_login.then(|| challenge(device.nonces.give_out(), fault.stale).parse().ok()).flatten()
}

/// Any path of the table.
async fn answer(operation: &'static Operation, Extension(caller): Extension<Caller>, request: Request) -> Response {
    let outcome = async move {
        require(&request, &[Method::POST])?;
        let fields = request::fields(request, operation.max_body).await?;
        (operation.run)(caller, fields).await.map(json)
    };
    respond(operation.path, outcome.await)
}

async fn upload_upgrade(Extension(caller): Extension<Caller>, request: Request) -> Response {
    let outcome = async move {
        require(&request, &[Method::POST])?;
        caller.actor.may(Act::MACHINE_UPGRADE)?;
        success(&upgrade::upload(caller, request).await?).map(json)
    };
    respond("/upgrade", outcome.await)
}

/// The body, an empty form, is not looked at.
async fn upgrade_status(Extension(caller): Extension<Caller>, request: Request) -> Response {
    let outcome = async move {
        require(&request, &[Method::POST])?;
        success(&upgrade::status(&caller).await?).map(json)
    };
    respond("/upgrade/status", outcome.await)
}

/// GET and HEAD, and POST for clients that know no other (quirk "11, 13 pictures").
async fn show_picture(
    Extension(caller): Extension<Caller>,
    query: Result<Query<PictureQuery>, QueryRejection>,
    request: Request,
) -> Response {
    let outcome = async move {
        require(&request, &[Method::GET, Method::HEAD, Method::POST])?;
        let Query(query) = query.map_err(|_| pictures::unknown())?;
        pictures::show(&caller, query).await.map(picture_answer)
    };
    respond("/smart/picture", outcome.await)
}

/// As [`show_picture`].
async fn show_video(
    Extension(caller): Extension<Caller>,
    query: Result<Query<VideoQuery>, QueryRejection>,
    request: Request,
) -> Response {
    let outcome = async move {
        require(&request, &[Method::GET, Method::HEAD, Method::POST])?;
        let Query(query) = query.map_err(|_| pictures::unknown())?;
        let video = pictures::show_video(&caller, query).await?;
        Ok(([(CONTENT_TYPE, "video/mp4"), (CACHE_CONTROL, "no-store")], video).into_response())
    };
    respond("/smart/video", outcome.await)
}

async fn unknown() -> Response {
    respond("", Err(Fault::with_status(StatusCode::NOT_FOUND, Code::NotSupported)))
}

fn require(request: &Request, methods: &[Method]) -> Result<(), Fault> {
    let known = methods.contains(request.method());
    if known { Ok(()) } else { Err(Fault::with_status(StatusCode::METHOD_NOT_ALLOWED, Code::Arguments)) }
}

/// The answer; a failed call has the body of every refusal.
fn respond(path: &str, outcome: Result<Response, Fault>) -> Response {
    outcome.unwrap_or_else(|fault| {
        fault.report(path);
        (fault.status, axum::Json(Refusal::of(&fault))).into_response()
    })
}

/// The body of a success.
fn success(answer: &impl Serialize) -> Result<Vec<u8>, Fault> {
    serde_json::to_vec(answer).map_err(|error| domain::Error::internal("writing an answer")(error).into())
}

fn json(body: Vec<u8>) -> Response {
    ([(CONTENT_TYPE, "application/json; charset=utf-8")], Body::from(body)).into_response()
}

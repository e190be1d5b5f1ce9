//! The way of a request: admit the caller, read, run, answer.

use std::future::Future;
use std::sync::Arc;

use adapter::discard_body;
use axum::Router;
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::header::WWW_AUTHENTICATE;
use axum::http::{HeaderValue, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::any;
use domain::{Act, Error};
use futures_util::future::BoxFuture;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::codes::{Code, Fault};
use crate::device::Device;
use crate::ops::{devices, gates, groups, later, people, permissions, servers, system};
use crate::request::{self, Bodies, Caller};
use crate::wire::{self, Answer, Fields, Refusal};

/// The largest body without pictures, bytes.
const MAX_BODY: usize = 1 << 20;
/// The largest body with a picture, bytes.
const MAX_PICTURE_BODY: usize = 10 << 20;
/// How much is read of a request that is refused, so that its sender reads the answer, bytes.
const MAX_REFUSED: usize = 1 << 20;

/// A method of a path.
struct Operation {
    method: Method,
    path: &'static str,
    bodies: Bodies,
    max_body: usize,
    /// The code for a body of another type.
    other_type: Code,
    /// Runs the operation and returns `data` of the answer.
    run: fn(Caller, Fields) -> Running,
}

type Running = BoxFuture<'static, Result<Value, Fault>>;
type Run = fn(Caller, Fields) -> Running;

/// The types and the size of the bodies that an operation takes, and the code for another type.
type Taken = (Bodies, usize, Code);

const fn operation(method: Method, path: &'static str, (bodies, max_body, other_type): Taken, run: Run) -> Operation {
    Operation { method, path, bodies, max_body, other_type, run }
}

const fn get(path: &'static str, run: Run) -> Operation {
    operation(Method::GET, path, (Bodies::Query, 0, Code::ContentType), run)
}

/// Takes JSON only.
const fn json(method: Method, path: &'static str, run: Run) -> Operation {
    operation(method, path, (Bodies::Json, MAX_BODY, Code::ContentType), run)
}

const fn form(method: Method, path: &'static str, run: Run) -> Operation {
    operation(method, path, (Bodies::JsonOrForm, MAX_BODY, Code::ContentType), run)
}

const fn picture(method: Method, path: &'static str, run: Run) -> Operation {
    operation(method, path, (Bodies::JsonOrForm, MAX_PICTURE_BODY, Code::ContentType), run)
}

/// Sets what follows an event, or where it goes: the document has another code for other types there (4.4, 4.5).
const fn setting(path: &'static str, run: Run) -> Operation {
    operation(Method::POST, path, (Bodies::JsonOrForm, MAX_BODY, Code::UnsupportedContentType), run)
}

const PERMISSIONS: &str = "/SophonFogSys/api/permissions";
const GROUPS: &str = "/SophonFogSys/api/groups";
const GROUP_USERS: &str = "/SophonFogSys/api/GroupUsers";
const USERS: &str = "/SophonFogSys/api/users";
const MODE: &str = "/SophonFogSys/api/GateControllerMode";
const REALTIME: &str = "/SophonFogSys/api/EventServerUrl";
const HISTORY: &str = "/SophonFogSys/api/HistoryEventUrl";
const MONITOR: &str = "/SophonFogSys/api/MonitorServerUrl";
const DEV_SNO: &str = "/SophonMQ/api/DevSno";
const LOGIN_URL: &str = "/SophonMQ/api/LoginUrl";

/// All operations.
const OPERATIONS: &[Operation] = &[
    form(Method::POST, PERMISSIONS, |c, f| run(c, f, Act::PERMISSION_CREATE, permissions::create)),
    get(PERMISSIONS, |c, f| run(c, f, Act::READ, permissions::query)),
    form(Method::DELETE, PERMISSIONS, |c, f| run(c, f, Act::PERMISSION_REMOVE, permissions::delete)),
    form(Method::PUT, PERMISSIONS, |c, f| run(c, f, Act::PERMISSION_UPDATE, permissions::update)),
    form(Method::POST, GROUPS, |c, f| run(c, f, Act::LIBRARY_CREATE, groups::create)),
    get(GROUPS, |c, f| run(c, f, Act::READ, groups::query)),
    form(Method::DELETE, GROUPS, |c, f| run(c, f, Act::LIBRARY_REMOVE, groups::delete)),
    form(Method::PUT, GROUPS, |c, f| run(c, f, Act::LIBRARY_UPDATE, groups::update)),
    form(Method::PUT, GROUP_USERS, |c, f| run(c, f, Act::PERSON_UPDATE, groups::add_people)),
    form(Method::DELETE, GROUP_USERS, |c, f| run(c, f, Act::PERSON_UPDATE, groups::remove_people)),
    picture(Method::POST, USERS, |c, f| run(c, f, Act::PERSON_ENROL, people::create)),
    get(USERS, |c, f| run(c, f, Act::READ, people::query)),
    picture(Method::PUT, USERS, |c, f| run(c, f, Act::PERSON_UPDATE, people::update)),
    form(Method::DELETE, USERS, |c, f| run(c, f, Act::PERSON_REMOVE, people::delete)),
    setting(MODE, |c, f| run(c, f, Act::DOOR_REACTION, gates::set_mode)),
    get(MODE, |c, f| run(c, f, Act::READ, gates::mode)),
    json(Method::PUT, "/SophonFogSys/api/EventAction", |c, f| run(c, f, Act::DOOR_OPEN, gates::act)),
    setting(REALTIME, |c, f| run(c, f, Act::ADAPTER_CONFIGURE, servers::set_realtime)),
    get(REALTIME, |c, f| run(c, f, Act::READ, servers::realtime)),
    setting(HISTORY, |c, f| run(c, f, Act::ADAPTER_CONFIGURE, servers::set_history)),
    get(HISTORY, |c, f| run(c, f, Act::READ, servers::history)),
    setting(MONITOR, |c, f| run(c, f, Act::ADAPTER_CONFIGURE, servers::set_monitor)),
    get(MONITOR, |c, f| run(c, f, Act::READ, servers::monitor)),
    json(Method::POST, "/SophonFogSys/api/WipeData", |c, f| run(c, f, Act::RECORDS_REMOVE, system::wipe_data)),
    get(DEV_SNO, |c, f| run(c, f, Act::READ, system::dev_sno)),
    json(Method::PUT, DEV_SNO, |c, f| run(c, f, Act::ADAPTER_CONFIGURE, system::set_dev_sno)),
    get(LOGIN_URL, |c, f| run(c, f, Act::READ, system::login_url)),
    json(Method::PUT, LOGIN_URL, |c, f| run(c, f, Act::ADAPTER_CONFIGURE, system::set_login_url)),
    get("/SophonFace/api/groups", |c, f| run(c, f, Act::READ, later::groups)),
    get("/SophonFace/api/permissions", |c, f| run(c, f, Act::READ, later::permissions)),
    json(Method::POST, "/SophonDevice/api/Devices", |c, f| run(c, f, Act::CAMERA_ADD, devices::add)),
    picture(Method::POST, "/SophonMatch/api/PictureMatch", |c, f| {
        run(c, f, Act::PICTURE_DELIVER, devices::take_picture)
    }),
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
        let data = act(caller, wire::read(fields)?).await?;
        serde_json::to_value(data).map_err(|error| Error::internal("writing an answer")(error).into())
    })
}

/// Every path.
pub(crate) fn routes(device: Arc<Device>) -> Router {
    let mut paths: Vec<_> = OPERATIONS.iter().map(|operation| operation.path).collect();
    paths.sort_unstable();
    paths.dedup();
    let mut router = Router::new();
    for path in paths {
        router = router.route(path, any(move |state, request| answer(path, state, request)));
    }
    for api in ["SophonFogSys", "SophonMQ", "SophonFace", "SophonDevice", "SophonMatch"] {
        router = router.route(&format!("/{api}/api/{{*path}}"), any(|state, request| answer("", state, request)));
    }
    // The bodies are bounded where they are read.
    router.layer(DefaultBodyLimit::disable()).with_state(device)
}

/// Any path.
async fn answer(path: &'static str, State(device): State<Arc<Device>>, request: Request) -> Response {
    let (extensions, headers) = (request.extensions().clone(), request.headers().clone());
    let caller = match Caller::of(&device, &extensions, &headers).await {
        Ok(caller) => caller,
        Err(fault) => return turn_away(fault, request).await,
    };
    let method = request.method().clone();
    let outcome = async {
        let known = OPERATIONS.iter().find(|operation| operation.path == path && operation.method == method);
        let operation = known.ok_or_else(|| unknown(path))?;
        let fields = request::fields(request, operation.bodies, operation.max_body, operation.other_type).await?;
        (operation.run)(caller, fields).await
    };
    match outcome.await {
        Ok(data) => axum::Json(Answer { data }).into_response(),
        Err(fault) => {
            fault.report(path);
            refusal(&fault)
        }
    }
}

/// What there is not: the path, or this method of it.
fn unknown(path: &str) -> Fault {
    match path {
        "" => Code::NotFound.into(),
        _ => Fault::with_status(StatusCode::METHOD_NOT_ALLOWED, "the path has no such method"),
    }
}

/// Answers a caller who is not let in.
async fn turn_away(fault: Fault, request: Request) -> Response {
    let mut response = refusal(&fault);
    if fault.status() == StatusCode::UNAUTHORIZED {
        response.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static("Basic realm=\"sophon\""));
    }
    // A connection that is closed over an unread body may lose the answer.
    discard_body(request, MAX_REFUSED).await;
    response
}

fn refusal(fault: &Fault) -> Response {
    (fault.status(), axum::Json(Refusal::of(fault))).into_response()
}

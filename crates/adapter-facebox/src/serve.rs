//! The way of a request: read, find the operation, admit the caller, run, answer. Faults are checked in the order of
//! the contract: the body, its fields, the session, and then everything else.

use std::future::Future;
use std::sync::Arc;

use adapter::{
    BodyError, Sender, Standing, Transport, caller_address, discard_body, parse_request, picture_answer, read_body,
};
use axum::Router;
use axum::extract::{DefaultBodyLimit, Path, Query, Request, State};
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get};
use domain::{Act, Error};
use futures_util::future::BoxFuture;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::codes::{Code, Fault};
use crate::device::Device;
use crate::ops::{accounts, cameras, config, libraries, people, pictures, records, session, tasks};
use crate::request::{Call, Caller};
use crate::wire::Refusal;

/// The largest JSON body, bytes.
const MAX_BODY: usize = 1 << 20;
/// How much is read of a request that is refused, so that its sender reads the answer, bytes.
const MAX_REFUSED: usize = 1 << 20;

/// A path that the device answers.
struct Operation {
    path: &'static str,
    /// Runs the operation and returns the body of the answer.
    run: fn(Call) -> Running,
    /// The body of the answer when it fails.
    on_failure: fn(&Fault) -> Vec<u8>,
}

type Running = BoxFuture<'static, Result<Vec<u8>, Fault>>;

const fn operation(path: &'static str, run: fn(Call) -> Running) -> Operation {
    Operation { path, run, on_failure: refusal }
}

/// All paths with a JSON body.
const OPERATIONS: &[Operation] = &[
    Operation {
        path: "/Login",
        run: |call| Box::pin(login(call)),
        on_failure: |fault| body(&session::login_refusal(fault)),
    },
    operation("/RegisterUser", |call| run(call, Act::ACCOUNT_CREATE, accounts::register_user)),
    operation("/UpdateUser", |call| run(call, Act::OWN_ACCOUNT_UPDATE, accounts::update_user)),
    operation("/DeleteUser", |call| run(call, Act::ACCOUNT_REMOVE, accounts::delete_user)),
    operation("/DownloadPersonPicture", |call| run(call, Act::READ, pictures::download_person_picture)),
    operation("/DeletePicture", |call| run(call, Act::PICTURE_REMOVE, pictures::delete_picture)),
    operation("/AddLibrary", |call| run(call, Act::LIBRARY_CREATE, libraries::add_library)),
    operation("/DeleteLibrary", |call| run(call, Act::LIBRARY_REMOVE, libraries::delete_library)),
    operation("/QueryLibraryList", |call| run(call, Act::READ, libraries::query_library_list)),
    operation("/AddPerson", |call| run(call, Act::PERSON_ENROL, people::add_person)),
    operation("/DeletePerson", |call| run(call, Act::PERSON_REMOVE, people::delete_person)),
    operation("/UpdatePerson", |call| run(call, Act::PERSON_UPDATE, people::update_person)),
    operation("/QueryPersonList", |call| run(call, Act::READ, people::query_person_list)),
    operation("/AddCamera", |call| run(call, Act::CAMERA_ADD, cameras::add_camera)),
    operation("/DeleteCamera", |call| run(call, Act::CAMERA_REMOVE, cameras::delete_camera)),
    operation("/UpdateCamera", |call| run(call, Act::CAMERA_UPDATE, cameras::update_camera)),
    operation("/QueryCameraList", |call| run(call, Act::READ, cameras::query_camera_list)),
    operation("/SearchCamera", |call| run(call, Act::READ, cameras::search_camera)),
    operation("/QueryCameraRtsp", |call| run(call, Act::ADDRESS_CALL, cameras::query_camera_rtsp)),
    operation("/AddTask", |call| run(call, Act::TASK_ADD, tasks::add_task)),
    operation("/DeleteTask", |call| run(call, Act::TASK_REMOVE, tasks::delete_task)),
    operation("/UpdateTask", |call| run(call, Act::TASK_UPDATE, tasks::update_task)),
    operation("/QueryTaskList", |call| run(call, Act::READ, tasks::query_task_list)),
    operation("/StartTask", |call| run(call, Act::TASK_START, tasks::start_task)),
    operation("/StopTask", |call| run(call, Act::TASK_STOP, tasks::stop_task)),
    Operation {
        path: "/Compare1V1",
        run: |call| run(call, Act::READ, pictures::compare_1v1),
        on_failure: |fault| body(&pictures::compare_refusal(fault)),
    },
    operation("/UpdateSystemConfig", |call| run(call, Act::ADAPTER_NOTE, config::update_system_config)),
    operation("/GetSystemConfig", |call| run(call, Act::READ, config::get_system_config)),
    operation("/QueryTaskCaptureRecord", |call| run(call, Act::READ, records::query_task_capture_record)),
    operation("/DeleteTaskCaptureRecord", |call| run(call, Act::RECORD_REMOVE, records::delete_task_capture_record)),
];

async fn login(call: Call) -> Result<Vec<u8>, Fault> {
    success(&session::login(&call).await?)
}

/// Reads the fields, admits the caller, and runs the operation.
fn run<T, A, F>(call: Call, needed: Act, act: impl FnOnce(Caller, T) -> F + Send + 'static) -> Running
where
    T: DeserializeOwned + Send + 'static,
    A: Serialize + 'static,
    F: Future<Output = Result<A, Fault>> + Send + 'static,
{
    Box::pin(async move {
        let request = call.read()?;
        let caller = call.admit(needed).await?;
        success(&act(caller, request).await?)
    })
}

/// Every path.
pub(crate) fn routes(device: Arc<Device>) -> Router {
    let mut router = Router::new();
    for operation in OPERATIONS {
        // The method does not matter (quirk "methods").
        router = router.route(operation.path, any(move |state, request| answer(operation, state, request)));
    }
    router = router.route("/UploadPersonPicture", any(upload_person_picture));
    router = router.route("/picture/{*path}", get(show_picture));
    // The bodies are bounded where they are read.
    router.layer(DefaultBodyLimit::disable()).with_state(device)
}

/// Any path of the table.
async fn answer(operation: &'static Operation, State(device): State<Arc<Device>>, request: Request) -> Response {
    let origin = caller_address(request.extensions());
    let outcome = async {
        let request = encrypted(request).await?;
        let content_type = request.headers().get(CONTENT_TYPE).cloned();
        let (standing, sender) = (Standing::of(request.extensions()), Sender::of(request.headers()));
        let body = read_body(device.bounded(request), MAX_BODY).await.map_err(|error| match error {
            BodyError::Busy => Fault::from(Error::Busy),
            BodyError::TooLarge | BodyError::Incomplete => Code::Json.into(),
        })?;
        let fields = parse_request(content_type.as_ref(), &body).map_err(|_| Code::Json)?;
        // Requests without a session are not logged: they could fill the log.
        let session = fields.get("session").and_then(Value::as_str);
        let known = match session {
            Some(session) => device.sessions.caller(session, origin).await?.is_some(),
            None => false,
        };
        if known {
            standing.authenticated();
        }
        let outcome = (operation.run)(Call { device, origin, standing, sender, fields }).await;
        outcome.inspect_err(|fault| {
            if known {
                fault.explain(operation.path);
            }
        })
    };
    respond(outcome.await, operation.on_failure)
}

/// The request, unless it came in clear where logins in clear are refused.
async fn encrypted(request: Request) -> Result<Request, Fault> {
    if !Transport::of(request.extensions()).refuses_logins() {
        return Ok(request);
    }
    // A connection that is closed over an unread body may lose the answer.
    discard_body(request, MAX_REFUSED).await;
    Err(Fault::in_clear())
}

/// The session, where neither form nor header has one.
#[derive(Deserialize)]
struct InQuery {
    session: Option<String>,
}

/// /UploadPersonPicture, which is a form.
async fn upload_person_picture(
    State(device): State<Arc<Device>>,
    Query(query): Query<InQuery>,
    request: Request,
) -> Response {
    let kept = async {
        let request = encrypted(request).await?;
        pictures::upload_person_picture(device, query.session, request).await
    };
    respond(kept.await.and_then(|kept| success(&kept)), refusal)
}

/// GET of an address (quirk "2.1 pic_url").
async fn show_picture(
    State(device): State<Arc<Device>>,
    Path(path): Path<String>,
    Query(query): Query<InQuery>,
    request: Request,
) -> Response {
    let shown = async {
        encrypted(request).await?;
        pictures::show_picture(device, query.session, &path).await
    };
    match shown.await {
        Ok(picture) => picture_answer(picture),
        Err(fault) => respond(Err(fault), refusal),
    }
}

/// The answer; its body is that of the outcome.
fn respond(outcome: Result<Vec<u8>, Fault>, on_failure: fn(&Fault) -> Vec<u8>) -> Response {
    let body = outcome.unwrap_or_else(|fault| {
        fault.report();
        on_failure(&fault)
    });
    ([(CONTENT_TYPE, "application/json; charset=utf-8")], body).into_response()
}

/// What a failed call answers, unless its operation has a form of its own.
fn refusal(fault: &Fault) -> Vec<u8> {
    body(&Refusal { code: fault.code.number(), msg: fault.message() })
}

/// The body of a refusal.
fn body(refusal: &impl Serialize) -> Vec<u8> {
    // Structs of plain values can always be written.
    serde_json::to_vec(refusal).unwrap_or_default()
}

/// The body of a success.
fn success(answer: &impl Serialize) -> Result<Vec<u8>, Fault> {
    serde_json::to_vec(answer).map_err(|error| domain::Error::internal("writing an answer")(error).into())
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use axum::body::{Body, Bytes};
    use axum::http::header::CONTENT_LENGTH;
    use futures_util::stream;

    use super::*;

    const PIECE: &[u8] = &[b' '; 64 << 10];

    #[tokio::test]
    async fn a_body_in_clear_is_forgotten_whatever_its_length_is_said_to_be() {
        let read = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&read);
        let pieces = stream::repeat_with(move || {
            counter.fetch_add(PIECE.len(), Ordering::Relaxed);
            Ok::<_, Infallible>(Bytes::from_static(PIECE))
        });
        let mut request = Request::new(Body::from_stream(pieces));
        request.headers_mut().insert(CONTENT_LENGTH, (2 * MAX_REFUSED).into());
        request.extensions_mut().insert(Transport::Refused);
        assert!(encrypted(request).await.is_err());
        assert_eq!(read.load(Ordering::Relaxed), MAX_REFUSED + PIECE.len(), "the sender reads the answer");
    }
}

//! The way of a request: read, find the operation, admit the caller, run, answer.

use std::collections::HashMap;
use std::sync::Arc;

use adapter::{LOGIN_REFUSED, Standing, Transport, discard_body};
use axum::Router;
use axum::extract::{DefaultBodyLimit, Path, Query, Request, State};
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use domain::{Act, Actor, Error};
use futures_util::future::BoxFuture;
use serde::Serialize;

use crate::codes::{Code, Fault};
use crate::convert::paths::{self, Download};
use crate::device::Device;
use crate::ops::{
    batches, cameras, compare, device, download, exports, https, libraries, network, people, push, records, relays,
    session, time, upgrade,
};
use crate::request::{Call, session_id};
use crate::wire::{Envelope, Nothing};

/// How much is read of a request that is refused, so that its sender reads the answer, bytes.
const MAX_REFUSED: usize = 1 << 20;

/// A message that the device answers.
struct Operation {
    msg_id: i64,
    /// What a caller must be allowed to do; `None`: no session needed.
    act: Option<Act>,
    /// Runs the operation and returns the body of the answer.
    run: Run,
}

impl Operation {
    /// Refuses a caller who may not do this.
    fn admit(&self, actor: Option<&Actor>) -> Result<(), Fault> {
        let Some(act) = self.act else { return Ok(()) };
        Ok(actor.ok_or(Code::NotLoggedIn)?.may(act)?)
    }
}

/// The operation of a message.
fn find(msg_id: i64) -> Option<&'static Operation> {
    OPERATIONS.iter().find(|operation| operation.msg_id == msg_id)
}

type Run = fn(Call) -> BoxFuture<'static, Result<Vec<u8>, Fault>>;

const fn open(msg_id: i64, run: Run) -> Operation {
    Operation { msg_id, act: None, run }
}

const fn read(msg_id: i64, run: Run) -> Operation {
    act(msg_id, Act::READ, run)
}

/// The act is refused before the fields are read.
const fn act(msg_id: i64, act: Act, run: Run) -> Operation {
    Operation { msg_id, act: Some(act), run }
}

/// All messages.
const OPERATIONS: &[Operation] = &[
    open(257, |call| answer(session::login(call))),
    read(258, |call| answer(session::logout(call))),
    read(1028, |call| answer(libraries::list_libs(call))),
    act(1025, Act::LIBRARY_CREATE, |call| answer(libraries::add_lib(call))),
    act(1026, Act::LIBRARY_REMOVE, |call| answer(libraries::delete_lib(call))),
    act(1027, Act::LIBRARY_UPDATE, |call| answer(libraries::update_lib(call))),
    read(1034, |call| answer(libraries::query_libs(call))),
    read(1032, |call| answer(people::get_face(call))),
    act(1029, Act::PERSON_ENROL, |call| answer(people::add_face(call))),
    act(1051, Act::PERSON_ENROL, |call| answer(people::add_face_base64(call))),
    act(1031, Act::PERSON_REMOVE, |call| answer(people::delete_face(call))),
    act(1030, Act::PERSON_ENROL, |call| answer(batches::add_faces_batch(call))),
    act(1052, Act::PERSON_ENROL, |call| answer(batches::add_faces_batch_base64(call))),
    act(1044, Act::PERSON_REMOVE, |call| answer(batches::delete_faces_batch(call))),
    act(1033, Act::PERSON_UPDATE, |call| answer(people::update_face(call))),
    read(1035, |call| answer(people::query_faces(call))),
    read(1036, |call| answer(records::query_alarms(call))),
    read(1037, |call| answer(records::query_snaps(call))),
    act(1045, Act::RECORDS_REMOVE, |call| answer(records::delete_all_snaps(call))),
    read(1038, |call| answer(exports::export_faces_page(call))),
    read(1041, |call| answer(exports::export_faces_selected(call))),
    read(1040, |call| answer(exports::export_snaps_page(call))),
    read(1043, |call| answer(exports::export_snaps_selected(call))),
    read(1039, |call| answer(exports::export_alarms_page(call))),
    read(1042, |call| answer(exports::export_alarms_selected(call))),
    read(1046, |call| answer(records::query_body_snaps(call))),
    read(1048, |call| answer(exports::export_body_snaps_page(call))),
    read(1047, |call| answer(exports::export_body_snaps_selected(call))),
    read(516, |call| answer(cameras::list_cameras(call))),
    act(513, Act::CAMERA_ADD, |call| answer(cameras::add_camera(call))),
    act(515, Act::CAMERA_UPDATE, |call| answer(cameras::update_camera(call))),
    act(514, Act::CAMERA_REMOVE, |call| answer(cameras::delete_camera(call))),
    read(1310, |call| answer(cameras::get_sip_server_id(call))),
    read(769, |call| answer(compare::detect_face(call))),
    read(779, |call| answer(compare::detect_face_base64(call))),
    read(782, |call| answer(compare::detect_faces(call))),
    read(771, |call| answer(compare::compare_1_to_1(call))),
    read(781, |call| answer(compare::compare_1_to_1_base64(call))),
    read(772, |call| answer(compare::compare_1_to_n(call))),
    read(780, |call| answer(compare::compare_1_to_n_base64(call))),
    read(1537, |call| answer(relays::list_relays(call))),
    act(1538, Act::RELAY_BIND, |call| answer(relays::add_relay(call))),
    act(1539, Act::RELAY_RELEASE, |call| answer(relays::delete_relay(call))),
    read(1281, |call| answer(device::get_version(call))),
    read(1291, |call| answer(time::get_ntp(call))),
    act(1290, Act::TIME_SERVICE, |call| answer(time::set_ntp(call))),
    read(1288, |call| answer(device::get_storage(call))),
    act(1287, Act::STORAGE_WHEN_FULL, |call| answer(device::set_storage(call))),
    read(1283, |call| answer(time::get_time(call))),
    act(1282, Act::TIME_SET, |call| answer(time::set_time(call))),
    read(1297, |call| answer(network::get_network(call))),
    act(1296, Act::NETWORK_CHANGE, |call| answer(network::set_network(call))),
    act(1295, Act::NETWORK_CHANGE, |call| answer(network::set_default_port(call))),
    act(1292, Act::MACHINE_UPGRADE, |call| answer(upgrade::upgrade(call))),
    act(1302, Act::ADAPTER_CONFIGURE, |call| answer(https::upload_https_file(call))),
    act(1303, Act::ADAPTER_CONFIGURE, |call| answer(https::delete_https_file(call))),
    act(1304, Act::ADAPTER_CONFIGURE, |call| answer(https::get_https_files(call))),
    act(1305, Act::ADAPTER_CONFIGURE, |call| answer(https::switch_https(call))),
    read(1306, |call| answer(https::get_https_state(call))),
    act(1294, Act::MACHINE_RESTART, |call| answer(device::reboot(call))),
    read(1301, |call| answer(device::get_device_id(call))),
    act(1300, Act::DEVICE_ID, |call| answer(device::set_device_id(call))),
    act(1317, Act::DEVICE_RESTORE, |call| answer(device::restore_defaults(call))),
    act(1315, Act::CONSOLE_OPEN, |call| answer(device::enable_web(call))),
    act(1316, Act::CONSOLE_CLOSE, |call| answer(device::disable_web(call))),
    read(1313, |call| answer(device::get_cpu(call))),
    read(1314, |call| answer(device::get_memory(call))),
    read(1286, |call| answer(push::get_ws_key(call))),
    act(1298, Act::ADAPTER_CONFIGURE, |call| answer(push::set_http_push(call))),
    act(1299, Act::ADAPTER_CONFIGURE, |call| answer(push::get_http_push(call))),
];

/// The body of the answer to an operation.
fn answer<T: Serialize>(
    operation: impl Future<Output = Result<T, Fault>> + Send + 'static,
) -> BoxFuture<'static, Result<Vec<u8>, Fault>> {
    Box::pin(async { success(operation.await?) })
}

/// The routes of messages and downloads; pictures are served without a session too when `open_pictures`.
pub(crate) fn routes(device: Arc<Device>, open_pictures: bool) -> Router {
    // Any message may come on either path; public clients write //api/json and //ws, an example of the document /form.
    let message = || post(respond);
    let download = || get(move |device, path, query, request| download(open_pictures, device, path, query, request));
    let router = Router::new()
        .route("/api/json", message())
        .route("/api/form", message())
        .route("//api/json", message())
        .route("//api/form", message())
        .route("/form", message())
        .route("/ws/{*path}", download())
        .route("//ws/{*path}", download())
        // The bodies are bounded where they are read.
        .layer(DefaultBodyLimit::disable());
    router.with_state(device)
}

/// POST `/api/json`, `/api/form`: any message on either path.
async fn respond(State(device): State<Arc<Device>>, request: Request) -> Response {
    if Transport::of(request.extensions()).refuses_logins() {
        // A connection that is closed over an unread body may lose the answer.
        discard_body(request, MAX_REFUSED).await;
        return refusal(&Fault::with_detail(Code::NoPermission, LOGIN_REFUSED));
    }
    match perform(device, request).await {
        Ok(body) => ([(CONTENT_TYPE, "application/json")], body).into_response(),
        Err(fault) => refusal(&fault),
    }
}

async fn perform(device: Arc<Device>, request: Request) -> Result<Vec<u8>, Fault> {
    let call = Call::receive(device, request).await?;
    let msg_id = call.msg_id()?;
    let operation = find(msg_id).ok_or(Code::MsgId)?;
    operation.admit(call.caller.as_ref().map(|caller| &caller.actor))?;
    let known = call.caller.is_some();
    // Requests without a session are not logged: they could fill the log.
    (operation.run)(call).await.inspect_err(|fault| {
        if known {
            fault.explain(msg_id);
        }
    })
}

/// GET `/ws/{path}`: a file for a caller with a session, and a picture for every caller when `open_pictures`.
async fn download(
    open_pictures: bool,
    State(device): State<Arc<Device>>,
    Path(path): Path<String>,
    Query(query): Query<HashMap<String, String>>,
    request: Request,
) -> Response {
    let wanted = paths::download(&path);
    let id = session_id(request.headers()).or_else(|| query.get("sessionid").map(String::as_str));
    let caller = match id.filter(|_| !Transport::of(request.extensions()).refuses_logins()) {
        Some(id) => device.sessions.caller(id, None).await.unwrap_or_default(),
        None => None,
    };
    let known = caller.is_some_and(|caller| caller.actor.may(Act::READ).is_ok());
    if known {
        Standing::of(request.extensions()).authenticated();
    }
    let is_open = open_pictures && wanted.as_ref().is_some_and(Download::is_picture);
    if !known && !is_open {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    let Some(wanted) = wanted else { return StatusCode::NOT_FOUND.into_response() };
    match download::download(&device, wanted).await {
        Ok(answer) => answer,
        Err(Error::NotFound { .. }) => StatusCode::NOT_FOUND.into_response(),
        Err(error) => {
            tracing::error!(error = error.chain(), "failed to read a file for download");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

/// The body of a success.
fn success(data: impl Serialize) -> Result<Vec<u8>, Fault> {
    let envelope = Envelope { code: 0, data, msg: String::new() };
    serde_json::to_vec(&envelope).map_err(|error| Error::internal("writing an answer")(error).into())
}

fn refusal(fault: &Fault) -> Response {
    fault.report();
    let envelope = Envelope { code: fault.code.number(), data: Nothing::NOTHING, msg: fault.message() };
    axum::Json(envelope).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::Role;

    fn refusal(msg_id: i64, role: Option<Role>) -> Option<Code> {
        let actor = role.map(|role| Actor { role, ..Actor::platform("test") });
        find(msg_id).unwrap().admit(actor.as_ref()).err().map(|fault| fault.code)
    }

    #[test]
    fn every_message_has_one_operation() {
        let mut numbers: Vec<_> = OPERATIONS.iter().map(|operation| operation.msg_id).collect();
        numbers.sort_unstable();
        numbers.dedup();
        assert_eq!(numbers.len(), OPERATIONS.len());
        assert!(find(9999).is_none());
    }

    #[test]
    fn a_stranger_may_only_log_in() {
        assert_eq!(refusal(257, None), None);
        assert_eq!(refusal(1028, None), Some(Code::NotLoggedIn));
    }

    #[test]
    fn a_viewer_reads_an_operator_changes_an_admin_sets_up() {
        assert_eq!(refusal(1028, Some(Role::Viewer)), None);
        assert_eq!(refusal(1025, Some(Role::Viewer)), Some(Code::NoPermission));
        assert_eq!(refusal(1025, Some(Role::Operator)), None);
        assert_eq!(refusal(1298, Some(Role::Operator)), Some(Code::NoPermission));
        assert_eq!(refusal(1298, Some(Role::Admin)), None);
    }
}

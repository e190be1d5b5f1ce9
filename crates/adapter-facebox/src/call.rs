//! One call: from the HTTP request to the operation and back to the answer. Faults are looked for in the order the
//! contract gives: the body, its fields, the session, and then everything else.

use std::net::IpAddr;
use std::sync::Arc;

use adapter::{caller_address, parse_request, read_body};
use axum::extract::{Request, State};
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::codes::{Code, Fault};
use crate::core::Core;
use crate::ops::Operation;
use crate::wire::{self, Fields};

/// The largest JSON body, bytes.
const MAX_BODY: usize = 1 << 20;

/// A request that was read.
pub(crate) struct Call {
    pub(crate) core: Arc<Core>,
    /// Where the call comes from, for the login guard.
    pub(crate) origin: Option<IpAddr>,
    pub(crate) fields: Fields,
}

impl Call {
    /// The request's fields; a missing one or a wrong type is code 3 with its name.
    pub(crate) fn read<T: DeserializeOwned>(&self) -> Result<T, Fault> {
        wire::read(self.fields.clone())
    }
}

/// Any path of the table.
pub(crate) async fn answer(operation: &'static Operation, State(core): State<Arc<Core>>, request: Request) -> Response {
    let origin = caller_address(request.extensions());
    let outcome = async {
        let content_type = request.headers().get(CONTENT_TYPE).cloned();
        let body = read_body(request, MAX_BODY).await.map_err(|_| Code::Json)?;
        let fields = parse_request(content_type.as_ref(), &body).map_err(|_| Code::Json)?;
        // Strangers do not fill the log.
        let session = fields.get("session").and_then(Value::as_str);
        let known = session.is_some_and(|session| core.sessions.find(session).is_some());
        let outcome = (operation.run)(Call { core, origin, fields }).await;
        outcome.inspect_err(|fault| {
            if known {
                fault.explain(operation.path);
            }
        })
    };
    respond(outcome.await, operation.on_failure)
}

/// The body of the answer; a failed call says what its document says of failures.
pub(crate) fn respond(outcome: Result<Vec<u8>, Fault>, on_failure: fn(&Fault) -> Value) -> Response {
    let body = outcome.unwrap_or_else(|fault| {
        fault.report();
        on_failure(&fault).to_string().into_bytes()
    });
    ([(CONTENT_TYPE, "application/json; charset=utf-8")], body).into_response()
}

/// The body of a success.
pub(crate) fn success(answer: &impl Serialize) -> Result<Vec<u8>, Fault> {
    serde_json::to_vec(answer).map_err(|error| domain::Error::internal("writing an answer")(error).into())
}

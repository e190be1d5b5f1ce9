//! GET /ws/{path}: pictures by the paths that answers and pushes name (sections 7.4, 9.2).

use std::collections::HashMap;
use std::sync::Arc;

use adapter::picture_answer;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use domain::{Error, Result, Thing};

use crate::convert::paths::{self, Download};
use crate::core::Core;
use crate::session;

/// Serves the bytes of a picture to a caller with a session.
pub(crate) async fn download(
    State(core): State<Arc<Core>>,
    Path(path): Path<String>,
    Query(query): Query<HashMap<String, String>>,
    headers: HeaderMap,
) -> Response {
    let id = session::id(&headers).or_else(|| query.get("sessionid").map(String::as_str));
    if id.and_then(|id| core.sessions.find(id)).is_none() {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    let Some(wanted) = paths::download(&path) else { return StatusCode::NOT_FOUND.into_response() };
    match picture(&core, wanted).await {
        Ok(bytes) => picture_answer(bytes),
        Err(Error::NotFound { .. }) => StatusCode::NOT_FOUND.into_response(),
        Err(error) => {
            tracing::error!(error = error.chain(), "a picture could not be read");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

async fn picture(core: &Core, wanted: Download) -> Result<Bytes> {
    let gone = Error::NotFound { what: Thing::Picture };
    match wanted {
        Download::Face(library, code) => {
            let person = core.appliance.person_by_code(code).await?;
            if !person.libraries.contains(&library) {
                return Err(gone);
            }
            core.appliance.picture(person.photo).await
        }
        Download::Capture(id) => {
            let record = core.appliance.record_of_capture(id).await?;
            core.appliance.picture(record.capture.crop).await
        }
        Download::Temporary(id) => core.temporary.get(id).map(|kept| kept.bytes).ok_or(gone),
    }
}

//! GET /ws/{path}: pictures and exports by the paths that answers and pushes name (sections 3.11 to 3.28, 7.4, 9.2).

use std::collections::HashMap;
use std::sync::Arc;

use adapter::picture_answer;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use domain::{Act, Actor, Error, Result, Thing};

use crate::convert::paths::{self, Download};
use crate::core::{Core, NAME};
use crate::session;

/// Serves a file to a caller with a session, and a picture to every caller where pictures are `open`.
pub(crate) async fn download(
    open: bool,
    State(core): State<Arc<Core>>,
    Path(path): Path<String>,
    Query(query): Query<HashMap<String, String>>,
    headers: HeaderMap,
) -> Response {
    let wanted = paths::download(&path);
    let id = session::id(&headers).or_else(|| query.get("sessionid").map(String::as_str));
    let account = id.and_then(|id| core.sessions.find(id));
    let known = account.is_some_and(|account| Actor::user(&account, None, NAME).may(Act::READ).is_ok());
    let is_open = open && wanted.as_ref().is_some_and(Download::is_picture);
    if !known && !is_open {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    let Some(wanted) = wanted else { return StatusCode::NOT_FOUND.into_response() };
    match file(&core, wanted).await {
        Ok(answer) => answer,
        Err(Error::NotFound { .. }) => StatusCode::NOT_FOUND.into_response(),
        Err(error) => {
            tracing::error!(error = error.chain(), "a file could not be read");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

async fn file(core: &Core, wanted: Download) -> Result<Response> {
    let gone = Error::NotFound { what: Thing::Picture };
    let picture = match wanted {
        Download::Face(library, code) => {
            let person = core.appliance.person_by_code(code).await?;
            if !person.libraries.contains(&library) {
                return Err(gone);
            }
            core.appliance.picture(person.photo).await?
        }
        Download::Capture(id) => {
            let record = core.appliance.record_of_capture(id).await?;
            core.appliance.picture(record.capture.crop).await?
        }
        Download::Body(id) => {
            let body = core.appliance.behaviour(id).await?;
            core.appliance.picture(body.behaviour.crop).await?
        }
        Download::Temporary(id) => core.temporary.get(id).map(|kept| kept.bytes).ok_or(gone)?,
        Download::Export(name) => return core.exports.answer(&name).await?.ok_or(gone),
    };
    Ok(picture_answer(picture))
}

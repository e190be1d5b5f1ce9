//! Downloads of pictures.

use axum::http::StatusCode;
use bytes::Bytes;
use domain::Error;

use crate::codes::{Code, Fault};
use crate::convert::pictures::picture;
use crate::request::Caller;
use crate::wire::pictures::PictureQuery;

/// Returns a picture (GET /smart/picture).
pub(crate) async fn show(caller: &Caller, query: PictureQuery) -> Result<Bytes, Fault> {
    let id = picture(&query.kind, &query.index).ok_or_else(unknown)?;
    caller.reading()?.picture(id).await.map_err(|error| match error {
        Error::NotFound { .. } => unknown(),
        other => other.into(),
    })
}

/// HTTP 404: no picture of this kind and key.
pub(crate) fn unknown() -> Fault {
    Fault::with_status(StatusCode::NOT_FOUND, Code::Arguments)
}

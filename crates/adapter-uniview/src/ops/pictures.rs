//! Downloads of pictures and alarm videos.

use axum::http::StatusCode;
use bytes::Bytes;
use domain::{CaptureId, ClipState, Error};

use crate::codes::{Code, Fault};
use crate::convert::pictures::picture;
use crate::request::Caller;
use crate::wire::pictures::{PictureQuery, VideoQuery};

/// Returns a picture (GET /smart/picture).
pub(crate) async fn show(caller: &Caller, query: PictureQuery) -> Result<Bytes, Fault> {
    let id = picture(&query.kind, &query.index).ok_or_else(unknown)?;
    caller.reading()?.picture(id).await.map_err(|error| match error {
        Error::NotFound { .. } => unknown(),
        other => other.into(),
    })
}

/// Returns the video of an alarm (GET /smart/video). HTTP 503, code 6, while it is not stored yet.
pub(crate) async fn show_video(caller: &Caller, query: VideoQuery) -> Result<Bytes, Fault> {
    let id: CaptureId = query.index.parse().map_err(|_| unknown())?;
    let gone = |error| match error {
        Error::NotFound { .. } => unknown(),
        other => other.into(),
    };
    match caller.reading()?.behaviour(id).await.map_err(gone)?.behaviour.clip {
        ClipState::Stored(video) => caller.reading()?.picture(video).await.map_err(gone),
        ClipState::Awaited => Err(Fault::with_status(StatusCode::SERVICE_UNAVAILABLE, Code::Busy)),
        ClipState::None | ClipState::Lost => Err(unknown()),
    }
}

/// HTTP 404: no picture of this kind and key.
pub(crate) fn unknown() -> Fault {
    Fault::with_status(StatusCode::NOT_FOUND, Code::Arguments)
}

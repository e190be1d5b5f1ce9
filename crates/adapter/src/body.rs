//! Request bodies.

use std::error::Error as StdError;

use axum::extract::Request;
use axum::http::HeaderMap;
use axum::http::header::CONTENT_LENGTH;
use bytes::{Bytes, BytesMut};
use futures_util::StreamExt;

/// Why a request body could not be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BodyError {
    /// More bytes than allowed.
    #[error("the request is too large")]
    TooLarge,
    /// The caller sends too slowly, disconnected or broke the protocol.
    #[error("the request is incomplete")]
    Incomplete,
    /// Too many large bodies of callers who have not proved who they are.
    #[error("busy")]
    Busy,
}

impl BodyError {
    /// Classifies a failure to read a body: the listener's paced body states its reason, anything else is a broken
    /// connection.
    pub(crate) fn of(error: &(dyn StdError + 'static)) -> Self {
        let mut cause = Some(error);
        while let Some(error) = cause {
            if let Some(known) = error.downcast_ref::<Self>() {
                return *known;
            }
            cause = error.source();
        }
        Self::Incomplete
    }
}

/// Reads the whole body of a request, at most `max_bytes`. The announced length is checked before reading.
///
/// # Errors
/// The body is too large or incomplete.
pub async fn read_body(request: Request, max_bytes: usize) -> Result<Bytes, BodyError> {
    if announced(request.headers()).is_some_and(|length| length > max_bytes) {
        return Err(BodyError::TooLarge);
    }
    let mut pieces = request.into_body().into_data_stream();
    let mut body = BytesMut::new();
    while let Some(piece) = pieces.next().await {
        let piece = piece.map_err(|error| BodyError::of(&error))?;
        if piece.len() > max_bytes - body.len() {
            return Err(BodyError::TooLarge);
        }
        body.extend_from_slice(&piece);
    }
    Ok(body.freeze())
}

/// Reads at most `max_bytes` of a body and forgets them. A connection that is closed over an unread body may lose the
/// answer.
pub async fn discard_body(request: Request, max_bytes: usize) {
    let mut pieces = request.into_body().into_data_stream();
    let mut left = max_bytes;
    while let Some(Ok(piece)) = pieces.next().await {
        match left.checked_sub(piece.len()) {
            Some(rest) => left = rest,
            None => return,
        }
    }
}

/// The announced length of the body.
pub(crate) fn announced(headers: &HeaderMap) -> Option<usize> {
    headers.get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

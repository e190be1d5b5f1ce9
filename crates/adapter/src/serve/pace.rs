//! Bodies: enforces a minimum rate for requests and reports when responses end.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, BodyDataStream, HttpBody};
use bytes::Bytes;
use futures_util::{StreamExt, stream};
use hyper::body::{Frame, Incoming, SizeHint};
use tokio::time::{Instant, timeout};

use super::Limits;
use super::place::Pulse;
use crate::BodyError;

/// Minimum rate of a body, bytes per second.
const SLOWEST: u64 = 16 << 10;

/// The body of a request; fails with a [`BodyError`] when it is too large, stalls or is too slow.
pub(super) fn paced(body: Incoming, limits: &Limits, pulse: &Arc<Pulse>) -> Body {
    if body.is_end_stream() {
        return Body::empty();
    }
    let pieces = Body::new(body).into_data_stream();
    let (stall, most) = (limits.stall, limits.upload_bytes);
    let paced = Paced { pieces, pulse: pulse.clone(), stall, most, received: 0, waited: Duration::ZERO };
    Body::from_stream(stream::try_unfold(paced, Paced::next))
}

struct Paced {
    pieces: BodyDataStream,
    pulse: Arc<Pulse>,
    /// Maximum time without progress.
    stall: Duration,
    /// Maximum size, bytes.
    most: usize,
    received: usize,
    /// Time spent waiting for the caller, excluding the handler's own time.
    waited: Duration,
}

impl Paced {
    async fn next(mut self) -> Result<Option<(Bytes, Self)>, BodyError> {
        let earned = Duration::from_secs(self.received as u64 / SLOWEST);
        let left = (self.stall * 2 + earned).saturating_sub(self.waited);
        let start = Instant::now();
        let piece = timeout(left.min(self.stall), self.pieces.next()).await;
        self.waited += start.elapsed();
        match piece {
            Ok(None) => {
                self.pulse.received();
                Ok(None)
            }
            Ok(Some(Ok(piece))) if piece.len() > self.most - self.received => Err(BodyError::TooLarge),
            Ok(Some(Ok(piece))) => {
                self.received += piece.len();
                Ok(Some((piece, self)))
            }
            Ok(Some(Err(_))) | Err(_) => Err(BodyError::Incomplete),
        }
    }
}

/// The body of a response; reports to the pulse when it is written or dropped.
pub(super) struct Watched {
    body: Body,
    pulse: Arc<Pulse>,
}

impl Watched {
    pub(super) fn new(body: Body, pulse: Arc<Pulse>) -> Self {
        Self { body, pulse }
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        self.pulse.answered();
    }
}

impl HttpBody for Watched {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

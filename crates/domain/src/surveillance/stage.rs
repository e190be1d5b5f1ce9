//! What a looker hands frames to.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::duty::Duty;
use crate::error::{Error, Result};
use crate::frame::Frame;
use crate::ports::Search;

/// One of the ways in which a camera's frames are looked at. Failures are logged: the next frame is a new chance.
pub(super) trait Stage {
    /// Keeps to a changed duty.
    fn take_up(&mut self, duty: Arc<Duty>);

    /// Goes on with this frame; frames come in order of time. Where to look for what, or `None` when there is nothing to
    /// look for.
    fn begin(&mut self, frame: &Frame) -> Option<Search>;

    /// Whether something is followed: what stands still stays in view only when it is found again.
    fn follows(&self) -> bool;

    /// Looks for it in the frame.
    async fn look(&mut self, frame: &Frame, search: Search) -> Answer;

    /// Decides what can be decided by now.
    async fn settle(&mut self);

    /// Ends all tracks, and records what was not recorded yet.
    async fn finish(&mut self);
}

/// How the analyzer answered about a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Answer {
    /// It searched, which took so long, waiting included.
    Searched(Duration),
    /// It failed after so long.
    Failed(Duration),
    /// Too many were waiting.
    Refused,
}

/// Waits for what was found in a frame; `None` when it was not searched.
pub(super) async fn timed<T>(found: impl Future<Output = Result<T>>) -> (Option<T>, Answer) {
    let asked = Instant::now();
    let found = found.await;
    let after = asked.elapsed();
    match found {
        Ok(found) => (Some(found), Answer::Searched(after)),
        Err(Error::Busy) => (None, Answer::Refused),
        Err(error) => {
            tracing::error!(error = error.chain(), "a frame could not be analysed");
            (None, Answer::Failed(after))
        }
    }
}

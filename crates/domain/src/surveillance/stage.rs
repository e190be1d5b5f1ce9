//! The trait of the stages that a looker passes frames to.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::config::CameraConfig;
use super::motion::Motion;
use crate::error::{Error, Result};
use crate::frame::Frame;
use crate::ports::Search;

/// One way of analysing a camera's frames. Failures are logged, not returned; the next frame is analysed as usual.
pub(super) trait Stage {
    /// Applies a changed configuration.
    fn configure(&mut self, config: Arc<CameraConfig>);

    /// Advances the stage's time to this frame; frames come in order of time. Returns what to search the frame for, or
    /// `None` when nothing is to be searched for.
    fn begin(&mut self, frame: &Frame) -> Option<Search>;

    /// Narrows a search to where something is to be found; `None` when nothing is: nothing has moved, and there is no
    /// live track. A frame without motion is searched for live tracks too, since a track ends unless its face or object
    /// is found again.
    fn aim(&self, frame: &Frame, search: Search, motion: Motion) -> Option<Search>;

    /// Searches the frame and updates the tracks.
    async fn look(&mut self, frame: &Frame, search: Search) -> Answer;

    /// Decides and records what is ready.
    async fn settle(&mut self);

    /// Ends all tracks and records what was not recorded yet.
    async fn finish(&mut self);
}

/// Outcome of a search.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Answer {
    /// Searched, after this time including the wait in the queue.
    Searched(Duration),
    /// Failed after this time.
    Failed(Duration),
    /// Refused because the queue was full.
    Refused,
}

/// Runs a search and measures it. Returns what was found, `None` when the search failed or was refused. Failures are
/// logged.
pub(super) async fn timed<T>(found: impl Future<Output = Result<T>>) -> (Option<T>, Answer) {
    let started = Instant::now();
    let found = found.await;
    let after = started.elapsed();
    match found {
        Ok(found) => (Some(found), Answer::Searched(after)),
        Err(Error::Busy) => (None, Answer::Refused),
        Err(error) => {
            tracing::error!(error = error.chain(), "failed to analyse frame");
            (None, Answer::Failed(after))
        }
    }
}

//! What the sessions with cameras share.

use std::sync::Arc;
use std::time::Duration;

use domain::ports::Clock;
use tokio_util::task::TaskTracker;

use crate::counters::Tally;

/// What sessions share.
pub(crate) struct Surroundings {
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) tally: Arc<Tally>,
    /// Sessions that are being closed at their cameras.
    pub(crate) closing: TaskTracker,
    /// Patience for each answer.
    pub(crate) answer: Duration,
}

/// Text of a camera, made fit for a log.
pub(crate) fn plain(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(160).collect()
}

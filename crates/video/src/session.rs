//! Resources shared by the sessions with cameras.

use std::sync::Arc;
use std::time::Duration;

use domain::ConnectError;
use domain::ports::{Clock, SourceError};
use tokio_util::task::TaskTracker;

use crate::access::Access;
use crate::counters::Tally;

/// Shared by all sessions.
pub(crate) struct Surroundings {
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) tally: Arc<Tally>,
    /// Tracks sessions that are being closed at their cameras.
    pub(crate) closing: TaskTracker,
    /// Timeout for each response.
    pub(crate) answer: Duration,
    pub(crate) access: Access,
}

/// Why no connection to a camera was made.
pub(crate) fn unconnected(why: ConnectError) -> SourceError {
    match why {
        ConnectError::NotAllowed => SourceError::BadAddress("the address is not allowed: see [outbound]".to_owned()),
        other => SourceError::Unreachable(other.to_string()),
    }
}

/// Text from a camera, without control characters and cut to 160 characters, for logs and errors.
pub(crate) fn plain(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(160).collect()
}

//! Polling with a deadline.

use std::time::{Duration, Instant};

/// Default deadline; longer than anything that a test waits for.
pub const DEADLINE: Duration = Duration::from_secs(30);
/// Interval between two polls.
const PAUSE: Duration = Duration::from_millis(10);

/// Polls until `poll` returns a value; panics with `what` after [`DEADLINE`].
pub async fn eventually<T>(what: &str, poll: impl AsyncFnMut() -> Option<T>) -> T {
    eventually_within(DEADLINE, what, poll).await
}

/// Polls until `poll` returns a value; panics with `what` after `limit`.
pub async fn eventually_within<T>(limit: Duration, what: &str, mut poll: impl AsyncFnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + limit;
    loop {
        if let Some(answer) = poll().await {
            return answer;
        }
        assert!(Instant::now() < deadline, "not within {limit:?}: {what}");
        tokio::time::sleep(PAUSE).await;
    }
}

/// Polls until `is` returns `true`; panics with `what` after [`DEADLINE`].
pub async fn until(what: &str, mut is: impl AsyncFnMut() -> bool) {
    eventually(what, async || is().await.then_some(())).await;
}

//! Signals.

use std::time::Duration;

use anyhow::{Context, Result};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// How long running work may take to end after the first signal: the service promises ten seconds.
pub(crate) const DRAIN: Duration = Duration::from_secs(9);

/// The signals that ask the daemon to stop.
pub(crate) struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    /// Takes the signals over from the default action.
    pub(crate) fn catch() -> Result<Self> {
        let take = |kind| signal(kind).context("signals cannot be caught");
        Ok(Self { terminate: take(SignalKind::terminate())?, interrupt: take(SignalKind::interrupt())? })
    }

    /// Cancels at the first signal; leaves the process at the second.
    pub(crate) async fn obey(mut self, cancel: CancellationToken) {
        self.next().await;
        tracing::info!("stopping");
        cancel.cancel();
        self.next().await;
        tracing::warn!("second signal: leaving at once");
        std::process::exit(130);
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

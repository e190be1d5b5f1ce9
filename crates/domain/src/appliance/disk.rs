//! Detects a disk that does not respond.

use std::time::Duration;

use super::Appliance;
use crate::progress::Part;
use crate::{Result, StorageState};

/// The disk counts as hung when the store has made no progress for this long.
const HUNG: Duration = Duration::from_secs(20);
/// Interval between two checks.
const CHECK: Duration = Duration::from_secs(2);

impl Appliance {
    /// Reports a disk that does not respond, for as long as that lasts. Records are queued in memory meanwhile.
    pub(super) async fn watch_storage(&self) -> ! {
        self.progress().stamp(Part::Storage);
        loop {
            tokio::time::sleep(CHECK).await;
            if self.progress().age(Part::Storage).is_some_and(|age| age >= HUNG) {
                let why = format!("the disk has not answered for {} s", HUNG.as_secs());
                self.progress().stall(Part::Storage, &why);
                self.core.surveillance.recorder().set_state(StorageState::Failing { reason: why });
            }
        }
    }

    /// Runs a short call of the store, and reports progress when it returns.
    pub(super) async fn call_store<T: Send + 'static>(
        &self,
        call: impl FnOnce(&Self) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let answer = self.blocking(call).await;
        self.progress().stamp(Part::Storage);
        answer
    }
}

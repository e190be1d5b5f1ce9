//! A disk that does not answer.

use std::time::Duration;

use super::Appliance;
use crate::progress::Part;
use crate::{Result, StorageState};

/// A store that made no progress for this long hangs on the disk.
const HUNG: Duration = Duration::from_secs(20);
/// Between two looks at it.
const LOOK: Duration = Duration::from_secs(2);

impl Appliance {
    /// Reports a disk that does not answer, for as long as that lasts: what is to be recorded waits in memory meanwhile.
    pub(super) async fn watch_storage(&self) -> ! {
        self.progress().stamp(Part::Storage);
        loop {
            tokio::time::sleep(LOOK).await;
            if self.progress().age(Part::Storage).is_some_and(|age| age >= HUNG) {
                let why = format!("the disk has not answered for {} s", HUNG.as_secs());
                self.progress().stall(Part::Storage, &why);
                self.core.surveillance.recorder().set_state(StorageState::Failing { reason: why });
            }
        }
    }

    /// Asks the store something that takes it milliseconds.
    pub(super) async fn ask_store<T: Send + 'static>(
        &self,
        question: impl FnOnce(&Self) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let answer = self.blocking(question).await;
        self.progress().stamp(Part::Storage);
        answer
    }
}

//! The result of a command until the broker knows that the command is done: a command that comes again is answered once
//! more with the same result and not carried out twice.

use domain::Result;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::commands::Done;
use crate::device::{Device, RESULT, written};

/// A result is sent so often; then the command is given up.
const MOST_ATTEMPTS: u32 = 5;

/// The result of the last command, unless the broker knows that it is done.
#[derive(Default)]
pub(super) struct Results {
    last: Option<Kept>,
    /// Number of attempts to send it that failed.
    attempts: u32,
}

/// A result as it is kept.
#[derive(Serialize, Deserialize)]
struct Kept {
    /// Identifies the command.
    digest: String,
    done: Done,
}

impl Results {
    /// The result of a command that was carried out before. `redelivered`: the broker has sent it to somebody already;
    /// what was kept before a restart holds for no other, because platforms send the same command twice on purpose.
    pub(super) async fn find(&mut self, device: &Device, command: &[u8], redelivered: bool) -> Result<Option<&Done>> {
        let digest = digest(command);
        if self.last.is_none() && redelivered {
            let read = |text: &str| serde_json::from_str(text).map_err(|error| error.to_string());
            self.last = device.state().read_value(RESULT, read).await?;
        }
        Ok(self.last.as_ref().filter(|kept| kept.digest == digest).map(|kept| &kept.done))
    }

    /// Keeps a result until the command is acknowledged.
    pub(super) async fn keep(&mut self, device: &Device, command: &[u8], done: &Done) -> Result<()> {
        let kept = Kept { digest: digest(command), done: done.clone() };
        let text = written(&kept)?;
        (self.last, self.attempts) = (Some(kept), 0);
        device.state().set_value(RESULT, Some(text)).await
    }

    /// Counts an attempt to send a result that failed; whether it was the last.
    pub(super) fn give_up(&mut self) -> bool {
        self.attempts += 1;
        self.attempts >= MOST_ATTEMPTS
    }

    /// Forgets the result: the command is acknowledged.
    pub(super) async fn forget(&mut self, device: &Device) -> Result<()> {
        self.attempts = 0;
        match self.last.take() {
            Some(_) => device.state().set_value(RESULT, None).await,
            None => Ok(()),
        }
    }
}

fn digest(command: &[u8]) -> String {
    hex::encode(Sha256::digest(command))
}

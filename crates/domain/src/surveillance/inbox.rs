//! Pictures that a camera has sent to the device, on their way to the camera's task.

use bytes::Bytes;
use tokio::sync::{Mutex, MutexGuard, mpsc, oneshot};

use crate::error::{Error, Result};
use crate::time::Timestamp;

/// Maximum number of pictures of one camera waiting.
const WAITING: usize = 16;

/// A picture that a camera has sent.
pub(super) struct Delivery {
    /// Encoded, as it was sent.
    pub(super) picture: Bytes,
    /// When it was sent, or earlier.
    pub(super) at: Timestamp,
    /// Receives what became of it.
    pub(super) done: oneshot::Sender<Result<()>>,
}

/// The pictures of one camera that wait for its task.
pub(super) struct Inbox {
    sender: mpsc::Sender<Delivery>,
    receiver: Mutex<mpsc::Receiver<Delivery>>,
}

impl Default for Inbox {
    fn default() -> Self {
        let (sender, receiver) = mpsc::channel(WAITING);
        Self { sender, receiver: Mutex::new(receiver) }
    }
}

impl Inbox {
    /// The waiting pictures, for the camera's task.
    pub(super) async fn open(&self) -> MutexGuard<'_, mpsc::Receiver<Delivery>> {
        self.receiver.lock().await
    }

    /// Adds a picture. Returns the receiver of what becomes of it; `Busy` when too many wait.
    pub(super) fn put(&self, picture: Bytes, at: Timestamp) -> Result<oneshot::Receiver<Result<()>>> {
        let (done, outcome) = oneshot::channel();
        self.sender.try_send(Delivery { picture, at, done }).map_err(|_| Error::Busy)?;
        Ok(outcome)
    }
}

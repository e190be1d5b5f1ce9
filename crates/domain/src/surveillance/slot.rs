//! A slot for one frame; a newer frame replaces an older one.

use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use crate::frame::Frame;

/// Passes the newest frame from the reader of a camera to its looker.
#[derive(Default)]
pub(super) struct Slot {
    content: Mutex<Content>,
    changed: Notify,
}

#[derive(Default)]
struct Content {
    frame: Option<Frame>,
    closed: bool,
}

impl Slot {
    /// Puts a frame in. Returns whether it replaced one that was not taken.
    pub(super) fn put(&self, frame: Frame) -> bool {
        let replaced = self.content().frame.replace(frame).is_some();
        self.changed.notify_one();
        replaced
    }

    /// Marks the end of the stream.
    pub(super) fn close(&self) {
        self.content().closed = true;
        self.changed.notify_one();
    }

    /// Waits for a frame and takes it out; `None` when the slot is closed and empty.
    pub(super) async fn take(&self) -> Option<Frame> {
        loop {
            let closed = {
                let mut content = self.content();
                if let Some(frame) = content.frame.take() {
                    return Some(frame);
                }
                content.closed
            };
            if closed {
                return None;
            }
            self.changed.notified().await;
        }
    }

    fn content(&self) -> MutexGuard<'_, Content> {
        self.content.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

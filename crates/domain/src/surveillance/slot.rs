//! Room for one frame: the newest wins.

use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use crate::frame::Frame;

/// Between the one who reads a camera and the one who looks at its frames.
#[derive(Default)]
pub(super) struct Slot {
    content: Mutex<Content>,
    news: Notify,
}

#[derive(Default)]
struct Content {
    frame: Option<Frame>,
    closed: bool,
}

impl Slot {
    /// Puts a frame in; answers whether it displaced one that nobody looked at.
    pub(super) fn put(&self, frame: Frame) -> bool {
        let displaced = self.content().frame.replace(frame).is_some();
        self.news.notify_one();
        displaced
    }

    /// No more frames will come.
    pub(super) fn close(&self) {
        self.content().closed = true;
        self.news.notify_one();
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
            self.news.notified().await;
        }
    }

    fn content(&self) -> MutexGuard<'_, Content> {
        self.content.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

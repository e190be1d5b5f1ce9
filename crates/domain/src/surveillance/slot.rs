//! A slot for one frame; a newer frame replaces an older one.

use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use crate::frame::Frame;

/// Passes the newest frame from the reader of a camera to its looker.
#[derive(Default)]
pub(super) struct Slot {
    content: Mutex<Content>,
    changed: Notify,
    wanted: Notify,
}

#[derive(Default)]
struct Content {
    frame: Option<Frame>,
    /// Whether a frame is waited for.
    awaited: bool,
    closed: bool,
}

impl Slot {
    /// Puts a frame in. Returns whether it replaced one that was not taken.
    pub(super) fn put(&self, frame: Frame) -> bool {
        let mut content = self.content();
        content.awaited = false;
        let replaced = content.frame.replace(frame).is_some();
        drop(content);
        self.changed.notify_one();
        replaced
    }

    /// Puts a frame in if one is waited for; otherwise it would be old when it is taken.
    pub(super) fn put_if_awaited(&self, frame: Frame) {
        if self.content().awaited {
            self.put(frame);
        }
    }

    /// Waits until a frame is waited for.
    pub(super) async fn awaited(&self) {
        while !self.content().awaited {
            self.wanted.notified().await;
        }
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
                content.awaited = !content.closed;
                content.closed
            };
            if closed {
                return None;
            }
            self.wanted.notify_one();
            self.changed.notified().await;
        }
    }

    fn content(&self) -> MutexGuard<'_, Content> {
        self.content.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::future::Future;
    use std::pin::pin;

    use super::*;
    use crate::frame::{PixelFormat, Plane};
    use crate::time::Timestamp;

    fn frame(at: i64) -> Frame {
        let plane = Plane { data: bytes::Bytes::from_static(&[0; 3]), stride: 3 };
        Frame::new(Timestamp::from_millis(at), 1, 1, PixelFormat::Rgb8, vec![plane]).unwrap()
    }

    /// Whether the future is ready when it is polled for the first time.
    async fn is_ready(future: impl Future) -> bool {
        tokio::select! {
            biased;
            _ = future => true,
            () = std::future::ready(()) => false,
        }
    }

    #[tokio::test]
    async fn a_frame_is_awaited_from_the_time_the_looker_takes_until_it_has_one() {
        let slot = Slot::default();
        assert!(!is_ready(slot.awaited()).await, "the looker is busy");
        slot.put_if_awaited(frame(1));
        let mut taking = pin!(slot.take());
        assert!(!is_ready(&mut taking).await, "the frame from before would be old by now");
        slot.awaited().await;
        slot.put_if_awaited(frame(2));
        assert_eq!(taking.await.unwrap().at(), Timestamp::from_millis(2));
        assert!(!is_ready(slot.awaited()).await);
    }

    #[tokio::test]
    async fn a_reader_that_waits_is_woken() {
        let slot = Slot::default();
        let reading = async {
            slot.awaited().await;
            slot.put_if_awaited(frame(3));
        };
        let (taken, ()) = tokio::join!(slot.take(), reading);
        assert_eq!(taken.unwrap().at(), Timestamp::from_millis(3));
    }

    #[tokio::test]
    async fn a_closed_slot_awaits_nothing() {
        let slot = Slot::default();
        slot.close();
        assert!(slot.take().await.is_none());
        assert!(!is_ready(slot.awaited()).await);
    }
}

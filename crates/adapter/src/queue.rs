//! Bounded queues between requests and the task that does the work they ask for.

use tokio::sync::{Mutex, MutexGuard, mpsc};

/// A bounded queue of work for one worker. Queued items are never dropped; when the queue is full, [`Queue::put`] waits
/// and [`Queue::offer`] refuses the new item.
pub struct Queue<T> {
    sender: mpsc::Sender<T>,
    items: Mutex<mpsc::Receiver<T>>,
}

/// The end of a [`Queue`] from which items are taken.
pub struct Worker<'a, T>(MutexGuard<'a, mpsc::Receiver<T>>);

impl<T> Queue<T> {
    /// `most`: maximum number of queued items; 0 counts as 1.
    pub fn new(most: usize) -> Self {
        let (sender, items) = mpsc::channel(most.max(1));
        Self { sender, items: Mutex::new(items) }
    }

    /// Queues an item; waits while the queue is full.
    pub async fn put(&self, item: T) {
        // The queue owns the receiver, so it is never closed.
        let _ = self.sender.send(item).await;
    }

    /// Queues an item.
    ///
    /// # Errors
    /// The item, when the queue is full.
    pub fn offer(&self, item: T) -> Result<(), T> {
        self.sender.try_send(item).map_err(mpsc::error::TrySendError::into_inner)
    }

    /// The end for the worker; a second worker waits until the first one is dropped.
    pub async fn worker(&self) -> Worker<'_, T> {
        Worker(self.items.lock().await)
    }
}

impl<T> Worker<'_, T> {
    /// The next item; waits while the queue is empty. Cancel safe.
    pub async fn next(&mut self) -> T {
        match self.0.recv().await {
            Some(item) => item,
            // The queue owns a sender, so it is never closed.
            None => std::future::pending().await,
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    #[tokio::test]
    async fn items_are_taken_in_their_order_and_a_full_queue_refuses_the_newest() {
        let queue = Queue::new(2);
        assert_eq!([queue.offer(1), queue.offer(2), queue.offer(3)], [Ok(()), Ok(()), Err(3)]);
        let mut worker = queue.worker().await;
        assert_eq!(worker.next().await, 1);
        assert_eq!(queue.offer(4), Ok(()));
        assert_eq!((worker.next().await, worker.next().await), (2, 4));
        assert_eq!(worker.next().now_or_never(), None);
    }

    #[tokio::test]
    async fn a_sender_waits_for_room() {
        let queue = Queue::new(1);
        queue.put(1).await;
        let mut second = Box::pin(queue.put(2));
        assert!(second.as_mut().now_or_never().is_none());
        let mut worker = queue.worker().await;
        assert_eq!(worker.next().await, 1);
        second.await;
        assert_eq!(worker.next().await, 2);
    }

    #[tokio::test]
    async fn the_next_worker_goes_on_where_the_last_one_stopped() {
        let queue = Queue::new(2);
        queue.put(1).await;
        queue.put(2).await;
        assert_eq!(queue.worker().await.next().await, 1);
        assert_eq!(queue.worker().await.next().await, 2);
    }
}

//! Makes the clips of behaviours, each when the time that it shows has passed.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::{Mutex, Semaphore, mpsc};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::KeptVideo;
use crate::behaviour::ClipSpan;
use crate::error::{Error, Result};
use crate::ids::{CameraId, CaptureId, PictureId};
use crate::log::{Clip, Entry, NewEntry, What};
use crate::surveillance::handle::Handle;
use crate::surveillance::recorder::Draft;
use crate::time::Timestamp;

/// Maximum number of clips waiting for their time; beyond that a clip is lost.
const MOST: usize = 64;
/// How long writing may take after the end; the clips that are left are lost.
const GRACE: Duration = Duration::from_secs(4);
/// Number of clips read at a time at the start.
const BATCH: u32 = 64;

/// A clip to be made of a behaviour that is in the log.
pub(in crate::surveillance) struct Order {
    pub(in crate::surveillance) of: CaptureId,
    pub(in crate::surveillance) camera: CameraId,
    pub(in crate::surveillance) moment: Timestamp,
    pub(in crate::surveillance) span: ClipSpan,
    pub(in crate::surveillance) video: KeptVideo,
}

/// Orders that [`run`] has not taken yet.
pub(crate) struct Orders {
    sender: mpsc::Sender<Order>,
    receiver: Mutex<mpsc::Receiver<Order>>,
}

impl Default for Orders {
    fn default() -> Self {
        let (sender, receiver) = mpsc::channel(MOST);
        Self { sender, receiver: Mutex::new(receiver) }
    }
}

impl Orders {
    /// Orders a clip. It ends in the log as a [`Clip`], now or in a later run.
    pub(in crate::surveillance) async fn add(&self, handle: &Handle, order: Order) {
        if let Err(refused) = self.sender.try_send(order) {
            let order = refused.into_inner();
            lose(handle, order.of, order.camera, "too many clips at once").await;
        }
    }
}

/// Makes clips until cancelled; those that wait for their time then end with the video there is. Begins with the loss of
/// those that an earlier run has left.
pub(in crate::surveillance) async fn run(handle: &Handle, cancel: &CancellationToken) {
    let mut orders = handle.clip_orders().receiver.lock().await;
    lose_left(handle).await;
    let (writing, mut pending) = (Arc::new(Semaphore::new(1)), JoinSet::new());
    loop {
        tokio::select! {
            () = cancel.cancelled() => break,
            Some(_) = pending.join_next() => {}
            // Never closed: the sender is beside it.
            Some(order) = orders.recv(), if pending.len() < MOST => {
                pending.spawn(make(handle.clone(), order, Arc::clone(&writing), cancel.clone()));
            }
        }
    }
    while let Ok(order) = orders.try_recv() {
        pending.spawn(make(handle.clone(), order, Arc::clone(&writing), cancel.clone()));
    }
    let all = async { while pending.join_next().await.is_some() {} };
    // What is left is lost at the next start.
    let _ = tokio::time::timeout(GRACE, all).await;
}

async fn make(handle: Handle, order: Order, writing: Arc<Semaphore>, cancel: CancellationToken) {
    let Order { of, camera, moment, span, video } = order;
    let end = moment.plus_millis(super::millis(span.after));
    let _ended = cancel.run_until_cancelled(video.wait_until(end)).await;
    // One at a time, from the cut on, so that few of them are in memory. Never closed.
    let _turn = writing.acquire().await;
    let made = async {
        let file = video.write(moment, span.before, span.after).await?;
        let at = handle.now();
        let entry = move |video| entry(at, of, camera, Some(video));
        handle.blocking(move |handle| handle.recorder().keep_video(&file, entry)).await
    };
    match made.await {
        Ok(stored) => tracing::info!(camera.id = camera.0, entry.seq = stored.seq.0, "clip stored"),
        // Retention was faster.
        Err(Error::NotFound { .. }) => tracing::debug!(camera.id = camera.0, "the behaviour of a clip is gone"),
        Err(error) => lose(&handle, of, camera, &error.chain()).await,
    }
}

/// Says in the log that a clip will never be stored.
async fn lose(handle: &Handle, of: CaptureId, camera: CameraId, reason: &str) {
    tracing::warn!(camera.id = camera.0, reason, "clip lost");
    metrics::counter!("polyface_clips_lost_total").increment(1);
    if let Err(error) = note_lost(handle, of, camera).await {
        tracing::error!(error = error.chain(), "failed to write that a clip was lost");
    }
}

/// Returns `None` when that cannot be written now and was queued.
async fn note_lost(handle: &Handle, of: CaptureId, camera: CameraId) -> Result<Option<Entry>> {
    let at = handle.now();
    let draft = Draft::new(Bytes::new(), Bytes::new(), move |_, _| entry(at, of, camera, None));
    handle.blocking(move |handle| handle.recorder().keep(draft)).await
}

async fn lose_left(handle: &Handle) {
    loop {
        let left = match handle.blocking(|handle| handle.ports().log.awaited_clips(BATCH)).await {
            Ok(left) if left.is_empty() => return,
            Ok(left) => left,
            Err(error) => return tracing::error!(error = error.chain(), "failed to read awaited clips"),
        };
        for found in left {
            tracing::warn!(camera.id = found.camera.0, entry.seq = found.seq.0, reason = "restart", "clip lost");
            metrics::counter!("polyface_clips_lost_total").increment(1);
            match note_lost(handle, found.behaviour.id, found.camera).await {
                Ok(Some(_)) => {}
                Ok(None) => return,
                Err(error) => return tracing::error!(error = error.chain(), "failed to write that a clip was lost"),
            }
        }
    }
}

fn entry(at: Timestamp, of: CaptureId, camera: CameraId, video: Option<PictureId>) -> NewEntry {
    NewEntry { at, camera: Some(camera), what: What::Clip(Clip { of, video }) }
}

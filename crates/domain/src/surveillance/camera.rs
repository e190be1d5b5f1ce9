//! The task of one camera: connects, reads frames and passes them on; on failure logs the reason once and reconnects
//! with back-off.

use std::sync::Arc;
use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBuilder};
use bytes::Bytes;
use tokio::sync::watch;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::board::Entry;
use super::config::CameraConfig;
use super::handle::Handle;
use super::inbox::Delivery;
use super::looker::Looker;
use super::pace::Paces;
use super::slot::Slot;
use crate::camera::{CameraStatus, Source};
use crate::error::Result;
use crate::event::Event;
use crate::ports::{FrameStream, SourceError};
use crate::time::Timestamp;
use crate::video::Decoding;

const FIRST_DELAY: Duration = Duration::from_millis(500);
const LONGEST_DELAY: Duration = Duration::from_secs(30);
/// After a stream that lasted this long, back-off restarts from [`FIRST_DELAY`].
const STABLE: Duration = Duration::from_secs(30);

pub(super) struct CameraTask {
    pub(super) handle: Handle,
    pub(super) configured: watch::Receiver<Arc<CameraConfig>>,
    pub(super) paces: Paces,
    pub(super) entry: Arc<Entry>,
}

impl CameraTask {
    /// Keeps the camera open until cancelled; records what is in view before it returns.
    #[tracing::instrument(name = "camera", skip_all, fields(camera.id = %self.configured.borrow().camera.id))]
    pub(super) async fn run(self, cancel: CancellationToken) {
        // The status may be that of the channel's previous source.
        self.set_status(CameraStatus::Connecting);
        let (handle, configured) = (self.handle.clone(), self.configured.clone());
        let mut looker = Looker::new(handle, configured, Arc::clone(&self.entry), self.paces.clone());
        let mut delays = back_off();
        loop {
            let opened = Instant::now();
            let outcome = self.run_once(&mut looker, &cancel).await;
            looker.finish().await;
            if cancel.is_cancelled() {
                break;
            }
            self.report_end(&outcome);
            if outcome.is_ok() {
                // A file that does not loop is played once, until the daemon restarts or the source changes.
                cancel.cancelled().await;
                break;
            }
            if opened.elapsed() >= STABLE {
                delays = back_off();
            }
            let delay = delays.next().unwrap_or(LONGEST_DELAY);
            if cancel.run_until_cancelled(tokio::time::sleep(delay)).await.is_none() {
                break;
            }
            self.entry.reconnects.count();
        }
    }

    /// Opens the camera and analyses its frames until it fails, ends or is cancelled.
    async fn run_once(&self, looker: &mut Looker, cancel: &CancellationToken) -> Result<(), SourceError> {
        let source = self.configured.borrow().camera.settings.source.clone();
        match source {
            Source::Capture { .. } => return self.run_pictures(&source, looker, cancel).await,
            Source::Pushed { .. } => {
                self.run_deliveries(looker, cancel).await;
                return Ok(());
            }
            Source::Rtsp { .. } | Source::File { .. } | Source::Onvif(_) | Source::Gb28181 { .. } => {}
        }
        let opening = self.handle.ports().frames.open(&source);
        let Some(stream) = cancel.run_until_cancelled(opening).await else { return Ok(()) };
        let (mut stream, slot) = (stream?, Slot::default());
        let feed = stream.units();
        let reading = async {
            let ended = self.read(stream.as_mut(), &slot, cancel).await;
            slot.close();
            ended
        };
        let watching = async { tokio::join!(reading, looker.run(&slot)).0 };
        let Some(feed) = feed else { return watching.await };
        tokio::select! {
            ended = watching => ended,
            never = self.entry.clips.keep(&feed) => match never {},
        }
    }

    /// Analyses every picture that the camera delivers, one after the other, until it fails or is cancelled.
    async fn run_pictures(
        &self,
        source: &Source,
        looker: &mut Looker,
        cancel: &CancellationToken,
    ) -> Result<(), SourceError> {
        let opening = self.handle.ports().frames.open_pictures(source);
        let Some(stream) = cancel.run_until_cancelled(opening).await else { return Ok(()) };
        let mut stream = stream?;
        self.set_status(CameraStatus::Online);
        while let Some(next) = cancel.run_until_cancelled(stream.next()).await {
            let picture = next?;
            self.entry.frames.count();
            match self.handle.ports().analyzer.decode(picture, self.handle.now()).await {
                Ok(frame) => {
                    self.entry.show(&frame);
                    // Failures are logged; the camera cannot be told.
                    let _ = looker.take_picture(&frame).await;
                }
                Err(error) => tracing::warn!(error = error.chain(), "failed to decode delivered picture"),
            }
        }
        Ok(())
    }

    /// Analyses every picture that the camera sends to the device, one after the other, until cancelled.
    async fn run_deliveries(&self, looker: &mut Looker, cancel: &CancellationToken) {
        let mut deliveries = self.entry.inbox.open().await;
        self.set_status(CameraStatus::Online);
        while let Some(Some(delivery)) = cancel.run_until_cancelled(deliveries.recv()).await {
            let Delivery { picture, at, done } = delivery;
            let taken = self.take_delivery(looker, picture, at).await;
            // Fails when the sender has stopped waiting.
            let _ = done.send(taken);
        }
    }

    async fn take_delivery(&self, looker: &mut Looker, picture: Bytes, at: Timestamp) -> Result<()> {
        self.entry.frames.count();
        let frame = self.handle.ports().analyzer.decode(picture, at).await?;
        self.entry.show(&frame);
        looker.take_picture(&frame).await
    }

    /// Reads frames into the slot until the stream fails, ends or is cancelled. Where the stream keeps the newest
    /// itself, one is read only for a looker or viewer that waits for it.
    async fn read(
        &self,
        stream: &mut dyn FrameStream,
        slot: &Slot,
        cancel: &CancellationToken,
    ) -> Result<(), SourceError> {
        let keeps_newest = stream.keeps_newest();
        let mut before = Decoding::default();
        let mut next = async || {
            if keeps_newest {
                tokio::select! {
                    () = slot.awaited() => {}
                    () = self.entry.is_viewed() => {}
                }
            }
            let next = stream.next().await;
            let decoding = stream.decoding();
            self.entry.count_decoding(&decoding.since(&before));
            before = decoding;
            next
        };
        while let Some(next) = cancel.run_until_cancelled(next()).await {
            let Some(frame) = next? else { break };
            self.set_status(CameraStatus::Online);
            self.entry.show(&frame);
            if keeps_newest {
                slot.put_if_awaited(frame);
                continue;
            }
            self.entry.frames.count();
            if slot.put(frame) {
                self.entry.frames_skipped.count();
            }
        }
        Ok(())
    }

    fn report_end(&self, outcome: &Result<(), SourceError>) {
        let reason = match outcome {
            Ok(()) => "the file has ended".to_owned(),
            Err(error) => error.to_string(),
        };
        self.set_status(CameraStatus::Offline { reason });
    }

    /// Logs and announces a status that has changed.
    fn set_status(&self, status: CameraStatus) {
        if !self.entry.set_status(status.clone()) {
            return;
        }
        match &status {
            CameraStatus::Online => tracing::info!("camera online"),
            CameraStatus::Connecting => tracing::info!("camera connecting"),
            CameraStatus::Offline { reason } => tracing::warn!(camera.reason = reason, "camera offline"),
        }
        self.handle.announce(Event::CameraStatus { camera: self.configured.borrow().camera.id, status });
    }
}

fn back_off() -> backon::ExponentialBackoff {
    let builder = ExponentialBuilder::default().with_min_delay(FIRST_DELAY).with_max_delay(LONGEST_DELAY);
    builder.with_jitter().without_max_times().build()
}

//! The daemon's side of a helper. What the helper says is checked against limits before memory is used for it; a helper
//! that breaks the protocol is ended, as one whose decoder failed.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use domain::frame::Frame;
use domain::ports::{Clock, SourceError};
use gstreamer as gst;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::sync::{Notify, mpsc};
use tokio::time::{Instant, timeout_at};
use tokio_util::sync::DropGuard;

use super::pool::Pool;
use super::wire::{self, Breach, Confinement, Description, Progress, Reply};
use crate::counters::Tally;
use crate::decoder::{Arrivals, LARGEST_QUEUE, LONGEST_QUEUE};
use crate::effort::Effort;

/// State shared by the ends and the task between them.
#[derive(Default)]
pub(super) struct Shared {
    pub(super) decoded: Arc<AtomicU64>,
    pub(super) effort: Arc<Effort>,
    /// Units and bytes that the decoder has taken, by the helper's account.
    units: AtomicU64,
    bytes: AtomicU64,
    /// Bytes that the socket has not taken yet.
    waiting: AtomicU64,
    asking: Notify,
    asked: AtomicBool,
}

/// Where units go in; never blocks.
pub(crate) struct Inlet {
    units: mpsc::Sender<gst::Buffer>,
    /// Units and bytes pushed so far.
    pushed: (u64, u64),
    shared: Arc<Shared>,
}

impl Inlet {
    /// Whether the decoder or the process cannot keep up.
    pub(crate) fn is_full(&self) -> bool {
        let behind = |pushed: u64, taken: &AtomicU64| pushed.saturating_sub(taken.load(Ordering::Relaxed));
        self.units.capacity() == 0
            || behind(self.pushed.0, &self.shared.units) >= LONGEST_QUEUE
            || behind(self.pushed.1, &self.shared.bytes) >= LARGEST_QUEUE
            // A helper may lie about what it has taken.
            || self.shared.waiting.load(Ordering::Relaxed) >= LARGEST_QUEUE
    }

    pub(crate) fn push(&mut self, unit: gst::Buffer) {
        let size = unit.size() as u64;
        if self.units.try_send(unit).is_ok() {
            self.shared.waiting.fetch_add(size, Ordering::Relaxed);
            self.pushed = (self.pushed.0 + 1, self.pushed.1 + size);
        }
    }
}

/// Where pictures come out. Dropping it ends the helper.
pub(crate) struct Outlet {
    pictures: mpsc::Receiver<Result<Frame, SourceError>>,
    shared: Arc<Shared>,
    /// When the picture that is awaited was asked for.
    asked: Option<Instant>,
    patience: Duration,
    _closing: DropGuard,
}

impl Outlet {
    /// Asks for the newest picture, or the next one, and waits for it. Cancel safe.
    pub(crate) async fn next(&mut self) -> Result<Frame, SourceError> {
        let asked = *self.asked.get_or_insert_with(|| {
            self.shared.asked.store(true, Ordering::Release);
            self.shared.asking.notify_one();
            Instant::now()
        });
        let answer = timeout_at(asked + self.patience, self.pictures.recv()).await;
        self.asked = None;
        match answer {
            Ok(Some(answer)) => answer,
            Ok(None) => Err(SourceError::Undecodable("the decoder process ended".to_owned())),
            Err(_) => Err(SourceError::Stalled(self.patience.as_secs())),
        }
    }
}

/// What is needed to read pictures.
pub(super) struct Surroundings {
    pub(super) memory: Arc<File>,
    pub(super) arrivals: Arc<Arrivals>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) tally: Arc<Tally>,
}

/// The task between the ends and the helper.
pub(super) struct Conversation {
    units: mpsc::Receiver<gst::Buffer>,
    pub(super) pictures: mpsc::Sender<Result<Frame, SourceError>>,
    shared: Arc<Shared>,
    surroundings: Surroundings,
    pool: Pool,
}

/// A conversation with its ends. `patience`: maximum wait for a picture that was asked for.
pub(super) fn conversation(
    surroundings: Surroundings,
    patience: Duration,
    closing: DropGuard,
) -> (Inlet, Outlet, Conversation) {
    let (to_helper, units) = mpsc::channel(LONGEST_QUEUE as usize);
    // One is asked for at a time; the last one is the reason for the end.
    let (from_helper, pictures) = mpsc::channel(2);
    let shared = Arc::<Shared>::default();
    let inlet = Inlet { units: to_helper, pushed: (0, 0), shared: Arc::clone(&shared) };
    let outlet = Outlet { pictures, shared: Arc::clone(&shared), asked: None, patience, _closing: closing };
    let talk = Conversation { units, pictures: from_helper, shared, surroundings, pool: Pool::default() };
    (inlet, outlet, talk)
}

impl Inlet {
    /// Number of pictures that the decoder has decoded.
    pub(super) fn decoded(&self) -> Arc<AtomicU64> {
        Arc::clone(&self.shared.decoded)
    }

    pub(super) fn effort(&self) -> Arc<Effort> {
        Arc::clone(&self.shared.effort)
    }
}

/// Waits for the helper's first message. `None`: it has ended.
pub(super) async fn ready(from: &mut (impl AsyncRead + Unpin)) -> Result<Option<Confinement>, SourceError> {
    match Reply::read(from).await? {
        Some(Reply::Ready(confinement)) => Ok(Some(confinement)),
        Some(Reply::Failed(why)) => Err(failed(&why)),
        Some(_) => Err(SourceError::Undecodable("the decoder process did not say that it is ready".to_owned())),
        None => Ok(None),
    }
}

/// Text of the helper, which may be hostile.
fn failed(why: &str) -> SourceError {
    SourceError::Undecodable(crate::session::plain(why))
}

impl Conversation {
    /// Talks to the helper until it closes the socket (`Ok`), or until it fails or breaks the protocol.
    pub(super) async fn hold(
        &mut self,
        from: &mut (impl AsyncRead + Unpin),
        to: &mut (impl AsyncWrite + Unpin),
    ) -> Result<(), SourceError> {
        let Self { units, pictures, shared, surroundings, pool } = self;
        tokio::select! {
            ended = listen(from, shared, surroundings, pictures, pool) => ended,
            never = speak(to, shared, units) => match never {},
        }
    }
}

/// Sends units and wishes. What cannot be sent is dropped: the other direction ends, too, and says why.
async fn speak(
    to: &mut (impl AsyncWrite + Unpin),
    shared: &Shared,
    units: &mut mpsc::Receiver<gst::Buffer>,
) -> std::convert::Infallible {
    loop {
        let sent = tokio::select! {
            biased;
            () = shared.asking.notified() => to.write_all(&wire::wanted()).await,
            Some(unit) = units.recv() => {
                let size = unit.size() as u64;
                let sent = send(to, unit).await;
                shared.waiting.fetch_sub(size, Ordering::Relaxed);
                sent
            }
        };
        if sent.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

async fn send(to: &mut (impl AsyncWrite + Unpin), unit: gst::Buffer) -> std::io::Result<()> {
    let tick = unit.pts().map_or(0, gst::ClockTime::nseconds);
    let data = unit.into_mapped_buffer_readable().map_err(|_| std::io::ErrorKind::InvalidData)?;
    to.write_all(&wire::unit_head(tick, data.len())).await?;
    to.write_all(&data).await
}

async fn listen(
    from: &mut (impl AsyncRead + Unpin),
    shared: &Shared,
    surroundings: &Surroundings,
    pictures: &mpsc::Sender<Result<Frame, SourceError>>,
    pool: &Pool,
) -> Result<(), SourceError> {
    while let Some(reply) = Reply::read(from).await? {
        match reply {
            Reply::Progress(progress) => note(progress, shared, &surroundings.tally),
            Reply::Picture(progress, picture) => {
                note(progress, shared, &surroundings.tally);
                if !shared.asked.swap(false, Ordering::AcqRel) {
                    return Err(Breach::Unasked.into());
                }
                let frame = read_picture(picture, surroundings, pool).await?;
                // Full only when the outlet gave up waiting, which ends the stream.
                let _ = pictures.try_send(Ok(frame));
            }
            Reply::Failed(why) => return Err(failed(&why)),
            Reply::Ready(_) => return Err(Breach::Ready.into()),
        }
    }
    Ok(())
}

/// Takes over the totals of the helper, which never decrease.
fn note(progress: Progress, shared: &Shared, tally: &Tally) {
    let before = shared.decoded.fetch_max(progress.decoded, Ordering::Relaxed);
    tally.decoded(progress.decoded.saturating_sub(before));
    shared.units.fetch_max(progress.units, Ordering::Relaxed);
    shared.bytes.fetch_max(progress.bytes, Ordering::Relaxed);
    shared.effort.has_decoded(progress.decoded, Duration::from_micros(progress.busy));
}

async fn read_picture(picture: Description, around: &Surroundings, pool: &Pool) -> Result<Frame, SourceError> {
    let Some(lengths) = picture.lengths() else { return Err(Breach::Description(picture).into()) };
    let (memory, pool, total) = (Arc::clone(&around.memory), pool.clone(), lengths.iter().sum());
    let copied = tokio::task::spawn_blocking(move || {
        let mut buffer = pool.buffer(total);
        memory.read_exact_at(buffer.bytes_mut(), 0).map(|()| buffer.share())
    });
    let data = copied.await.ok().and_then(Result::ok).ok_or(Breach::Short)?;
    let planes = wire::planes(&data, &lengths, &picture.strides);
    let at = around.arrivals.of(picture.tick.map(gst::ClockTime::from_nseconds)).unwrap_or_else(|| around.clock.now());
    let (width, height) = picture.samples;
    let frame = Frame::new(at, width, height, picture.format, planes);
    let frame = frame.map_err(|e| SourceError::Undecodable(e.to_string()))?;
    Ok(frame.shown_over(picture.shown.0, picture.shown.1).coloured(picture.colour))
}

#[cfg(test)]
mod tests;

//! Cameras as sources of pictures.

use async_trait::async_trait;
use bytes::Bytes;
use tokio::sync::broadcast;

use crate::frame::Frame;
use crate::{AccessUnit, Error, Result, Source};

/// Coded pictures that wait for a slow receiver before it misses the oldest: some two seconds.
const BACKLOG: usize = 64;

/// Opens cameras.
#[async_trait]
pub trait FrameSource: Send + Sync {
    /// Connects and waits for the first sign of video.
    async fn open(&self, source: &Source) -> Result<Box<dyn FrameStream>, SourceError>;

    /// Connects to a camera that finds faces itself ([`Source::Capture`]); it has accepted the login then.
    async fn open_pictures(&self, source: &Source) -> Result<Box<dyn PictureStream>, SourceError> {
        let _ = source;
        Err(SourceError::NotSupported)
    }

    /// Puts coded pictures into an MP4 file, as they are and in the pace in which they arrived. They are of one codec, in
    /// the order in which they came, and the first is a key frame.
    ///
    /// # Errors
    /// `Invalid("clip")` for others; `NotSupported` when this machine cannot write such files.
    async fn write_clip(&self, units: Vec<AccessUnit>) -> Result<Bytes> {
        let _ = units;
        Err(Error::NotSupported { what: "clips" })
    }
}

/// An open camera.
#[async_trait]
pub trait FrameStream: Send {
    /// The next decoded frame. `Ok(None)`: the file has ended. Never waits for ever: silence is
    /// [`SourceError::Stalled`]. Safe to drop at any await.
    async fn next(&mut self) -> Result<Option<Frame>, SourceError>;

    /// Its coded pictures, beside the decoded ones; `None` where there are none to be had.
    fn units(&self) -> Option<UnitFeed> {
        None
    }
}

/// The coded pictures of an open camera, for those who want them; cheap to clone.
#[derive(Debug, Clone)]
pub struct UnitFeed {
    sender: broadcast::Sender<AccessUnit>,
}

impl Default for UnitFeed {
    /// Nobody wants them yet.
    fn default() -> Self {
        Self { sender: broadcast::Sender::new(BACKLOG) }
    }
}

impl UnitFeed {
    /// Whether anybody wants them: a source need not prepare them for nobody.
    pub fn is_wanted(&self) -> bool {
        self.sender.receiver_count() > 0
    }

    /// Hands out the next one; never waits.
    pub fn send(&self, unit: AccessUnit) {
        // Nobody wants it any more.
        let _ = self.sender.send(unit);
    }

    /// Those that come from now on; a receiver that falls behind by more than 64 misses the oldest.
    pub fn subscribe(&self) -> broadcast::Receiver<AccessUnit> {
        self.sender.subscribe()
    }
}

/// An open camera that finds faces itself.
#[async_trait]
pub trait PictureStream: Send {
    /// The next picture it delivers, encoded as it sent it. Waits as long as nobody passes, but not for ever on a
    /// connection that is dead: [`SourceError::Stalled`]. Safe to drop at any await.
    async fn next(&mut self) -> Result<Bytes, SourceError>;
}

/// Why a camera delivers no pictures; the text is for a human and holds no credentials.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SourceError {
    /// The URL or address is not usable.
    #[error("the address is not usable: {0}")]
    BadAddress(String),
    /// Nothing answers there.
    #[error("the camera cannot be reached: {0}")]
    Unreachable(String),
    /// The camera refuses the user name or password.
    #[error("the camera refuses the user name or password")]
    Unauthorised,
    /// It answers, but has no such stream or file.
    #[error("no such stream: {0}")]
    NoStream(String),
    /// Neither H.264 nor H.265, or the decoder fails.
    #[error("the video cannot be decoded: {0}")]
    Undecodable(String),
    /// Open, but nothing came for too long.
    #[error("no pictures for {0} s")]
    Stalled(u64),
    /// The camera refused a request, closed the connection or broke the protocol.
    #[error("the session with the camera failed: {0}")]
    Broken(String),
    /// This kind of source is not built in.
    #[error("this kind of camera is not supported")]
    NotSupported,
}

//! Cameras as sources of pictures.

use async_trait::async_trait;
use bytes::Bytes;
use tokio::sync::broadcast;

use crate::frame::Frame;
use crate::{AccessUnit, Decoding, Error, Result, Source};

/// Maximum number of coded pictures waiting for a slow receiver, about two seconds; beyond that it misses the oldest.
const BACKLOG: usize = 64;

/// Opens cameras.
#[async_trait]
pub trait FrameSource: Send + Sync {
    /// Connects and waits until video is announced or arrives.
    async fn open(&self, source: &Source) -> Result<Box<dyn FrameStream>, SourceError>;

    /// Connects to a camera that detects faces itself ([`Source::Capture`]); on `Ok` it has accepted the login.
    async fn open_pictures(&self, source: &Source) -> Result<Box<dyn PictureStream>, SourceError> {
        let _ = source;
        Err(SourceError::NotSupported)
    }

    /// Returns an MP4 file of coded pictures, without re-encoding, timed by their arrival. The pictures must be of one
    /// codec, in order of arrival, and begin with a key frame.
    ///
    /// # Errors
    /// `Invalid("clip")` for other pictures; `NotSupported` when this machine cannot write such files.
    async fn write_clip(&self, units: Vec<AccessUnit>) -> Result<Bytes> {
        let _ = units;
        Err(Error::NotSupported { what: "clips" })
    }
}

/// An open camera.
#[async_trait]
pub trait FrameStream: Send {
    /// Waits for the next decoded frame; `Ok(None)` at the end of a file. Time-out: [`SourceError::Stalled`]. Cancel
    /// safe.
    async fn next(&mut self) -> Result<Option<Frame>, SourceError>;

    /// Whether the stream itself keeps its newest frame for whoever reads next, and drops those before. Its frames are
    /// read only when they are needed: a second one waiting for the looker would take megabytes for each camera.
    fn keeps_newest(&self) -> bool {
        false
    }

    /// The coded pictures of the stream; `None` when the source has none.
    fn units(&self) -> Option<UnitFeed> {
        None
    }

    /// What was done with the coded pictures of the stream since it was opened.
    fn decoding(&self) -> Decoding {
        Decoding::default()
    }
}

/// Broadcasts the coded pictures of an open camera; cheap to clone.
#[derive(Debug, Clone)]
pub struct UnitFeed {
    sender: broadcast::Sender<AccessUnit>,
}

impl Default for UnitFeed {
    /// Without receivers.
    fn default() -> Self {
        Self { sender: broadcast::Sender::new(BACKLOG) }
    }
}

impl UnitFeed {
    /// Whether there is a receiver; without one the source need not prepare pictures.
    pub fn is_wanted(&self) -> bool {
        self.sender.receiver_count() > 0
    }

    /// Sends the next picture to all receivers; never waits.
    pub fn send(&self, unit: AccessUnit) {
        // Fails without receivers.
        let _ = self.sender.send(unit);
    }

    /// Receives the pictures from now on; a receiver that falls behind by more than 64 misses the oldest.
    pub fn subscribe(&self) -> broadcast::Receiver<AccessUnit> {
        self.sender.subscribe()
    }
}

/// An open camera that detects faces itself.
#[async_trait]
pub trait PictureStream: Send {
    /// Waits for the next picture, in the encoding in which the camera sends it. There is no time-out while no face is
    /// delivered; a dead connection fails with [`SourceError::Stalled`]. Cancel safe.
    async fn next(&mut self) -> Result<Bytes, SourceError>;
}

/// Why a camera delivers no pictures; the text contains no credentials.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SourceError {
    /// The URL or address is not usable.
    #[error("the address is not usable: {0}")]
    BadAddress(String),
    /// The camera does not respond.
    #[error("the camera cannot be reached: {0}")]
    Unreachable(String),
    /// The camera refuses the user name or password.
    #[error("the camera refuses the user name or password")]
    Unauthorised,
    /// The stream or file does not exist.
    #[error("no such stream: {0}")]
    NoStream(String),
    /// The codec is neither H.264 nor H.265, or the decoder fails.
    #[error("the video cannot be decoded: {0}")]
    Undecodable(String),
    /// Nothing arrived for this many seconds.
    #[error("no pictures for {0} s")]
    Stalled(u64),
    /// The camera refused a request, closed the connection or broke the protocol.
    #[error("the session with the camera failed: {0}")]
    Broken(String),
    /// This kind of source is not built in.
    #[error("this kind of camera is not supported")]
    NotSupported,
}

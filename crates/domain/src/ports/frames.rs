//! Cameras as sources of pictures.

use async_trait::async_trait;
use bytes::Bytes;

use crate::Source;
use crate::frame::Frame;

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
}

/// An open camera.
#[async_trait]
pub trait FrameStream: Send {
    /// The next decoded frame. `Ok(None)`: the file has ended. Never waits for ever: silence is
    /// [`SourceError::Stalled`]. Safe to drop at any await.
    async fn next(&mut self) -> Result<Option<Frame>, SourceError>;
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

//! The port for discovery of cameras.

use async_trait::async_trait;

use super::SourceError;
use crate::{CameraStream, DeviceAddress, FoundCamera};

/// Discovers cameras in the network and their streams; nothing is stored.
#[async_trait]
pub trait CameraDiscovery: Send + Sync {
    /// The cameras that answer within a few seconds, each once, in order of address.
    ///
    /// # Errors
    /// When the request cannot be sent.
    async fn discover(&self) -> Result<Vec<FoundCamera>, SourceError>;

    /// The streams that a camera offers, its main stream first, at least one.
    ///
    /// # Errors
    /// As [`FrameSource::open`](super::FrameSource::open).
    async fn streams(&self, device: &DeviceAddress) -> Result<Vec<CameraStream>, SourceError>;
}

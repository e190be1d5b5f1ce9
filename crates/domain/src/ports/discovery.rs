//! Looking for cameras.

use async_trait::async_trait;

use super::SourceError;
use crate::{CameraStream, DeviceAddress, FoundCamera};

/// Finds cameras in the network and asks them for their streams; nothing is kept.
#[async_trait]
pub trait CameraDiscovery: Send + Sync {
    /// The cameras that answer a search within a few seconds, each once, by address.
    ///
    /// # Errors
    /// The question cannot be sent.
    async fn discover(&self) -> Result<Vec<FoundCamera>, SourceError>;

    /// The streams that a camera offers, its main stream first, at least one.
    ///
    /// # Errors
    /// As for opening it.
    async fn streams(&self, device: &DeviceAddress) -> Result<Vec<CameraStream>, SourceError>;
}

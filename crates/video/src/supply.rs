//! Sources of access units, independent of the protocol.

use async_trait::async_trait;
use domain::ports::SourceError;

use crate::decoder::{Codec, Unit};

/// The access units of a playing camera.
#[async_trait]
pub(crate) trait Supply: Send {
    /// The next access unit; the first one is a key frame. Waits indefinitely when none arrives. Cancel safe.
    async fn next(&mut self) -> Result<Unit, SourceError>;

    /// The camera's video coding.
    fn codec(&self) -> Codec;

    /// Whether a key frame has arrived.
    fn synchronised(&self) -> bool;

    /// Number of access units that could not be decoded.
    fn undecodable(&self) -> u64;
}

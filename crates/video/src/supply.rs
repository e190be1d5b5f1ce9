//! Where access units come from, whatever the protocol.

use async_trait::async_trait;
use domain::ports::SourceError;

use crate::decoder::{Codec, Unit};

/// The access units of a playing camera.
#[async_trait]
pub(crate) trait Supply: Send {
    /// The next access unit, the first being a key frame. Waits for ever when none comes. Safe to drop at any await.
    async fn next(&mut self) -> Result<Unit, SourceError>;

    /// How the camera codes its pictures.
    fn codec(&self) -> Codec;

    /// Whether a key frame has come.
    fn synchronised(&self) -> bool;

    /// Access units that came before it.
    fn undecodable(&self) -> u64;
}

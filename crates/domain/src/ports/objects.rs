//! Finding people and vehicles in frames.

use async_trait::async_trait;

use crate::frame::Frame;
use crate::{DetectedObject, ObjectClass, Result};

/// Finds things that move. Inference runs on its own threads, behind live frames searched for faces.
#[async_trait]
pub trait ObjectDetector: Send + Sync {
    /// Whether it can find things of this class.
    fn finds(&self, class: ObjectClass) -> bool;

    /// Finds things of these classes in a live frame, the most certain first. `Busy` when too many frames wait already.
    async fn detect(&self, frame: Frame, wanted: &[ObjectClass]) -> Result<Vec<DetectedObject>>;
}

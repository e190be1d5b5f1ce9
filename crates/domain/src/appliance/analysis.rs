//! Analyzers with a time-out: a hung accelerator blocks nothing else and is reported.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;

use crate::frame::Frame;
use crate::geometry::Rect;
use crate::ports::{FaceAnalyzer, Lane, ObjectDetector, Search};
use crate::progress::{Part, Progress};
use crate::{Calibration, DetectedObject, Detection, Embedding, Error, Face, ModelId, ObjectClass, Result, Timestamp};

/// Time-out of the analysis of a live frame.
const LIVE: Duration = Duration::from_secs(20);
/// Time-out of the analysis of a photo; longer because photos wait behind frames and behind each other.
const PHOTO: Duration = Duration::from_secs(120);

/// A face analyzer with a time-out.
pub(super) struct TimedAnalyzer {
    analyzer: Arc<dyn FaceAnalyzer>,
    progress: Arc<Progress>,
}

impl TimedAnalyzer {
    pub(super) fn new(analyzer: Arc<dyn FaceAnalyzer>, progress: Arc<Progress>) -> Self {
        Self { analyzer, progress }
    }

    /// Runs `work`; `Unavailable` after the time-out of the lane.
    async fn in_time<T>(&self, lane: Lane, work: impl Future<Output = Result<T>>) -> Result<T> {
        let limit = match lane {
            Lane::Live => LIVE,
            Lane::Photo => PHOTO,
        };
        in_time(&self.progress, limit, "face analysis", work).await
    }
}

/// An object detector with a time-out.
pub(super) struct TimedDetector {
    detector: Arc<dyn ObjectDetector>,
    progress: Arc<Progress>,
}

impl TimedDetector {
    pub(super) fn new(detector: Arc<dyn ObjectDetector>, progress: Arc<Progress>) -> Self {
        Self { detector, progress }
    }
}

#[async_trait]
impl ObjectDetector for TimedDetector {
    fn finds(&self, class: ObjectClass) -> bool {
        self.detector.finds(class)
    }

    async fn detect(&self, frame: Frame, wanted: &[ObjectClass]) -> Result<Vec<DetectedObject>> {
        in_time(&self.progress, LIVE, "object detection", self.detector.detect(frame, wanted)).await
    }
}

/// Runs `work`; `Unavailable` after `limit`.
async fn in_time<T>(
    progress: &Progress,
    limit: Duration,
    what: &'static str,
    work: impl Future<Output = Result<T>>,
) -> Result<T> {
    let Ok(analysed) = tokio::time::timeout(limit, work).await else {
        progress.stall(Part::Inference, &format!("no result within {} s", limit.as_secs()));
        return Err(Error::Unavailable { what });
    };
    // A full queue is no sign of progress.
    if !matches!(analysed, Err(Error::Busy | Error::Unavailable { .. })) {
        progress.stamp(Part::Inference);
    }
    analysed
}

#[async_trait]
impl FaceAnalyzer for TimedAnalyzer {
    fn model(&self) -> &ModelId {
        self.analyzer.model()
    }

    fn calibration(&self) -> &Calibration {
        self.analyzer.calibration()
    }

    fn live_from(&self) -> Option<f32> {
        self.analyzer.live_from()
    }

    fn surroundings(&self, frame: &Frame, face: &Detection) -> Rect {
        self.analyzer.surroundings(frame, face)
    }

    async fn decode(&self, picture: Bytes, at: Timestamp) -> Result<Frame> {
        self.analyzer.decode(picture, at).await
    }

    async fn encode(&self, frame: Frame, part: Option<Rect>) -> Result<Bytes> {
        self.analyzer.encode(frame, part).await
    }

    async fn detect(&self, frame: Frame, search: Search, lane: Lane) -> Result<Vec<Detection>> {
        self.in_time(lane, self.analyzer.detect(frame, search, lane)).await
    }

    async fn describe(&self, frame: Frame, detections: Vec<Detection>, lane: Lane) -> Result<Vec<Face>> {
        self.in_time(lane, self.analyzer.describe(frame, detections, lane)).await
    }

    async fn embed(&self, frame: Frame, detection: Detection, lane: Lane) -> Result<(Detection, Embedding)> {
        self.in_time(lane, self.analyzer.embed(frame, detection, lane)).await
    }
}

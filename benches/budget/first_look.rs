//! The analyzer, which notes the first picture of a visit that a face is described from.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use bytes::Bytes;
use domain::frame::Frame;
use domain::geometry::Rect;
use domain::ports::{FaceAnalyzer, Lane, Search};
use domain::{Calibration, Detection, Embedding, Face, ModelId, Result, Timestamp};
use vision::Analyzer;

pub(crate) struct FirstLook {
    analyzer: Arc<Analyzer>,
    first: Mutex<Option<Timestamp>>,
}

impl FirstLook {
    pub(crate) fn new(analyzer: Arc<Analyzer>) -> Self {
        Self { analyzer, first: Mutex::default() }
    }

    /// When the picture of the first look since the last call was taken.
    pub(crate) fn take(&self) -> Option<Timestamp> {
        self.first.lock().unwrap().take()
    }
}

#[async_trait]
impl FaceAnalyzer for FirstLook {
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
        self.analyzer.detect(frame, search, lane).await
    }

    async fn describe(&self, frame: Frame, detections: Vec<Detection>, lane: Lane) -> Result<Vec<Face>> {
        if lane == Lane::Live {
            self.first.lock().unwrap().get_or_insert(frame.at());
        }
        self.analyzer.describe(frame, detections, lane).await
    }

    async fn embed(&self, frame: Frame, detection: Detection, lane: Lane) -> Result<(Detection, Embedding)> {
        self.analyzer.embed(frame, detection, lane).await
    }
}

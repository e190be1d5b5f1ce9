//! Pictures of cameras that find faces themselves.

use super::Recogniser;
use crate::frame::Frame;
use crate::ports::{Detail, Lane, Search};

impl Recogniser {
    /// Takes a picture that the camera has chosen itself: whoever it shows is recorded at once.
    pub(in crate::surveillance) async fn take_picture(&mut self, frame: Frame) {
        if !self.begin(&frame) {
            return;
        }
        let search = Search { detail: Detail::Full, ..self.search(&frame) };
        // It cannot be replaced by a newer one, hence not in the lane that leaves out.
        match self.appliance.ports().analyzer.detect(frame.clone(), search, Lane::Photo).await {
            Ok(detections) => self.follow(&frame, &detections),
            Err(error) => tracing::error!(error = error.chain(), "a delivered picture could not be analysed"),
        }
        self.visits.trust();
        self.finish().await;
    }
}

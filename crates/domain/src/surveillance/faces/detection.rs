//! Finds the faces of a frame.

use std::sync::Arc;

use crate::camera::Camera;
use crate::error::Result;
use crate::face::Detection;
use crate::frame::Frame;
use crate::ports::{Detail, Lane, Search};
use crate::surveillance::board::Entry;
use crate::surveillance::handle::Handle;
use crate::surveillance::pace::Pace;
use crate::surveillance::stage::{Answer, timed};

/// Asks the analyzer for faces, as closely as the pace of all cameras allows.
pub(super) struct Detector {
    handle: Handle,
    entry: Arc<Entry>,
    pace: Arc<Pace>,
}

impl Detector {
    pub(super) fn new(handle: Handle, entry: Arc<Entry>, pace: Arc<Pace>) -> Self {
        Self { handle, entry, pace }
    }

    /// What to look for in a frame of this camera.
    pub(super) fn search(&self, camera: &Camera, frame: &Frame) -> Search {
        let settings = &camera.settings;
        let area = self.handle.settings().camera_defaults().area.filter(|_| !camera.own.region);
        Search {
            region: area.map_or(settings.region, |area| area.in_picture((frame.width(), frame.height()))),
            min_face_px: settings.min_face_px,
            max_face_px: settings.max_face_px,
            detail: self.pace.detail(),
        }
    }

    /// The faces of a live frame; `None` when it was not searched.
    pub(super) async fn find(&self, frame: &Frame, search: Search) -> (Option<Vec<Detection>>, Answer) {
        self.entry.looked(self.pace.interval(), search.detail);
        timed(self.ask(frame, search, Lane::Live)).await
    }

    /// The faces of a picture that no newer one replaces; hence not in the lane that leaves out, and in full detail.
    pub(super) async fn find_in_picture(&self, frame: &Frame, search: Search) -> Result<Vec<Detection>> {
        self.ask(frame, Search { detail: Detail::Full, ..search }, Lane::Photo).await
    }

    async fn ask(&self, frame: &Frame, search: Search, lane: Lane) -> Result<Vec<Detection>> {
        self.handle.ports().analyzer.detect(frame.clone(), search, lane).await
    }
}

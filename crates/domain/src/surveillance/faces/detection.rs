//! Detects the faces in a frame.

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
use crate::surveillance::tiles;

/// Detects faces through the analyzer, in the detail that the shared pace allows.
pub(super) struct Detector {
    handle: Handle,
    entry: Arc<Entry>,
    pace: Arc<Pace>,
}

impl Detector {
    pub(super) fn new(handle: Handle, entry: Arc<Entry>, pace: Arc<Pace>) -> Self {
        Self { handle, entry, pace }
    }

    /// The search for a frame of this camera.
    pub(super) fn search(&self, camera: &Camera, frame: &Frame) -> Search {
        let settings = &camera.settings;
        let area = self.handle.settings().camera_defaults().area.filter(|_| !camera.own.region);
        Search {
            region: area.map_or(settings.region, |area| area.in_picture((frame.width(), frame.height()))),
            min_face_px: settings.min_face_px,
            max_face_px: settings.max_face_px,
            detail: self.pace.detail(),
            tiles: None,
        }
    }

    /// Returns the faces in a live frame; `None` when the search failed or was refused.
    pub(super) async fn find(&self, frame: &Frame, search: Search) -> (Option<Vec<Detection>>, Answer) {
        self.entry.count_search(self.pace.interval(), &search, tiles::share(frame, &search));
        timed(self.detect(frame, search, Lane::Live)).await
    }

    /// Returns the faces in a delivered picture. No newer picture replaces it, so it is searched in full detail and in
    /// the lane that is never refused.
    pub(super) async fn find_in_picture(&self, frame: &Frame, search: Search) -> Result<Vec<Detection>> {
        self.detect(frame, Search { detail: Detail::Full, ..search }, Lane::Photo).await
    }

    async fn detect(&self, frame: &Frame, search: Search, lane: Lane) -> Result<Vec<Detection>> {
        self.handle.ports().analyzer.detect(frame.clone(), search, lane).await
    }
}

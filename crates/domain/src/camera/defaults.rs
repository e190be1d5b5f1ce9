//! What the device sets for all cameras, and what is a camera's own.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::Camera;
use crate::Similarity;
use crate::geometry::Rect;

/// Values of a camera that are its own, whatever the device sets for all cameras.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct OwnValues {
    /// The watch's threshold.
    pub threshold: bool,
    /// The watch's re-arm time.
    pub rearm: bool,
    /// The smallest face.
    pub min_face_px: bool,
    /// The region.
    pub region: bool,
}

impl OwnValues {
    /// All of them.
    pub const ALL: Self = Self { threshold: true, rearm: true, min_face_px: true, region: true };

    /// These and those.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self {
            threshold: self.threshold || other.threshold,
            rearm: self.rearm || other.rearm,
            min_face_px: self.min_face_px || other.min_face_px,
            region: self.region || other.region,
        }
    }

    /// These without those.
    #[must_use]
    pub fn without(self, other: Self) -> Self {
        Self {
            threshold: self.threshold && !other.threshold,
            rearm: self.rearm && !other.rearm,
            min_face_px: self.min_face_px && !other.min_face_px,
            region: self.region && !other.region,
        }
    }
}

/// What the device sets for every camera, present and later, that has no value of its own. `None`: nothing is set, and
/// each camera keeps the value that it was added with.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CameraDefaults {
    /// Of the cameras' own watches.
    pub threshold: Option<Similarity>,
    /// Of the cameras' own watches.
    #[serde(rename = "rearm_ms", with = "crate::settings::millis::optional")]
    pub rearm: Option<Duration>,
    /// Shorter side of the smallest face taken, pixels.
    pub min_face_px: Option<u32>,
    /// The part of the picture that is searched.
    pub area: Option<Area>,
}

/// A part of a picture: its edges as shares of the picture's width and height, 0..=1.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Area {
    /// Left edge.
    pub left: f32,
    /// Top edge.
    pub top: f32,
    /// Right edge.
    pub right: f32,
    /// Bottom edge.
    pub bottom: f32,
}

impl Area {
    /// All of the picture.
    pub const WHOLE: Self = Self { left: 0.0, top: 0.0, right: 1.0, bottom: 1.0 };

    /// The same part of a picture of this size, pixels; `None` for the whole picture.
    pub fn in_picture(self, (width, height): (u32, u32)) -> Option<Rect> {
        let (width, height) = (width as f32, height as f32);
        let part = Rect::new(self.left * width, self.top * height, self.right * width, self.bottom * height);
        (self != Self::WHOLE).then_some(part)
    }
}

impl CameraDefaults {
    /// The camera as it is: with the defaults in place of what is not its own. `size` is that of its newest picture,
    /// pixels.
    pub(crate) fn in_force(&self, mut camera: Camera, size: Option<(u32, u32)>) -> Camera {
        let own = camera.own;
        let (settings, watch) = (&mut camera.settings, &mut camera.watch.settings);
        if let Some(threshold) = self.threshold.filter(|_| !own.threshold) {
            watch.threshold = threshold;
        }
        if let Some(rearm) = self.rearm.filter(|_| !own.rearm) {
            watch.rearm = rearm;
        }
        if let Some(smallest) = self.min_face_px.filter(|_| !own.min_face_px) {
            settings.min_face_px = smallest.min(settings.max_face_px);
        }
        if let Some(area) = self.area.filter(|_| !own.region) {
            // Before its first picture nobody can tell which pixels these are; it is searched by its share all the same.
            settings.region = size.and_then(|size| area.in_picture(size));
        }
        camera
    }
}

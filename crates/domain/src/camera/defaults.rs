//! The camera defaults, and which values are a camera's own.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::Camera;
use crate::Similarity;
use crate::geometry::Rect;

/// Which values are a camera's own and do not follow the [`CameraDefaults`].
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
    /// All values.
    pub const ALL: Self = Self { threshold: true, rearm: true, min_face_px: true, region: true };

    /// The union.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self {
            threshold: self.threshold || other.threshold,
            rearm: self.rearm || other.rearm,
            min_face_px: self.min_face_px || other.min_face_px,
            region: self.region || other.region,
        }
    }

    /// The difference: these values without `other`.
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

/// Values for every present and future camera that has none of its own. `None`: not set; each camera keeps the value
/// that it was added with.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CameraDefaults {
    /// Threshold of the cameras' own watches.
    pub threshold: Option<Similarity>,
    /// Re-arm time of the cameras' own watches.
    #[serde(rename = "rearm_ms", with = "crate::settings::millis::optional")]
    pub rearm: Option<Duration>,
    /// Minimum shorter side of a face, pixels.
    pub min_face_px: Option<u32>,
    /// The part of the picture that is searched.
    pub area: Option<Area>,
}

/// A part of a picture; its edges are fractions of the picture's width and height, 0..=1.
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
    /// The whole picture.
    pub const WHOLE: Self = Self { left: 0.0, top: 0.0, right: 1.0, bottom: 1.0 };

    /// The part in a picture of this size, pixels; `None` for the whole picture.
    pub fn in_picture(self, (width, height): (u32, u32)) -> Option<Rect> {
        let (width, height) = (width as f32, height as f32);
        let part = Rect::new(self.left * width, self.top * height, self.right * width, self.bottom * height);
        (self != Self::WHOLE).then_some(part)
    }
}

impl CameraDefaults {
    /// The camera with the defaults in place of what it does not set itself. `size`: width and height of its newest
    /// picture, pixels.
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
            // Unknown before the first picture; the search itself uses the fractions.
            settings.region = size.and_then(|size| area.in_picture(size));
        }
        camera
    }
}

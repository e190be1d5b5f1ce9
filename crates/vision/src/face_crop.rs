//! Crops faces for networks that take one face at a time.

use domain::Landmarks;
use domain::frame::Frame;
use domain::geometry::{Point, Rect};

use crate::align::Transform;
use crate::error::AnalysisError;
use crate::imaging::{self, Picture};
use crate::light::lightened;
use crate::manifest::{Aspect, Crop, Manifest};
use crate::pixel_box::PixelBox;

/// Position of a face, in pixels of the frame.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Place {
    pub(crate) face_box: Rect,
    pub(crate) landmarks: Landmarks,
}

/// Crops the face as its manifest specifies.
pub(crate) fn crop(frame: &Frame, place: &Place, manifest: &Manifest) -> Result<Picture, AnalysisError> {
    crop_at(frame, place, manifest, None)
}

/// As [`crop`], a box at another scale than the manifest's.
pub(crate) fn crop_at(
    frame: &Frame,
    place: &Place,
    manifest: &Manifest,
    other_scale: Option<f32>,
) -> Result<Picture, AnalysisError> {
    let (width, height) = (manifest.input.width as usize, manifest.input.height as usize);
    match &manifest.crop {
        Crop::Template { points } => {
            let template = points.map(|[x, y]| Point { x, y });
            lightened(aligned(frame, &place.landmarks, &template, width, height)?, &template)
        }
        Crop::Box { scale, aspect, .. } => {
            let scale = other_scale.unwrap_or(*scale);
            let area = inside(&boxed(&place.face_box, scale, *aspect), frame);
            let area = PixelBox::covering(&area, frame).ok_or(AnalysisError::Landmarks)?;
            imaging::cut(frame, area, width, height)
        }
        Crop::Frame {} | Crop::StretchedFrame {} => Err(AnalysisError::Landmarks),
    }
}

/// The part of a frame that [`crop`] reads, at all scales of the manifest.
pub(crate) fn cropped_from(frame: &Frame, place: &Place, manifest: &Manifest) -> Rect {
    let (width, height) = (manifest.input.width as usize, manifest.input.height as usize);
    match &manifest.crop {
        Crop::Template { points } => {
            aligned_from(frame, &place.landmarks, &points.map(|[x, y]| Point { x, y }), width, height)
        }
        Crop::Box { scale, aspect, more_scales } => {
            let area = |scale: &f32| inside(&boxed(&place.face_box, *scale, *aspect), frame);
            more_scales.iter().map(area).fold(area(scale), |all, area| all.joined(&area))
        }
        Crop::Frame {} | Crop::StretchedFrame {} => frame.bounds(),
    }
}

/// The part of a frame that [`aligned`] reads.
pub(crate) fn aligned_from(
    frame: &Frame,
    landmarks: &Landmarks,
    template: &Landmarks,
    width: usize,
    height: usize,
) -> Rect {
    Transform::between(landmarks, template)
        .map_or_else(|| frame.bounds(), |transform| imaging::warped_from(frame, &transform, width, height))
}

/// Whether the crops of a manifest are square, of this side, and aligned to this template.
pub(crate) fn is_of_template(manifest: &Manifest, template: &Landmarks, side: usize) -> bool {
    let is_of_side = (manifest.input.width as usize, manifest.input.height as usize) == (side, side);
    let is_aligned = |points: &[[f32; 2]; 5]| points.map(|[x, y]| Point { x, y }) == *template;
    is_of_side && matches!(&manifest.crop, Crop::Template { points } if is_aligned(points))
}

/// The face rotated, scaled and moved so that its landmarks coincide with the template's.
pub(crate) fn aligned(
    frame: &Frame,
    landmarks: &Landmarks,
    template: &Landmarks,
    width: usize,
    height: usize,
) -> Result<Picture, AnalysisError> {
    let transform = Transform::between(landmarks, template).ok_or(AnalysisError::Landmarks)?;
    imaging::warp(frame, &transform, width, height)
}

fn boxed(face: &Rect, scale: f32, aspect: Aspect) -> Rect {
    if aspect == Aspect::Keep {
        return face.scaled(scale);
    }
    let (middle, half) = (face.center(), face.width().max(face.height()) * scale / 2.0);
    Rect::new(middle.x - half, middle.y - half, middle.x + half, middle.y + half)
}

/// The box scaled down to fit into the frame, then moved inside it.
fn inside(area: &Rect, frame: &Frame) -> Rect {
    let (width, height) = (frame.width() as f32, frame.height() as f32);
    let fit = (width / area.width()).min(height / area.height()).min(1.0);
    let area = area.scaled(fit);
    let push = |low: f32, high: f32, limit: f32| (-low).max(0.0) - (high - limit).max(0.0);
    area.shifted(push(area.left, area.right, width), push(area.top, area.bottom, height))
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use domain::Timestamp;
    use domain::frame::{PixelFormat, Plane};

    use super::*;

    fn frame() -> Frame {
        let plane = Plane { data: Bytes::from(vec![0; 100 * 80 * 3]), stride: 300 };
        Frame::new(Timestamp::from_millis(0), 100, 80, PixelFormat::Rgb8, vec![plane]).unwrap()
    }

    #[test]
    fn a_box_that_leaves_the_frame_is_moved_inside() {
        assert_eq!(inside(&Rect::new(-10.0, 20.0, 30.0, 60.0), &frame()), Rect::new(0.0, 20.0, 40.0, 60.0));
        assert_eq!(inside(&Rect::new(80.0, 60.0, 120.0, 100.0), &frame()), Rect::new(60.0, 40.0, 100.0, 80.0));
    }

    #[test]
    fn a_box_larger_than_the_frame_is_scaled_down_first() {
        let area = inside(&Rect::new(0.0, 0.0, 160.0, 160.0), &frame());
        assert_eq!((area.width(), area.height()), (80.0, 80.0));
        assert!(frame().bounds().overlap(&area) > 0.7);
    }

    #[test]
    fn a_square_box_has_the_longer_side() {
        let face = Rect::new(40.0, 20.0, 60.0, 60.0);
        assert_eq!(boxed(&face, 1.5, Aspect::Square), Rect::new(20.0, 10.0, 80.0, 70.0));
        assert_eq!(boxed(&face, 1.5, Aspect::Keep), Rect::new(35.0, 10.0, 65.0, 70.0));
    }
}

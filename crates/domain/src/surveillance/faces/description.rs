//! Describes the selected shots.

use super::passing::Shot;
use super::visit::Look;
use crate::error::{Error, Result};
use crate::face::{CROP_SCALE, Detection};
use crate::geometry::Point;
use crate::ports::{FaceAnalyzer, Lane};

/// Describes the face and, meanwhile, encodes its picture, since the shot is not kept.
///
/// # Errors
/// As [`FaceAnalyzer::describe`] and [`FaceAnalyzer::encode`].
pub(super) async fn describe(analyzer: &dyn FaceAnalyzer, shot: &Shot) -> Result<Look> {
    let inside = in_part(&shot.detection, shot.corner);
    let picture = inside.face_box.scaled(CROP_SCALE);
    let faces = analyzer.describe(shot.part.clone(), vec![inside], Lane::Live);
    let (faces, crop) = tokio::try_join!(faces, analyzer.encode(shot.part.clone(), Some(picture)))?;
    let mut face = faces.into_iter().next().ok_or(Error::NoFace)?;
    face.detection = Detection { quality: face.detection.quality, ..shot.detection };
    Ok(Look { at: shot.at(), quality: shot.quality(), face, crop, scene: shot.scene.clone() })
}

/// A detection in pixels of the part of the frame that begins at this corner.
fn in_part(detection: &Detection, corner: Point) -> Detection {
    let landmarks = detection.landmarks.map(|point| Point { x: point.x - corner.x, y: point.y - corner.y });
    Detection { face_box: detection.face_box.shifted(-corner.x, -corner.y), landmarks, ..detection.clone() }
}

//! Describes the selected shots.

use super::best_shot::Shot;
use super::visit::Look;
use crate::error::{Error, Result};
use crate::face::CROP_SCALE;
use crate::ports::{FaceAnalyzer, Lane};

/// Describes the face and, meanwhile, encodes its pictures, since the frame is not kept.
///
/// # Errors
/// As [`FaceAnalyzer::describe`] and [`FaceAnalyzer::encode`].
pub(super) async fn describe(analyzer: &dyn FaceAnalyzer, shot: &Shot) -> Result<Look> {
    let part = shot.detection.face_box.scaled(CROP_SCALE);
    let encode = |part| analyzer.encode(shot.frame.clone(), part);
    let faces = analyzer.describe(shot.frame.clone(), vec![shot.detection.clone()], Lane::Live);
    let (faces, crop, scene) = tokio::try_join!(faces, encode(Some(part)), encode(None))?;
    let face = faces.into_iter().next().ok_or(Error::NoFace)?;
    Ok(Look { at: shot.frame.at(), quality: shot.quality(), face, crop, scene })
}

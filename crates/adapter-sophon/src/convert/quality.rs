//! Quality of faces (5.3).

use domain::PhotoFace;

use crate::codes::Fault;
use crate::wire::platform::{FiqaFace, FiqaInfo, HeadPose};

/// What a face must be at least.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Level {
    /// Shorter side, pixels.
    size: i64,
    /// Turned or nodded at most, degrees.
    angle: f32,
    /// 0 to 100.
    sharpness: u8,
    /// 0 to 100.
    brightness: u8,
}

/// The level with this name, `high` without one; the document gives no thresholds.
///
/// # Errors
/// Code 40091 for another name.
pub(crate) fn level(name: Option<&str>) -> Result<Level, Fault> {
    let (size, angle, sharpness, brightness) = match name.filter(|name| !name.is_empty()).unwrap_or("high") {
        "high" => (80, 30.0, 50, 30),
        "middle" => (60, 40.0, 35, 20),
        "custom" | "low" => (40, 60.0, 20, 10),
        "no" => (0, 180.0, 0, 0),
        _ => return Err(Fault::parameter("fiqa_level is none of high, custom, middle, low, no")),
    };
    Ok(Level { size, angle, sharpness, brightness })
}

/// What is told of a face. Masks and covered parts are not judged: they are in neither list.
pub(crate) fn judged(face: &PhotoFace, level: Level) -> FiqaFace {
    let (rect, quality) = (&face.detection.face_box, &face.detection.quality);
    let face_size = (rect.right - rect.left).min(rect.bottom - rect.top) as i64;
    let partial = rect.left < 0.0 || rect.top < 0.0;
    let checks = [
        ("face_size", face_size >= level.size),
        ("headpose", quality.yaw.abs() <= level.angle && quality.pitch.abs() <= level.angle),
        ("clarity", quality.sharpness >= level.sharpness),
        ("partial", !partial),
        ("brightness", quality.brightness >= level.brightness),
    ];
    let named = |met: bool| checks.iter().filter(|check| check.1 == met).map(|check| check.0).collect::<Vec<_>>();
    let clarity = f64::from(quality.sharpness) / 100.0;
    FiqaFace {
        bbox: [rect.left, rect.top, rect.right, rect.bottom].map(|edge| edge as i64),
        fails: named(false),
        fiqa_result: checks.iter().all(|check| check.1),
        info: FiqaInfo {
            brightness: f64::from(quality.brightness) / 100.0,
            clarity,
            face_size,
            headpose: HeadPose {
                pitch_angle: quality.pitch.into(),
                roll_angle: quality.roll.into(),
                yaw_angle: quality.yaw.into(),
            },
            mask: 0.0,
            occlusion: [true; 3],
            partial,
        },
        score: clarity,
        success: named(true),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_level_is_high() {
        let high = level(Some("high")).ok();
        assert!(high.is_some());
        assert_eq!([level(None).ok(), level(Some("")).ok()], [high, high]);
        assert_ne!(level(Some("low")).ok(), high);
        assert_eq!(level(Some("best")).ok(), None);
    }
}

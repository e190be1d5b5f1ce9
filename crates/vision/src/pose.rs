//! Head pose.

use domain::Landmarks;
use domain::geometry::Point;

use crate::face_network::Reading;
use crate::manifest::{Angle, AnglesOutput, Manifest, Output};
use crate::probability::{expectation, probabilities};
use crate::session::Answer;

/// Head pose in degrees: yaw positive towards the right of the picture, pitch positive up, roll positive clockwise.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(crate) struct Pose {
    pub(crate) yaw: f32,
    pub(crate) pitch: f32,
    pub(crate) roll: f32,
}

/// Reads the pose estimated by a network.
pub(crate) struct PoseReading(AnglesOutput);

impl Reading for PoseReading {
    type Value = Pose;

    fn new(manifest: &Manifest) -> Result<Self, String> {
        match &manifest.output {
            Output::Angles(output) => Ok(Self(output.clone())),
            _ => Err("its output has no angles".to_owned()),
        }
    }

    fn read(&self, answer: &Answer<'_>) -> Result<Pose, String> {
        let angle = |angle: &Angle| {
            let values = answer.tensor(&angle.tensor)?.1;
            Ok::<_, String>(expectation(&probabilities(values, self.0.softmax), angle.first, angle.step))
        };
        Ok(Pose { yaw: angle(&self.0.yaw)?, pitch: angle(&self.0.pitch)?, roll: angle(&self.0.roll)? })
    }
}

/// In a frontal face: distance of the nose below the eyes, relative to the distance between eyes and mouth.
const NOSE_LEVEL: f32 = 0.52;
/// Distance of the nose tip from the plane of eyes and mouth, relative to the distance between eyes and mouth.
const NOSE_LENGTH: f32 = 0.58;

impl Pose {
    /// The pose estimated from landmarks. Roll is the slope of the eyes; the projection of the nose tip, which lies in
    /// front of the plane of eyes and mouth, moves with the sine of yaw and pitch.
    pub(crate) fn from_landmarks(&[left, right, nose, mouth_left, mouth_right]: &Landmarks) -> Self {
        let (eyes, mouth) = (middle(left, right), middle(mouth_left, mouth_right));
        let roll = (right.y - left.y).atan2(right.x - left.x);
        let upright = |point: Point| {
            let (sin, cos) = roll.sin_cos();
            let (x, y) = (point.x - eyes.x, point.y - eyes.y);
            Point { x: cos * x + sin * y, y: cos * y - sin * x }
        };
        let (nose, mouth) = (upright(nose), upright(mouth));
        // Pitch shortens the face's length and yaw its width; the longer of both is the better measure.
        let length = mouth.y.abs().max((right.x - left.x).hypot(right.y - left.y)).max(1e-3);
        let aside = nose.x - mouth.x * NOSE_LEVEL;
        let above = mouth.y * NOSE_LEVEL - nose.y;
        let angle = |shift: f32| (shift / (length * NOSE_LENGTH)).clamp(-1.0, 1.0).asin().to_degrees();
        Self { yaw: angle(aside), pitch: angle(above), roll: roll.to_degrees() }
    }
}

fn middle(a: Point, b: Point) -> Point {
    Point { x: (a.x + b.x) / 2.0, y: (a.y + b.y) / 2.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Landmarks of a head in units of 40 pixels, rotated by these degrees, in orthographic projection.
    fn head(yaw: f32, pitch: f32, roll: f32) -> Landmarks {
        let points = [(-0.5, 0.0, 0.0), (0.5, 0.0, 0.0), (0.0, 0.52, 0.58), (-0.4, 1.0, 0.0), (0.4, 1.0, 0.0)];
        let ((ys, yc), (ps, pc)) = (yaw.to_radians().sin_cos(), pitch.to_radians().sin_cos());
        let (rs, rc) = roll.to_radians().sin_cos();
        points.map(|(x, y, z): (f32, f32, f32)| {
            let (y, z) = (pc * y - ps * z, ps * y + pc * z);
            let x = yc * x + ys * z;
            Point { x: 100.0 + 40.0 * (rc * x - rs * y), y: 100.0 + 40.0 * (rs * x + rc * y) }
        })
    }

    #[test]
    fn a_frontal_face_has_no_angles() {
        let pose = Pose::from_landmarks(&head(0.0, 0.0, 0.0));
        assert!(pose.yaw.abs() < 0.5 && pose.pitch.abs() < 0.5 && pose.roll.abs() < 0.5, "{pose:?}");
    }

    #[test]
    fn each_turn_shows_in_its_own_angle() {
        for degrees in [-30.0, -15.0, 15.0, 30.0] {
            let near = |found: f32| (found - degrees).abs() < 6.0;
            assert!(near(Pose::from_landmarks(&head(degrees, 0.0, 0.0)).yaw));
            assert!(near(Pose::from_landmarks(&head(0.0, degrees, 0.0)).pitch));
            assert!(near(Pose::from_landmarks(&head(0.0, 0.0, degrees)).roll));
        }
    }

    #[test]
    fn landmarks_in_one_point_have_a_pose_all_the_same() {
        let pose = Pose::from_landmarks(&[Point::default(); 5]);
        assert!(pose.yaw.is_finite() && pose.pitch.is_finite() && pose.roll.is_finite());
    }
}

//! Face quality, with the component names of ISO/IEC 29794-5, each 0..=100.
//!
//! | component | measured on | 0 … 100 |
//! |---|---|---|
//! | size | the longer of the distances eye to eye and eyes to mouth, pixels of the frame | 8 … 90, by [`SIZE`] |
//! | sharpness | variance of the Laplacian over the variance of the face aligned to 112×112 pixels, and smoothed if it is dark, logarithm | by [`SHARPNESS`] |
//! | brightness | mean of the aligned face, times its contrast (95th less 5th percentile, full from 50) after a dark face was lightened | by [`BRIGHTNESS`] |
//! | pose | cos²(yaw) · cos²(pitch) · cos²(roll / 2) | |
//!
//! Roll counts half because alignment compensates it. The aligned face has the size that the embedder receives, so
//! enlargement blurs a small face, and a large one may be slightly out of focus.
//!
//! overall = √(G · W): G is the weighted geometric mean of the components ([`WEIGHTS`]), W the worst of them. The worst
//! component limits a face's usability, but the others can partly compensate for it.

use domain::frame::Frame;
use domain::geometry::Point;
use domain::{Landmarks, Quality};

use crate::error::AnalysisError;
use crate::face_crop::{Place, aligned};
use crate::imaging::Picture;
use crate::light::lightened;
use crate::pose::Pose;

/// Side of the aligned face, pixels.
pub(crate) const SIDE: usize = 112;
/// Landmarks of the aligned face.
pub(crate) const TEMPLATE: Landmarks = [
    Point { x: 38.2946, y: 51.6963 },
    Point { x: 73.5318, y: 51.5014 },
    Point { x: 56.0252, y: 71.7366 },
    Point { x: 41.5493, y: 92.3655 },
    Point { x: 70.7299, y: 92.2041 },
];
/// Part of the aligned face that shows skin, eyes and mouth but no background: left, top, right, bottom.
const FACE: [usize; 4] = [28, 36, 84, 104];

/// Piecewise linear function through (measure, component).
type Curve = [(f32, f32)];

/// Pixels. A passport photo has 60 pixels between the eyes; below 13, faces cannot be distinguished.
const SIZE: &Curve = &[(8.0, 0.0), (13.0, 5.0), (18.0, 22.0), (26.0, 52.0), (40.0, 80.0), (60.0, 95.0), (90.0, 100.0)];
/// Logarithm of the variance ratio.
const SHARPNESS: &Curve = &[(-5.5, 0.0), (-4.5, 10.0), (-3.5, 45.0), (-2.5, 85.0), (-1.5, 100.0)];
/// Grey levels 0..=255.
const BRIGHTNESS: &Curve =
    &[(4.0, 0.0), (10.0, 10.0), (30.0, 40.0), (60.0, 90.0), (80.0, 100.0), (180.0, 100.0), (215.0, 70.0), (250.0, 0.0)];
/// Difference of grey levels that counts as full contrast.
const CONTRAST: f32 = 50.0;

/// Weights of size, sharpness, brightness and pose; their sum is 1.
const WEIGHTS: [f32; 4] = [0.3, 0.3, 0.15, 0.25];

/// Pose component, estimated from landmarks, from which a more accurate estimate would change little: about 18 degrees
/// of yaw.
const FRONTAL: u8 = 90;

/// Whether the pose estimated from landmarks is accurate enough.
pub(crate) fn is_frontal(quality: &Quality) -> bool {
    quality.pose >= FRONTAL
}

/// Rates a face from the frame's pixels and its landmarks.
pub(crate) fn judge(frame: &Frame, place: &Place) -> Result<Quality, AnalysisError> {
    let face = grey(frame, place)?;
    let light = mean(face.bytes());
    // In the dark, noise would count as sharpness, and a face that can be lightened as one without contrast.
    let face = lightened(face, &TEMPLATE)?;
    let quality = Quality {
        size: component(along(SIZE, size(&place.landmarks))),
        sharpness: component(sharpness(face.bytes())),
        brightness: component(along(BRIGHTNESS, light) * contrast(face.bytes())),
        ..Quality::default()
    };
    Ok(with_pose(quality, Pose::from_landmarks(&place.landmarks)))
}

/// The aligned face in grey.
pub(crate) fn grey(frame: &Frame, place: &Place) -> Result<Picture, AnalysisError> {
    aligned(frame, &place.landmarks, &TEMPLATE, SIDE, SIDE)?.to_grey()
}

/// The quality with a more accurate pose.
pub(crate) fn with_pose(quality: Quality, pose: Pose) -> Quality {
    let quality = Quality {
        pose: component(100.0 * frontal(&pose)),
        yaw: pose.yaw,
        pitch: pose.pitch,
        roll: pose.roll,
        ..quality
    };
    Quality { overall: overall(&quality), ..quality }
}

/// The face's size in pixels: yaw or pitch shortens only one of the two distances.
pub(crate) fn size(&[left, right, _, mouth_left, mouth_right]: &Landmarks) -> f32 {
    let middle = |a: Point, b: Point| Point { x: (a.x + b.x) / 2.0, y: (a.y + b.y) / 2.0 };
    let distance = |a: Point, b: Point| (a.x - b.x).hypot(a.y - b.y);
    distance(left, right).max(distance(middle(left, right), middle(mouth_left, mouth_right)))
}

fn sharpness(face: &[u8]) -> f32 {
    let at = |x: usize, y: usize| f32::from(face[y * SIDE + x]);
    let laplacian = |x, y| at(x - 1, y) + at(x + 1, y) + at(x, y - 1) + at(x, y + 1) - 4.0 * at(x, y);
    let edges = variance(inner().map(|(x, y)| laplacian(x, y)));
    let shades = variance(inner().map(|(x, y)| at(x, y)));
    along(SHARPNESS, (edges / shades.max(1.0)).max(1e-6).ln())
}

fn mean(face: &[u8]) -> f32 {
    inner().map(|(x, y)| f32::from(face[y * SIDE + x])).sum::<f32>() / inner().count() as f32
}

fn contrast(face: &[u8]) -> f32 {
    let mut shades: Vec<u8> = inner().map(|(x, y)| face[y * SIDE + x]).collect();
    shades.sort_unstable();
    let percentile = |percent: usize| f32::from(shades[shades.len() * percent / 100]);
    ((percentile(95) - percentile(5)) / CONTRAST).min(1.0)
}

/// The pixels of the aligned picture that belong to the face.
pub(crate) fn inner() -> impl Iterator<Item = (usize, usize)> {
    let [left, top, right, bottom] = FACE;
    (top..bottom).flat_map(move |y| (left..right).map(move |x| (x, y)))
}

pub(crate) fn variance(values: impl Iterator<Item = f32>) -> f32 {
    let (count, sum, squares) =
        values.fold((0.0, 0.0, 0.0), |(count, sum, squares), v| (count + 1.0, sum + v, squares + v * v));
    let mean = sum / count;
    squares / count - mean * mean
}

/// 1 for a face looking straight ahead, 0 when turned by 90 degrees.
fn frontal(pose: &Pose) -> f32 {
    let squared = |degrees: f32| degrees.clamp(-90.0, 90.0).to_radians().cos().powi(2);
    squared(pose.yaw) * squared(pose.pitch) * squared(pose.roll / 2.0)
}

fn overall(quality: &Quality) -> u8 {
    let components = [quality.size, quality.sharpness, quality.brightness, quality.pose].map(f32::from);
    let worst = components.iter().copied().fold(f32::INFINITY, f32::min);
    let mean: f32 =
        components.iter().zip(WEIGHTS).map(|(component, weight)| (component / 100.0).powf(weight)).product();
    component((100.0 * mean * worst).sqrt())
}

fn along(curve: &Curve, measure: f32) -> f32 {
    let next = curve.partition_point(|point| point.0 <= measure);
    match (next.checked_sub(1).map(|last| curve[last]), curve.get(next)) {
        (Some((x0, y0)), Some(&(x1, y1))) => y0 + (y1 - y0) * (measure - x0) / (x1 - x0),
        (Some((_, end)), None) => end,
        (None, first) => first.map_or(0.0, |point| point.1),
    }
}

/// Rounds and clamps a value to 0..=100; NaN becomes 0.
fn component(value: f32) -> u8 {
    value.round().clamp(0.0, 100.0) as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: Quality =
        Quality { overall: 0, size: 90, sharpness: 90, brightness: 90, pose: 0, yaw: 0.0, pitch: 0.0, roll: 0.0 };

    fn turned(yaw: f32, roll: f32) -> Quality {
        with_pose(GOOD, Pose { yaw, pitch: 0.0, roll })
    }

    #[test]
    fn a_curve_is_followed_between_its_points_and_held_beyond() {
        assert_eq!(along(SIZE, 3.0), 0.0);
        assert_eq!(along(SIZE, 50.0), 87.5);
        assert_eq!(along(SIZE, 500.0), 100.0);
        assert_eq!(component(along(SIZE, f32::NAN)), 0);
    }

    #[test]
    fn a_turned_face_is_worth_less_and_a_tilted_one_hardly() {
        assert_eq!(turned(0.0, 0.0).pose, 100);
        assert_eq!(turned(45.0, 0.0).pose, 50);
        assert_eq!(turned(-45.0, 0.0).pose, 50);
        assert_eq!(turned(120.0, 0.0).overall, 0);
        assert!(turned(0.0, 20.0).overall > turned(20.0, 0.0).overall);
    }

    #[test]
    fn the_worst_component_cannot_be_made_up_for() {
        let good = turned(0.0, 0.0).overall;
        let spoilt = with_pose(Quality { sharpness: 10, ..GOOD }, Pose::default()).overall;
        assert!(good >= 85 && spoilt < 30, "{good} {spoilt}");
        assert_eq!(with_pose(Quality { size: 0, ..GOOD }, Pose::default()).overall, 0);
    }

    #[test]
    fn fine_detail_makes_a_face_sharp_and_fog_makes_it_pale() {
        let drawn =
            |shade: fn(usize, usize) -> u8| (0..SIDE * SIDE).map(|i| shade(i % SIDE, i / SIDE)).collect::<Vec<u8>>();
        let fine = drawn(|x, y| if (x / 2 + y / 2) % 2 == 0 { 40 } else { 200 });
        let coarse = drawn(|x, _| 40 + (x * 160 / SIDE) as u8);
        assert!(sharpness(&fine) > 95.0 && sharpness(&coarse) < 5.0);
        let pale = drawn(|x, _| 120 + (x % 10) as u8);
        assert!(contrast(&coarse) > 0.95 && contrast(&pale) < 0.3);
        assert!(along(BRIGHTNESS, mean(&coarse)) > 95.0 && along(BRIGHTNESS, mean(&drawn(|_, _| 0))) < 1.0);
    }
}

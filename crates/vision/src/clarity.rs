//! How likely an enrolled person is to be recognised in a shot: measures of the shot, and the manifest's fit to them.
//!
//! The measures are taken on the grey aligned face, after dark faces were lightened and smoothed, so that noise does not
//! count as detail. Each of blur, smallness and darkness shows in others of them; none is enough by itself. The lesser of
//! the horizontal and vertical gradients shows motion blur, which leaves the other one as it was.

use domain::Landmarks;

use crate::error::AnalysisError;
use crate::face_crop::Place;
use crate::imaging::Picture;
use crate::light::lightened;
use crate::manifest::ClarityOutput;
use crate::quality::{SIDE, TEMPLATE, inner, size, variance};

/// Widths of the Gaussians between which the fine structure of a face lies, pixels of the aligned face.
const BAND: [f64; 2] = [1.2, 4.0];

/// What the clarity of a shot is estimated from, in the order of [`Measures::NAMES`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Measures([f32; Measures::NAMES.len()]);

impl Measures {
    /// The keys of the weights in `[output.clarity]` of an embedder's manifest; `models/README.md` describes each.
    pub const NAMES: [&'static str; 8] = ["norm", "mingrad", "band", "lap", "tenengrad", "sd", "mean", "eye"];

    /// The values.
    pub fn values(&self) -> [f32; Self::NAMES.len()] {
        self.0
    }

    /// `face`: the aligned face in grey. `norm`: length of the embedder's vector before it is normalised.
    pub(crate) fn of(face: Picture, place: &Place, norm: f32) -> Result<Self, AnalysisError> {
        let mean = lightness(face.bytes());
        Self::of_face(&lightened(face, &TEMPLATE)?, norm, mean, &place.landmarks)
    }

    fn of_face(face: &Picture, norm: f32, mean: f32, landmarks: &Landmarks) -> Result<Self, AnalysisError> {
        let shades = face.bytes();
        let at = |x: usize, y: usize| f32::from(shades[y * SIDE + x]);
        let spread = variance(inner().map(|(x, y)| at(x, y)));
        let contrast = spread.max(1.0);
        let across = average(inner().map(|(x, y)| ((at(x + 1, y) - at(x - 1, y)) / 2.0).powi(2))) + 0.5;
        let down = average(inner().map(|(x, y)| ((at(x, y + 1) - at(x, y - 1)) / 2.0).powi(2))) + 0.5;
        let laplacian = |x, y| at(x - 1, y) + at(x + 1, y) + at(x, y - 1) + at(x, y + 1) - 4.0 * at(x, y);
        let edges = variance(inner().map(|(x, y)| laplacian(x, y)));
        let (fine, coarse) = (face.smoothed(BAND[0], 1.0)?, face.smoothed(BAND[1], 1.0)?);
        let (fine, coarse) = (fine.bytes(), coarse.bytes());
        let between = |(x, y)| (f32::from(fine[y * SIDE + x]) - f32::from(coarse[y * SIDE + x])).powi(2);
        let band = average(inner().map(between));
        Ok(Self([
            norm,
            (across.min(down) / contrast).ln(),
            (band / contrast + 1e-4).ln(),
            (edges + 1.0).ln(),
            ((across + down) / contrast).ln(),
            spread.max(0.0).sqrt(),
            mean,
            size(landmarks),
        ]))
    }
}

fn lightness(face: &[u8]) -> f32 {
    average(inner().map(|(x, y)| f32::from(face[y * SIDE + x])))
}

fn average(values: impl Iterator<Item = f32>) -> f32 {
    let (count, sum) = values.fold((0.0, 0.0), |(count, sum), value| (count + 1.0, sum + value));
    sum / count
}

/// The probability that an enrolled person is recognised in a shot with these measures, 0..=1.
pub(crate) fn clarity(fit: &ClarityOutput, measures: &Measures) -> f32 {
    let odds = fit.weights().iter().zip(measures.values()).map(|(weight, value)| weight * value).sum::<f32>();
    1.0 / (1.0 + (-(fit.constant + odds)).exp())
}

#[cfg(test)]
mod tests {
    use domain::geometry::Point;

    use super::*;

    /// A drawn face: dark eyes, brows, nose and mouth on bright skin.
    fn drawn() -> Vec<f32> {
        let spot = |x: f32, y: f32, wide: f32, high: f32| {
            move |px: f32, py: f32| ((px - x) / wide).powi(2) + ((py - y) / high).powi(2) <= 1.0
        };
        let parts = [spot(38.0, 52.0, 7.0, 3.0), spot(74.0, 52.0, 7.0, 3.0), spot(38.0, 42.0, 9.0, 2.0)];
        let others = [spot(74.0, 42.0, 9.0, 2.0), spot(56.0, 72.0, 5.0, 3.0), spot(56.0, 92.0, 14.0, 3.0)];
        let dark = |x: f32, y: f32| parts.iter().any(|part| part(x, y)) || others.iter().any(|part| part(x, y));
        let pixel = |i: usize| if dark((i % SIDE) as f32, (i / SIDE) as f32) { 60.0 } else { 170.0 };
        (0..SIDE * SIDE).map(pixel).collect()
    }

    /// Smeared along a row, as a camera does with a face that passes.
    fn smeared(face: &[f32], length: usize) -> Vec<f32> {
        let row = |i: usize| (0..length).map(|k| face[i / SIDE * SIDE + (i % SIDE + k).min(SIDE - 1)]).sum::<f32>();
        (0..face.len()).map(|i| row(i) / length as f32).collect()
    }

    /// With a camera's noise of this deviation, the same at every call.
    fn noisy(face: &[f32], deviation: f32) -> Vec<f32> {
        let mut state = 1u64;
        let mut uniform = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 40) as f32 / (1u64 << 24) as f32 - 0.5
        };
        face.iter().map(|shade| shade + deviation * 3.46 * uniform()).collect()
    }

    fn measures(face: &[f32], norm: f32) -> Measures {
        let rgb: Vec<u8> = face.iter().flat_map(|shade| [shade.clamp(0.0, 255.0) as u8; 3]).collect();
        let grey = Picture::from_rgb(SIDE, SIDE, &rgb).unwrap().to_grey().unwrap();
        let mean = lightness(grey.bytes());
        Measures::of_face(&lightened(grey, &TEMPLATE).unwrap(), norm, mean, &TEMPLATE).unwrap()
    }

    fn value(measures: &Measures, name: &str) -> f32 {
        measures.values()[Measures::NAMES.iter().position(|known| *known == name).unwrap()]
    }

    #[test]
    fn motion_blur_shows_in_the_lesser_gradient() {
        let (sharp, blurred) = (measures(&drawn(), 3.0), measures(&smeared(&drawn(), 17), 3.0));
        let lost = |name| value(&sharp, name) - value(&blurred, name);
        assert!(lost("mingrad") > 1.0, "{}", lost("mingrad"));
        assert!(lost("mingrad") > lost("tenengrad"), "the vertical gradients stay");
        assert!(lost("lap") > 1.0, "{sharp:?} {blurred:?}");
    }

    #[test]
    fn noise_in_the_dark_is_not_detail() {
        let dark: Vec<f32> = drawn().iter().map(|shade| shade * 0.2).collect();
        let (light, dark) = (measures(&drawn(), 3.0), measures(&noisy(&dark, 4.0), 3.0));
        assert!(value(&dark, "mean") < 40.0 && value(&light, "mean") > 120.0, "the darkness itself is measured before");
        for name in ["mingrad", "band", "tenengrad"] {
            assert!(value(&dark, name) < value(&light, name) + 0.3, "{name}: {dark:?} {light:?}");
        }
    }

    #[test]
    fn the_size_of_a_face_is_that_in_the_frame() {
        let half = TEMPLATE.map(|point| Point { x: point.x / 2.0, y: point.y / 2.0 });
        let face = Picture::from_rgb(SIDE, SIDE, &vec![90; 3 * SIDE * SIDE]).unwrap().to_grey().unwrap();
        let size = |landmarks| value(&Measures::of_face(&face, 1.0, 90.0, &landmarks).unwrap(), "eye");
        assert!((size(TEMPLATE) - 2.0 * size(half)).abs() < 0.01);
    }

    #[test]
    fn clarity_is_the_logistic_function_of_the_weighted_measures() {
        let fit = |constant, norm| ClarityOutput { constant, norm, ..ClarityOutput::default() };
        let shot = Measures([2.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0]);
        assert_eq!(clarity(&fit(0.0, 0.0), &shot), 0.5);
        // ln(9) are the odds of nine in ten.
        assert!((clarity(&fit(0.197_225, 1.0), &shot) - 0.9).abs() < 1e-4);
        assert!(clarity(&fit(0.0, -100.0), &shot) < 1e-6);
    }
}

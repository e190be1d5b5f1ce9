//! How alike two faces are.

use crate::{Error, Result};

/// How alike two faces are, 0..=1, calibrated: about 0.70 is as likely a wrong as a missed match,
/// 0.80 is the default threshold.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Default)]
pub struct Similarity(f32);

impl Similarity {
    /// The threshold used when nobody chose one.
    pub const DEFAULT_THRESHOLD: Self = Self(0.80);
    /// Nothing alike.
    pub const ZERO: Self = Self(0.0);

    /// From a number, clamped to 0..=1; not-a-number counts as 0.
    pub fn new(value: f32) -> Self {
        Self(if value.is_nan() { 0.0 } else { value.clamp(0.0, 1.0) })
    }

    /// From a percentage 0..=100.
    pub fn from_percent(percent: f32) -> Self {
        Self::new(percent / 100.0)
    }

    /// The number, 0..=1.
    pub fn value(self) -> f32 {
        self.0
    }

    /// The number as a percentage, 0..=100, rounded down: a face under a threshold never shows it.
    pub fn percent(self) -> u8 {
        // The small addend undoes the representation error of e.g. 0.29 * 100.
        (self.0 * 100.0 + 1e-4) as u8
    }
}

/// The way from the cosine of two embeddings to their [`Similarity`]: straight lines between points.
#[derive(Debug, Clone, PartialEq)]
pub struct Calibration {
    points: Vec<(f32, f32)>,
}

impl Calibration {
    /// Points (cosine, similarity), at least two, both coordinates rising.
    pub fn new(points: Vec<(f32, f32)>) -> Result<Self> {
        let rising = points.windows(2).all(|pair| pair[0].0 < pair[1].0 && pair[0].1 <= pair[1].1);
        if points.len() < 2 || !rising {
            return Err(Error::invalid("calibration", "needs at least two rising points"));
        }
        Ok(Self { points })
    }

    /// The similarity of two faces whose embeddings have this cosine.
    pub fn similarity(&self, cosine: f32) -> Similarity {
        let next = self.points.partition_point(|point| point.0 <= cosine);
        if next == 0 {
            return Similarity::new(self.points[0].1);
        }
        let (x0, y0) = self.points[next - 1];
        let Some(&(x1, y1)) = self.points.get(next) else { return Similarity::new(y0) };
        Similarity::new(y0 + (y1 - y0) * (cosine - x0) / (x1 - x0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn similarity_lies_on_the_line_between_two_points() {
        let line = Calibration::new(vec![(0.0, 0.0), (0.5, 0.8), (1.0, 1.0)]).unwrap();
        assert_eq!(line.similarity(-0.3), Similarity::ZERO);
        assert!((line.similarity(0.25).value() - 0.4).abs() < 1e-6);
        assert!((line.similarity(0.75).value() - 0.9).abs() < 1e-6);
        assert_eq!(line.similarity(1.0).percent(), 100);
    }

    #[test]
    fn falling_points_are_refused() {
        assert!(Calibration::new(vec![(0.0, 0.5), (0.5, 0.4)]).is_err());
        assert!(Calibration::new(vec![(0.0, 0.5)]).is_err());
    }

    #[test]
    fn a_percentage_survives_the_round_trip() {
        for percent in 0..=100u8 {
            assert_eq!(Similarity::from_percent(f32::from(percent)).percent(), percent);
        }
    }
}

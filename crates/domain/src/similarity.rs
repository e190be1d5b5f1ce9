//! Similarity of faces, and its calibration.

use serde::{Deserialize, Serialize};

use crate::{Error, Result};

/// Calibrated similarity of two faces, 0..=1: about 0.70 is the equal error rate, 0.80 the default threshold.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Default, Serialize, Deserialize)]
#[serde(try_from = "f32")]
pub struct Similarity(f32);

impl Similarity {
    /// The default threshold.
    pub const DEFAULT_THRESHOLD: Self = Self(0.80);
    /// Not similar at all.
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

    /// The number as a percentage, 0..=100, rounded down so that a face below a threshold is never displayed at it.
    pub fn percent(self) -> u8 {
        // The addend compensates the representation error of e.g. 0.29 * 100.
        (self.0 * 100.0 + 1e-4) as u8
    }
}

impl TryFrom<f32> for Similarity {
    type Error = Error;

    /// As [`new`](Self::new); `Invalid` outside 0..=1 instead of clamping.
    fn try_from(value: f32) -> Result<Self> {
        let inside = (0.0..=1.0).contains(&value);
        if inside { Ok(Self(value)) } else { Err(Error::invalid("similarity", "must be 0 to 1")) }
    }
}

/// Maps the cosine of two embeddings to their [`Similarity`], by linear interpolation between points.
///
/// With the distribution of the cosines of different people it also determines how a threshold must rise with the
/// library: among `N` people the best wrong one is `N` times as likely to reach a threshold as a single one is (FPIR ≈
/// N × FMR). These cosines are assumed to be normally distributed with mean `m` and deviation `s`; the tail falls like
/// `exp(-z²/2)`, `z = (cosine - m) / s`. A threshold `z` deviations out keeps the false alarm rate that it has among
/// [`SMALL_LIBRARY`](Self::SMALL_LIBRARY) people when it is moved out to `sqrt(z² + 2 ln(N / SMALL_LIBRARY))`. In
/// smaller libraries it does not change.
///
/// From the same distribution follows the usual similarity of the nearest of `N` wrong people. A face more similar than
/// that to a person, but below the threshold, need not be a stranger's: blur and darkness move a known face there.
#[derive(Debug, Clone, PartialEq)]
pub struct Calibration {
    points: Vec<(f32, f32)>,
    unlike: Option<Unlike>,
    clear_from: u8,
}

/// Distribution of the cosines of different people.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Unlike {
    mean: f32,
    deviation: f32,
}

/// One in this many strangers is more similar to a person than [`Calibration::usual_nearest`].
const STRANGERS_IN_DOUBT: f64 = 50.0;

/// Number of deviations above the mean that a normally distributed number exceeds with probability `share`, below 1/20.
fn deviations_of_tail(share: f64) -> f64 {
    // The tail is about exp(-z²/2) / (z sqrt(2 pi)); solved for z by fixed-point iteration.
    let root = std::f64::consts::TAU.sqrt();
    let start = (2.0 * (1.0 / share).ln()).sqrt();
    (0..8).fold(start, |z, _| (2.0 * (1.0 / (share * z * root)).ln()).sqrt())
}

impl Calibration {
    /// From points (cosine, similarity), at least two, both coordinates rising. `Invalid` otherwise.
    pub fn new(points: Vec<(f32, f32)>) -> Result<Self> {
        let rising = points.windows(2).all(|pair| pair[0].0 < pair[1].0 && pair[0].1 <= pair[1].1);
        if points.len() < 2 || !rising {
            return Err(Error::invalid("calibration", "needs at least two rising points"));
        }
        Ok(Self { points, unlike: None, clear_from: 0 })
    }

    /// Adds mean and standard deviation of the cosines of different people; without them no threshold is raised.
    /// `Invalid` unless both are finite and the deviation is positive.
    pub fn with_unlike(self, mean: f32, deviation: f32) -> Result<Self> {
        if !mean.is_finite() || !deviation.is_finite() || deviation <= 0.0 {
            return Err(Error::invalid("calibration", "needs a mean and a positive deviation of unlike faces"));
        }
        Ok(Self { unlike: Some(Unlike { mean, deviation }), ..self })
    }

    /// Adds the lowest quality, 0..=100, of captures in which the model reliably recognises an enrolled person.
    pub fn with_clear_from(self, quality: u8) -> Self {
        Self { clear_from: quality, ..self }
    }

    /// Whether a capture in which nobody was recognised shows a stranger, given its quality (0..=100), its similarity
    /// to the nearest person, and the number of people searched. If not, the shot may only be too poor to recognise the
    /// person.
    pub fn is_stranger(&self, quality: u8, nearest: Similarity, people: u64) -> bool {
        quality >= self.clear_from && self.usual_nearest(people).is_none_or(|usual| nearest < usual)
    }

    /// The similarity to the nearest of `people` that one stranger in [`STRANGERS_IN_DOUBT`] exceeds. `None` without a
    /// distribution.
    fn usual_nearest(&self, people: u64) -> Option<Similarity> {
        let Unlike { mean, deviation } = self.unlike?;
        let tail = 1.0 / (STRANGERS_IN_DOUBT * people.max(1) as f64);
        Some(self.similarity(mean + deviation * deviations_of_tail(tail) as f32))
    }

    /// Number of people up to which thresholds are used as set; above it they are raised.
    pub const SMALL_LIBRARY: u64 = 1_000;

    /// The threshold that causes no more false alarms among this many people than `threshold` does among
    /// [`SMALL_LIBRARY`](Self::SMALL_LIBRARY).
    pub fn raised(&self, threshold: Similarity, people: u64) -> Similarity {
        let Some(Unlike { mean, deviation }) = self.unlike else { return threshold };
        let Some(cosine) = self.cosine(threshold).filter(|_| people > Self::SMALL_LIBRARY) else { return threshold };
        let growth = (people as f64 / Self::SMALL_LIBRARY as f64).ln() as f32;
        let out = ((cosine - mean) / deviation).max(0.0);
        let raised = self.similarity(mean + deviation * (out * out + 2.0 * growth).sqrt());
        Similarity::new(raised.value().max(threshold.value()))
    }

    /// The lowest cosine with this similarity; `None` when no cosine reaches it.
    fn cosine(&self, similarity: Similarity) -> Option<f32> {
        let next = self.points.partition_point(|point| point.1 < similarity.value());
        let &(x1, y1) = self.points.get(next)?;
        let Some(&(x0, y0)) = next.checked_sub(1).and_then(|before| self.points.get(before)) else { return Some(x1) };
        Some(x0 + (x1 - x0) * (similarity.value() - y0) / (y1 - y0))
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
    fn a_threshold_rises_with_the_library_and_never_falls() {
        let points = vec![(0.0, 0.0), (0.44, 0.70), (0.50, 0.80), (0.60, 0.88), (0.80, 0.96), (1.0, 1.0)];
        let line = Calibration::new(points).unwrap();
        assert_eq!(
            line.raised(Similarity::new(0.8), 1_000_000),
            Similarity::new(0.8),
            "without a distribution of different people"
        );
        let line = line.with_unlike(0.0, 0.1).unwrap();
        let raised = |people| line.raised(Similarity::new(0.8), people).value();
        assert_eq!((raised(0), raised(1_000)), (0.8, 0.8), "a small library keeps the threshold");
        // 5 deviations out: sqrt(25 + 2 ln 100) = 5.85, a cosine of 0.585.
        assert!((raised(100_000) - 0.868).abs() < 0.002, "{}", raised(100_000));
        assert!(raised(10_000) < raised(100_000) && raised(100_000) < raised(1_000_000));
        assert_eq!(line.raised(Similarity::new(1.0), 1_000_000), Similarity::new(1.0));
        assert!(line.with_unlike(0.0, 0.0).is_err());
    }

    #[test]
    fn a_face_more_similar_to_a_person_than_usual_for_strangers_is_not_a_strangers() {
        let line = Calibration::new(vec![(0.0, 0.0), (1.0, 1.0)]).unwrap();
        assert!(line.is_stranger(0, Similarity::new(0.4), 10), "without a distribution of different people");
        let line = line.with_unlike(0.0, 0.1).unwrap();
        // The nearest of ten lies beyond 2.9 deviations for one stranger in fifty, the nearest of 1000 beyond 4.1.
        let stranger = |nearest, people| line.is_stranger(0, Similarity::new(nearest), people);
        assert_eq!((stranger(0.28, 10), stranger(0.30, 10)), (true, false));
        assert_eq!((stranger(0.40, 1_000), stranger(0.42, 1_000)), (true, false));
        assert!(!line.with_clear_from(50).is_stranger(49, Similarity::ZERO, 10), "the shot is too poor");
    }

    #[test]
    fn a_tail_of_the_normal_distribution_begins_where_tables_say() {
        for (share, deviations) in [(0.02, 2.054), (1e-3, 3.090), (1e-5, 4.265)] {
            assert!((deviations_of_tail(share) - deviations).abs() < 0.07, "{share}: {}", deviations_of_tail(share));
        }
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

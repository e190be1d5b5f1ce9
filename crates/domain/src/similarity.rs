//! How alike two faces are.

use serde::{Deserialize, Serialize};

use crate::{Error, Result};

/// How alike two faces are, 0..=1, calibrated: about 0.70 is as likely a wrong as a missed match,
/// 0.80 is the default threshold.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Default, Serialize, Deserialize)]
#[serde(try_from = "f32")]
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

impl TryFrom<f32> for Similarity {
    type Error = Error;

    /// As [`new`](Self::new), of a number that needs no clamping. `Invalid` for any other.
    fn try_from(value: f32) -> Result<Self> {
        let inside = (0.0..=1.0).contains(&value);
        if inside { Ok(Self(value)) } else { Err(Error::invalid("similarity", "must be 0 to 1")) }
    }
}

/// The way from the cosine of two embeddings to their [`Similarity`]: straight lines between points.
///
/// It also knows how alike unlike faces are, and from that how a threshold must rise with the library: among `N`
/// people the best of the wrong ones is `N` times as likely to reach a threshold as a single one is (FPIR ≈ N × FMR).
/// The cosines of unlike faces are taken as normally distributed with mean `m` and deviation `s`; the far end of that
/// falls like `exp(-z²/2)`, `z = (cosine - m) / s`. A threshold that is `z` deviations out keeps the rate of false
/// alarms that it has among [`SMALL_LIBRARY`](Self::SMALL_LIBRARY) people when it moves out to
/// `sqrt(z² + 2 ln(N / SMALL_LIBRARY))`. In smaller libraries it stays what it is.
///
/// By the same law it knows how near the nearest of `N` wrong people usually is. A face that is nearer to somebody than
/// that, but not near enough to be accepted, need not be a stranger's: blur and darkness take a known face just there.
#[derive(Debug, Clone, PartialEq)]
pub struct Calibration {
    points: Vec<(f32, f32)>,
    unlike: Option<Unlike>,
    clear_from: u8,
}

/// How the cosines of unlike faces are distributed.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Unlike {
    mean: f32,
    deviation: f32,
}

/// One in so many strangers is nearer to somebody than strangers usually are.
const STRANGERS_IN_DOUBT: f64 = 50.0;

/// How many deviations above its mean a normally distributed number lies in this share of cases, below 1/20.
fn deviations_of_tail(share: f64) -> f64 {
    // The far tail is exp(-z²/2) / (z sqrt(2 pi)); each step halves the digits that are missing.
    let root = std::f64::consts::TAU.sqrt();
    let start = (2.0 * (1.0 / share).ln()).sqrt();
    (0..8).fold(start, |z, _| (2.0 * (1.0 / (share * z * root)).ln()).sqrt())
}

impl Calibration {
    /// Points (cosine, similarity), at least two, both coordinates rising.
    pub fn new(points: Vec<(f32, f32)>) -> Result<Self> {
        let rising = points.windows(2).all(|pair| pair[0].0 < pair[1].0 && pair[0].1 <= pair[1].1);
        if points.len() < 2 || !rising {
            return Err(Error::invalid("calibration", "needs at least two rising points"));
        }
        Ok(Self { points, unlike: None, clear_from: 0 })
    }

    /// The same, with mean and standard deviation of the cosines of unlike faces; without them no threshold rises.
    pub fn with_unlike(self, mean: f32, deviation: f32) -> Result<Self> {
        if !mean.is_finite() || !deviation.is_finite() || deviation <= 0.0 {
            return Err(Error::invalid("calibration", "needs a mean and a positive deviation of unlike faces"));
        }
        Ok(Self { unlike: Some(Unlike { mean, deviation }), ..self })
    }

    /// The same, for a model that finds an enrolled person reliably only in captures of at least this quality, 0..=100.
    pub fn with_clear_from(self, quality: u8) -> Self {
        Self { clear_from: quality, ..self }
    }

    /// Whether a capture of this quality (0..=100), in which none of so many people was recognised and which is this much
    /// like the nearest of them, shows a stranger. A poorer shot, or one so near to somebody, may only be too poor to
    /// recognise who it is.
    pub fn is_stranger(&self, quality: u8, nearest: Similarity, people: u64) -> bool {
        quality >= self.clear_from && self.usual_nearest(people).is_none_or(|usual| nearest < usual)
    }

    /// The similarity that the nearest of so many wrong people reaches for one stranger in [`STRANGERS_IN_DOUBT`]. `None`
    /// where nothing is known of unlike faces.
    fn usual_nearest(&self, people: u64) -> Option<Similarity> {
        let Unlike { mean, deviation } = self.unlike?;
        let tail = 1.0 / (STRANGERS_IN_DOUBT * people.max(1) as f64);
        Some(self.similarity(mean + deviation * deviations_of_tail(tail) as f32))
    }

    /// People among whom a threshold means what it says; in larger libraries it rises.
    pub const SMALL_LIBRARY: u64 = 1_000;

    /// What a threshold has to be among so many people to raise no more false alarms than among
    /// [`SMALL_LIBRARY`](Self::SMALL_LIBRARY).
    pub fn raised(&self, threshold: Similarity, people: u64) -> Similarity {
        let Some(Unlike { mean, deviation }) = self.unlike else { return threshold };
        let Some(cosine) = self.cosine(threshold).filter(|_| people > Self::SMALL_LIBRARY) else { return threshold };
        let crowd = (people as f64 / Self::SMALL_LIBRARY as f64).ln() as f32;
        let out = ((cosine - mean) / deviation).max(0.0);
        let raised = self.similarity(mean + deviation * (out * out + 2.0 * crowd).sqrt());
        Similarity::new(raised.value().max(threshold.value()))
    }

    /// The lowest cosine of this similarity; `None` where no cosine reaches it.
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
            "nothing is known of unlike faces"
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
    fn a_face_nearer_to_somebody_than_strangers_usually_are_is_no_stranger_s() {
        let line = Calibration::new(vec![(0.0, 0.0), (1.0, 1.0)]).unwrap();
        assert!(line.is_stranger(0, Similarity::new(0.4), 10), "nothing is known of unlike faces");
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

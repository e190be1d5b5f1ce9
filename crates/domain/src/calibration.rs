//! From the cosine of two embeddings to their similarity, and how thresholds follow the number of comparisons.

use crate::{Error, Result, Similarity};

/// How faces are matched; fixed while the process runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Matching {
    /// Whether a threshold rises where more people than [`Calibration::SMALL_LIBRARY`] or several looks are searched.
    pub thresholds_rise: bool,
    /// Whether a threshold falls where fewer people than [`Calibration::SMALL_LIBRARY`] are searched and no face opens a
    /// door.
    pub thresholds_fall: bool,
    /// Whether each look of a visit is searched beside the mean of all.
    pub each_look: bool,
}

impl Default for Matching {
    fn default() -> Self {
        Self { thresholds_rise: true, thresholds_fall: true, each_look: true }
    }
}

/// How often a face had the chance to be taken for a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Chances {
    /// Number of people searched among.
    pub people: u64,
    /// Number of probes of the same face; the most similar one counts.
    pub tries: usize,
}

/// Maps the cosine of two embeddings to their [`Similarity`], by linear interpolation between points.
///
/// With the distribution of the cosines of different people it also determines how a threshold must follow the number
/// of comparisons. Among `N` people and with `K` tries the best wrong one is up to `N K` times as likely to reach a
/// threshold as a single one is (FPIR ≈ N × K × FMR). These cosines are assumed to be normally distributed with mean `m`
/// and deviation `s`; the tail falls like `exp(-z²/2)`, `z = (cosine - m) / s`. A threshold is set for one try among
/// [`SMALL_LIBRARY`](Self::SMALL_LIBRARY) people. It keeps the false alarm rate that it has there when it is moved from
/// `z` to `sqrt(z² + 2 ln(N / SMALL_LIBRARY) + 2 ln K)`. Tries of the same face resemble each other, so `K` is their
/// upper bound: the rate is then lower, never higher.
///
/// Below [`SMALL_LIBRARY`](Self::SMALL_LIBRARY) people this is less than what was set. The threshold of one try does not
/// fall below the model's floor, up to which look-alikes were met: there the tail is not that of the normal distribution.
///
/// From the same distribution follows the usual similarity of the nearest of `N` wrong people. A face more similar than
/// that to a person, but below the threshold, need not be a stranger's: blur and darkness move a known face there.
#[derive(Debug, Clone, PartialEq)]
pub struct Calibration {
    points: Vec<(f32, f32)>,
    unlike: Option<Unlike>,
    floor: Option<f32>,
    clear_from: f32,
}

/// Distribution of the cosines of different people.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Unlike {
    mean: f32,
    deviation: f32,
}

impl Unlike {
    fn out(self, cosine: f32) -> f32 {
        ((cosine - self.mean) / self.deviation).max(0.0)
    }

    fn cosine(self, out: f32) -> f32 {
        self.mean + self.deviation * out
    }
}

/// One in this many strangers is more similar to a person than [`Calibration::usual_nearest`].
const STRANGERS_IN_DOUBT: f64 = 50.0;
/// A single look is sure when a stranger reaches its similarity this many times less often than the threshold.
const TIMES_RARER: f32 = 50.0;
/// The same for a model whose distribution of different people is unknown, similarity above the threshold.
const ROOM: f32 = 0.05;

/// Number of deviations above the mean that a normally distributed number exceeds with probability `share`, below 1/20.
fn deviations_of_tail(share: f64) -> f64 {
    // The tail is about exp(-z²/2) / (z sqrt(2 pi)); solved for z by fixed-point iteration.
    let root = std::f64::consts::TAU.sqrt();
    let start = (2.0 * (1.0 / share).ln()).sqrt();
    (0..8).fold(start, |z, _| (2.0 * (1.0 / (share * z * root)).ln()).sqrt())
}

impl Calibration {
    /// Number of people for whom a threshold is set.
    pub const SMALL_LIBRARY: u64 = 1_000;

    /// From points (cosine, similarity), at least two, both coordinates rising. `Invalid` otherwise.
    pub fn new(points: Vec<(f32, f32)>) -> Result<Self> {
        let rising = points.windows(2).all(|pair| pair[0].0 < pair[1].0 && pair[0].1 <= pair[1].1);
        if points.len() < 2 || !rising {
            return Err(Error::invalid("calibration", "needs at least two rising points"));
        }
        Ok(Self { points, unlike: None, floor: None, clear_from: 0.0 })
    }

    /// Adds mean and standard deviation of the cosines of different people; without them thresholds are used as set.
    /// `Invalid` unless both are finite and the deviation is positive.
    pub fn with_unlike(self, mean: f32, deviation: f32) -> Result<Self> {
        if !mean.is_finite() || !deviation.is_finite() || deviation <= 0.0 {
            return Err(Error::invalid("calibration", "needs a mean and a positive deviation of unlike faces"));
        }
        Ok(Self { unlike: Some(Unlike { mean, deviation }), ..self })
    }

    /// Adds the lowest cosine to which a threshold falls for one try; without it no threshold falls. `Invalid` unless it
    /// is finite.
    pub fn with_floor(self, cosine: f32) -> Result<Self> {
        if !cosine.is_finite() {
            return Err(Error::invalid("calibration", "needs a finite floor"));
        }
        Ok(Self { floor: Some(cosine), ..self })
    }

    /// Adds the lowest [`clarity`](crate::Face::clarity) of a shot in which the model reliably recognises an enrolled
    /// person.
    pub fn with_clear_from(self, clarity: f32) -> Self {
        Self { clear_from: clarity, ..self }
    }

    /// Whether a visit in which nobody was recognised shows a stranger, given the clarity of its clearest shot (`None`
    /// when the model does not judge it), its similarity to the nearest person, and the number of people searched. If
    /// not, the shots may only be too poor to recognise the person.
    pub fn is_stranger(&self, clarity: Option<f32>, nearest: Similarity, people: u64) -> bool {
        let clear = clarity.is_none_or(|clarity| clarity >= self.clear_from);
        clear && self.usual_nearest(people).is_none_or(|usual| nearest < usual)
    }

    /// The similarity to the nearest of `people` that one look at a stranger in [`STRANGERS_IN_DOUBT`] exceeds. `None`
    /// without a distribution.
    fn usual_nearest(&self, people: u64) -> Option<Similarity> {
        let unlike = self.unlike?;
        let tail = 1.0 / (STRANGERS_IN_DOUBT * people.max(1) as f64);
        Some(self.similarity(unlike.cosine(deviations_of_tail(tail) as f32)))
    }

    /// The threshold with which as many strangers are accepted as with `set` and one try among
    /// [`SMALL_LIBRARY`](Self::SMALL_LIBRARY) people, as far as `matching` lets thresholds move.
    pub fn threshold(&self, set: Similarity, chances: Chances, matching: Matching) -> Similarity {
        let Some((unlike, cosine)) = self.movable(set) else { return set };
        if chances.people == 0 {
            return set;
        }
        let growth = (chances.people as f32 / Self::SMALL_LIBRARY as f32).ln();
        let falls = growth < 0.0 && matching.thresholds_fall;
        let rises = growth > 0.0 && matching.thresholds_rise;
        let for_people = match self.floor {
            Some(floor) if falls => moved(unlike, cosine, growth).max(floor.min(cosine)),
            _ if rises => moved(unlike, cosine, growth),
            _ => cosine,
        };
        let further = if matching.thresholds_rise { (chances.tries.max(1) as f32).ln() } else { 0.0 };
        let wanted = if further > 0.0 { moved(unlike, for_people, further) } else { for_people };
        if wanted == cosine { set } else { self.similarity(wanted) }
    }

    /// The similarity from which a single look is sure: strangers reach it fifty times less often than
    /// `threshold`.
    pub fn sure_from(&self, threshold: Similarity) -> Similarity {
        match self.movable(threshold) {
            Some((unlike, cosine)) => self.similarity(moved(unlike, cosine, TIMES_RARER.ln())),
            None => Similarity::new(threshold.value() + ROOM),
        }
    }

    /// The cosine of a threshold that may move. `None` for one that accepts everyone or no one, and without a
    /// distribution.
    fn movable(&self, threshold: Similarity) -> Option<(Unlike, f32)> {
        let open = self.points.first().is_none_or(|lowest| threshold.value() <= lowest.1);
        let moves = !open && threshold.value() < 1.0;
        self.unlike.zip(self.cosine(threshold).filter(|_| moves))
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

/// The cosine that is reached `exp(growth)` times less often by different people.
fn moved(unlike: Unlike, cosine: f32, growth: f32) -> f32 {
    unlike.cosine((unlike.out(cosine).powi(2) + 2.0 * growth).max(0.0).sqrt())
}

#[cfg(test)]
mod tests;

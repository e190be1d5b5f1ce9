//! Similarity of faces.

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentage_survives_the_round_trip() {
        for percent in 0..=100u8 {
            assert_eq!(Similarity::from_percent(f32::from(percent)).percent(), percent);
        }
    }
}

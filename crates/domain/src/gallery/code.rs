//! How a vector is kept: 20 bits per component, fixed point. The high 8 are what is scanned; the low 12 say how far
//! those may be wrong, and are read only to re-rank.

use super::kernel::{self, LINE, Line, Probe};

/// Bits below those that are scanned.
const LOW_BITS: u32 = 12;
/// Half of what the low bits can say: they are kept without sign.
const LOW_ZERO: i32 = 1 << (LOW_BITS - 1);
/// The greatest number of a component.
const PEAK: i32 = (i8::MAX as i32) << LOW_BITS;
/// Covers what 32-bit arithmetic adds to a bound; a hundred times more than it does at any length in use.
const ROUNDING: f32 = 1e-5;

/// The low bits of a line: 64 bytes with the upper eight, then 32 with the lowest four of two components each, the
/// n-th beside the (n+32)-th.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct LowLine(pub(super) [u8; LOW_LINE]);

/// Bytes of a [`LowLine`].
pub(super) const LOW_LINE: usize = LINE + LINE / 2;

/// Two numbers beside a vector's bits.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Shape {
    /// What one of the lowest bits stands for.
    pub(super) step: f32,
    /// The length of the difference between the vector and its high bits alone.
    pub(super) slack: f32,
}

/// A vector as it is kept.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Coded {
    pub(super) high: Vec<Line>,
    pub(super) low: Vec<LowLine>,
    pub(super) shape: Shape,
}

impl Coded {
    pub(super) fn new(vector: &[f32]) -> Self {
        let step = peak(vector) / PEAK as f32;
        let numbers = vector.iter().map(|component| ((component / step).round() as i32).clamp(-PEAK, PEAK));
        let numbers: Vec<i32> = numbers.collect();
        let (mut high, mut low, mut square) = (Vec::new(), Vec::new(), 0.0);
        for piece in numbers.chunks(LINE) {
            let (high_line, low_line) = split(piece, &mut square);
            high.push(high_line);
            low.push(low_line);
        }
        // Exact in 64 bits: at most 2^16 squares of 2^11.
        let slack = step * (square as f32).sqrt() * (1.0 + ROUNDING);
        Self { high, low, shape: Shape { step, slack } }
    }
}

/// The greatest magnitude, and never zero.
fn peak(vector: &[f32]) -> f32 {
    vector.iter().fold(f32::MIN_POSITIVE * 1e9, |peak, component| peak.max(component.abs()))
}

fn split(piece: &[i32], square: &mut f64) -> (Line, LowLine) {
    let (mut high, mut low) = (Line([0; LINE]), LowLine([0; LOW_LINE]));
    for (place, number) in piece.iter().enumerate() {
        let upper = (number + LOW_ZERO) >> LOW_BITS;
        let rest = number - (upper << LOW_BITS);
        *square += f64::from(rest * rest);
        high.0[place] = upper as i8;
        low.0[place] = ((rest + LOW_ZERO) >> 4) as u8;
        let nibble = (rest & 15) as u8;
        low.0[LINE + place % (LINE / 2)] |= if place < LINE / 2 { nibble } else { nibble << 4 };
    }
    (high, low)
}

/// The cosine of a kept vector to a probe, to within 4e-6, usually 1e-7.
pub(super) fn cosine(high: &[Line], low: &[LowLine], step: f32, probe: &[[f32; LINE]]) -> f32 {
    let mut sums = [0.0f32; LINE / 2];
    for ((high, low), probe) in high.iter().zip(low).zip(probe) {
        let (bytes, nibbles) = low.0.split_at(LINE);
        for lane in 0..LINE / 2 {
            let number = |place: usize, nibble: u8| {
                (i32::from(high.0[place]) << LOW_BITS) + ((i32::from(bytes[place]) << 4) | i32::from(nibble)) - LOW_ZERO
            };
            let other = lane + LINE / 2;
            sums[lane] += number(lane, nibbles[lane] & 15) as f32 * probe[lane]
                + number(other, nibbles[lane] >> 4) as f32 * probe[other];
        }
    }
    sums.iter().sum::<f32>() * step
}

/// A probe as the scan needs it.
pub(super) struct Asked {
    /// Its 8-bit form.
    pub(super) probe: Probe,
    /// Itself, in lines.
    pub(super) exact: Vec<[f32; LINE]>,
    /// What a unit of a dot product with high bits stands for, per step of the row.
    unit: f32,
    /// How much of a row's slack counts.
    gain: f32,
    /// How far a cosine may be off because the probe has 8 bits.
    slack: f32,
}

impl Asked {
    pub(super) fn new(vector: &[f32]) -> Self {
        let step = peak(vector) / f32::from(i8::MAX);
        let codes: Vec<i8> = vector.iter().map(|component| (component / step).round() as i8).collect();
        let missed = vector.iter().zip(&codes).map(|(component, code)| component - f32::from(*code) * step);
        let missed = missed.map(|difference| f64::from(difference).powi(2)).sum::<f64>().sqrt() as f32;
        let length = super::dot(vector, vector).sqrt();
        Self {
            probe: Probe::new(&codes),
            exact: lines_of(vector),
            unit: step * (1 << LOW_BITS) as f32,
            gain: (length + missed) * (1.0 + ROUNDING),
            // A kept vector is as long as the one it stands for, which is a unit vector to within a hundredth.
            slack: missed * 1.02 + ROUNDING,
        }
    }

    /// The most that the cosine to a row can be, given the dot product of the high bits.
    ///
    /// With row = H + h and probe = P + p, where h and p are what their 8 bits miss: the cosine is H·P + row·p + h·P,
    /// and by Cauchy-Schwarz the last two are at most |row||p| and |h||P|.
    pub(super) fn reach(&self, product: i32, shape: Shape) -> f32 {
        product as f32 * (self.unit * shape.step) + (shape.slack * self.gain + self.slack)
    }
}

fn lines_of(vector: &[f32]) -> Vec<[f32; LINE]> {
    let mut lines = vec![[0.0; LINE]; kernel::lines(vector.len())];
    lines.as_flattened_mut()[..vector.len()].copy_from_slice(vector);
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gallery::dot;

    fn unit(seed: u32, length: usize, spike: f32) -> Vec<f32> {
        let wave = |n: usize| (seed as f32 * 0.37 + n as f32 * 1.7).sin() + (seed as f32 * (n + 1) as f32).cos();
        let mut vector: Vec<f32> = (0..length).map(wave).collect();
        vector[seed as usize % length] += spike;
        let length = dot(&vector, &vector).sqrt();
        vector.iter_mut().for_each(|component| *component /= length);
        vector
    }

    #[test]
    fn the_exact_cosine_lies_within_reach_and_near_what_is_kept() {
        let shapes = [(1, 0.0), (19, 0.0), (64, 9.0), (128, 0.0), (512, 0.0), (512, 100.0), (1000, 3.0)];
        for (length, spike) in shapes {
            // One great component makes the steps coarse for all.
            let loose = if spike > 10.0 { 0.2 } else { 0.05 };
            for seed in 0..60 {
                let (row, probe) = (unit(seed, length, spike), unit(seed / 2 + 1, length, spike));
                let (coded, asked) = (Coded::new(&row), Asked::new(&probe));
                let exact = dot(&row, &probe);
                let kept = cosine(&coded.high, &coded.low, coded.shape.step, &asked.exact);
                assert!((kept - exact).abs() < 4e-6, "{length} {seed}: {kept} for {exact}");
                let mut product = [0];
                kernel::Kernel::detect().dots(&coded.high, std::slice::from_ref(&asked.probe), &mut product);
                let reach = asked.reach(product[0], coded.shape);
                assert!(kept <= reach && reach < kept + loose, "{length} {seed}: {reach} for {kept}");
            }
        }
    }

    #[test]
    fn what_the_high_bits_miss_is_in_the_low_ones() {
        let vector = unit(3, 100, 0.0);
        let coded = Coded::new(&vector);
        for (place, component) in vector.iter().enumerate() {
            let mut one = [0.0; 128];
            one[place] = 1.0;
            let kept = cosine(&coded.high, &coded.low, coded.shape.step, one.as_chunks().0);
            assert!((kept - component).abs() <= coded.shape.step * 0.51, "{place}");
        }
    }
}

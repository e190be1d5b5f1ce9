//! Encoding of a vector: 16 bits per component, fixed point. The high 8 bits are scanned; the low 8 bits give the error
//! bound, and are read only for re-ranking.

use super::kernel::{self, LINE, Line, Probe};

/// Number of low bits.
const LOW_BITS: u32 = 8;
/// Half of the range of the low bits, which are stored unsigned.
const LOW_ZERO: i32 = 1 << (LOW_BITS - 1);
/// Maximum value of a component.
const PEAK: i32 = (i8::MAX as i32) << LOW_BITS;
/// Allowance for rounding in 32-bit arithmetic; a hundred times more than occurs at any length in use.
const ROUNDING: f32 = 1e-5;

/// The low bits of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct LowLine(pub(super) [u8; LINE]);

/// Scale and error of an encoded vector.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Shape {
    /// Value of the lowest bit.
    pub(super) step: f32,
    /// Length of the difference between the vector and its high bits.
    pub(super) slack: f32,
}

/// An encoded vector.
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
        for chunk in numbers.chunks(LINE) {
            let (high_line, low_line) = split(chunk, &mut square);
            high.push(high_line);
            low.push(low_line);
        }
        // Exact in 64 bits: at most 2^16 squares of 2^7.
        let slack = step * (square as f32).sqrt() * (1.0 + ROUNDING);
        Self { high, low, shape: Shape { step, slack } }
    }
}

/// The greatest magnitude of a component; never zero.
fn peak(vector: &[f32]) -> f32 {
    vector.iter().fold(f32::MIN_POSITIVE * 1e9, |peak, component| peak.max(component.abs()))
}

fn split(chunk: &[i32], square: &mut f64) -> (Line, LowLine) {
    let (mut high, mut low) = (Line([0; LINE]), LowLine([0; LINE]));
    for (place, number) in chunk.iter().enumerate() {
        let upper = (number + LOW_ZERO) >> LOW_BITS;
        let rest = number - (upper << LOW_BITS);
        *square += f64::from(rest * rest);
        high.0[place] = upper as i8;
        low.0[place] = (rest + LOW_ZERO) as u8;
    }
    (high, low)
}

/// The cosine of an encoded vector to a probe, to within about a step.
pub(super) fn cosine(high: &[Line], low: &[LowLine], step: f32, probe: &[[f32; LINE]]) -> f32 {
    let mut sums = [0.0f32; LINE];
    for ((high, low), probe) in high.iter().zip(low).zip(probe) {
        for (place, sum) in sums.iter_mut().enumerate() {
            let number = (i32::from(high.0[place]) << LOW_BITS) + i32::from(low.0[place]) - LOW_ZERO;
            *sum += number as f32 * probe[place];
        }
    }
    sums.iter().sum::<f32>() * step
}

/// A probe prepared for a scan.
pub(super) struct PreparedProbe {
    /// Its 8-bit form.
    pub(super) probe: Probe,
    /// Its exact components, in lines.
    pub(super) exact: Vec<[f32; LINE]>,
    /// Value of one unit of a dot product of high bits, per step of the row.
    unit: f32,
    /// Factor of a row's slack in the bound.
    gain: f32,
    /// Maximum error of a cosine from the 8 bits of the probe.
    slack: f32,
}

impl PreparedProbe {
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
            // An encoded vector has the length of the original, which is 1 to within a hundredth.
            slack: missed * 1.02 + ROUNDING,
        }
    }

    /// The upper bound of the cosine to a row, given the dot product of the high bits.
    ///
    /// With row = H + h and probe = P + p, where h and p are the errors of their 8 bits, the cosine is H·P + row·p +
    /// h·P, and by Cauchy-Schwarz the last two are at most |row||p| and |h||P|.
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
    fn the_exact_cosine_is_within_the_bound_and_close_to_the_encoded_one() {
        let shapes = [(1, 0.0), (19, 0.0), (64, 9.0), (128, 0.0), (512, 0.0), (512, 100.0), (1000, 3.0)];
        for (length, spike) in shapes {
            // One great component makes the steps coarse for all.
            let loose = if spike > 10.0 { 0.2 } else { 0.05 };
            for seed in 0..60 {
                let (row, probe) = (unit(seed, length, spike), unit(seed / 2 + 1, length, spike));
                let (coded, prepared) = (Coded::new(&row), PreparedProbe::new(&probe));
                let exact = dot(&row, &probe);
                let kept = cosine(&coded.high, &coded.low, coded.shape.step, &prepared.exact);
                // Each component is wrong by a quarter of a step in the mean, in either direction.
                assert!((kept - exact).abs() < 2.0 * coded.shape.step, "{length} {seed}: {kept} for {exact}");
                let mut product = [0];
                kernel::Kernel::detect().dots(&coded.high, std::slice::from_ref(&prepared.probe), &mut product);
                let reach = prepared.reach(product[0], coded.shape);
                assert!(kept <= reach && reach < kept + loose, "{length} {seed}: {reach} for {kept}");
            }
        }
    }

    #[test]
    fn the_low_bits_contain_the_error_of_the_high_bits() {
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

//! Converts between YUV colour encodings: OpenCV converts only limited-range BT.601 to RGB, and JPEG is full-range
//! BT.601.

use domain::frame::{Colour, Matrix, Range};

/// The encoding that OpenCV assumes for YUV.
pub(crate) const OPENCV: Colour = Colour { matrix: Matrix::Bt601, range: Range::Limited };

/// Fractional bits of factors, which lie between -4 and 4.
const FACTOR_BITS: u32 = 13;
/// Fractional bits of samples before multiplication: 255 just fits into 16 bits.
const SAMPLE_BITS: u32 = 7;
/// Fractional bits of products, whose lower 16 bits are dropped.
const PRODUCT_BITS: u32 = FACTOR_BITS + SAMPLE_BITS - 16;

/// A conversion of the colour encoding: each output is a sum of products of luma and chroma. Only the upper half of
/// each product is used, in 16 bits, so that the loops vectorise.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Recoding {
    /// Black level before and after.
    black: (i16, i16),
    /// Factors of luma, blue difference and red difference in the new luma.
    luma: [i16; 3],
    /// Factors of blue and red difference in the new blue difference.
    blue: [i16; 2],
    /// Factors of blue and red difference in the new red difference.
    red: [i16; 2],
}

impl Recoding {
    /// The conversion between two encodings; `None` when they are equal.
    pub(crate) fn between(from: Colour, to: Colour) -> Option<Self> {
        if from == to {
            return None;
        }
        let (luma_from, chroma_from) = spans(from.range);
        let (luma_to, chroma_to) = spans(to.range);
        // Effect of one unit of each colour difference on its own.
        let of_blue = differences(rgb(from.matrix, 1.0, 0.0), to.matrix);
        let of_red = differences(rgb(from.matrix, 0.0, 1.0), to.matrix);
        let (in_luma, in_chroma) = (luma_to / chroma_from, chroma_to / chroma_from);
        Some(Self {
            black: (black(from.range), black(to.range)),
            luma: [luma_to / luma_from, of_blue[0] * in_luma, of_red[0] * in_luma].map(factor),
            blue: [of_blue[1] * in_chroma, of_red[1] * in_chroma].map(factor),
            red: [of_blue[2] * in_chroma, of_red[2] * in_chroma].map(factor),
        })
    }

    /// Converts planes in place. `width`: luma samples per row, twice those of chroma; both sides are even.
    pub(crate) fn apply(&self, width: usize, luma: &mut [u8], blue: &mut [u8], red: &mut [u8]) {
        let half = (width / 2).max(1);
        // Contribution of chroma to luma, per luma sample: plain loops over rows vectorise.
        let mut shades = vec![0; half * 2];
        let chroma = blue.chunks_exact_mut(half).zip(red.chunks_exact_mut(half));
        for (rows, (blue, red)) in luma.chunks_exact_mut(half * 4).zip(chroma) {
            self.write_shades(&mut shades, blue, red);
            rows.chunks_exact_mut(half * 2).for_each(|row| self.change_luma(row, &shades));
            self.change_chroma(blue, red);
        }
    }

    fn write_shades(&self, shades: &mut [i16], blue: &[u8], red: &[u8]) {
        let [_, of_blue, of_red] = self.luma;
        for (pair, (blue, red)) in shades.chunks_exact_mut(2).zip(blue.iter().zip(red)) {
            pair.fill(product(difference(*blue), of_blue) + product(difference(*red), of_red));
        }
    }

    fn change_luma(&self, luma: &mut [u8], shades: &[i16]) {
        for (sample, shade) in luma.iter_mut().zip(shades) {
            let grey = product((i16::from(*sample) - self.black.0) << SAMPLE_BITS, self.luma[0]);
            *sample = rounded(grey + shade, self.black.1);
        }
    }

    fn change_chroma(&self, blue: &mut [u8], red: &mut [u8]) {
        for (blue, red) in blue.iter_mut().zip(red) {
            let (b, r) = (difference(*blue), difference(*red));
            *blue = rounded(product(b, self.blue[0]) + product(r, self.blue[1]), 128);
            *red = rounded(product(b, self.red[0]) + product(r, self.red[1]), 128);
        }
    }
}

/// A colour difference relative to its zero, 128.
fn difference(sample: u8) -> i16 {
    (i16::from(sample) - 128) << SAMPLE_BITS
}

fn product(value: i16, factor: i16) -> i16 {
    ((i32::from(value) * i32::from(factor)) >> 16) as i16
}

/// Rounds a sum of products, correcting for their truncation, and adds the zero level.
fn rounded(sum: i16, zero: i16) -> u8 {
    (((sum + (1 << (PRODUCT_BITS - 1)) + 1) >> PRODUCT_BITS) + zero).clamp(0, 255) as u8
}

fn factor(value: f32) -> i16 {
    (value * f32::from(1i16 << FACTOR_BITS)).round() as i16
}

/// Range of luma, and of a colour difference.
fn spans(range: Range) -> (f32, f32) {
    match range {
        Range::Limited => (219.0, 224.0),
        Range::Full => (255.0, 255.0),
    }
}

fn black(range: Range) -> i16 {
    match range {
        Range::Limited => 16,
        Range::Full => 0,
    }
}

/// Weights of red, green and blue in luma.
fn shares(matrix: Matrix) -> [f32; 3] {
    let (red, blue) = match matrix {
        Matrix::Bt601 => (0.299, 0.114),
        Matrix::Bt709 => (0.2126, 0.0722),
        Matrix::Bt2020 => (0.2627, 0.0593),
    };
    [red, 1.0 - red - blue, blue]
}

/// RGB of these colour differences at zero luma.
fn rgb(matrix: Matrix, blue: f32, red: f32) -> [f32; 3] {
    let [of_red, of_green, of_blue] = shares(matrix);
    let (r, b) = (2.0 * (1.0 - of_red) * red, 2.0 * (1.0 - of_blue) * blue);
    [r, -(of_red * r + of_blue * b) / of_green, b]
}

/// Luma, blue difference and red difference of an RGB colour.
fn differences([red, green, blue]: [f32; 3], matrix: Matrix) -> [f32; 3] {
    let [of_red, of_green, of_blue] = shares(matrix);
    let luma = of_red * red + of_green * green + of_blue * blue;
    [luma, (blue - luma) / (2.0 * (1.0 - of_blue)), (red - luma) / (2.0 * (1.0 - of_red))]
}

#[cfg(test)]
mod tests {
    use super::*;

    const JPEG: Colour = Colour { matrix: Matrix::Bt601, range: Range::Full };

    /// Every encoding of video.
    fn ways() -> impl Iterator<Item = Colour> {
        let matrices = [Matrix::Bt601, Matrix::Bt709, Matrix::Bt2020];
        matrices.into_iter().flat_map(|matrix| [Range::Limited, Range::Full].map(|range| Colour { matrix, range }))
    }

    /// The exact samples of a colour.
    fn coded(colour: [f32; 3], way: Colour) -> [f32; 3] {
        let [luma, blue, red] = differences(colour, way.matrix);
        let (in_luma, in_chroma) = spans(way.range);
        [luma * in_luma + f32::from(black(way.range)), blue * in_chroma + 128.0, red * in_chroma + 128.0]
    }

    /// Black, white, greys, skin tones and fully saturated colours.
    fn colours() -> Vec<[f32; 3]> {
        let steps = (0..125).map(|i| [i % 5, i / 5 % 5, i / 25].map(|step| step as f32 / 4.0));
        steps.chain([[0.89, 0.72, 0.60], [0.35, 0.22, 0.16]]).collect()
    }

    #[test]
    fn every_colour_stays_what_it_is() {
        for (from, to) in ways().flat_map(|from| [OPENCV, JPEG].map(|to| (from, to))) {
            for colour in colours() {
                let [y, u, v] = coded(colour, from).map(|sample| sample.round() as u8);
                let (mut luma, mut blue, mut red) = ([y; 4], [u], [v]);
                if let Some(recoding) = Recoding::between(from, to) {
                    recoding.apply(2, &mut luma, &mut blue, &mut red);
                }
                for (ours, exact) in [luma[3], blue[0], red[0]].into_iter().zip(coded(colour, to)) {
                    let exact = exact.clamp(0.0, 255.0);
                    assert!((f32::from(ours) - exact).abs() <= 1.7, "{colour:?} {from:?} {to:?}: {ours} not {exact}");
                }
            }
        }
    }

    #[test]
    fn the_same_way_needs_no_work() {
        assert!(ways().all(|way| Recoding::between(way, way).is_none()));
    }

    #[test]
    fn what_lies_beyond_black_and_white_does_not_wrap_around() {
        for from in ways() {
            for to in ways().filter(|to| *to != from) {
                let recoding = Recoding::between(from, to).unwrap();
                for samples in [[0, 0, 0], [255, 255, 255], [0, 255, 0], [255, 0, 255], [0, 0, 255], [255, 255, 0]] {
                    let [y, u, v] = samples;
                    let (mut luma, mut blue, mut red) = ([y; 4], [u], [v]);
                    recoding.apply(2, &mut luma, &mut blue, &mut red);
                    assert_eq!(luma[0] > 128, y > 128, "{samples:?} {from:?} {to:?}: {luma:?}");
                }
            }
        }
    }
}

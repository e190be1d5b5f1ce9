//! Properties of a stream's pixels: their aspect, their colour coding, and interlacing.
//!
//! Nothing is computed on pixels here: aspect and colour are attached to the frame, and every other row of an
//! interlaced picture is skipped, so the decoder's buffer is used unchanged.

use domain::frame::{Colour, Matrix, Range};
use gstreamer as gst;
use gstreamer_video::{VideoColorMatrix, VideoColorRange, VideoColorimetry};

use crate::sink::LARGEST;

/// Maximum ratio of a sample's sides. The widest that cameras use is 24:11, with half the columns of a picture;
/// anything beyond comes from a broken parameter set.
const MOST_STRETCHED: f64 = 4.0;
/// Relative difference from a square below which pixels count as square: rounded sizes cause it, and it is not visible.
const UNSEEN: f64 = 0.01;
/// Minimum width or height of high definition, for which players assume BT.709 when the stream does not specify the
/// matrix.
const HIGH_DEFINITION: (u32, u32) = (1280, 577);

/// Size in square pixels at which samples with this aspect are displayed. One side is stretched; neither is shrunk
/// unless the picture would exceed the maximum size. `None` for an implausible aspect.
pub(crate) fn shown(samples: (u32, u32), aspect: gst::Fraction) -> Option<(u32, u32)> {
    let (width, height) = (f64::from(samples.0), f64::from(samples.1));
    if aspect.numer() <= 0 || aspect.denom() <= 0 {
        return Some(samples);
    }
    let wider = f64::from(aspect.numer()) / f64::from(aspect.denom());
    if !(1.0 / MOST_STRETCHED..=MOST_STRETCHED).contains(&wider) {
        return None;
    }
    if (wider - 1.0).abs() < UNSEEN {
        return Some(samples);
    }
    let (width, height) = if wider > 1.0 { (width * wider, height) } else { (width, height / wider) };
    let fit = (f64::from(LARGEST) / width.max(height)).min(1.0);
    Some(((width * fit).round() as u32, (height * fit).round() as u32))
}

/// The colour coding of pictures with these caps. The text is parsed here because gstreamer rejects it entirely,
/// including the range, when only the matrix is unknown.
pub(crate) fn colour(caps: &gst::CapsRef, (width, height): (u32, u32)) -> Colour {
    let stated = caps.structure(0).and_then(|kind| kind.get::<&str>("colorimetry").ok());
    let stated = stated.and_then(|text| text.parse::<VideoColorimetry>().ok());
    let range = match stated.as_ref().map(VideoColorimetry::range) {
        Some(VideoColorRange::Range0_255) => Range::Full,
        _ => Range::Limited,
    };
    let matrix = match stated.map(|stated| stated.matrix()) {
        Some(VideoColorMatrix::Bt601 | VideoColorMatrix::Fcc) => Matrix::Bt601,
        Some(VideoColorMatrix::Bt709 | VideoColorMatrix::Smpte240m) => Matrix::Bt709,
        Some(VideoColorMatrix::Bt2020) => Matrix::Bt2020,
        _ if width >= HIGH_DEFINITION.0 || height >= HIGH_DEFINITION.1 => Matrix::Bt709,
        _ => Matrix::Bt601,
    };
    Colour { matrix, range }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn of(samples: (u32, u32), numerator: i32, denominator: i32) -> Option<(u32, u32)> {
        shown(samples, gst::Fraction::new(numerator, denominator))
    }

    #[test]
    fn pixels_that_are_not_square_are_stretched_one_way() {
        assert_eq!(of((320, 480), 2, 1), Some((640, 480)));
        assert_eq!(of((704, 576), 12, 11), Some((768, 576)));
        assert_eq!(of((1440, 1080), 4, 3), Some((1920, 1080)));
        assert_eq!(of((704, 480), 10, 11), Some((704, 528)));
        assert_eq!(of((640, 240), 1, 2), Some((640, 480)));
    }

    #[test]
    fn square_and_nearly_square_pixels_are_left_alone() {
        for (numerator, denominator) in [(1, 1), (0, 1), (1281, 1280), (4319, 4320)] {
            assert_eq!(of((1280, 720), numerator, denominator), Some((1280, 720)));
        }
    }

    #[test]
    fn pixels_that_no_camera_makes_are_not_believed() {
        for (numerator, denominator) in [(255, 1), (1, 255), (5, 1), (65_535, 1), (1, i32::MAX), (i32::MAX, 1)] {
            assert_eq!(of((1280, 720), numerator, denominator), None);
        }
    }

    #[test]
    fn no_picture_grows_beyond_the_largest() {
        for (numerator, denominator) in [(2, 1), (1, 2), (4, 1), (12, 11)] {
            let (width, height) = of((LARGEST, LARGEST), numerator, denominator).unwrap();
            assert!(width.max(height) <= LARGEST && width.min(height) >= LARGEST / 4);
        }
    }

    fn caps(colorimetry: Option<&str>) -> gst::Caps {
        gst::init().unwrap();
        let builder = gst::Caps::builder("video/x-raw").field("format", "I420");
        builder.field_if_some("colorimetry", colorimetry).build()
    }

    #[test]
    fn range_and_matrix_are_read_apart() {
        let seen = |text, size| colour(&caps(Some(text)), size);
        let way = |matrix, range| Colour { matrix, range };
        assert_eq!(seen("bt709", (640, 360)), way(Matrix::Bt709, Range::Limited));
        assert_eq!(seen("bt601", (1920, 1080)), way(Matrix::Bt601, Range::Limited));
        assert_eq!(seen("bt2020", (3840, 2160)), way(Matrix::Bt2020, Range::Limited));
        assert_eq!(seen("1:3:5:1", (640, 360)), way(Matrix::Bt709, Range::Full));
        assert_eq!(seen("1:0:0:0", (640, 360)), way(Matrix::Bt601, Range::Full));
        assert_eq!(seen("1:0:0:0", (1280, 720)), way(Matrix::Bt709, Range::Full));
    }

    #[test]
    fn a_stream_that_says_nothing_is_taken_as_players_take_it() {
        for (text, size, matrix) in [
            (None, (704, 576), Matrix::Bt601),
            (None, (1280, 720), Matrix::Bt709),
            (None, (960, 1080), Matrix::Bt709),
            (None, (3840, 2160), Matrix::Bt709),
            (Some("nonsense"), (640, 480), Matrix::Bt601),
            (Some("2:0:0:0"), (1920, 1080), Matrix::Bt709),
        ] {
            assert_eq!(colour(&caps(text), size), Colour { matrix, range: Range::Limited }, "{text:?} {size:?}");
        }
    }

    proptest! {
        #[test]
        fn whatever_a_stream_says_its_picture_has_a_size_within_bounds(
            width in 1..=LARGEST, height in 1..=LARGEST, numerator in any::<i32>(), denominator in 1..=i32::MAX,
        ) {
            if let Some((wide, high)) = of((width, height), numerator, denominator) {
                prop_assert!((1..=LARGEST).contains(&wide) && (1..=LARGEST).contains(&high), "{wide}x{high}");
                let ratio = f64::from(wide) / f64::from(width) * f64::from(height) / f64::from(high);
                let bounds = 0.5 / MOST_STRETCHED..=2.0 * MOST_STRETCHED;
                prop_assert!(bounds.contains(&ratio) || wide.min(high) < 8);
            }
        }

        #[test]
        fn whatever_is_said_of_colours_stands_for_some(text in "[0-9:a-z]{0,12}", width in 1..=LARGEST) {
            let stated = colour(&caps(Some(&text)), (width, 480));
            prop_assert!(stated.range == Range::Limited || text.starts_with('1') || text.starts_with("srgb"), "{text}");
        }
    }
}

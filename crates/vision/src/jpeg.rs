//! Frames as JPEG, from the decoder's planes without a way through RGB.

use bytes::Bytes;
use domain::frame::{Frame, PixelFormat, Plane};
use domain::{Error, Result};
use turbojpeg::{Compressor, Image, Subsamp, YuvImage};

use crate::imaging::PixelBox;

/// Where a JPEG of a face looks like the original and a 1080p scene still takes less than 500 kB.
const QUALITY: i32 = 85;

/// Encodes a part of the frame, chroma at half the resolution.
pub(crate) fn encode(frame: &Frame, area: PixelBox) -> Result<Bytes> {
    let encoded = match frame.format() {
        PixelFormat::Rgb8 => encode_rgb(&frame.planes()[0], area),
        PixelFormat::I420 | PixelFormat::Nv12 => encode_planes(frame, area),
    };
    encoded.map(Bytes::from).map_err(Error::internal("encoding a JPEG"))
}

fn compressor() -> turbojpeg::Result<Compressor> {
    let mut compressor = Compressor::new()?;
    compressor.set_quality(QUALITY)?;
    compressor.set_subsamp(Subsamp::Sub2x2)?;
    Ok(compressor)
}

fn encode_rgb(plane: &Plane, area: PixelBox) -> turbojpeg::Result<Vec<u8>> {
    let PixelBox { left, top, width, height } = area;
    let pixels = &plane.data[top * plane.stride + left * 3..];
    compressor()?.compress_to_vec(Image {
        pixels,
        width,
        pitch: plane.stride,
        height,
        format: turbojpeg::PixelFormat::RGB,
    })
}

fn encode_planes(frame: &Frame, area: PixelBox) -> turbojpeg::Result<Vec<u8>> {
    let pixels = planes(frame, area);
    let PixelBox { width, height, .. } = area;
    let image = YuvImage { pixels: pixels.as_slice(), width, align: 1, height, subsamp: Subsamp::Sub2x2 };
    compressor()?.compress_yuv_to_vec(image)
}

/// The area's luma and chroma one after the other, in JPEG's range. The encoder reads pairs of rows and columns: the last
/// ones of an odd picture are there twice.
fn planes(frame: &Frame, area: PixelBox) -> Vec<u8> {
    let (columns, rows) = (area.width.div_ceil(2), area.height.div_ceil(2));
    let mut pixels = Vec::with_capacity(columns * rows * 6);
    let [luma, chroma @ ..] = frame.planes() else { return pixels };
    for row in 0..2 * rows {
        let row = (area.top + row.min(area.height - 1)) * luma.stride + area.left;
        pixels.extend(luma.data[row..][..area.width].iter().map(|y| LUMA[usize::from(*y)]));
        pixels.extend_from_within(pixels.len() - area.width % 2..);
    }
    // One plane of pairs, or two planes.
    let step = 3 - chroma.len();
    for sample in 0..2 {
        let plane = &chroma[sample / step];
        for row in 0..rows {
            let first = (area.top / 2 + row) * plane.stride + area.left / 2 * step + sample % step;
            let samples = plane.data[first..].iter().step_by(step).take(columns);
            pixels.extend(samples.map(|value| CHROMA[usize::from(*value)]));
        }
    }
    pixels
}

/// Video has black at 16 and white at 235, and chroma from 16 to 240; JPEG uses the whole byte for both.
const LUMA: [u8; 256] = stretched(16, 219, 0);
const CHROMA: [u8; 256] = stretched(128, 224, 128);

/// For each byte, how far it lies from `zero` in parts of `range`, as a byte from `new_zero`.
const fn stretched(zero: i32, range: i32, new_zero: i32) -> [u8; 256] {
    let mut table = [0; 256];
    let mut value = 0;
    while value < 256 {
        let stretched = ((value as i32 - zero) * 255 + new_zero * range + range / 2) / range;
        table[value] = if stretched < 0 {
            0
        } else if stretched > 255 {
            255
        } else {
            stretched as u8
        };
        value += 1;
    }
    table
}

#[cfg(test)]
mod tests {
    use domain::Timestamp;
    use domain::frame::Plane;

    use super::*;
    use crate::codec;

    /// Grey from black to white, left red and right blue in chroma, in the layout asked for.
    fn yuv(format: PixelFormat, width: usize, height: usize) -> Frame {
        let luma = (0..width * height).map(|i| 16 + (219 * (i % width) / width) as u8).collect();
        let (halves, rows) = (width.div_ceil(2), height.div_ceil(2));
        let sample = |i: usize| if i % halves < halves / 2 { (90, 240) } else { (240, 110) };
        let samples = || (0..halves * rows).map(sample);
        let plane = |data: Vec<u8>, stride| Plane { data: data.into(), stride };
        let planes = match format {
            PixelFormat::Nv12 => {
                let pairs = samples().flat_map(|(u, v)| [u, v]).collect();
                vec![plane(luma, width), plane(pairs, halves * 2)]
            }
            _ => vec![
                plane(luma, width),
                plane(samples().map(|(u, _)| u).collect(), halves),
                plane(samples().map(|(_, v)| v).collect(), halves),
            ],
        };
        Frame::new(Timestamp::from_millis(0), width as u32, height as u32, format, planes).unwrap()
    }

    fn decoded(frame: &Frame, area: PixelBox) -> Frame {
        codec::decode(&encode(frame, area).unwrap(), Timestamp::from_millis(0)).unwrap()
    }

    #[test]
    fn a_decoders_picture_looks_as_it_does_in_rgb() {
        for format in [PixelFormat::I420, PixelFormat::Nv12] {
            let frame = yuv(format, 64, 32);
            for area in [PixelBox::whole(&frame), PixelBox { left: 9, top: 3, width: 31, height: 15 }] {
                let jpeg = decoded(&frame, area);
                assert_eq!((jpeg.width() as usize, jpeg.height() as usize), (area.width, area.height));
                let even = PixelBox { left: area.left & !1, top: area.top & !1, ..area };
                let rgb = crate::imaging::cut(&frame, even, area.width, area.height).unwrap();
                let differ = |(a, b): (&u8, &u8)| f64::from(a.abs_diff(*b));
                let (ours, theirs) = (&jpeg.planes()[0].data, rgb.bytes().unwrap());
                let mean = ours.iter().zip(theirs).map(differ).sum::<f64>() / ours.len() as f64;
                assert!(mean < 6.0, "{format:?} {area:?}: {mean} of 255 apart");
            }
        }
    }

    #[test]
    fn an_odd_picture_is_encoded_to_its_last_pixel() {
        for format in [PixelFormat::I420, PixelFormat::Nv12] {
            let frame = yuv(format, 35, 17);
            let jpeg = decoded(&frame, PixelBox::whole(&frame));
            assert_eq!((jpeg.width(), jpeg.height()), (35, 17), "{format:?}");
        }
    }

    #[test]
    fn black_and_white_of_video_are_black_and_white() {
        assert_eq!((LUMA[0], LUMA[16], LUMA[235], LUMA[255]), (0, 0, 255, 255));
        assert_eq!((CHROMA[0], CHROMA[16], CHROMA[128], CHROMA[240], CHROMA[255]), (0, 1, 128, 255, 255));
    }
}

//! Frames as JPEG, straight from the decoder's planes: nothing is converted to RGB or copied on the way.

use bytes::Bytes;
use domain::frame::{Frame, PixelFormat};
use domain::{Error, Result};
use jpeg_encoder::{Encoder, ImageBuffer, JpegColorType, SamplingFactor, rgb_to_ycbcr};

use crate::imaging::PixelBox;

/// Where a JPEG of a face looks like the original and a 1080p scene still takes less than 500 kB.
const QUALITY: u8 = 85;

/// Encodes a part of the frame.
pub(crate) fn encode(frame: &Frame, area: PixelBox) -> Result<Bytes> {
    let side = |pixels: usize| u16::try_from(pixels).map_err(Error::internal("encoding a JPEG"));
    let samples = Samples { frame, area, width: side(area.width)?, height: side(area.height)? };
    let mut jpeg = Vec::new();
    let mut encoder = Encoder::new(&mut jpeg, QUALITY);
    encoder.set_sampling_factor(SamplingFactor::F_2_2);
    encoder.encode_image(samples).map_err(Error::internal("encoding a JPEG"))?;
    Ok(Bytes::from(jpeg))
}

/// What the encoder reads, row by row.
struct Samples<'a> {
    frame: &'a Frame,
    area: PixelBox,
    width: u16,
    height: u16,
}

impl ImageBuffer for Samples<'_> {
    fn get_jpeg_color_type(&self) -> JpegColorType {
        JpegColorType::Ycbcr
    }

    fn width(&self) -> u16 {
        self.width
    }

    fn height(&self) -> u16 {
        self.height
    }

    fn fill_buffers(&self, y: u16, [luma, cb, cr, _]: &mut [Vec<u8>; 4]) {
        let row = self.area.top + usize::from(y);
        match self.frame.format() {
            PixelFormat::Rgb8 => {
                for (y, blue, red) in self.pixels(row) {
                    luma.push(y);
                    cb.push(blue);
                    cr.push(red);
                }
            }
            PixelFormat::I420 => {
                luma.extend(self.luma(row));
                cb.extend(self.chroma(row, 1, 1, 0));
                cr.extend(self.chroma(row, 2, 1, 0));
            }
            PixelFormat::Nv12 => {
                luma.extend(self.luma(row));
                cb.extend(self.chroma(row, 1, 2, 0));
                cr.extend(self.chroma(row, 1, 2, 1));
            }
        }
    }
}

impl Samples<'_> {
    fn pixels(&self, row: usize) -> impl Iterator<Item = (u8, u8, u8)> {
        let pixels = self.row(0, row)[self.area.left * 3..].as_chunks::<3>().0;
        pixels.iter().take(self.area.width).map(|[r, g, b]| rgb_to_ycbcr(*r, *g, *b))
    }

    fn luma(&self, row: usize) -> impl Iterator<Item = u8> {
        self.row(0, row)[self.area.left..].iter().take(self.area.width).map(|y| LUMA[usize::from(*y)])
    }

    /// Four pixels share a sample: every `step`th of the plane, from `first` on.
    fn chroma(&self, row: usize, plane: usize, step: usize, first: usize) -> impl Iterator<Item = u8> {
        let samples = self.row(plane, row / 2);
        let columns = self.area.left..self.area.left + self.area.width;
        columns.map(move |column| CHROMA[usize::from(samples[column / 2 * step + first])])
    }

    fn row(&self, plane: usize, row: usize) -> &[u8] {
        let plane = &self.frame.planes()[plane];
        &plane.data[row * plane.stride..]
    }
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

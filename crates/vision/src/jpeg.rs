//! Encodes frames as JPEG, from the decoder's planes without conversion to RGB.

use bytes::Bytes;
use domain::frame::{Colour, Frame, Matrix, PixelFormat, Plane, Range};
use domain::{Error, Result};
use turbojpeg::{Compressor, Image, Subsamp, YuvImage};

use crate::colour::Recoding;
use crate::imaging;
use crate::pixel_box::PixelBox;

/// At this quality a face looks like the original and a 1080p scene takes less than 500 kB.
const QUALITY: i32 = 85;

/// Colour encoding of JPEG.
const JPEG: Colour = Colour { matrix: Matrix::Bt601, range: Range::Full };

/// Encodes a part of the frame in its displayed shape, with chroma at half resolution.
pub(crate) fn encode(frame: &Frame, area: PixelBox) -> Result<Bytes> {
    if !frame.is_square() {
        let planes = imaging::squared(frame, area)?;
        let square = Frame::new(frame.at(), area.width as u32, area.height as u32, frame.format(), planes)?;
        return encode(&square.coloured(frame.colour()), PixelBox { left: 0, top: 0, ..area });
    }
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

/// The area's luma and chroma planes in the encoder's order. The encoder reads pairs of rows and columns, so the last
/// ones of an odd picture are duplicated.
fn planes(frame: &Frame, area: PixelBox) -> Vec<u8> {
    let Colour { matrix, range } = frame.colour();
    let mut pixels = match range {
        Range::Limited => packed(frame, area, full_luma, full_chroma),
        Range::Full => packed(frame, area, |luma| luma, |chroma| chroma),
    };
    if let Some(recoding) = Recoding::between(Colour { matrix, ..JPEG }, JPEG) {
        let chroma = pixels.len() / 6;
        let (luma, rest) = pixels.split_at_mut(4 * chroma);
        let (blue, red) = rest.split_at_mut(chroma);
        recoding.apply(area.width.next_multiple_of(2), luma, blue, red);
    }
    pixels
}

fn packed(frame: &Frame, area: PixelBox, full_luma: impl Fn(u8) -> u8, full_chroma: impl Fn(u8) -> u8) -> Vec<u8> {
    let (columns, rows) = (area.width.div_ceil(2), area.height.div_ceil(2));
    let mut pixels = Vec::with_capacity(columns * rows * 6);
    let [luma, chroma @ ..] = frame.planes() else { return pixels };
    for row in 0..2 * rows {
        let row = (area.top + row.min(area.height - 1)) * luma.stride + area.left;
        pixels.extend(luma.data[row..][..area.width].iter().map(|y| full_luma(*y)));
        pixels.extend_from_within(pixels.len() - area.width % 2..);
    }
    for sample in 0..2 {
        for row in 0..rows {
            match chroma {
                [plane] => {
                    let first = (area.top / 2 + row) * plane.stride + area.left / 2 * 2;
                    let pairs = plane.data[first..].chunks(2).take(columns);
                    pixels.extend(pairs.map(|pair| full_chroma(pair[sample])));
                }
                planes => {
                    let plane = &planes[sample];
                    let first = (area.top / 2 + row) * plane.stride + area.left / 2;
                    pixels.extend(plane.data[first..][..columns].iter().map(|value| full_chroma(*value)));
                }
            }
        }
    }
    pixels
}

/// Video has black at 16 and white at 235; JPEG uses the full range. Only the upper half of 16-bit products is used, so
/// that loops vectorise.
fn full_luma(video: u8) -> u8 {
    let above_black = video.saturating_sub(16).min(219);
    above_black + upper_half(u16::from(above_black) * 36 + 109, 299)
}

/// Video has chroma from 16 to 240 around 128; JPEG uses the full range around 128.
fn full_chroma(video: u8) -> u8 {
    let above_least = video.saturating_sub(16).min(224);
    let stretched = u16::from(above_least) + 1 + u16::from(upper_half(u16::from(above_least) * 31, 293));
    stretched.min(255) as u8
}

/// The upper 16 bits of the product. The factors are small enough for the result to fit into a byte.
fn upper_half(value: u16, factor: u16) -> u8 {
    ((u32::from(value) * u32::from(factor)) >> 16) as u8
}

#[cfg(test)]
mod tests {
    use domain::Timestamp;
    use domain::frame::Plane;

    use super::*;
    use crate::codec;

    /// A luma ramp from black to white, with red chroma on the left and blue on the right, in this format.
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
                let (ours, theirs) = (&jpeg.planes()[0].data, rgb.bytes());
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

    /// A grey ramp from black to white.
    fn ramp(range: Range, matrix: Matrix, samples: (u32, u32)) -> Frame {
        let (width, height) = (samples.0 as usize, samples.1 as usize);
        let shade = |x: usize| match range {
            Range::Limited => 16 + (219 * x / (width - 1)) as u8,
            Range::Full => (255 * x / (width - 1)) as u8,
        };
        let luma = (0..width * height).map(|i| shade(i % width)).collect::<Vec<u8>>();
        let chroma = Plane { data: vec![128; width / 2 * height / 2].into(), stride: width / 2 };
        let planes = vec![Plane { data: luma.into(), stride: width }, chroma.clone(), chroma];
        let frame = Frame::new(Timestamp::from_millis(0), samples.0, samples.1, PixelFormat::I420, planes).unwrap();
        frame.coloured(Colour { matrix, range })
    }

    #[test]
    fn dark_and_bright_ends_are_kept() {
        for matrix in [Matrix::Bt601, Matrix::Bt709, Matrix::Bt2020] {
            for range in [Range::Limited, Range::Full] {
                for frame in [ramp(range, matrix, (256, 64)), ramp(range, matrix, (256, 32)).shown_over(256, 64)] {
                    let kept = decoded(&frame, PixelBox::whole(&frame));
                    for x in (0..256).step_by(5) {
                        let shade = kept.planes()[0].data[(32 * 256 + x) * 3 + 1];
                        assert!(shade.abs_diff(x as u8) <= 4, "{matrix:?} {range:?}: {shade} at {x}");
                    }
                }
            }
        }
    }

    #[test]
    fn a_picture_is_kept_in_the_shape_it_is_seen_in() {
        for format in [PixelFormat::I420, PixelFormat::Nv12] {
            for shown in [(128, 32), (64, 64), (70, 32), (64, 35)] {
                let frame = yuv(format, 64, 32).shown_over(shown.0, shown.1);
                let kept = decoded(&frame, PixelBox::whole(&frame));
                assert_eq!((kept.width(), kept.height()), shown, "{format:?}");
                let (row, middle) = (kept.width() as usize * 3, kept.height() as usize / 2);
                let pixel = |x: usize| &kept.planes()[0].data[middle * row + x * 3..][..3];
                assert!(pixel(1)[0] > pixel(1)[2], "red on the left");
                let right = kept.width() as usize - 2;
                assert!(pixel(right)[2] > pixel(right)[0], "blue on the right");
                let part = decoded(&frame, PixelBox { left: 7, top: 3, width: 51, height: 20 });
                assert_eq!((part.width(), part.height()), (51, 20), "{format:?}");
            }
        }
    }

    #[test]
    fn black_and_white_of_video_are_black_and_white() {
        assert_eq!([0, 16, 235, 255].map(full_luma), [0, 0, 255, 255]);
        assert_eq!([0, 16, 128, 240, 255].map(full_chroma), [1, 1, 128, 255, 255]);
    }

    #[test]
    fn what_lies_between_is_where_it_belongs() {
        for video in 16..=235_u8 {
            let exact = (f64::from(video) - 16.0) * 255.0 / 219.0;
            assert!((f64::from(full_luma(video)) - exact).abs() <= 0.6, "{video}");
        }
        for video in 16..=240_u8 {
            let exact = (f64::from(video) - 128.0) * 255.0 / 224.0 + 128.0;
            assert!((f64::from(full_chroma(video)) - exact.min(255.0)).abs() <= 1.0, "{video}");
        }
    }
}

//! Decoded pictures.

use bytes::Bytes;

use crate::geometry::Rect;
use crate::{Error, Result, Timestamp};

/// Layout of a frame's samples.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PixelFormat {
    /// Planar Y, U, V; chroma at half size.
    I420,
    /// Planar Y, interleaved UV at half size.
    Nv12,
    /// One plane, R G B.
    Rgb8,
}

impl PixelFormat {
    /// Bytes per row and number of rows of each plane, for a picture of this size.
    pub fn planes(self, width: u32, height: u32) -> Vec<(usize, usize)> {
        let (w, h) = (width as usize, height as usize);
        let (cw, ch) = (w.div_ceil(2), h.div_ceil(2));
        match self {
            Self::I420 => vec![(w, h), (cw, ch), (cw, ch)],
            Self::Nv12 => vec![(w, h), (cw * 2, ch)],
            Self::Rgb8 => vec![(w * 3, h)],
        }
    }
}

/// Colour matrix of a YUV frame (ITU-R recommendations).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Matrix {
    /// BT.601: standard definition, and every JPEG.
    #[default]
    Bt601,
    /// BT.709: high definition.
    Bt709,
    /// BT.2020, not constant luminance: ultra-high definition.
    Bt2020,
}

/// Range of the samples of a YUV frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Range {
    /// Luma 16..=235, chroma 16..=240.
    #[default]
    Limited,
    /// 0..=255.
    Full,
}

/// Colour description of a YUV frame; without meaning for RGB.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Colour {
    /// Colour matrix.
    pub matrix: Matrix,
    /// Range of the samples.
    pub range: Range,
}

/// One plane of a frame; the bytes may still belong to a decoder's buffer.
#[derive(Debug, Clone)]
pub struct Plane {
    /// The samples, row after row.
    pub data: Bytes,
    /// Bytes from one row to the next.
    pub stride: usize,
}

/// A decoded picture, cheap to clone.
///
/// Its width and height, and all coordinates, are in the square pixels in which it is displayed. A camera may send
/// fewer samples per row or column: the planes contain [`samples`](Self::samples).
#[derive(Debug, Clone)]
pub struct Frame {
    at: Timestamp,
    shown: (u32, u32),
    samples: (u32, u32),
    format: PixelFormat,
    colour: Colour,
    planes: Vec<Plane>,
}

impl Frame {
    /// A frame of square pixels, in BT.601 and limited range when it is YUV.
    ///
    /// # Errors
    /// [`Error::BadPicture`] when a plane is too short for that size.
    pub fn new(at: Timestamp, width: u32, height: u32, format: PixelFormat, planes: Vec<Plane>) -> Result<Self> {
        let wanted = format.planes(width, height);
        let fits = |(plane, (row, rows)): (&Plane, &(usize, usize))| {
            plane.stride >= *row && plane.data.len() >= plane.stride * rows.saturating_sub(1) + row
        };
        if width == 0 || height == 0 || planes.len() != wanted.len() || !planes.iter().zip(&wanted).all(fits) {
            return Err(Error::BadPicture { why: format!("{width}x{height} {format:?} does not fit its planes") });
        }
        let size = (width, height);
        Ok(Self { at, shown: size, samples: size, format, colour: Colour::default(), planes })
    }

    /// The same samples, displayed over this many square pixels (at least one each).
    #[must_use]
    pub fn shown_over(self, width: u32, height: u32) -> Self {
        Self { shown: (width.max(1), height.max(1)), ..self }
    }

    /// The same samples with this colour description.
    #[must_use]
    pub fn coloured(self, colour: Colour) -> Self {
        Self { colour, ..self }
    }

    /// When the camera's picture reached the device.
    pub fn at(&self) -> Timestamp {
        self.at
    }

    /// Width in square pixels.
    pub fn width(&self) -> u32 {
        self.shown.0
    }

    /// Height in square pixels.
    pub fn height(&self) -> u32 {
        self.shown.1
    }

    /// Samples per row and number of rows of the planes at full resolution.
    pub fn samples(&self) -> (u32, u32) {
        self.samples
    }

    /// Whether every sample is a pixel.
    pub fn is_square(&self) -> bool {
        self.shown == self.samples
    }

    /// The colour description.
    pub fn colour(&self) -> Colour {
        self.colour
    }

    /// The layout of the planes.
    pub fn format(&self) -> PixelFormat {
        self.format
    }

    /// The planes, in the order of the format.
    pub fn planes(&self) -> &[Plane] {
        &self.planes
    }

    /// The whole picture as a box.
    pub fn bounds(&self) -> Rect {
        Rect::new(0.0, 0.0, self.width() as f32, self.height() as f32)
    }

    /// A copy in memory of its own, which does not hold a buffer of the decoder.
    #[must_use]
    pub fn detached(&self) -> Self {
        let copy = |plane: &Plane| Plane { data: Bytes::copy_from_slice(&plane.data), stride: plane.stride };
        Self { planes: self.planes.iter().map(copy).collect(), ..*self }
    }
}

/// A frame whose users share one copy: made for the first, if any.
#[derive(Debug)]
pub struct Passing<'a> {
    frame: &'a Frame,
    copy: Option<Frame>,
}

impl<'a> Passing<'a> {
    /// Without a copy.
    pub fn new(frame: &'a Frame) -> Self {
        Self { frame, copy: None }
    }

    /// When the camera's picture reached the device.
    pub fn at(&self) -> Timestamp {
        self.frame.at
    }

    /// The copy, [detached](Frame::detached) from the decoder's buffer.
    pub fn keep(&mut self) -> Frame {
        self.copy.get_or_insert_with(|| self.frame.detached()).clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn users_of_a_passing_frame_share_one_copy() {
        let plane = Plane { data: Bytes::from(vec![7; 12]), stride: 6 };
        let frame = Frame::new(Timestamp::from_millis(0), 2, 2, PixelFormat::Rgb8, vec![plane]).unwrap();
        let frame = frame.shown_over(4, 2).coloured(Colour { matrix: Matrix::Bt709, range: Range::Full });
        let mut passing = Passing::new(&frame);
        let address = |frame: &Frame| frame.planes()[0].data.as_ptr();
        let (one, other) = (passing.keep(), passing.keep());
        assert_eq!(address(&one), address(&other));
        assert_ne!(address(&one), address(&frame), "the copy does not hold the decoder's buffer");
        assert_eq!(one.planes()[0].data, frame.planes()[0].data);
        assert_eq!((one.bounds(), one.samples(), one.colour()), (frame.bounds(), frame.samples(), frame.colour()));
    }
}

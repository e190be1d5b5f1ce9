//! Decoded pictures.

use bytes::Bytes;

use crate::geometry::{Point, Rect};
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

    /// Byte within a row and row of a sample of a plane; `left` and `top` are even.
    fn place(self, plane: usize, left: usize, top: usize) -> (usize, usize) {
        match (self, plane) {
            (Self::Rgb8, _) => (3 * left, top),
            (_, 0) => (left, top),
            (Self::Nv12, _) => (left, top / 2),
            (Self::I420, _) => (left / 2, top / 2),
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

    /// A [detached](Self::detached) copy of the part that covers an area as far as it lies in the frame, and the part's
    /// upper left corner. It begins at a whole chroma sample. The whole frame where pixels are not square.
    #[must_use]
    pub fn cut(&self, area: &Rect) -> (Self, Point) {
        let area = area.clamped_to(&self.bounds());
        if !self.is_square() || area.area() <= 0.0 {
            return (self.detached(), Point::default());
        }
        let (left, top) = (area.left as u32 & !1, area.top as u32 & !1);
        let end = |pixel: f32, limit: u32| (pixel.ceil() as u32).next_multiple_of(2).min(limit);
        let size = (end(area.right, self.width()) - left, end(area.bottom, self.height()) - top);
        let sizes = self.format.planes(size.0, size.1).into_iter().enumerate();
        let planes = sizes.zip(&self.planes).map(|((index, (row, rows)), plane)| {
            let (across, down) = self.format.place(index, left as usize, top as usize);
            let lines = plane.data.chunks(plane.stride).skip(down).take(rows);
            let mut data = Vec::with_capacity(row * rows);
            lines.for_each(|line| data.extend_from_slice(&line[across..][..row]));
            Plane { data: data.into(), stride: row }
        });
        let part = Self { shown: size, samples: size, planes: planes.collect(), ..*self };
        (part, Point { x: left as f32, y: top as f32 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(format: PixelFormat, width: u32, height: u32) -> Frame {
        let plane = |(index, (row, rows)): (usize, (usize, usize))| {
            let stride = row + 3;
            let sample = |i: usize| (100 * index + 10 * (i / stride) + i % stride) as u8;
            // Decoders may omit the padding of the last row.
            Plane { data: (0..stride * rows - 3).map(sample).collect(), stride }
        };
        let planes = format.planes(width, height).into_iter().enumerate().map(plane).collect();
        Frame::new(Timestamp::from_millis(7), width, height, format, planes).unwrap()
    }

    fn cut(format: PixelFormat, (width, height): (u32, u32), area: Rect) -> (Vec<Vec<u8>>, (u32, u32), Point) {
        let (part, corner) = frame(format, width, height).cut(&area);
        assert_eq!((part.at(), part.is_square()), (Timestamp::from_millis(7), true));
        (part.planes().iter().map(|plane| plane.data.to_vec()).collect(), part.samples(), corner)
    }

    #[test]
    fn a_part_covers_the_area_and_begins_at_a_whole_chroma_sample() {
        let area = Rect::new(3.2, 2.0, 5.5, 3.9);
        let luma = vec![22, 23, 24, 25, 32, 33, 34, 35];
        let (planes, size, corner) = cut(PixelFormat::I420, (8, 6), area);
        assert_eq!(
            (planes, size, corner),
            (vec![luma.clone(), vec![111, 112], vec![211, 212]], (4, 2), Point { x: 2.0, y: 2.0 })
        );
        let (planes, ..) = cut(PixelFormat::Nv12, (8, 6), area);
        assert_eq!(planes, [luma, vec![112, 113, 114, 115]]);
        let (planes, ..) = cut(PixelFormat::Rgb8, (8, 6), area);
        assert_eq!(planes[0][..3], [26, 27, 28]);
        assert_eq!(planes[0].len(), 4 * 2 * 3);
    }

    #[test]
    fn a_part_ends_with_an_odd_frame() {
        let (planes, size, corner) = cut(PixelFormat::I420, (7, 5), Rect::new(4.0, 4.0, 90.0, 90.0));
        assert_eq!((size, corner), ((3, 1), Point { x: 4.0, y: 4.0 }));
        assert_eq!(planes, [vec![44, 45, 46], vec![122, 123], vec![222, 223]]);
    }

    #[test]
    fn an_area_outside_and_pixels_that_are_not_square_give_the_whole_frame() {
        let whole = frame(PixelFormat::I420, 8, 6);
        assert_eq!(whole.cut(&Rect::new(20.0, 20.0, 30.0, 30.0)).0.samples(), (8, 6));
        let (part, corner) = whole.shown_over(16, 6).cut(&Rect::new(4.0, 4.0, 6.0, 6.0));
        assert_eq!((part.samples(), part.width(), corner), ((8, 6), 16, Point::default()));
    }

    #[test]
    fn a_detached_frame_is_the_same_elsewhere() {
        let frame = frame(PixelFormat::Rgb8, 2, 2).shown_over(4, 2);
        let frame = frame.coloured(Colour { matrix: Matrix::Bt709, range: Range::Full });
        let copy = frame.detached();
        let address = |frame: &Frame| frame.planes()[0].data.as_ptr();
        assert_ne!(address(&copy), address(&frame), "the copy does not hold the decoder's buffer");
        assert_eq!(copy.planes()[0].data, frame.planes()[0].data);
        assert_eq!((copy.bounds(), copy.samples(), copy.colour()), (frame.bounds(), frame.samples(), frame.colour()));
    }
}

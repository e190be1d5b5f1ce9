//! Pictures of faces that a program can draw and read: PNG and JPEG files in which a framed checkerboard represents a
//! face and its cells encode the identity.

use std::io::Cursor;

use bytes::Bytes;
use domain::frame::{Frame, PixelFormat, Plane};
use domain::geometry::Rect;
use domain::{Gender, Result, Timestamp};
use image::{DynamicImage, ImageFormat, Rgb, RgbImage};

/// Cells along one side of a face; the outer ones are its frame.
const CELLS: u32 = 8;
/// Number of cells that encode a face.
const BITS: u32 = 36;
const FRAME: Rgb<u8> = Rgb([255, 0, 255]);
const BACKGROUND: Rgb<u8> = Rgb([96, 112, 128]);
/// Faces are searched for at every this many pixels; a frame is never thinner.
const STRIDE: usize = 3;

/// A face to be drawn, or one that was detected.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FakeFace {
    /// Identity: 20 bits.
    pub identity: u32,
    /// Overall quality, 0..=100.
    pub quality: u8,
    /// Apparent sex.
    pub gender: Gender,
    /// Apparent age, 0..=120 years.
    pub age: u8,
    /// Left edge, pixels.
    pub left: u32,
    /// Top edge, pixels.
    pub top: u32,
    /// Width and height, pixels; at least 32 to be readable.
    pub size: u32,
}

impl FakeFace {
    /// The face of this name: near the middle, large and of good quality.
    pub fn of(name: &str) -> Self {
        let hash =
            name.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |h, b| (h ^ u64::from(b)).wrapping_mul(0x100_0000_01b3));
        let identity = (hash >> 40) as u32 & 0xf_ffff;
        let gender = if hash & 1 == 0 { Gender::Female } else { Gender::Male };
        Self { identity, quality: 80, gender, age: 30, left: 240, top: 120, size: 160 }
    }

    /// The same face elsewhere.
    #[must_use]
    pub fn at(self, left: u32, top: u32) -> Self {
        Self { left, top, ..self }
    }

    /// The same face with this width, pixels.
    #[must_use]
    pub fn sized(self, size: u32) -> Self {
        Self { size, ..self }
    }

    /// The same face with this quality, 0..=100.
    #[must_use]
    pub fn quality(self, quality: u8) -> Self {
        Self { quality, ..self }
    }

    /// Bounding box of the face.
    pub fn face_box(&self) -> Rect {
        let (left, top, size) = (self.left as f32, self.top as f32, self.size as f32);
        Rect::new(left, top, left + size, top + size)
    }

    fn encoded(&self) -> u64 {
        let gender = u64::from(self.gender == Gender::Male);
        let bits = u64::from(self.identity) | u64::from(self.quality) << 20 | gender << 27 | u64::from(self.age) << 28;
        bits | u64::from(bits.count_ones() % 2) << (BITS - 1)
    }

    fn decode(bits: u64, (left, top, size): (u32, u32, u32)) -> Option<Self> {
        let gender = if bits >> 27 & 1 == 1 { Gender::Male } else { Gender::Female };
        let (quality, age) = ((bits >> 20 & 0x7f) as u8, (bits >> 28 & 0x7f) as u8);
        let face = Self { identity: bits as u32 & 0xf_ffff, quality, gender, age, left, top, size };
        bits.count_ones().is_multiple_of(2).then_some(face)
    }

    fn draw(&self, canvas: &mut RgbImage) {
        let bits = self.encoded();
        let (right, bottom) =
            ((self.left + self.size).min(canvas.width()), (self.top + self.size).min(canvas.height()));
        for y in self.top..bottom {
            for x in self.left..right {
                let cell = ((x - self.left) * CELLS / self.size, (y - self.top) * CELLS / self.size);
                canvas.put_pixel(x, y, colour(bits, cell));
            }
        }
    }
}

fn colour(bits: u64, (column, row): (u32, u32)) -> Rgb<u8> {
    match bit_of(column, row) {
        None => FRAME,
        Some(bit) if bits >> bit & 1 == 1 => Rgb([255; 3]),
        Some(_) => Rgb([0; 3]),
    }
}

/// The bit of a cell; `None` in the frame.
fn bit_of(column: u32, row: u32) -> Option<u32> {
    let inner = |n: u32| (1..CELLS - 1).contains(&n).then(|| n - 1);
    Some(inner(row)? * (CELLS - 2) + inner(column)?)
}

/// A picture of some faces.
#[derive(Debug, Clone, PartialEq)]
pub struct Picture {
    width: u32,
    height: u32,
    faces: Vec<FakeFace>,
}

/// A PNG that shows the face of this name alone.
pub fn portrait(name: &str) -> Bytes {
    Picture::of([FakeFace::of(name)]).png()
}

/// A picture as a file of this format; empty when `image` cannot write it. Unlike the tests, this crate is optimised, and
/// so is the encoder that is built for it.
pub fn encoded(picture: &DynamicImage, format: ImageFormat) -> Vec<u8> {
    let mut file = Cursor::new(Vec::new());
    match picture.write_to(&mut file, format) {
        Ok(()) => file.into_inner(),
        Err(_) => Vec::new(),
    }
}

/// A picture enlarged to this width. Its pixels are repeated: the filters of `image` would take seconds.
pub fn enlarged(picture: &RgbImage, width: u32) -> RgbImage {
    let (columns, rows) = picture.dimensions();
    let height = width * rows / columns;
    RgbImage::from_fn(width, height, |x, y| *picture.get_pixel(x * columns / width, y * rows / height))
}

impl Picture {
    /// 640 × 480 pixels with these faces.
    pub fn of(faces: impl IntoIterator<Item = FakeFace>) -> Self {
        Self { width: 640, height: 480, faces: faces.into_iter().collect() }
    }

    /// 640 × 480 pixels without faces.
    pub fn empty() -> Self {
        Self::of([])
    }

    /// The same faces in a picture of another size.
    #[must_use]
    pub fn sized(self, width: u32, height: u32) -> Self {
        Self { width, height, ..self }
    }

    /// Whether it shows a face.
    pub fn has_faces(&self) -> bool {
        !self.faces.is_empty()
    }

    /// As a PNG file.
    pub fn png(&self) -> Bytes {
        self.file(ImageFormat::Png)
    }

    /// As a JPEG file.
    pub fn jpeg(&self) -> Bytes {
        self.file(ImageFormat::Jpeg)
    }

    /// As a file of this format; empty when `image` cannot write it.
    pub fn file(&self, format: ImageFormat) -> Bytes {
        encoded(&self.canvas().into(), format).into()
    }

    /// As a camera's frame.
    pub fn frame(&self, at: Timestamp) -> Result<Frame> {
        to_frame(self.canvas(), at)
    }

    fn canvas(&self) -> RgbImage {
        let mut canvas = RgbImage::from_pixel(self.width, self.height, BACKGROUND);
        self.faces.iter().for_each(|face| face.draw(&mut canvas));
        canvas
    }
}

/// The picture as a frame.
pub(crate) fn to_frame(canvas: RgbImage, at: Timestamp) -> Result<Frame> {
    let (width, height) = canvas.dimensions();
    let plane = Plane { data: canvas.into_raw().into(), stride: width as usize * 3 };
    Frame::new(at, width, height, PixelFormat::Rgb8, vec![plane])
}

/// The faces in an RGB frame, in reading order; partial faces are ignored.
pub(crate) fn read_faces(frame: &Frame) -> Vec<FakeFace> {
    let pixels = Pixels(frame);
    let mut found: Vec<FakeFace> = Vec::new();
    for y in (0..frame.height()).step_by(STRIDE) {
        for x in (0..frame.width()).step_by(STRIDE) {
            let known = |f: &FakeFace| (f.left..f.left + f.size).contains(&x) && (f.top..f.top + f.size).contains(&y);
            if pixels.frame_at(x, y) && !found.iter().any(known) {
                found.extend(pixels.face_at(x, y));
            }
        }
    }
    found
}

/// The samples of an RGB frame.
struct Pixels<'a>(&'a Frame);

impl Pixels<'_> {
    fn at(&self, x: u32, y: u32) -> [u8; 3] {
        let plane = &self.0.planes()[0];
        let start = y as usize * plane.stride + x as usize * 3;
        [plane.data[start], plane.data[start + 1], plane.data[start + 2]]
    }

    fn frame_at(&self, x: u32, y: u32) -> bool {
        if x >= self.0.width() || y >= self.0.height() {
            return false;
        }
        let [red, green, blue] = self.at(x, y);
        red > 150 && green < 100 && blue > 150
    }

    /// The face whose frame contains this point of the upper edge; `None` for a partial face.
    fn face_at(&self, x: u32, y: u32) -> Option<FakeFace> {
        let top = (0..=y).rev().take_while(|y| self.frame_at(x, *y)).last()?;
        let left = (0..=x).rev().take_while(|x| self.frame_at(*x, top + 1)).last()?;
        let right = (left..self.0.width()).take_while(|x| self.frame_at(*x, top + 1)).last()?;
        let bottom = (top..self.0.height()).take_while(|y| self.frame_at(left + 1, *y)).last()?;
        let (width, height) = (right - left + 1, bottom - top + 1);
        if width.abs_diff(height) > 2 || width < CELLS * 4 - 2 {
            return None;
        }
        FakeFace::decode(self.bits((left, top, width))?, (left, top, width))
    }

    /// The bits of the cells; `None` when the frame is incomplete.
    fn bits(&self, (left, top, size): (u32, u32, u32)) -> Option<u64> {
        let middle = |cell: u32| (2 * cell + 1) * size / (2 * CELLS);
        let mut bits = 0;
        for row in 0..CELLS {
            for column in 0..CELLS {
                let (x, y) = (left + middle(column), top + middle(row));
                match bit_of(column, row) {
                    Some(bit) => bits |= u64::from(self.at(x, y)[1] > 127) << bit,
                    None if self.frame_at(x, y) => {}
                    None => return None,
                }
            }
        }
        Some(bits)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use image::ImageReader;

    fn read(file: Bytes) -> Vec<FakeFace> {
        let decoded = ImageReader::new(Cursor::new(file)).with_guessed_format().unwrap().decode().unwrap();
        read_faces(&to_frame(decoded.to_rgb8(), Timestamp::from_millis(0)).unwrap())
    }

    #[test]
    fn drawn_faces_are_read_back_from_png_and_jpeg() {
        let faces = [FakeFace::of("alice").at(20, 30).quality(71), FakeFace::of("bob").at(301, 77).sized(97)];
        let picture = Picture::of(faces);
        assert_eq!(read(picture.png()), faces);
        let blurred = read(picture.jpeg());
        let who: Vec<_> = blurred.iter().map(|face| (face.identity, face.quality)).collect();
        assert_eq!(who, [(faces[0].identity, 71), (faces[1].identity, 80)]);
    }

    #[test]
    fn a_partial_face_is_not_detected() {
        assert!(read(Picture::of([FakeFace::of("alice").at(560, 100)]).png()).is_empty());
        assert!(read(Picture::empty().png()).is_empty());
    }

    #[test]
    fn names_make_different_faces() {
        let people: std::collections::HashSet<_> =
            (0..500).map(|n| FakeFace::of(&format!("person {n}")).identity).collect();
        assert_eq!(people.len(), 500);
    }
}

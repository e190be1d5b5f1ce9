//! Decodes picture files within limits and encodes JPEG.

use std::io::Cursor;

use bytes::Bytes;
use domain::frame::{Frame, PixelFormat, Plane};
use domain::geometry::Rect;
use domain::{Error, Result, Timestamp};
use image::metadata::Orientation;
use image::{ColorType, DynamicImage, ImageDecoder, ImageFormat, ImageReader, Limits};
use memmap2::MmapMut;

use crate::jpeg;
use crate::jpeg_file::Mended;
use crate::pixel_box::PixelBox;

/// Maximum size of a picture file, bytes.
pub const MAX_PICTURE_BYTES: usize = 32 * 1024 * 1024;
/// Maximum width and height of a picture, pixels.
pub const MAX_PICTURE_SIDE: u32 = 16_384;
/// Maximum number of pixels of a picture.
pub const MAX_PICTURE_PIXELS: u64 = 64_000_000;
/// Maximum memory for the samples of one picture, bytes: four per pixel.
const MAX_DECODED_BYTES: u64 = MAX_PICTURE_PIXELS * 4;
/// A JPEG of several scans is decoded from the coefficients of the whole picture: two bytes for each of three colours.
const COEFFICIENTS: u64 = 6;
/// Rows that are converted at a time.
const BAND: u32 = 64;

/// Decodes a JPEG, PNG, BMP, WebP or TIFF and applies its orientation. The limits are checked against the header before
/// memory for the samples is allocated.
pub(crate) fn decode(picture: &[u8], at: Timestamp) -> Result<Frame> {
    let Samples { width, height, rgb } = match repaired(picture)? {
        Some(jpeg) => complete(&jpeg)?,
        None => read(picture)?,
    };
    let plane = Plane { data: Bytes::from_owner(rgb), stride: width as usize * 3 };
    Frame::new(at, width, height, PixelFormat::Rgb8, vec![plane])
}

/// Memory that a picture takes, bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Cost {
    /// At most, while it is decoded.
    pub(crate) peak: u64,
    /// As a frame.
    pub(crate) frame: u64,
}

/// What decoding this picture will take, from its header.
pub(crate) fn cost(picture: &[u8]) -> Result<Cost> {
    match repaired(picture)? {
        Some(jpeg) => {
            let cost = cost_of(jpeg.bytes(), if jpeg.is_simple() { 0 } else { COEFFICIENTS })?;
            // A damaged one is decoded twice.
            let again = if jpeg.is_whole() { 0 } else { cost.frame };
            Ok(Cost { peak: cost.peak + again, ..cost })
        }
        None => cost_of(picture, 0),
    }
}

/// `working`: what the decoder needs beside its result, bytes per pixel.
fn cost_of(picture: &[u8], working: u64) -> Result<Cost> {
    let mut decoder = decoder(picture)?;
    let (width, height) = decoder.dimensions();
    let pixels = u64::from(width) * u64::from(height);
    let (decoded, frame) = (decoder.total_bytes(), pixels * 3);
    let is_turned = decoder.orientation().is_ok_and(|orientation| orientation != Orientation::NoTransforms);
    let is_converted = decoder.color_type() != ColorType::Rgb8;
    let copies = [is_turned.then_some(decoded), (is_turned || is_converted).then_some(frame)];
    let copy = copies.into_iter().flatten().max().unwrap_or(0);
    Ok(Cost { peak: decoded + copy.max(pixels * working), frame })
}

/// The repaired JPEG; `None` for any other format.
fn repaired(picture: &[u8]) -> Result<Option<Mended>> {
    if picture.len() > MAX_PICTURE_BYTES {
        return refuse(format!("{} bytes are more than {MAX_PICTURE_BYTES}", picture.len()));
    }
    let repaired = Mended::new(picture);
    if repaired.as_ref().is_some_and(|jpeg| !jpeg.has_few_scans()) {
        return refuse("the JPEG has too many scans".to_owned());
    }
    Ok(repaired)
}

/// Decodes a JPEG; fails when part of the picture is missing.
fn complete(jpeg: &Mended) -> Result<Samples> {
    let decoded = read(jpeg.bytes())?;
    if !jpeg.is_whole() && read(&jpeg.with_another_rest())?.rgb[..] != decoded.rgb[..] {
        return refuse("the JPEG ends early".to_owned());
    }
    Ok(decoded)
}

/// An upright picture, three bytes for each pixel. Its memory is mapped for it alone: the allocator would keep what one
/// thread takes and another gives back.
struct Samples {
    width: u32,
    height: u32,
    rgb: MmapMut,
}

impl Samples {
    fn new(width: u32, height: u32) -> Result<Self> {
        let bytes = width as usize * height as usize * 3;
        let rgb = MmapMut::map_anon(bytes).map_err(Error::internal("memory for a picture"))?;
        Ok(Self { width, height, rgb })
    }

    /// Copies a picture a band at a time.
    fn of(decoded: &DynamicImage) -> Result<Self> {
        let mut samples = Self::new(decoded.width(), decoded.height())?;
        let band = samples.width as usize * 3 * BAND as usize;
        for (top, rows) in (0..).step_by(BAND as usize).zip(samples.rgb.chunks_mut(band)) {
            let part = decoded.crop_imm(0, top, samples.width, BAND).into_rgb8();
            rows.copy_from_slice(&part);
        }
        Ok(samples)
    }
}

/// Decodes a picture and turns it upright.
fn read(picture: &[u8]) -> Result<Samples> {
    let mut decoder = decoder(picture)?;
    // Ignore invalid orientation metadata.
    let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
    if orientation == Orientation::NoTransforms && decoder.color_type() == ColorType::Rgb8 {
        let (width, height) = decoder.dimensions();
        let mut samples = Samples::new(width, height)?;
        decoder.read_image(&mut samples.rgb).map_err(|error| bad(&error))?;
        return Ok(samples);
    }
    let mut decoded = DynamicImage::from_decoder(decoder).map_err(|error| bad(&error))?;
    decoded.apply_orientation(orientation);
    Samples::of(&decoded)
}

/// A decoder whose header has been read and checked against the limits.
fn decoder(picture: &[u8]) -> Result<impl ImageDecoder + '_> {
    let mut reader = ImageReader::new(Cursor::new(picture)).with_guessed_format().map_err(|error| bad(&error))?;
    if !reader.format().is_some_and(is_accepted) {
        return refuse("neither JPEG nor PNG, BMP, WebP or TIFF".to_owned());
    }
    reader.limits(limits());
    let decoder = reader.into_decoder().map_err(|error| bad(&error))?;
    let (width, height) = decoder.dimensions();
    let pixels = u64::from(width) * u64::from(height);
    if width.max(height) > MAX_PICTURE_SIDE || pixels > MAX_PICTURE_PIXELS {
        return refuse(format!("{width}x{height} is too large"));
    }
    if pixels == 0 || decoder.total_bytes() > MAX_DECODED_BYTES {
        return refuse(format!("{width}x{height} {:?} is not supported", decoder.color_type()));
    }
    Ok(decoder)
}

fn limits() -> Limits {
    let mut limits = Limits::default();
    limits.max_image_width = Some(MAX_PICTURE_SIDE);
    limits.max_image_height = Some(MAX_PICTURE_SIDE);
    limits.max_alloc = Some(MAX_DECODED_BYTES);
    limits
}

fn is_accepted(format: ImageFormat) -> bool {
    use ImageFormat::{Bmp, Jpeg, Png, Tiff, WebP};
    [Jpeg, Png, Bmp, WebP, Tiff].contains(&format)
}

fn bad(error: &dyn std::error::Error) -> Error {
    Error::BadPicture { why: error.to_string() }
}

fn refuse<T>(why: String) -> Result<T> {
    Err(Error::BadPicture { why })
}

/// Encodes a part of the frame (clamped to its bounds), or all of it, as JPEG.
pub(crate) fn encode(frame: &Frame, part: Option<Rect>) -> Result<Bytes> {
    let part = part.unwrap_or_else(|| frame.bounds());
    let area = PixelBox::covering(&part, frame);
    jpeg::encode(frame, area.ok_or_else(|| Error::invalid("part", "shows nothing of the frame"))?)
}

#[cfg(test)]
mod tests;

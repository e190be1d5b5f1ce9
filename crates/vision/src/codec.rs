//! Pictures as files: read within limits, written as JPEG.

use std::io::Cursor;

use bytes::Bytes;
use domain::frame::{Frame, PixelFormat, Plane};
use domain::geometry::Rect;
use domain::{Error, Result, Timestamp};
use image::codecs::jpeg::JpegEncoder;
use image::{DynamicImage, ExtendedColorType, ImageDecoder, ImageFormat, ImageReader, Limits};

use crate::imaging::{self, PixelBox};

/// Files larger than this are refused.
pub const MAX_PICTURE_BYTES: usize = 32 * 1024 * 1024;
/// Pictures with a longer side are refused.
pub const MAX_PICTURE_SIDE: u32 = 16_384;
/// Pictures with more pixels are refused.
pub const MAX_PICTURE_PIXELS: u64 = 64_000_000;
/// Memory for the samples of one picture: four bytes for each of the most pixels.
const MAX_DECODED_BYTES: u64 = MAX_PICTURE_PIXELS * 4;
/// Where a JPEG of a face looks like the original and a 1080p scene still takes less than 500 kB.
const JPEG_QUALITY: u8 = 85;

/// Decodes a JPEG, PNG, BMP, WebP or TIFF, upright as its metadata says. The header is read and held against the
/// limits before memory for the samples is taken.
pub(crate) fn decode(picture: &[u8], at: Timestamp) -> Result<Frame> {
    let mut decoder = decoder(picture)?;
    // A broken note of the orientation does not spoil the picture.
    let orientation = decoder.orientation().unwrap_or(image::metadata::Orientation::NoTransforms);
    let mut decoded = DynamicImage::from_decoder(decoder).map_err(bad)?;
    decoded.apply_orientation(orientation);
    let rgb = decoded.into_rgb8();
    let (width, height) = rgb.dimensions();
    let plane = Plane { data: Bytes::from(rgb.into_raw()), stride: width as usize * 3 };
    Frame::new(at, width, height, PixelFormat::Rgb8, vec![plane])
}

/// The memory `decode` will take for this picture, bytes.
pub(crate) fn decoded_bytes(picture: &[u8]) -> Result<u64> {
    decoder(picture).map(|decoder| decoder.total_bytes())
}

/// A decoder that has read the header and found the picture within the limits.
fn decoder(picture: &[u8]) -> Result<impl ImageDecoder + '_> {
    if picture.len() > MAX_PICTURE_BYTES {
        return refuse(format!("{} bytes are more than {MAX_PICTURE_BYTES}", picture.len()));
    }
    let mut reader = ImageReader::new(Cursor::new(picture)).with_guessed_format().map_err(|error| bad(error.into()))?;
    if !reader.format().is_some_and(is_accepted) {
        return refuse("neither JPEG nor PNG, BMP, WebP or TIFF".to_owned());
    }
    reader.limits(limits());
    let decoder = reader.into_decoder().map_err(bad)?;
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

fn bad(error: image::ImageError) -> Error {
    Error::BadPicture { why: error.to_string() }
}

fn refuse<T>(why: String) -> Result<T> {
    Err(Error::BadPicture { why })
}

/// Encodes a part of the frame, clamped to it, or all of it, as JPEG.
pub(crate) fn encode(frame: &Frame, part: Option<Rect>) -> Result<Bytes> {
    let part = part.unwrap_or_else(|| frame.bounds());
    let nothing = || Error::invalid("part", "shows nothing of the frame");
    let area = PixelBox::covering(&part, frame).ok_or_else(nothing)?;
    let picture = imaging::copy(frame, area)?.ok_or_else(nothing)?;
    let mut jpeg = Vec::new();
    let (width, height) = (picture.width() as u32, picture.height() as u32);
    JpegEncoder::new_with_quality(&mut jpeg, JPEG_QUALITY)
        .encode(picture.bytes()?, width, height, ExtendedColorType::Rgb8)
        .map_err(Error::internal("encoding a JPEG"))?;
    Ok(Bytes::from(jpeg))
}

//! The formats of pictures of a scene.

use image::codecs::jpeg::JpegEncoder;
use image::{ImageFormat, RgbImage};

use super::data_uri;

/// The format of a picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    /// NV12: luma, then chroma at half size.
    Yuv,
    Bmp,
    Jpeg,
}

impl Format {
    pub(crate) fn of(code: i64) -> Option<Self> {
        match code {
            0 => Some(Self::Yuv),
            1 => Some(Self::Bmp),
            2 => Some(Self::Jpeg),
            _ => None,
        }
    }
}

/// The picture in another format, as a data URI; `None` when it cannot be decoded. Blocking.
pub(crate) fn encode(picture: &[u8], format: Format, quality: u8) -> Option<String> {
    let pixels = image::load_from_memory(picture).ok()?.into_rgb8();
    let mut file = Vec::new();
    match format {
        Format::Yuv => return Some(adapter::data_uri("image/yuv", &nv12(&pixels))),
        Format::Bmp => pixels.write_to(&mut std::io::Cursor::new(&mut file), ImageFormat::Bmp).ok()?,
        Format::Jpeg => JpegEncoder::new_with_quality(&mut file, quality).encode_image(&pixels).ok()?,
    }
    Some(data_uri(&file))
}

/// Full range, as in JPEG.
fn nv12(pixels: &RgbImage) -> Vec<u8> {
    let mut planes: Vec<u8> = pixels.pixels().map(|pixel| mix(pixel.0, [0.299, 0.587, 0.114], 0.0)).collect();
    for y in (0..pixels.height()).step_by(2) {
        for x in (0..pixels.width()).step_by(2) {
            let pixel = pixels.get_pixel(x, y).0;
            planes.push(mix(pixel, [-0.1687, -0.3313, 0.5], 128.0));
            planes.push(mix(pixel, [0.5, -0.4187, -0.0813], 128.0));
        }
    }
    planes
}

fn mix(pixel: [u8; 3], weights: [f32; 3], offset: f32) -> u8 {
    let sum: f32 = pixel.iter().zip(weights).map(|(part, weight)| f32::from(*part) * weight).sum();
    (sum + offset).round().clamp(0.0, 255.0) as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_without_colour_has_none_in_any_format() {
        let grey = RgbImage::from_pixel(5, 3, image::Rgb([90; 3]));
        let planes = nv12(&grey);
        assert_eq!((planes.len(), planes[0], planes[15], planes[26]), (15 + 12, 90, 128, 128));
        let mut file = Vec::new();
        grey.write_to(&mut std::io::Cursor::new(&mut file), ImageFormat::Png).unwrap();
        assert!(encode(&file, Format::Bmp, 55).unwrap().starts_with("data:image/bmp;base64,"));
        assert!(encode(&file, Format::Jpeg, 55).unwrap().starts_with("data:image/jpeg;base64,"));
        assert_eq!(encode(b"no picture", Format::Jpeg, 55), None);
    }
}

mod field_jpegs;

use std::time::{Duration, Instant};

use image::{ExtendedColorType, ImageEncoder, RgbImage, Rgba};

use super::*;

const NOW: Timestamp = Timestamp::from_millis(7);

/// Left half red, right half blue.
fn picture(width: u32, height: u32) -> RgbImage {
    RgbImage::from_fn(width, height, |x, _| if x < width / 2 { [255, 0, 0].into() } else { [0, 0, 255].into() })
}

fn encoded(picture: &DynamicImage, format: ImageFormat) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    picture.write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

fn pixel(frame: &Frame, x: usize, y: usize) -> [u8; 3] {
    let at = y * frame.planes()[0].stride + x * 3;
    frame.planes()[0].data[at..at + 3].try_into().unwrap()
}

fn why(picture: &[u8]) -> String {
    match decode(picture, NOW) {
        Err(Error::BadPicture { why }) => why,
        other => panic!("{other:?}"),
    }
}

/// A PNG that ends after a header with these dimensions.
fn png_header(width: u32, height: u32, colour: u8) -> Vec<u8> {
    let mut header = b"IHDR".to_vec();
    header.extend([width.to_be_bytes(), height.to_be_bytes()].concat());
    header.extend([16, colour, 0, 0, 0]);
    let crc = header.iter().fold(!0u32, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| if crc & 1 == 1 { crc >> 1 ^ 0xEDB8_8320 } else { crc >> 1 })
    });
    [b"\x89PNG\r\n\x1a\n\0\0\0\x0d", header.as_slice(), &(!crc).to_be_bytes(), b"\0\0\0\0IDAT\x35\xaf\x06\x1e"].concat()
}

#[test]
fn every_accepted_format_is_read() {
    use ImageFormat::{Bmp, Jpeg, Png, Tiff, WebP};
    for format in [Jpeg, Png, Bmp, WebP, Tiff] {
        let frame = decode(&encoded(&picture(64, 32).into(), format), NOW).unwrap();
        assert_eq!((frame.width(), frame.height(), frame.at()), (64, 32, NOW), "{format:?}");
        let [red, _, blue] = pixel(&frame, 4, 4);
        assert!(red > 240 && blue < 16, "{format:?}");
    }
}

#[test]
fn a_picture_with_transparency_or_in_grey_becomes_rgb() {
    let clear = image::RgbaImage::from_pixel(20, 20, Rgba([10, 20, 30, 0]));
    assert_eq!(pixel(&decode(&encoded(&clear.into(), ImageFormat::Png), NOW).unwrap(), 3, 3), [10, 20, 30]);
    let grey = image::GrayImage::from_pixel(20, 20, [90].into());
    assert_eq!(pixel(&decode(&encoded(&grey.into(), ImageFormat::Png), NOW).unwrap(), 3, 3), [90, 90, 90]);
}

#[test]
fn a_bomb_is_refused_at_once() {
    let start = Instant::now();
    assert!(why(&png_header(60_000, 60_000, 2)).contains("mage"), "beyond the longest side");
    assert!(why(&png_header(16_000, 16_000, 2)).contains("too large"), "beyond the most pixels");
    assert!(why(&png_header(8_000, 7_900, 6)).contains("not supported"), "eight bytes a pixel");
    assert!(start.elapsed() < Duration::from_millis(500));
}

#[test]
fn a_file_too_long_is_refused() {
    assert!(why(&vec![0xff; MAX_PICTURE_BYTES + 1]).contains("bytes"));
}

#[test]
fn a_jpeg_of_twenty_megapixels_is_read() {
    let frame = decode(&encoded(&picture(5472, 3648).into(), ImageFormat::Jpeg), NOW).unwrap();
    assert_eq!((frame.width(), frame.height()), (5472, 3648));
}

#[test]
fn what_is_no_picture_or_broken_is_refused() {
    assert!(why(b"").contains("neither"));
    assert!(why(b"GIF89a\x01\0\x01\0\0\0\0").contains("neither"));
    for format in [ImageFormat::Jpeg, ImageFormat::Png, ImageFormat::Tiff, ImageFormat::WebP, ImageFormat::Bmp] {
        let whole = encoded(&picture(640, 480).into(), format);
        assert!(decode(&whole[..whole.len() / 2], NOW).is_err(), "half a {format:?}");
        assert!(decode(&whole[..20], NOW).is_err(), "the start of a {format:?}");
    }
}

/// A JPEG with an EXIF orientation.
fn turned(orientation: u8) -> Vec<u8> {
    let jpeg = encoded(&picture(64, 32).into(), ImageFormat::Jpeg);
    let mut exif = b"Exif\0\0MM\0\x2a\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0".to_vec();
    exif.extend([orientation, 0, 0, 0, 0, 0, 0]);
    let length = (exif.len() as u16 + 2).to_be_bytes();
    [&jpeg[..2], &[0xff, 0xe1], &length, &exif, &jpeg[2..]].concat()
}

#[test]
fn a_picture_is_turned_upright() {
    let upright = decode(&turned(1), NOW).unwrap();
    assert_eq!((upright.width(), upright.height()), (64, 32));
    // Orientation 6: the picture must be rotated by 90 degrees clockwise.
    let turned = decode(&turned(6), NOW).unwrap();
    assert_eq!((turned.width(), turned.height()), (32, 64));
    assert!(pixel(&turned, 16, 4)[0] > 240, "the left half is on top");
    assert!(pixel(&turned, 16, 60)[2] > 240, "the right half is below");
}

#[test]
fn the_cost_of_a_picture_includes_every_copy_of_it() {
    let jpeg = encoded(&picture(64, 32).into(), ImageFormat::Jpeg);
    let frame = 64 * 32 * 3;
    assert_eq!(cost(&jpeg).unwrap(), Cost { peak: frame, frame });
    assert_eq!(cost(&turned(6)).unwrap(), Cost { peak: 2 * frame, frame });
    assert_eq!(cost(&jpeg[..jpeg.len() - 40]).unwrap(), Cost { peak: 2 * frame, frame });
    let grey = image::GrayImage::from_pixel(64, 32, [90].into());
    assert_eq!(cost(&encoded(&grey.into(), ImageFormat::Png)).unwrap(), Cost { peak: 64 * 32 * 4, frame });
    assert!(cost(&png_header(16_000, 16_000, 2)).is_err());
}

fn frame(width: u32, height: u32) -> Frame {
    decode(&encoded(&picture(width, height).into(), ImageFormat::Png), NOW).unwrap()
}

#[test]
fn a_part_is_encoded_in_its_own_resolution() {
    let size = |part| {
        let jpeg = encode(&frame(64, 32), part).unwrap();
        let frame = decode(&jpeg, NOW).unwrap();
        (frame.width(), frame.height())
    };
    assert_eq!(size(None), (64, 32));
    assert_eq!(size(Some(Rect::new(10.0, 4.0, 30.0, 20.0))), (20, 16));
    assert_eq!(size(Some(Rect::new(-100.0, -100.0, 30.0, 20.0))), (30, 20), "clamped");
}

#[test]
fn a_part_outside_the_frame_is_an_error() {
    let part = Some(Rect::new(64.0, 0.0, 80.0, 20.0));
    assert!(matches!(encode(&frame(64, 32), part), Err(Error::Invalid { field: "part", .. })));
    let nowhere = Some(Rect::new(f32::NAN, 0.0, 80.0, 20.0));
    assert!(encode(&frame(64, 32), nowhere).is_err());
}

#[test]
fn sixteen_bits_and_a_lone_channel_are_read() {
    let mut bytes = Vec::new();
    let encoder = image::codecs::png::PngEncoder::new(&mut bytes);
    encoder.write_image(&[0x80; 20 * 20 * 2], 20, 20, ExtendedColorType::L16).unwrap();
    assert_eq!(pixel(&decode(&bytes, NOW).unwrap(), 0, 0), [128, 128, 128]);
}

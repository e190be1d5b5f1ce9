//! Removes metadata from pictures: where, when, with what device and of whom they were taken.
//!
//! Files are rebuilt without decoding, so the picture data stays identical. Colour information is kept.

use std::borrow::Cow;

use bytes::Bytes;

use crate::jpeg::marker::{END_OF_IMAGE, START_OF_IMAGE};
use crate::jpeg::{self, Segment};

/// What becomes of a picture without its metadata.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stripped {
    /// A JPEG or PNG file without metadata.
    Bare(Bytes),
    /// A JPEG or PNG file whose metadata turns or mirrors the picture: it has to be decoded and encoded upright.
    Turned,
    /// A file of another format, or a malformed one.
    Other,
}

/// Strips the metadata of a picture.
pub fn strip_metadata(picture: &[u8]) -> Stripped {
    let stripped = match picture {
        [0xff, START_OF_IMAGE, ..] => strip_jpeg(picture),
        [0x89, b'P', b'N', b'G', 0x0d, 0x0a, 0x1a, 0x0a, chunks @ ..] => strip_png(chunks),
        _ => None,
    };
    stripped.unwrap_or(Stripped::Other)
}

const EXIF: &[u8] = b"Exif\0\0";
const ICC: &[u8] = b"ICC_PROFILE\0";
/// Length of JFIF without the pixels of its thumbnail, bytes.
const JFIF_LENGTH: usize = 14;
/// Length of Adobe's segment, bytes.
const ADOBE_LENGTH: usize = 12;

fn strip_jpeg(jpeg: &[u8]) -> Option<Stripped> {
    let mut file = Vec::with_capacity(jpeg.len());
    file.extend([0xff, START_OF_IMAGE]);
    let mut turned = false;
    let mut segments = jpeg::segments(jpeg)?;
    for Segment { marker, content, scan } in segments.by_ref() {
        if marker == 0xe1 && content.starts_with(EXIF) {
            turned |= exif_orientation(&content[EXIF.len()..]).is_some();
        }
        if let Some(content) = needed(marker, content) {
            file.extend(segment_head(marker, &content));
            file.extend_from_slice(&content);
            file.extend_from_slice(scan);
        }
    }
    if !segments.is_whole() {
        return None;
    }
    file.extend([0xff, END_OF_IMAGE]);
    Some(if turned { Stripped::Turned } else { Stripped::Bare(file.into()) })
}

fn segment_head(marker: u8, content: &[u8]) -> [u8; 4] {
    let [high, low] = (content.len() as u16 + 2).to_be_bytes();
    [0xff, marker, high, low]
}

/// The part of a segment that belongs to the picture: everything except comments, application segments and unknown
/// kinds. Of the application segments, JFIF is kept without its thumbnail, which may show more than the picture, as are
/// the colour profile and the colour transform.
fn needed(marker: u8, content: &[u8]) -> Option<Cow<'_, [u8]>> {
    match marker {
        0xe0 if content.starts_with(b"JFIF\0") => Some(without_thumbnail(content).into()),
        0xe2 if content.starts_with(ICC) => Some(content.into()),
        0xee if content.starts_with(b"Adobe") => Some(content[..content.len().min(ADOBE_LENGTH)].into()),
        0xc0..=0xdf => Some(content.into()),
        _ => None,
    }
}

/// JFIF ends with the dimensions of its thumbnail and the thumbnail itself.
fn without_thumbnail(jfif: &[u8]) -> Vec<u8> {
    let mut head: Vec<_> = jfif.iter().take(JFIF_LENGTH).copied().collect();
    if let Some(sides) = head.get_mut(JFIF_LENGTH - 2..) {
        sides.fill(0);
    }
    head
}

/// The orientation in a TIFF structure, 2..=8; `None` for the normal one.
fn exif_orientation(tiff: &[u8]) -> Option<u8> {
    const TAG: u16 = 0x0112;
    let little = tiff.starts_with(b"II*\0");
    if !little && !tiff.starts_with(b"MM\0*") {
        return None;
    }
    let number = |at: usize| {
        let bytes = *tiff.get(at..)?.first_chunk::<2>()?;
        Some(if little { u16::from_le_bytes(bytes) } else { u16::from_be_bytes(bytes) })
    };
    let directory = *tiff.get(4..)?.first_chunk::<4>()?;
    let directory = if little { u32::from_le_bytes(directory) } else { u32::from_be_bytes(directory) } as usize;
    let entries = usize::from(number(directory)?);
    let entry = |index: usize| directory.checked_add(2 + index * 12);
    let place = (0..entries).filter_map(entry).find(|at| number(*at) == Some(TAG))?;
    number(place.checked_add(8)?).filter(|value| (2..=8).contains(value)).map(|value| value as u8)
}

/// Ancillary PNG chunks that belong to the picture; critical ones begin with a capital letter.
const PNG_KEPT: [&[u8; 4]; 8] = [b"tRNS", b"gAMA", b"cHRM", b"sRGB", b"iCCP", b"sBIT", b"pHYs", b"cICP"];

/// Strips the chunks after the signature of a PNG file.
fn strip_png(mut rest: &[u8]) -> Option<Stripped> {
    let mut file = b"\x89PNG\r\n\x1a\n".to_vec();
    let mut turned = false;
    loop {
        let length = u32::from_be_bytes(*rest.first_chunk()?) as usize;
        let chunk = rest.get(..length.checked_add(12)?)?;
        let kind = chunk.get(4..8)?.first_chunk::<4>()?;
        rest = &rest[chunk.len()..];
        turned |= kind == b"eXIf" && exif_orientation(&chunk[8..8 + length]).is_some();
        if kind[0].is_ascii_uppercase() || PNG_KEPT.contains(&kind) {
            file.extend_from_slice(chunk);
        }
        if kind == b"IEND" {
            return Some(if turned { Stripped::Turned } else { Stripped::Bare(file.into()) });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::jpeg::marker::START_OF_SCAN;

    fn segment(marker: u8, content: &[u8]) -> Vec<u8> {
        [&[0xff, marker], &(content.len() as u16 + 2).to_be_bytes()[..], content].concat()
    }

    /// A file with these segments, a scan with an escaped byte, a second scan, and data after the end.
    fn jpeg(segments: &[Vec<u8>]) -> Vec<u8> {
        let scan = [segment(START_OF_SCAN, b"s"), vec![1, 0xff, 0, 2, 0xff, 0xd3, 3]].concat();
        let comment = segment(0xfe, b"between the scans");
        let parts = [&[0xff, 0xd8][..], &segments.concat(), &scan, &comment, &scan, b"\xff\xd9", b"a film behind it"];
        parts.concat()
    }

    fn bare(file: &[u8]) -> Bytes {
        match strip_metadata(file) {
            Stripped::Bare(bare) => bare,
            other => panic!("{other:?}"),
        }
    }

    /// An Exif segment with a camera's name and an orientation.
    fn exif(orientation: u8) -> Vec<u8> {
        let mut exif =
            [EXIF, b"II*\0\x08\0\0\0\x02\0\x0f\x01\x02\0\x04\0\0\0cam\0\x12\x01\x03\0\x01\0\0\0\x01\0\0\0"].concat();
        let place = exif.len() - 4;
        exif[place] = orientation;
        exif
    }

    /// Nobody checks the checksum.
    fn png_chunk(kind: &[u8; 4], content: &[u8]) -> Vec<u8> {
        [&(content.len() as u32).to_be_bytes()[..], kind, content, &[0; 4]].concat()
    }

    fn holds(file: &[u8], part: &[u8]) -> bool {
        file.windows(part.len()).any(|window| window == part)
    }

    #[test]
    fn a_jpeg_keeps_its_picture_alone() {
        let picture = [segment(0xe0, b"JFIF\0\x01"), segment(0xdb, b"table"), segment(0xee, b"Adobe\0")];
        let secrets = [segment(0xe1, &exif(1)), segment(0xe1, b"http://ns.adobe.com/xap"), segment(0xed, b"Photoshop")];
        let file = jpeg(&[&picture[..], &secrets, &[segment(0xe2, b"ICC_PROFILE\0x")]].concat());
        let left = bare(&file);
        assert!(left[2..].starts_with(&picture.concat()));
        for gone in [&b"cam\0"[..], b"ns.adobe", b"Photoshop", b"between", b"film"] {
            assert!(!holds(&left, gone));
        }
        assert!(holds(&left, b"ICC_PROFILE\0x") && left.ends_with(b"\x01\xff\0\x02\xff\xd3\x03\xff\xd9"));
        assert_eq!(bare(&left), left, "nothing is left to strip");
    }

    #[test]
    fn a_picture_that_its_metadata_turns_is_named() {
        for orientation in 2..=8 {
            assert_eq!(strip_metadata(&jpeg(&[segment(0xe1, &exif(orientation))])), Stripped::Turned);
            let chunks = [png_chunk(b"eXIf", &exif(orientation)[EXIF.len()..]), png_chunk(b"IEND", b"")].concat();
            assert_eq!(strip_metadata(&[b"\x89PNG\r\n\x1a\n", &chunks[..]].concat()), Stripped::Turned);
        }
    }

    #[test]
    fn thumbnails_and_kinds_of_segments_that_nobody_knows_go() {
        let jfif = [b"JFIF\0\x01\x02\0\0\x01\0\x01", &[2, 2][..], &[7; 12]].concat();
        let adobe = [b"Adobe\0\x64\0\0\0\0\x01", &b"GPS"[..]].concat();
        let tables = [segment(0xdb, &[0; 65]), segment(0xc4, &[0; 20])].concat();
        let file = jpeg(&[segment(0xe0, &jfif), segment(0xee, &adobe), segment(0xf0, b"GPS"), tables.clone()]);
        let short =
            [segment(0xe0, b"JFIF\0\x01\x02\0\0\x01\0\x01\0\0"), segment(0xee, b"Adobe\0\x64\0\0\0\0\x01"), tables];
        let stripped = bare(&file);
        assert_eq!(stripped, bare(&jpeg(&short)));
        assert!(!holds(&stripped, &[7; 3]) && !holds(&stripped, b"GPS"));
    }

    #[test]
    fn stray_bytes_between_segments_go_and_the_picture_stays() {
        let segments = [segment(0xe0, b"JFIF\0\x01"), segment(0xdb, &[0; 65]), segment(0xc4, &[0; 20])];
        let clean = bare(&jpeg(&segments));
        for stray in [&[0xff][..], &[0xff, 0xff], &[0, 1, 2], &[0xff, 0], b"text"] {
            let [one, two, three] = segments.clone();
            let file = jpeg(&[one, stray.to_vec(), two, stray.to_vec(), three]);
            assert_eq!(bare(&file), clean, "{stray:?}");
        }
    }

    #[test]
    fn a_png_keeps_its_picture_alone() {
        let chunks =
            [(b"IHDR", "h"), (b"gAMA", "g"), (b"tEXt", "Author"), (b"IDAT", "d"), (b"tIME", "t"), (b"IEND", "")];
        let mut file = b"\x89PNG\r\n\x1a\n".to_vec();
        file.extend(png_chunk(b"eXIf", &exif(1)[EXIF.len()..]));
        chunks.iter().for_each(|(kind, content)| file.extend(png_chunk(kind, content.as_bytes())));
        file.extend(b"behind the end");
        let left = bare(&file);
        assert!(holds(&left, b"gAMA"));
        for gone in [&b"Author"[..], b"tIME", b"eXIf", b"cam", b"behind"] {
            assert!(!holds(&left, gone));
        }
        assert_eq!(bare(&left), left);
    }

    #[test]
    fn a_file_cut_anywhere_or_of_another_kind_is_refused() {
        let whole = jpeg(&[segment(0xdb, b"table")]);
        let end = whole.len() - b"a film behind it".len();
        assert!((0..end).all(|length| strip_metadata(&whole[..length]) == Stripped::Other));
        let png = [&b"\x89PNG\r\n\x1a\n"[..], &png_chunk(b"IHDR", b"h"), &png_chunk(b"IEND", b"")].concat();
        assert!((0..png.len()).all(|length| strip_metadata(&png[..length]) == Stripped::Other));
        let endless = [&b"\x89PNG\r\n\x1a\n"[..], &[0xff; 12]].concat();
        let short = [&[0xff, 0xd8][..], &[0xff, 0xe1, 0, 1, 0, 0]].concat();
        for strange in [&b""[..], b"GIF89a", b"<html>", &endless, &short] {
            assert_eq!(strip_metadata(strange), Stripped::Other);
        }
    }
}

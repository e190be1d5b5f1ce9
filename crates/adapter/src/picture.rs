//! Pictures in base64, and picture responses.

use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS};
use axum::response::{IntoResponse, Response};
use base64::alphabet::{STANDARD, URL_SAFE};
use base64::engine::general_purpose::STANDARD as BASE64;
use base64::engine::{DecodePaddingMode, Engine, GeneralPurpose, GeneralPurposeConfig};
use bytes::Bytes;

/// Maximum length of the prefix of a data URI, bytes.
const LONGEST_PREFIX: usize = 128;

/// Why a text is not a picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PictureTextError {
    /// The text is empty.
    #[error("no picture")]
    Empty,
    /// More bytes than allowed.
    #[error("the picture is too large")]
    TooLarge,
    /// Not base64.
    #[error("the picture is not base64")]
    NotBase64,
}

/// Decodes a picture in base64, with or without a data URI prefix, padding and white space, in the standard or URL-safe
/// alphabet. The result has at most `max_bytes`, which is checked before allocating memory.
///
/// # Errors
/// The text is empty, too long or not base64. The content is not validated.
pub fn decode_picture(text: &str, max_bytes: usize) -> Result<Bytes, PictureTextError> {
    let digits = without_prefix(text.trim());
    let length = digits.bytes().filter(|byte| !byte.is_ascii_whitespace()).count();
    if length == 0 {
        return Err(PictureTextError::Empty);
    }
    // Four digits hold three bytes; the last group may be padding.
    if length / 4 * 3 > max_bytes.saturating_add(2) {
        return Err(PictureTextError::TooLarge);
    }
    let decoded = if length == digits.len() {
        engine(digits).decode(digits)
    } else {
        let packed: Vec<u8> = digits.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect();
        engine(digits).decode(packed)
    };
    match decoded {
        Ok(bytes) if bytes.len() > max_bytes => Err(PictureTextError::TooLarge),
        Ok(bytes) => Ok(bytes.into()),
        Err(_) => Err(PictureTextError::NotBase64),
    }
}

/// A picture as a data URI.
pub fn data_uri(media_type: &str, picture: &[u8]) -> String {
    format!("data:{media_type};base64,{}", BASE64.encode(picture))
}

/// The text after `data:…,`.
fn without_prefix(text: &str) -> &str {
    let is_data_uri = text.get(..5).is_some_and(|start| start.eq_ignore_ascii_case("data:"));
    let comma = text.bytes().take(LONGEST_PREFIX).position(|byte| byte == b',');
    match comma {
        Some(comma) if is_data_uri => &text[comma + 1..],
        _ => text,
    }
}

fn engine(digits: &str) -> GeneralPurpose {
    let config = GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true);
    let url_safe = digits.bytes().any(|byte| matches!(byte, b'-' | b'_'));
    GeneralPurpose::new(if url_safe { &URL_SAFE } else { &STANDARD }, config)
}

/// The media type of a picture by its first bytes; `application/octet-stream` if unknown.
pub fn content_type(picture: &[u8]) -> &'static str {
    match picture {
        // Stray bytes may follow.
        [0xff, 0xd8, ..] => "image/jpeg",
        [0x89, b'P', b'N', b'G', ..] => "image/png",
        [b'B', b'M', ..] => "image/bmp",
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => "image/webp",
        [b'I', b'I', 42, 0, ..] | [b'M', b'M', 0, 42, ..] => "image/tiff",
        _ => "application/octet-stream",
    }
}

/// The response for a picture: its media type comes from its first bytes; browsers neither guess it nor cache the
/// picture.
pub fn picture_answer(picture: Bytes) -> Response {
    let headers =
        [(CONTENT_TYPE, content_type(&picture)), (X_CONTENT_TYPE_OPTIONS, "nosniff"), (CACHE_CONTROL, "no-store")];
    (headers, picture).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prefix_padding_white_space_and_alphabet_do_not_matter() {
        let picture = Bytes::from_static(&[0xff, 0xd8, 0xff, 0xfb]);
        for text in [
            "/9j/+w==",
            "/9j/+w",
            " /9j/\r\n+w= =\n",
            "_9j_-w",
            "data:image/jpeg;base64,/9j/+w==",
            "DATA:;base64, /9j/+w==",
        ] {
            assert_eq!(decode_picture(text, 4), Ok(picture.clone()), "{text}");
        }
    }

    #[test]
    fn what_is_no_base64_is_refused() {
        assert_eq!(decode_picture(" \n", 9), Err(PictureTextError::Empty));
        assert_eq!(decode_picture("data:image/png;base64,", 9), Err(PictureTextError::Empty));
        for text in ["hello world!", "data:image/png;base64", "AAAAA", "图片", "/9j-"] {
            assert_eq!(decode_picture(text, 99), Err(PictureTextError::NotBase64), "{text}");
        }
    }

    #[test]
    fn the_size_is_bounded_to_the_byte() {
        for size in 1..20 {
            let text = engine("").encode(vec![7; size]);
            assert!(decode_picture(&text, size).is_ok());
            assert_eq!(decode_picture(&text, size - 1), Err(PictureTextError::TooLarge));
        }
    }

    #[test]
    fn pictures_are_typed_by_their_first_bytes() {
        assert_eq!(content_type(b"\x89PNG\r\n"), "image/png");
        assert_eq!(content_type(b"RIFF\x01\x02\x03\x04WEBPVP8 "), "image/webp");
        assert_eq!(content_type(b"\xff\xd8\0\xff\xe0"), "image/jpeg");
        assert_eq!(content_type(b"<html>"), "application/octet-stream");
        let answer = picture_answer(Bytes::from_static(&[0xff, 0xd8, 0xff]));
        assert_eq!(answer.headers()[CONTENT_TYPE], "image/jpeg");
        assert_eq!(answer.headers()[X_CONTENT_TYPE_OPTIONS], "nosniff");
    }
}

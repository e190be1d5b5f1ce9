//! JSON request bodies in the charset of their Content-Type.

use std::borrow::Cow;

use axum::http::HeaderValue;
use encoding_rs::{Encoding, UTF_8};
use serde_json::{Map, Value};

use crate::header::charset;
use crate::{JsonError, parse_object};

/// Parses a request body that is one JSON object, as leniently as [`parse_object`], in the charset of its Content-Type,
/// by default UTF-8. A body that is not valid in its charset is rejected rather than read lossily: the lost part might
/// be a name. The only exception is an unpaired surrogate in UTF-8, which becomes U+FFFD.
///
/// # Errors
/// `TooManyValues`, `NotAnObject`, `NotInCharset`.
pub fn parse_request(content_type: Option<&HeaderValue>, body: &[u8]) -> Result<Map<String, Value>, JsonError> {
    let charset = content_type.and_then(charset).unwrap_or(UTF_8);
    let text = in_utf8(charset, body).ok_or(JsonError::NotInCharset)?;
    parse_object(&text)
}

fn in_utf8<'a>(charset: &'static Encoding, body: &'a [u8]) -> Option<Cow<'a, [u8]>> {
    if charset != UTF_8 {
        let text = charset.decode_without_bom_handling_and_without_replacement(body)?;
        return Some(text.into_owned().into_bytes().into());
    }
    let is_whole = std::str::from_utf8(body).is_ok() || std::str::from_utf8(&without_surrogates(body)).is_ok();
    is_whole.then_some(Cow::Borrowed(body))
}

/// The body without unpaired surrogates, which some programs encode as characters of three bytes.
fn without_surrogates(mut body: &[u8]) -> Vec<u8> {
    let mut kept = Vec::with_capacity(body.len());
    while let [byte, rest @ ..] = body {
        body = match body {
            [0xed, 0xa0..=0xbf, 0x80..=0xbf, after @ ..] => after,
            _ => {
                kept.push(*byte);
                rest
            }
        };
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(content_type: &'static str, body: &[u8]) -> Result<String, JsonError> {
        let content_type = HeaderValue::from_static(content_type);
        parse_request(Some(&content_type), body).map(|object| object["name"].as_str().unwrap().to_owned())
    }

    #[test]
    fn a_body_is_read_in_the_charset_that_it_names() {
        let gbk = b"{\"name\": \"\xd5\xc5\xc8\xfd\"}";
        for content_type in ["application/json;charset=GBK", "application/json ; Charset = \"gb2312\""] {
            assert_eq!(name(content_type, gbk).as_deref(), Ok("张三"), "{content_type}");
        }
        let utf8 = "{\"name\": \"张三\"}".as_bytes();
        for content_type in
            ["", "application/json", "text/plain; charset=\"UTF-8\"", "x; charset=martian", ";;;\"", "a; charset"]
        {
            assert_eq!(name(content_type, utf8).as_deref(), Ok("张三"), "{content_type}");
        }
        assert_eq!(parse_request(None, utf8).unwrap()["name"], "张三");
    }

    #[test]
    fn a_body_that_is_not_in_its_charset_is_refused() {
        let raw = b"{\"name\": \"\xd5\xc5\xc8\xfd\"}";
        assert_eq!(name("application/json", raw), Err(JsonError::NotInCharset));
        assert_eq!(name("application/json; charset=utf-8", raw), Err(JsonError::NotInCharset));
        assert_eq!(name("application/json; charset=gbk", b"{\"name\": \"\xff\"}"), Err(JsonError::NotInCharset));
        assert_eq!(name("application/json", b"{\"name\": \"\xe5\xbc\"}"), Err(JsonError::NotInCharset));
    }

    #[test]
    fn half_a_surrogate_pair_is_a_replacement_character_in_either_form() {
        let escaped = name("application/json", b"{\"name\": \"a\\ud83d\"}").unwrap();
        assert_eq!(escaped, "a\u{fffd}");
        let raw = name("application/json", b"{\"name\": \"a\xed\xa0\xbd\"}").unwrap();
        assert!(raw.starts_with("a\u{fffd}"), "{raw}");
    }
}

//! Converts loosely written JSON to strict JSON.

use std::borrow::Cow;

use serde::de::DeserializeOwned;

/// The escape of U+FFFD, which replaces invalid characters.
const REPLACEMENT: &[u8] = br"\ufffd";

/// Parses text that is not strict JSON.
pub(super) fn read<T: DeserializeOwned>(json: &[u8]) -> serde_json::Result<T> {
    let text = String::from_utf8_lossy(json);
    let foreign = matches!(text, Cow::Owned(_));
    let read = serde_json::from_slice(&repaired(text.as_bytes()));
    // In GBK and Big5 the second byte of a character may look like a backslash.
    if read.is_ok() || !foreign {
        return read;
    }
    serde_json::from_slice(&repaired(text.replace("\u{fffd}\\", "\u{fffd}").as_bytes()))
}

/// Removes commas before closing brackets, escapes control characters in strings, and replaces unpaired surrogates.
fn repaired(json: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(json.len());
    let (mut rest, mut in_text) = (json, false);
    while let [byte, after @ ..] = rest {
        rest = match byte {
            b'\\' if in_text => escape(rest, &mut out),
            b',' if !in_text && closes(after) => after,
            0..0x20 if in_text => {
                out.extend_from_slice(format!("\\u{byte:04x}").as_bytes());
                after
            }
            _ => {
                in_text ^= *byte == b'"';
                out.push(*byte);
                after
            }
        };
    }
    out
}

/// Whether the next non-blank character is a closing bracket.
fn closes(json: &[u8]) -> bool {
    json.iter().find(|byte| !byte.is_ascii_whitespace()).is_some_and(|byte| matches!(byte, b'}' | b']'))
}

/// Copies the escape at the start of the text, unchanged or replaced; returns the rest.
fn escape<'a>(json: &'a [u8], out: &mut Vec<u8>) -> &'a [u8] {
    let length = match (unit(json), json.get(6..).and_then(unit)) {
        (Some(0xd800..0xdc00), Some(0xdc00..0xe000)) => 12,
        (Some(0xd800..0xe000), _) => {
            out.extend_from_slice(REPLACEMENT);
            return &json[6..];
        }
        (Some(_), _) => 6,
        (None, _) => json.len().min(2),
    };
    let (escape, rest) = json.split_at(length);
    out.extend_from_slice(escape);
    rest
}

/// The UTF-16 unit whose escape (`\u` and four digits) is at the start of the text.
fn unit(json: &[u8]) -> Option<u16> {
    let digits = json.strip_prefix(br"\u")?.get(..4).filter(|digits| digits.iter().all(u8::is_ascii_hexdigit))?;
    u16::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    #[test]
    fn only_trailing_commas_outside_of_texts_go() {
        let cases = [
            (r#"{"a": 1, }"#, r#"{"a": 1 }"#),
            (r#"{"a": [1,2,],}"#, r#"{"a": [1,2]}"#),
            (r#"{"a": "x,}\",]"}"#, r#"{"a": "x,}\",]"}"#),
            (r#"{"a": "\\",}"#, r#"{"a": "\\"}"#),
        ];
        for (before, after) in cases {
            assert_eq!(String::from_utf8(repaired(before.as_bytes())).unwrap(), after);
        }
    }

    #[test]
    fn half_a_surrogate_pair_is_a_replacement_character() {
        let cases = [
            (r#""\ud83d""#, "\u{fffd}"),
            (r#""\ude00""#, "\u{fffd}"),
            (r#""\uD83Dx\uDE00""#, "\u{fffd}x\u{fffd}"),
            (r#""\ud83d\ud83d\ude00""#, "\u{fffd}\u{1f600}"),
            (r#""\ud83d\u0041""#, "\u{fffd}A"),
            (r#""\\ud83d \ud83d\\ude00""#, "\\ud83d \u{fffd}\\ude00"),
            (r#""\ud83d\n""#, "\u{fffd}\n"),
        ];
        for (text, wanted) in cases {
            assert_eq!(read::<Value>(text.as_bytes()).unwrap(), json!(wanted), "{text}");
        }
    }

    #[test]
    fn a_half_is_found_among_names_too() {
        let read: Value = read(br#"{"\ud83d": {"b": ["\udfff",],},}"#).unwrap();
        assert_eq!(read, json!({"\u{fffd}": {"b": ["\u{fffd}"]}}));
    }

    #[test]
    fn bytes_of_another_encoding_are_replacement_characters() {
        // Two characters of GBK, Latin-1, a truncated UTF-8 character, a surrogate encoded as UTF-8, GBK with a
        // backslash and braces as second bytes.
        let texts: [&[u8]; 6] =
            [b"\xd5\xc5\xc8\xfd", b"Jos\xe9", b"\xe5\xbc", b"\xed\xa0\xbd", b"\x8c\x5c", b"\x8c\x7d\x8c\x5c\x8c\x7b"];
        for text in texts {
            let body = [b"{\"a\": \"", text, b"\", \"b\": 1}"].concat();
            let read: Value = read(&body).unwrap();
            assert!(read["a"].as_str().unwrap().contains('\u{fffd}') && read["b"] == 1, "{read}");
        }
    }

    #[test]
    fn control_characters_in_texts_are_themselves() {
        assert_eq!(read::<Value>(b"{\n\t\"a\": \"x\ty\r\nz\0\"}").unwrap(), json!({"a": "x\ty\r\nz\0"}));
        assert!(read::<Value>(b"{\0\"a\": 1}").is_err(), "outside of texts they are nothing");
    }

    #[test]
    fn what_is_broken_stays_broken() {
        let broken: [&[u8]; 9] = [
            b"\"",
            b"\"\\",
            b"\"\\u",
            b"\"\\ud8\"",
            b"\"\\ud83",
            b"\"\\ud83d",
            b"{\"a\" 1}",
            b"\"\\x\"",
            b"\"\xff\\\"",
        ];
        for text in &broken[..8] {
            assert!(read::<Value>(text).is_err(), "{}", text.escape_ascii());
        }
        assert_eq!(read::<Value>(broken[8]).unwrap(), json!("\u{fffd}"), "half a character of GBK");
    }
}

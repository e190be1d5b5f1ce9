//! JSON bodies from possibly hostile callers, and from clients that write it loosely.

pub mod lenient;
mod repair;

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

/// Maximum number of values in a body: a value takes many times the memory of the delimiter that separates it from the
/// next.
const MAX_VALUES: usize = 100_000;
/// The byte order mark of UTF-8.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// Why a body cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum JsonError {
    /// The body would take too much memory.
    #[error("the body has too many values")]
    TooManyValues,
    /// Not JSON.
    #[error("the body is not JSON")]
    NotJson,
    /// The bytes are not valid in the charset.
    #[error("the body is not text in its charset, which is UTF-8 unless the Content-Type names another")]
    NotInCharset,
    /// Not JSON, or not an object.
    #[error("the body is not a JSON object")]
    NotAnObject,
}

/// Parses a body that is one JSON value. Tolerates what real clients send:
///
/// - a leading byte order mark, and trailing NUL bytes and blanks, are ignored;
/// - bytes that are not UTF-8, and unpaired surrogates (`\ud83d` alone), become U+FFFD;
/// - control characters in strings are kept;
/// - a comma before a closing bracket is ignored;
/// - the last of several members with the same name counts.
///
/// Nesting is limited to 128 levels.
///
/// # Errors
/// `TooManyValues`, `NotJson`.
pub fn lenient_json(body: &[u8]) -> Result<Value, JsonError> {
    read(body, JsonError::NotJson)
}

/// Parses a body that is one JSON object, as leniently as [`lenient_json`].
///
/// # Errors
/// `TooManyValues`, `NotAnObject`.
pub fn parse_object(body: &[u8]) -> Result<Map<String, Value>, JsonError> {
    read(body, JsonError::NotAnObject)
}

fn read<T: DeserializeOwned>(body: &[u8], unreadable: JsonError) -> Result<T, JsonError> {
    if body.iter().filter(|byte| matches!(byte, b',' | b'[' | b'{')).count() > MAX_VALUES {
        return Err(JsonError::TooManyValues);
    }
    let text = trimmed(body);
    let strict = serde_json::from_slice(text);
    strict.or_else(|_| repair::read(text)).map_err(|_| unreadable)
}

/// The body without its byte order mark, and without the rest of the sender's buffer after it.
fn trimmed(body: &[u8]) -> &[u8] {
    let mut text = body.strip_prefix(BYTE_ORDER_MARK).unwrap_or(body);
    while let [rest @ .., b'\0' | b' ' | b'\t' | b'\r' | b'\n'] = text {
        text = rest;
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn of_two_members_of_one_name_the_last_counts() {
        assert_eq!(parse_object(br#"{"a": 1, "a": 2,}"#).unwrap()["a"], json!(2));
    }

    #[test]
    fn a_body_is_one_object_of_bounded_size() {
        for bad in ["", "[]", "7", "{", "{\"a\": }", "\u{0}", "Input Files {}"] {
            assert_eq!(parse_object(bad.as_bytes()), Err(JsonError::NotAnObject), "{bad}");
        }
        let many = format!("{{\"a\": [{}0]}}", "0,".repeat(MAX_VALUES));
        assert_eq!(parse_object(many.as_bytes()), Err(JsonError::TooManyValues));
        assert_eq!(parse_object("[".repeat(10_000).as_bytes()), Err(JsonError::NotAnObject));
        assert_eq!(lenient_json("[".repeat(10_000).as_bytes()), Err(JsonError::NotJson));
    }

    #[test]
    fn what_stands_around_the_value_is_ignored() {
        let around: [&[u8]; 6] = [
            b"\xef\xbb\xbf{\"a\": 1}",
            b"{\"a\": 1}\0",
            b"{\"a\": 1}\r\n\0\0\0",
            b"\xef\xbb\xbf {\"a\": 1,}\0 \0",
            b" \n{\"a\": 1}",
            b"{\"a\": 1} \0\n",
        ];
        for body in around {
            assert_eq!(lenient_json(body), Ok(json!({"a": 1})), "{}", body.escape_ascii());
        }
    }

    #[test]
    fn what_is_not_at_an_end_is_not_ignored() {
        for bad in [&b"\0{}"[..], b"{}\0x", b"{\0}", b"{} \xef\xbb\xbf", b"{}{}", b"\xff{}"] {
            assert_eq!(lenient_json(bad), Err(JsonError::NotJson), "{}", bad.escape_ascii());
        }
    }
}

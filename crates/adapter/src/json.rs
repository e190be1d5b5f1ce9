//! JSON bodies from callers who may mean harm, and from clients that write it loosely.

use serde_json::{Map, Value};

/// Values in a body at most: a value takes many times the memory of the mark that separates it from the next.
const MAX_VALUES: usize = 100_000;

/// Why a body cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum JsonError {
    /// It would take too much memory.
    #[error("the body has too many values")]
    TooManyValues,
    /// Not JSON, or not an object.
    #[error("the body is not a JSON object")]
    NotAnObject,
}

/// Reads a body that is one JSON object. A comma before a closing bracket is forgiven; of members of the same name the
/// last one counts.
///
/// # Errors
/// `TooManyValues`, `NotAnObject`.
pub fn parse_object(body: &[u8]) -> Result<Map<String, Value>, JsonError> {
    if body.iter().filter(|byte| matches!(byte, b',' | b'[' | b'{')).count() > MAX_VALUES {
        return Err(JsonError::TooManyValues);
    }
    let strict = serde_json::from_slice(body);
    strict.or_else(|_| serde_json::from_slice(&without_trailing_commas(body))).map_err(|_| JsonError::NotAnObject)
}

/// The JSON text without the commas that stand before a closing bracket.
fn without_trailing_commas(json: &[u8]) -> Vec<u8> {
    let mut kept = Vec::with_capacity(json.len());
    let (mut in_text, mut escaped) = (false, false);
    for (at, &byte) in json.iter().enumerate() {
        let closes =
            || json[at + 1..].iter().find(|b| !b.is_ascii_whitespace()).is_some_and(|b| matches!(b, b'}' | b']'));
        if byte == b',' && !in_text && closes() {
            continue;
        }
        in_text ^= byte == b'"' && !escaped;
        escaped = byte == b'\\' && !escaped;
        kept.push(byte);
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn only_trailing_commas_outside_of_texts_go() {
        let cases = [
            (r#"{"a": 1, }"#, r#"{"a": 1 }"#),
            (r#"{"a": [1,2,],}"#, r#"{"a": [1,2]}"#),
            (r#"{"a": "x,}\",]"}"#, r#"{"a": "x,}\",]"}"#),
            (r#"{"a": "\\",}"#, r#"{"a": "\\"}"#),
        ];
        for (before, after) in cases {
            assert_eq!(String::from_utf8(without_trailing_commas(before.as_bytes())).unwrap(), after);
        }
    }

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
    }
}

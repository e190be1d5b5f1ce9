//! Numbers that may come as text and text that may come as number.

use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use serde_json::{Number, Value};

/// A whole number; text digits count as one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Int(pub(crate) i64);

/// Text; a number counts as its digits.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Text(pub(crate) String);

impl Text {
    /// The text, unless it is empty.
    pub(crate) fn filled(self) -> Option<String> {
        Some(self.0).filter(|text| !text.is_empty())
    }
}

impl<'de> Deserialize<'de> for Int {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        whole(&Value::deserialize(deserializer)?)
            .map(Self)
            .ok_or_else(|| D::Error::custom("a whole number is expected"))
    }
}

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Value::deserialize(deserializer)? {
            Value::String(text) => Ok(Self(text)),
            Value::Number(number) => Ok(Self(number.to_string())),
            Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => {
                Err(D::Error::custom("text is expected"))
            }
        }
    }
}

/// A number that may be left out; forms leave it out by sending an empty text.
pub(super) fn optional_int<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Int>, D::Error> {
    match Value::deserialize(deserializer)? {
        Value::Null => Ok(None),
        Value::String(text) if text.trim().is_empty() => Ok(None),
        value => whole(&value).map(|n| Some(Int(n))).ok_or_else(|| D::Error::custom("a whole number is expected")),
    }
}

/// The value as a whole number, when it is one.
pub(crate) fn whole(value: &Value) -> Option<i64> {
    match value {
        Value::Number(number) => number.as_i64().or_else(|| integral(number)),
        Value::String(text) => text.trim().parse().ok(),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    }
}

/// `80.0` is a whole number too.
fn integral(number: &Number) -> Option<i64> {
    let number = number.as_f64()?;
    (number.fract() == 0.0 && number.abs() < 1e15).then_some(number as i64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn numbers_are_read_from_numbers_and_from_digits() {
        let cases = [(json!(7), Some(7)), (json!("7"), Some(7)), (json!(" 7 "), Some(7)), (json!(7.0), Some(7))];
        for (value, number) in cases {
            assert_eq!(serde_json::from_value::<Int>(value.clone()).ok().map(|n| n.0), number, "{value}");
        }
        for bad in [json!("seven"), json!(7.5), json!({}), json!([]), json!(null), json!(true), json!("")] {
            assert!(serde_json::from_value::<Int>(bad.clone()).is_err(), "{bad}");
        }
    }

    #[test]
    fn text_is_read_from_text_and_from_numbers() {
        assert_eq!(serde_json::from_value::<Text>(json!(14)).unwrap().0, "14");
        assert_eq!(serde_json::from_value::<Text>(json!("14")).unwrap().0, "14");
        assert!(serde_json::from_value::<Text>(json!({"a": 1})).is_err());
    }
}

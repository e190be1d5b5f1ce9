//! Values as clients write them: numbers as text, text as numbers, null for an absent field.

use serde::de::{DeserializeOwned, Error as _};
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Number, Value};

/// A whole number; text that is one counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Int(pub i64);

/// Text; a number counts as its digits.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Text(pub String);

impl Text {
    /// The text, unless it is empty.
    pub fn filled(self) -> Option<String> {
        Some(self.0).filter(|text| !text.is_empty())
    }
}

impl<'de> Deserialize<'de> for Int {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        whole(&Value::deserialize(deserializer)?).map(Self).ok_or_else(|| D::Error::custom(NOT_WHOLE))
    }
}

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        text(&Value::deserialize(deserializer)?).map(Self).ok_or_else(|| D::Error::custom("text is expected"))
    }
}

const NOT_WHOLE: &str = "a whole number is expected";

/// A number that may be absent; null and blank text count as absent, because forms send those. For
/// `#[serde(default, deserialize_with = "optional_int")]`.
///
/// # Errors
/// When the value is neither a whole number nor absent.
pub fn optional_int<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Int>, D::Error> {
    match Value::deserialize(deserializer)? {
        Value::Null => Ok(None),
        Value::String(text) if text.trim().is_empty() => Ok(None),
        value => whole(&value).map(|number| Some(Int(number))).ok_or_else(|| D::Error::custom(NOT_WHOLE)),
    }
}

/// The value as a whole number, also of `80.0` and of text; `None` when it is not one.
pub fn whole(value: &Value) -> Option<i64> {
    match value {
        Value::Number(number) => number.as_i64().or_else(|| integral(number)),
        Value::String(text) => text.trim().parse().ok(),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    }
}

fn integral(number: &Number) -> Option<i64> {
    let number = number.as_f64()?;
    (number.fract() == 0.0 && number.abs() < 1e15).then_some(number as i64)
}

/// The value as a finite number, also of text; `None` when it is not one.
pub fn float(value: &Value) -> Option<f64> {
    let number = match value {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => text.trim().parse().ok(),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    };
    number.filter(|number: &f64| number.is_finite())
}

/// The value as text, also of a number; `None` when it is neither.
pub fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    }
}

/// A field that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldError {
    /// The path of the field, such as `a.b[0]`; `None` when the value as a whole is wrong, for example when a field is
    /// missing.
    pub path: Option<String>,
    /// What is wrong.
    pub why: String,
}

/// Reads the fields of an object.
///
/// # Errors
/// The first field that is missing or has a wrong type.
pub fn read_fields<T: DeserializeOwned>(fields: Map<String, Value>) -> Result<T, FieldError> {
    serde_path_to_error::deserialize(Value::Object(fields)).map_err(|error| {
        let path = Some(error.path().to_string()).filter(|path| path != ".");
        FieldError { path, why: error.into_inner().to_string() }
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn numbers_are_read_from_numbers_and_from_digits() {
        let cases = [(json!(7), Some(7)), (json!("7"), Some(7)), (json!(" 7 "), Some(7)), (json!(7.0), Some(7))];
        for (value, number) in cases {
            assert_eq!(serde_json::from_value::<Int>(value.clone()).ok().map(|n| n.0), number, "{value}");
        }
        for bad in [json!("seven"), json!(7.5), json!({}), json!([]), json!(null), json!(true), json!("")] {
            assert!(serde_json::from_value::<Int>(bad.clone()).is_err(), "{bad}");
        }
        assert_eq!(
            [json!("36.5"), json!(7), json!("inf"), json!([])].map(|value| float(&value)),
            [Some(36.5), Some(7.0), None, None]
        );
    }

    #[test]
    fn text_is_read_from_text_and_from_numbers() {
        assert_eq!(serde_json::from_value::<Text>(json!(14)).unwrap().0, "14");
        assert_eq!(serde_json::from_value::<Text>(json!("14")).unwrap().0, "14");
        assert!(serde_json::from_value::<Text>(json!({"a": 1})).is_err());
    }

    #[test]
    fn null_and_blank_text_are_an_absent_number() {
        #[derive(Deserialize)]
        struct Fields {
            #[serde(default, deserialize_with = "optional_int")]
            a: Option<Int>,
        }
        let read = |value: Value| read_fields::<Fields>(value.as_object().unwrap().clone()).map(|fields| fields.a);
        for absent in [json!({}), json!({"a": null}), json!({"a": " "})] {
            assert_eq!(read(absent.clone()), Ok(None), "{absent}");
        }
        assert_eq!(read(json!({"a": "3"})), Ok(Some(Int(3))));
        let wrong = FieldError { path: Some("a".into()), why: NOT_WHOLE.into() };
        assert_eq!(read(json!({"a": []})), Err(wrong));
    }

    #[test]
    fn a_missing_field_is_an_error_of_the_object() {
        #[derive(Deserialize, Debug, PartialEq)]
        struct Fields {
            a: Text,
        }
        let missing = FieldError { path: None, why: "missing field `a`".into() };
        assert_eq!(read_fields::<Fields>(Map::new()), Err(missing));
    }
}

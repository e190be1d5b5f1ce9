//! Values as clients write them in JSON and in the text parts of forms (quirk S-FORMREQ).

use adapter::lenient::text;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};

/// What is said of a value that is no boolean.
pub(super) const NOT_BOOLEAN: &str = "a boolean is expected";

/// A boolean; the texts `true` and `false` count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Bool(pub(crate) bool);

/// An object; JSON text of one counts.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Dict(pub(crate) Map<String, Value>);

/// Texts: a list, JSON text of one, or one text alone.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Texts(pub(crate) Vec<String>);

/// Names, which hold no comma: as [`Texts`], and a text separated by commas.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Names(pub(crate) Vec<String>);

/// Numbers of people, which may hold commas: a list, JSON text of one, or one text separated by commas.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Numbers(pub(crate) Vec<String>);

impl<'de> Deserialize<'de> for Bool {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Value::deserialize(deserializer)? {
            Value::Bool(value) => Ok(Self(value)),
            Value::String(text) if text.eq_ignore_ascii_case("true") => Ok(Self(true)),
            Value::String(text) if text.eq_ignore_ascii_case("false") => Ok(Self(false)),
            _ => Err(D::Error::custom(NOT_BOOLEAN)),
        }
    }
}

impl<'de> Deserialize<'de> for Dict {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let read = match Value::deserialize(deserializer)? {
            Value::Object(fields) => Some(fields),
            Value::String(text) => adapter::parse_object(text.as_bytes()).ok(),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) => None,
        };
        read.map(Self).ok_or_else(|| D::Error::custom("an object is expected"))
    }
}

impl<'de> Deserialize<'de> for Texts {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        list(deserializer, |alone| vec![alone]).map(Self)
    }
}

impl<'de> Deserialize<'de> for Names {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Texts(texts) = Texts::deserialize(deserializer)?;
        Ok(Self(texts.iter().flat_map(|text| separated(text)).collect()))
    }
}

impl<'de> Deserialize<'de> for Numbers {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // A text without any number stays, so that it is refused.
        let numbers =
            |alone: String| Some(separated(&alone)).filter(|all| !all.is_empty()).unwrap_or_else(|| vec![alone]);
        list(deserializer, numbers).map(Self)
    }
}

fn separated(text: &str) -> Vec<String> {
    text.split(',').map(str::trim).filter(|part| !part.is_empty()).map(str::to_owned).collect()
}

/// The entries of a list, or what `read` makes of a text alone.
fn list<'de, D: Deserializer<'de>>(
    deserializer: D,
    read: impl Fn(String) -> Vec<String>,
) -> Result<Vec<String>, D::Error> {
    let value = Value::deserialize(deserializer)?;
    entries(value, read).ok_or_else(|| D::Error::custom("a list of texts is expected"))
}

fn entries(value: Value, read: impl Fn(String) -> Vec<String>) -> Option<Vec<String>> {
    let written = match &value {
        Value::String(text) if text.trim_start().starts_with('[') => adapter::lenient_json(text.as_bytes()).ok(),
        _ => None,
    };
    match written.unwrap_or(value) {
        Value::Array(entries) => entries.iter().map(text).collect(),
        alone => text(&alone).map(read),
    }
}

#[cfg(test)]
mod tests {
    use serde::de::DeserializeOwned;
    use serde_json::json;

    use super::*;

    fn read<T: DeserializeOwned>(value: Value) -> Option<T> {
        serde_json::from_value(value).ok()
    }

    #[test]
    fn lists_come_in_several_ways() {
        for value in [json!(["1", 2]), json!("[\"1\", 2]")] {
            assert_eq!(read(value), Some(Texts(vec!["1".into(), "2".into()])));
        }
        assert_eq!(read(json!("a,b")), Some(Texts(vec!["a,b".into()])));
        assert_eq!(read(json!("a, b,")), Some(Names(vec!["a".into(), "b".into()])));
        for (value, numbers) in [
            (json!("a, b,"), vec!["a", "b"]),
            (json!(7), vec!["7"]),
            (json!(["a,b", "c"]), vec!["a,b", "c"]),
            (json!("[\"a,b\"]"), vec!["a,b"]),
            (json!(""), vec![""]),
        ] {
            assert_eq!(read(value), Some(Numbers(numbers.into_iter().map(str::to_owned).collect())));
        }
        assert_eq!((read::<Texts>(json!([{}])), read::<Texts>(json!({}))), (None, None));
    }

    #[test]
    fn objects_and_booleans_may_be_text() {
        assert_eq!(read::<Dict>(json!("{\"a\": 1}")), read(json!({"a": 1})));
        assert_eq!((read(json!("True")), read(json!(false))), (Some(Bool(true)), Some(Bool(false))));
        assert_eq!((read::<Bool>(json!("yes")), read::<Bool>(json!(1)), read::<Dict>(json!("x"))), (None, None, None));
    }
}

//! Numbers that may come as text, text that may come as a number, and lists that may come as their only entry.

use serde::de::{DeserializeOwned, Error as _};
use serde::{Deserialize, Deserializer};
use serde_json::{Number, Value};

/// A whole number; text digits count as one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Int(pub(crate) i64);

/// Text; a number counts as its digits.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Text(pub(crate) String);

/// Whole numbers; one alone counts as a list.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Ids(pub(crate) Vec<i64>);

/// Texts; one alone counts as a list.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Texts(pub(crate) Vec<String>);

impl Text {
    /// The text, unless it is empty.
    pub(crate) fn filled(self) -> Option<String> {
        Some(self.0).filter(|text| !text.is_empty())
    }
}

impl<'de> Deserialize<'de> for Int {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        whole(&Value::deserialize(deserializer)?).map(Self).ok_or_else(|| D::Error::custom("expected a whole number"))
    }
}

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Value::deserialize(deserializer)? {
            Value::String(text) => Ok(Self(text)),
            Value::Number(number) => Ok(Self(number.to_string())),
            Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => Err(D::Error::custom("expected text")),
        }
    }
}

impl<'de> Deserialize<'de> for Ids {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let numbers: Vec<Int> = entries(deserializer)?;
        Ok(Self(numbers.into_iter().map(|Int(number)| number).collect()))
    }
}

impl<'de> Deserialize<'de> for Texts {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let texts: Vec<Text> = entries(deserializer)?;
        Ok(Self(texts.into_iter().map(|Text(text)| text).collect()))
    }
}

fn entries<'de, T: DeserializeOwned, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<T>, D::Error> {
    let list = match Value::deserialize(deserializer)? {
        Value::Array(list) => list,
        alone => vec![alone],
    };
    list.into_iter().map(|entry| T::deserialize(entry).map_err(D::Error::custom)).collect()
}

fn whole(value: &Value) -> Option<i64> {
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
    use serde_json::json;

    use super::*;

    fn read<T: DeserializeOwned>(value: &Value) -> Option<T> {
        serde_json::from_value(value.clone()).ok()
    }

    #[test]
    fn numbers_and_digits_are_taken_for_each_other() {
        for value in [json!(7), json!("7"), json!(" 7 "), json!(7.0)] {
            assert_eq!(read(&value), Some(Int(7)), "{value}");
        }
        for bad in [json!("seven"), json!(7.5), json!({}), json!([]), json!(null), json!(true), json!("")] {
            assert_eq!(read::<Int>(&bad), None, "{bad}");
        }
        assert_eq!((read(&json!(14)), read(&json!("14"))), (Some(Text("14".into())), Some(Text("14".into()))));
        assert_eq!((read::<Text>(&json!({})), read::<Option<Text>>(&json!(null))), (None, Some(None)));
    }

    #[test]
    fn one_entry_alone_counts_as_a_list() {
        for value in [json!([4]), json!(4), json!("4"), json!(["4"])] {
            assert_eq!(read(&value), Some(Ids(vec![4])), "{value}");
        }
        assert_eq!(read(&json!("a")), Some(Texts(vec!["a".into()])));
        assert_eq!((read(&json!([])), read::<Ids>(&json!([4, "x"]))), (Some(Ids(vec![])), None));
    }
}

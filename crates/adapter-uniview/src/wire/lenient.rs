//! Lists that may come as their only entry.

use adapter::lenient::{Int, Text};
use serde::de::{DeserializeOwned, Error as _};
use serde::{Deserialize, Deserializer};
use serde_json::Value;

/// Whole numbers; one alone counts as a list.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Ids(pub(crate) Vec<i64>);

/// Texts; one alone counts as a list.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Texts(pub(crate) Vec<String>);

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

/// A condition of a search; empty text is none. For `#[serde(default, deserialize_with = "filter")]`.
///
/// # Errors
/// When the value is neither a condition nor empty text.
pub(crate) fn filter<'de, T: DeserializeOwned + Default, D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error> {
    match Value::deserialize(deserializer)? {
        Value::String(text) if text.trim().is_empty() => Ok(T::default()),
        value => T::deserialize(value).map_err(D::Error::custom),
    }
}

fn entries<'de, T: DeserializeOwned, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<T>, D::Error> {
    let list = match Value::deserialize(deserializer)? {
        Value::Array(list) => list,
        alone => vec![alone],
    };
    list.into_iter().map(|entry| T::deserialize(entry).map_err(D::Error::custom)).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read<T: DeserializeOwned>(value: &Value) -> Option<T> {
        serde_json::from_value(value.clone()).ok()
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

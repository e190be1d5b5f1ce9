//! The fields of an object, read as leniently as the document's own examples require.

use adapter::lenient::{float, text, whole};
use serde_json::{Map, Value};

/// An object whose keys are found in any letter case; an exact match comes first.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Fields(Map<String, Value>);

/// The names of the device's field, also as scanned text has them.
const DEVICE: [&str; 3] = ["facesluiceId", "facesIuiceId", "facesluiceld"];

impl Fields {
    pub(crate) fn new(fields: Map<String, Value>) -> Self {
        Self(fields)
    }

    /// A field that is present and not null.
    pub(crate) fn get(&self, name: &str) -> Option<&Value> {
        let exact = self.0.get(name);
        let found = exact
            .or_else(|| self.0.iter().find(|(key, _)| key.trim().eq_ignore_ascii_case(name)).map(|(_, value)| value));
        found.filter(|value| !value.is_null())
    }

    /// Whether the field is present, and is not empty text.
    pub(crate) fn is_sent(&self, name: &str) -> bool {
        self.get(name).is_some_and(|value| value.as_str().is_none_or(|text| !text.trim().is_empty()))
    }

    /// Text, also an empty one; a number counts as its digits.
    pub(crate) fn text(&self, name: &str) -> Option<String> {
        self.get(name).and_then(text)
    }

    /// Trimmed text that is not empty.
    pub(crate) fn filled(&self, name: &str) -> Option<String> {
        self.text(name).map(|text| text.trim().to_owned()).filter(|text| !text.is_empty())
    }

    /// A whole number; text digits count as one.
    pub(crate) fn int(&self, name: &str) -> Option<i64> {
        self.get(name).and_then(whole)
    }

    /// A number; text digits count as one.
    pub(crate) fn float(&self, name: &str) -> Option<f64> {
        self.get(name).and_then(float)
    }

    /// The first of several spellings that is present.
    pub(crate) fn first<T>(&self, names: &[&str], read: impl Fn(&Self, &str) -> Option<T>) -> Option<T> {
        names.iter().find_map(|name| read(self, name))
    }

    pub(crate) fn insert(&mut self, name: &str, value: Value) {
        self.0.insert(name.to_owned(), value);
    }

    /// Without this field, in any letter case.
    #[must_use]
    pub(crate) fn without(mut self, name: &str) -> Self {
        self.0.retain(|key, _| !key.trim().eq_ignore_ascii_case(name));
        self
    }

    /// The text to keep.
    pub(crate) fn note(&self) -> String {
        serde_json::to_string(&self.0).unwrap_or_default()
    }

    /// The fields of a kept text; none when it cannot be read.
    pub(crate) fn kept(note: &str) -> Self {
        Self(serde_json::from_str(note).unwrap_or_default())
    }

    /// The device that is named, if any.
    pub(crate) fn device(&self) -> Option<String> {
        self.first(&DEVICE, Self::filled)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn fields(value: Value) -> Fields {
        if let Value::Object(fields) = value { Fields::new(fields) } else { panic!("not fields: {value}") }
    }

    #[test]
    fn the_exact_spelling_wins_over_another_letter_case() {
        let both = fields(json!({"NAME": "a", "name": "b", " Pic ": "c"}));
        assert_eq!(both.text("name").as_deref(), Some("b"));
        assert_eq!(both.text("pic").as_deref(), Some("c"));
    }

    #[test]
    fn numbers_are_read_from_digits_and_null_is_absent() {
        let some = fields(json!({"a": "7", "b": 7, "c": "", "d": null, "e": "x", "f": "36.5", "g": " 9 "}));
        assert_eq!(
            ["a", "b", "c", "d", "e", "g"].map(|name| some.int(name)),
            [Some(7), Some(7), None, None, None, Some(9)]
        );
        assert_eq!((some.float("f"), some.float("b"), some.float("e")), (Some(36.5), Some(7.0), None));
        assert_eq!(
            (some.filled("c"), some.text("c").as_deref(), some.text("b").as_deref()),
            (None, Some(""), Some("7"))
        );
    }
}

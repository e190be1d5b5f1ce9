//! The requirements of a vendor's document, from `tests/contracts/*.yaml`.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;
use serde_json::Value;

/// A vendor's contract.
#[derive(Debug, Deserialize)]
pub struct Catalogue {
    pub(super) protocol: String,
    pub(super) operations: Vec<Operation>,
    #[serde(default)]
    pub(super) events: Vec<Event>,
    #[serde(default)]
    pub(super) errors: Vec<Code>,
    /// Codes that every operation may answer.
    #[serde(default)]
    pub(super) common_errors: Vec<PossibleError>,
    #[serde(default)]
    pub(super) enums: BTreeMap<String, serde_norway::Value>,
    #[serde(default)]
    pub(super) attribute_objects: BTreeMap<String, Vec<Attribute>>,
}

/// A request that reaches the device.
#[derive(Debug, Deserialize)]
pub(super) struct Operation {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) variant: Option<String>,
    pub(super) data_shape: Option<Shape>,
    #[serde(default)]
    pub(super) response: Vec<Field>,
    #[serde(default)]
    pub(super) errors: Vec<PossibleError>,
}

/// Type of an answer's payload.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Shape {
    Object,
    List,
    String,
    /// An empty text.
    Empty,
    /// No payload.
    Absent,
    /// A file.
    Bytes,
}

/// A message that the device sends on its own.
#[derive(Debug, Deserialize)]
pub(super) struct Event {
    pub(super) id: String,
    #[serde(default)]
    pub(super) fields: Vec<Field>,
    #[serde(default)]
    pub(super) parts: Vec<PartRule>,
}

/// A part of a multipart message.
#[derive(Debug, Deserialize)]
pub(super) struct PartRule {
    pub(super) name: String,
    /// Whether it carries a file name.
    pub(super) filename: bool,
    pub(super) always: bool,
}

/// A field of an answer or event; its name is a path: `a.b`, `a[].b`, `[].b`.
#[derive(Debug, Deserialize)]
pub(super) struct Field {
    pub(super) name: String,
    /// Where the field is, if not directly in `info`, which is the value that is checked: `top` is the member `top` of
    /// that value; `info.a[]` is below a member.
    #[serde(rename = "in")]
    place: Option<String>,
    #[serde(rename = "type")]
    pub(super) kind: String,
    #[serde(default = "yes")]
    pub(super) always: bool,
    /// The kinds of entry that have the field; every kind when absent.
    pub(super) kinds: Option<Vec<String>>,
    /// The value when nothing matched, of any type.
    pub(super) no_match: Option<Value>,
}

/// A key of an attribute object.
#[derive(Debug, Deserialize)]
pub(super) struct Attribute {
    pub(super) key: String,
    pub(super) always: bool,
    #[serde(rename = "enum")]
    pub(super) values: Option<String>,
}

/// A code of the error table.
#[derive(Debug, Deserialize)]
pub(super) struct Code {
    pub(super) code: i64,
    pub(super) en: String,
    /// The operations whose table it is in; empty when there is a single table.
    #[serde(default)]
    pub(super) operators: Vec<String>,
    /// The text, if it differs from `en`.
    pub(super) detail: Option<String>,
    /// `item` for the code of one entry of a list.
    pub(super) scope: Option<String>,
    /// Never sent.
    #[serde(default)]
    pub(super) reserved: bool,
}

impl Code {
    pub(super) fn is_of(&self, operation: &str) -> bool {
        self.operators.is_empty() || self.operators.iter().any(|operator| operator == operation)
    }

    pub(super) fn is_item(&self) -> bool {
        self.scope.as_deref() == Some("item")
    }

    pub(super) fn text(&self) -> &str {
        self.detail.as_deref().unwrap_or(&self.en)
    }
}

/// An error that an operation can return; some have an HTTP status instead of a code.
#[derive(Debug, Deserialize)]
pub(super) struct PossibleError {
    pub(super) code: Option<i64>,
}

fn yes() -> bool {
    true
}

/// Why a catalogue cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum Unreadable {
    /// The file cannot be read.
    #[error("the catalogue cannot be read")]
    File(#[from] std::io::Error),
    /// The file is not a catalogue.
    #[error("the file is not a catalogue")]
    Yaml(#[from] serde_norway::Error),
}

impl Catalogue {
    /// Reads a catalogue.
    ///
    /// # Errors
    /// When the file is missing or not a catalogue.
    pub fn load(path: &Path) -> Result<Self, Unreadable> {
        let mut catalogue: Self = serde_norway::from_slice(&std::fs::read(path)?)?;
        let answers = catalogue.operations.iter_mut().flat_map(|operation| &mut operation.response);
        answers.chain(catalogue.events.iter_mut().flat_map(|event| &mut event.fields)).for_each(Field::qualify);
        Ok(catalogue)
    }

    pub(super) fn operation(&self, id: &str, variant: Option<&str>) -> Option<&Operation> {
        self.operations.iter().find(|o| o.id == id && o.variant.as_deref() == variant)
    }
}

impl Field {
    /// Prefixes the name with the place.
    fn qualify(&mut self) {
        let place = self.place.as_deref().map(|place| place.strip_prefix("info.").unwrap_or(place));
        if let Some(place) = place.filter(|place| *place != "info") {
            self.name = format!("{place}.{}", self.name);
        }
    }
}

impl Operation {
    /// The id, followed by a slash and the variant, if any.
    pub(super) fn title(&self) -> String {
        title(&self.id, self.variant.as_deref())
    }
}

pub(super) fn title(id: &str, variant: Option<&str>) -> String {
    variant.map_or_else(|| id.to_owned(), |variant| format!("{id}/{variant}"))
}

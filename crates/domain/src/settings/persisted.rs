//! Stored form of a setting: one row, `{"version":1,"value":…}`.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::former::Former;
use super::{Change, Kept, Unreadable};
use crate::{Error, Result};

/// Version of the form that is written; others cannot be read.
const VERSION: u32 = 1;

/// How one setting is stored.
pub(super) struct Setting<T> {
    /// Name of its row.
    pub(super) name: &'static str,
    /// `Invalid` for a value that could not have been set.
    pub(super) check: fn(&T) -> Result<()>,
    /// Its form in former versions.
    pub(super) former: Former<T>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Versioned<T> {
    version: u32,
    value: T,
}

/// The row of a setting.
#[derive(Debug, PartialEq)]
pub(super) struct Row {
    name: &'static str,
    former: &'static str,
    pub(super) value: Kept<String>,
}

impl Row {
    /// The changes that write this row; none for an unreadable value, which stays stored.
    pub(super) fn changes(self) -> Vec<Change> {
        match self.value {
            Ok(value) => vec![(self.name, value), (self.former, None)],
            Err(_) => Vec::new(),
        }
    }
}

impl<T: Serialize + DeserializeOwned> Setting<T> {
    pub(super) fn row(&self, value: &Kept<T>) -> Result<Row> {
        let value = match value {
            Ok(value) => Ok(value.as_ref().map(encode).transpose()?),
            Err(unreadable) => Err(unreadable.clone()),
        };
        Ok(Row { name: self.name, former: self.former.name, value })
    }

    fn checked(&self, value: Result<T, String>) -> Kept<T> {
        let checked = value.and_then(|value| match (self.check)(&value) {
            Ok(()) => Ok(Some(value)),
            Err(error) => Err(error.to_string()),
        });
        checked.map_err(|why| Unreadable { name: self.name, why })
    }
}

fn encode<T: Serialize>(value: &T) -> Result<String> {
    let row = Versioned { version: VERSION, value };
    serde_json::to_string(&row).map_err(Error::internal("writing a setting"))
}

fn decode<T: DeserializeOwned>(text: &str) -> Result<T, String> {
    let row: Versioned<serde_json::Value> = serde_json::from_str(text).map_err(|error| error.to_string())?;
    if row.version != VERSION {
        return Err(format!("it was written in version {} of its form, and {VERSION} is known", row.version));
    }
    serde_json::from_value(row.value).map_err(|error| error.to_string())
}

/// Reads the settings one by one.
pub(super) struct Reader<'a> {
    setting: &'a dyn Fn(&str) -> Result<Option<String>>,
    converted: Vec<Change>,
}

impl<'a> Reader<'a> {
    /// `setting` reads a row of the store.
    pub(super) fn new(setting: &'a dyn Fn(&str) -> Result<Option<String>>) -> Self {
        Self { setting, converted: Vec::new() }
    }

    pub(super) fn read<T: Serialize + DeserializeOwned>(&mut self, setting: &Setting<T>) -> Result<Kept<T>> {
        if let Some(text) = (self.setting)(setting.former.name)? {
            let value = (setting.former.read)(&text).ok_or_else(|| format!("{text:?} is no value of it"));
            let value = setting.checked(value);
            self.converted.extend(setting.row(&value)?.changes());
            return Ok(value);
        }
        let Some(text) = (self.setting)(setting.name)? else { return Ok(Ok(None)) };
        Ok(setting.checked(decode(&text)))
    }

    /// The changes that store the values read in a former form in the present one.
    pub(super) fn conversions(self) -> Vec<Change> {
        self.converted
    }
}

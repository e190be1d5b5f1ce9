//! The document's bodies under the document's names. Types are read as strictly as a real server does.

pub(crate) mod accounts;
pub(crate) mod cameras;
pub(crate) mod config;
pub(crate) mod libraries;
pub(crate) mod people;
pub(crate) mod pictures;
pub(crate) mod records;
pub(crate) mod tasks;

use adapter::lenient::{FieldError, read_fields};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::codes::Fault;

/// The fields of a request.
pub(crate) type Fields = Map<String, Value>;

/// The answer to an operation without a result.
#[derive(Serialize)]
pub(crate) struct Done {
    code: u16,
    msg: &'static str,
}

impl Done {
    /// A success.
    pub(crate) const DONE: Self = Self { code: 0, msg: "" };
}

/// An answer whose result is in `info`.
#[derive(Serialize)]
pub(crate) struct Answer<T> {
    code: u16,
    pub(crate) info: T,
    msg: &'static str,
}

impl<T> Answer<T> {
    /// A success.
    pub(crate) fn of(info: T) -> Self {
        Self { code: 0, info, msg: "" }
    }
}

/// One page of a list.
#[derive(Serialize)]
pub(crate) struct Rows<T> {
    pub(crate) page_no: u64,
    pub(crate) page_size: u64,
    pub(crate) total_count: u64,
    pub(crate) items: Vec<T>,
}

/// The answer to a call that failed.
#[derive(Serialize)]
pub(crate) struct Refusal {
    pub(crate) code: u16,
    pub(crate) msg: String,
}

/// Reads a request; a missing field or a wrong type is code 3 with the name of the field.
pub(crate) fn read<T: DeserializeOwned>(fields: Fields) -> Result<T, Fault> {
    read_fields(fields).map_err(|FieldError { path, why }| {
        // serde puts the name of a missing field between back-quotes.
        let missing = || why.split('`').nth(1).unwrap_or_default().to_owned();
        Fault::field(path.unwrap_or_else(missing))
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_wrong_type_or_a_missing_field_is_named() {
        let read = |value: Value| {
            let fields = value.as_object().unwrap().clone();
            super::read::<libraries::AddLibrary>(fields).map(|_| ()).unwrap_err().message()
        };
        assert_eq!(read(json!({"type": 0})), "Invalid para: name");
        assert_eq!(read(json!({"name": "a", "type": "0"})), "Invalid para: type");
        assert_eq!(read(json!({"name": 7, "type": 0})), "Invalid para: name");
        assert_eq!(read(json!({"name": null})), "Invalid para: name");
    }
}

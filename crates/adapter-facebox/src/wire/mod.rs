//! The document's bodies under the document's names. Types are read as strictly as a real server does.

pub(crate) mod accounts;
pub(crate) mod cameras;
pub(crate) mod config;
pub(crate) mod libraries;
pub(crate) mod people;
pub(crate) mod pictures;
pub(crate) mod records;
pub(crate) mod tasks;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

use crate::codes::Fault;

/// The fields of a request.
pub(crate) type Fields = Map<String, Value>;

/// The answer to an operation that only does something.
#[derive(Serialize)]
pub(crate) struct Done {
    code: u16,
    msg: &'static str,
}

impl Done {
    /// All is well.
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
    /// All is well.
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

/// What every failed call says.
pub(crate) fn refusal(fault: &Fault) -> Value {
    json!({"code": fault.code.number(), "msg": fault.message()})
}

/// Reads a request; a missing field or a wrong type is code 3 with the field named.
pub(crate) fn read<T: DeserializeOwned>(fields: Fields) -> Result<T, Fault> {
    serde_path_to_error::deserialize(Value::Object(fields)).map_err(|error| {
        let path = error.path().to_string();
        let why = error.into_inner().to_string();
        // serde names a missing field between back-quotes.
        let missing = why.split('`').nth(1).unwrap_or_default();
        Fault::field(if path == "." { missing } else { path.as_str() })
    })
}

#[cfg(test)]
mod tests {
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

//! The document's bodies under the document's names. Numbers are taken as digits in text and the other way round; unknown
//! fields are ignored.

pub(crate) mod channels;
pub(crate) mod clothes;
pub(crate) mod device;
pub(crate) mod docking;
pub(crate) mod extended;
mod lenient;
pub(crate) mod libraries;
pub(crate) mod people;
pub(crate) mod pictures;
pub(crate) mod plans;
pub(crate) mod push;
pub(crate) mod searches;
pub(crate) mod smart;

use adapter::lenient::{FieldError, read_fields};
pub(crate) use adapter::lenient::{Int, Text, optional_int};
pub(crate) use lenient::{Ids, Texts, filter};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::codes::Fault;

/// The fields of a request.
pub(crate) type Fields = Map<String, Value>;

/// A request without fields.
#[derive(Deserialize)]
pub(crate) struct Nothing {}

const SUCCEED: &str = "Succeed";

/// The answer to an operation that only does something.
#[derive(Serialize)]
pub(crate) struct Done {
    code: u16,
    msg: &'static str,
    status_code: u16,
}

impl Done {
    /// Success.
    pub(crate) const DONE: Self = Self { code: 0, msg: SUCCEED, status_code: 0 };
}

/// An answer with data.
#[derive(Serialize)]
pub(crate) struct Answer<T> {
    code: u16,
    msg: &'static str,
    status_code: u16,
    data: T,
}

impl<T> Answer<T> {
    /// Success.
    pub(crate) fn of(data: T) -> Self {
        Self { code: 0, msg: SUCCEED, status_code: 0, data }
    }
}

/// The answer to a call that failed.
#[derive(Serialize)]
pub(crate) struct Refusal {
    code: u16,
    msg: &'static str,
    status_code: u16,
}

impl Refusal {
    /// What the caller learns of a fault.
    pub(crate) fn of(fault: &Fault) -> Self {
        let msg = fault.told.unwrap_or(fault.code.text());
        Self { code: fault.code.number(), msg, status_code: fault.status_code() }
    }
}

/// Reads a request; a missing field or a wrong type is code 2.
pub(crate) fn read<T: DeserializeOwned>(fields: Fields) -> Result<T, Fault> {
    read_fields(fields).map_err(|FieldError { path, why }| match path {
        Some(path) => Fault::argument(format!("{path}: {why}")),
        None => Fault::argument(why),
    })
}

/// The name that a failed entry of an import is reported under: as it was sent, as far as it can be.
pub(crate) fn name_of(entry: &Fields, field: &str) -> String {
    match entry.get(field) {
        Some(Value::String(name)) => name.clone(),
        Some(other) if !other.is_null() => other.to_string(),
        _ => String::new(),
    }
}

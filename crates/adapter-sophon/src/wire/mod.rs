//! The document's bodies under the document's names. `""` is a value; only null counts as missing (quirk S-NULL). Unknown
//! fields are ignored.

pub(crate) mod devices;
pub(crate) mod events;
pub(crate) mod gates;
pub(crate) mod groups;
mod lenient;
pub(crate) mod people;
pub(crate) mod permissions;
pub(crate) mod platform;
pub(crate) mod servers;
pub(crate) mod system;

use adapter::lenient::{FieldError, read_fields};
pub(crate) use lenient::{Bool, Dict, Names, Numbers, Texts};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::codes::{Code, Fault};

/// The fields of a request.
pub(crate) type Fields = Map<String, Value>;

/// A request without fields.
#[derive(Deserialize)]
pub(crate) struct Nothing {}

/// The body of a success.
#[derive(Serialize)]
pub(crate) struct Answer<T> {
    pub(crate) data: T,
}

/// The body of a refusal.
#[derive(Serialize)]
pub(crate) struct Refusal {
    error: Reason,
}

/// Why a call was refused.
#[derive(Serialize)]
struct Reason {
    code: u16,
    message: String,
    status: &'static str,
}

impl Refusal {
    /// What the caller learns of a fault.
    pub(crate) fn of(fault: &Fault) -> Self {
        let error = Reason { code: fault.code.number(), message: fault.message(), status: fault.code.status() };
        Self { error }
    }
}

/// Reads a request. A missing or mistyped field is code 40091, or 40005 for what should be a boolean.
pub(crate) fn read<T: DeserializeOwned>(fields: Fields) -> Result<T, Fault> {
    read_fields(fields).map_err(|FieldError { path, why }| {
        let code = if why == lenient::NOT_BOOLEAN { Code::Boolean } else { Code::Parameter };
        Fault::with(code, path.map_or_else(|| why.clone(), |path| format!("{path}: {why}")))
    })
}

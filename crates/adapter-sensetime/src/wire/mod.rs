//! The document's messages under the document's names. Requests are read leniently, answers written exactly.

pub(crate) mod bodies;
pub(crate) mod cameras;
pub(crate) mod compare;
pub(crate) mod device;
pub(crate) mod exports;
pub(crate) mod https;
pub(crate) mod libraries;
pub(crate) mod network;
pub(crate) mod people;
pub(crate) mod push;
pub(crate) mod records;
pub(crate) mod relays;
pub(crate) mod session;
pub(crate) mod sip;
pub(crate) mod time;

use adapter::lenient::{FieldError, read_fields};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

pub(crate) use adapter::lenient::{Int, Text, whole};

use crate::codes::{Code, Fault};

/// The fields of a request, from JSON or a form.
pub(crate) type Fields = Map<String, Value>;

/// The shape of every answer.
#[derive(Serialize)]
pub(crate) struct Envelope<T> {
    /// 0, or a code of appendix A.
    pub(crate) code: i32,
    /// The result; the empty string when there is none.
    pub(crate) data: T,
    /// Empty on success.
    pub(crate) msg: String,
}

/// The answer to 776: without `data`, because receivers take any message with `data` for a capture.
#[derive(Serialize)]
pub(crate) struct Notice {
    /// 0, or a code of appendix A.
    pub(crate) code: i32,
    /// Empty on success.
    pub(crate) msg: String,
}

impl Notice {
    /// A success.
    pub(crate) fn done() -> Self {
        Self { code: 0, msg: String::new() }
    }

    /// A refusal.
    pub(crate) fn refused(fault: &Fault) -> Self {
        Self { code: fault.code.number(), msg: fault.message() }
    }
}

/// The `data` of an operation without a result: the empty string.
#[derive(Serialize)]
pub(crate) struct Nothing(&'static str);

impl Nothing {
    /// The empty string.
    pub(crate) const NOTHING: Self = Self("");
}

/// One page of a list.
#[derive(Serialize)]
pub(crate) struct Rows<T> {
    pub(crate) record: Vec<T>,
    pub(crate) result_num: usize,
    pub(crate) total_num: u64,
}

impl<T> Rows<T> {
    /// The rows of a page, of `total` rows in all.
    pub(crate) fn new(record: Vec<T>, total: u64) -> Self {
        Self { result_num: record.len(), record, total_num: total }
    }
}

/// Reads a request; a missing field or a wrong type is -3596 with the field named.
pub(crate) fn read<T: DeserializeOwned>(fields: Fields) -> Result<T, Fault> {
    read_fields(fields).map_err(|FieldError { path, why }| match path {
        Some(path) => Fault::parameter(format!("{path}: {why}")),
        None => Fault::parameter(why),
    })
}

/// Reads a field that is an object; serde alone would accept a list for one too.
pub(crate) fn read_field<T: DeserializeOwned>(name: &str, value: Value) -> Result<T, Fault> {
    let Value::Object(fields) = value else {
        return Err(Fault::parameter(format!("{name}: an object is expected")));
    };
    read_fields(fields).map_err(|FieldError { path, why }| {
        let path = path.map(|path| format!(".{path}")).unwrap_or_default();
        Fault::parameter(format!("{name}{path}: {why}"))
    })
}

/// Reads a message of the WebSocket: one object; trailing commas are ignored, because the document's own examples have
/// them.
pub(crate) fn parse(body: &[u8]) -> Result<Fields, Fault> {
    adapter::parse_object(body).map_err(|error| Fault::parameter(error.to_string()))
}

/// The number of the message, as text or number. Missing or not a number is -3599.
pub(crate) fn msg_id(fields: &Fields) -> Result<i64, Fault> {
    let id = fields.get("msg_id").cloned().ok_or(Code::MsgId)?;
    serde_json::from_value::<Int>(id).map(|id| id.0).map_err(|_| Code::MsgId.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn fields(value: &Value) -> Fields {
        value.as_object().unwrap().clone()
    }

    #[test]
    fn the_message_number_may_be_text_or_number() {
        assert_eq!(msg_id(&fields(&json!({"msg_id": "1028"}))).unwrap(), 1028);
        assert_eq!(msg_id(&fields(&json!({"msg_id": 1028}))).unwrap(), 1028);
        for bad in [json!({}), json!({"msg_id": "x"}), json!({"msg_id": null}), json!({"msg_id": {}})] {
            assert_eq!(msg_id(&fields(&bad)).unwrap_err().code, Code::MsgId);
        }
    }

    #[test]
    fn a_wrong_type_or_a_missing_field_is_named() {
        let read = |value| super::read::<libraries::AddLib>(fields(&value)).map(|_| ()).unwrap_err().message();
        assert!(read(json!({"lib_name": "a"})).contains("lib_type"));
        assert!(read(json!({"lib_name": "a", "lib_type": {}})).contains("lib_type"));
        assert!(read(json!({"lib_name": [], "lib_type": 1})).contains("lib_name"));
    }

    #[test]
    fn a_success_without_data_has_the_empty_string() {
        let answer = Envelope { code: 0, data: Nothing::NOTHING, msg: String::new() };
        assert_eq!(serde_json::to_value(answer).unwrap(), json!({"code": 0, "data": "", "msg": ""}));
        assert_eq!(serde_json::to_value(Notice::done()).unwrap(), json!({"code": 0, "msg": ""}));
    }
}

//! Messages: the fields of commands, and what answers and pushes are made of.

pub(crate) mod fields;
mod head;
pub(crate) mod people;
pub(crate) mod push;
pub(crate) mod replies;
pub(crate) mod screen;

use std::fmt::Display;

use adapter::parse_object;
use serde::Serialize;
use serde_json::{Map, Value, json};

pub(crate) use fields::Fields;
use head::Head;

use crate::codes::Refusal;

/// A command from the platform.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Command {
    /// Text or number, returned as it was sent.
    pub(crate) message_id: Option<Value>,
    pub(crate) operator: String,
    /// The fields beside the operator.
    pub(crate) top: Fields,
    /// The value of `info`; `None` when the key is missing.
    pub(crate) info: Option<Value>,
    /// Whether the message is larger than a command may be.
    pub(crate) oversized: bool,
}

/// The largest command, bytes.
const LARGEST: usize = 1 << 20;

impl Command {
    /// Reads a message; `None` when it is not a command. Of a damaged one, and of one with too many values, only what
    /// it takes to answer is read.
    pub(crate) fn read(payload: &[u8]) -> Option<Self> {
        let oversized = payload.len() > LARGEST;
        let Ok(top) = parse_object(payload) else {
            let Head { message_id, operator } = Head::read(payload)?;
            return Some(Self {
                message_id: Some(message_id),
                operator,
                top: Fields::default(),
                info: None,
                oversized,
            });
        };
        let top = Fields::new(top);
        let message_id = top.get("messageId").filter(|id| id.is_string() || id.is_number()).cloned();
        let operator = top.get("operator")?.as_str()?.trim().to_owned();
        let info = top.get("info").cloned();
        Some(Self { message_id, operator, top, info, oversized })
    }

    /// The fields of `info`, when it is an object.
    pub(crate) fn fields(&self) -> Option<Fields> {
        match &self.info {
            Some(Value::Object(info)) => Some(Fields::new(info.clone())),
            Some(_) | None => None,
        }
    }

    /// Whether it names this device, or no device.
    pub(crate) fn is_for(&self, id: &str) -> bool {
        let named = self.fields().and_then(|info| info.device()).or_else(|| self.top.device());
        named.is_none_or(|named| named == id)
    }
}

/// The answer to a command.
#[derive(Debug, Clone, Default)]
pub(crate) struct Reply {
    pub(crate) info: Map<String, Value>,
    /// The fields beside `info`.
    pub(crate) top: Map<String, Value>,
    /// Whether the code is a number.
    pub(crate) numeric: bool,
    /// Whether a new session starts after the answer, as after a restart.
    pub(crate) restart: bool,
    /// Whether there is no answer now.
    pub(crate) silent: bool,
}

impl Reply {
    /// With these fields in `info`.
    pub(crate) fn with(info: impl Serialize) -> Self {
        // Structs of plain values can always be written as objects.
        let info = match serde_json::to_value(info) {
            Ok(Value::Object(info)) => info,
            Ok(_) | Err(_) => Map::new(),
        };
        Self { info, ..Self::default() }
    }

    /// No answer.
    pub(crate) fn none() -> Self {
        Self { silent: true, ..Self::default() }
    }
}

/// Why a command fails.
#[derive(Debug, Clone)]
pub(crate) struct Fault {
    pub(crate) refusal: Refusal,
    /// Returned as it was sent.
    pub(crate) custom_id: Option<String>,
    /// Sent in place of the table's text, where that is only a pattern.
    pub(crate) detail: Option<String>,
}

impl Fault {
    /// The text sent to the platform.
    pub(crate) fn detail(&self) -> &str {
        self.detail.as_deref().unwrap_or(self.refusal.detail)
    }
}

impl Refusal {
    /// With the reason after the table's text.
    pub(crate) fn because(self, why: impl Display) -> Fault {
        Fault { detail: Some(format!("{}: {why}", self.detail)), ..self.into() }
    }
}

impl From<Refusal> for Fault {
    fn from(refusal: Refusal) -> Self {
        Self { refusal, custom_id: None, detail: None }
    }
}

/// The answer on the wire.
pub(crate) fn answer(operator: &str, device: &str, message_id: Option<Value>, outcome: Result<Reply, Fault>) -> Value {
    let (code, mut info, mut top) = match outcome {
        Ok(Reply { mut info, top, numeric, .. }) => {
            info.entry("result").or_insert(json!("ok"));
            (if numeric { json!(200) } else { json!("200") }, info, top)
        }
        Err(fault) => (json!(fault.refusal.code.to_string()), refused(&fault), Map::new()),
    };
    info.insert("facesluiceId".to_owned(), json!(device));
    top.insert("operator".to_owned(), json!(format!("{operator}-Ack")));
    top.insert("code".to_owned(), code);
    top.insert("info".to_owned(), Value::Object(info));
    if let Some(id) = message_id {
        top.insert("messageId".to_owned(), id);
    }
    Value::Object(top)
}

fn refused(fault: &Fault) -> Map<String, Value> {
    let mut info = Map::new();
    info.insert("result".to_owned(), json!("fail"));
    info.insert("detail".to_owned(), json!(fault.detail()));
    if let Some(id) = &fault.custom_id {
        info.insert("customId".to_owned(), json!(id));
    }
    info
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_read_in_any_case_and_with_trailing_commas() {
        let command = Command::read(br#"{"MessageID": 7, "Operator": "EditPerson", "INFO": {"a": 1,},}"#).unwrap();
        assert_eq!((command.message_id, command.operator.as_str()), (Some(json!(7)), "EditPerson"));
        assert_eq!(command.info, Some(json!({"a": 1})));
        for none in ["", "[]", "{}", "7", "{\"operator\": 7}", "{\"operator\": \"x\""] {
            assert_eq!(Command::read(none.as_bytes()), None, "{none}");
        }
    }

    #[test]
    fn a_command_names_this_device_another_or_none() {
        let read = |text: &str| Command::read(text.as_bytes()).unwrap().is_for("1306612");
        assert!(read(r#"{"operator": "x"}"#));
        assert!(read(r#"{"operator": "x", "info": {"facesIuiceId": "1306612"}}"#));
        assert!(read(r#"{"operator": "x", "info": {"facesluiceId": 1306612}}"#));
        assert!(!read(r#"{"operator": "x", "info": {"facesluiceId": "1"}}"#));
        assert!(!read(r#"{"operator": "x", "facesluiceId": "1"}"#));
    }
}

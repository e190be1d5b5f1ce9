//! The part of a command that is needed for an answer when the rest cannot be read: when it is cut off, nested too
//! deeply, or has too many values.

use std::fmt;

use serde::Deserializer;
use serde::de::{IgnoredAny, MapAccess, Visitor};
use serde_json::Value;

/// A command's messageId and operator.
#[derive(Debug, PartialEq)]
pub(super) struct Head {
    pub(super) message_id: Value,
    pub(super) operator: String,
}

/// The values read so far.
#[derive(Default)]
struct Found {
    message_id: Option<Value>,
    operator: Option<String>,
}

impl Head {
    /// Reads the message as far as possible; `None` unless both are found. Allocates nothing for the rest.
    pub(super) fn read(payload: &[u8]) -> Option<Self> {
        let mut found = Found::default();
        // Reading ends where the message is damaged; values before that count.
        let _ = serde_json::Deserializer::from_slice(payload).deserialize_map(Finder(&mut found));
        let Found { message_id, operator } = found;
        Some(Self { message_id: message_id?, operator: operator?.trim().to_owned() })
    }
}

struct Finder<'a>(&'a mut Found);

impl<'de> Visitor<'de> for Finder<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a command")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        while let Some(name) = members.next_key::<String>()? {
            if name.trim().eq_ignore_ascii_case("messageId") {
                let id: Value = members.next_value()?;
                self.0.message_id = Some(id).filter(|id| id.is_string() || id.is_number());
            } else if name.trim().eq_ignore_ascii_case("operator") {
                self.0.operator = Some(members.next_value()?);
            } else {
                members.next_value::<IgnoredAny>()?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_head_of_a_damaged_command_is_read() {
        let deep =
            format!(r#"{{"messageId": 7, "info": {}, "operator": "Unlock"}}"#, "[".repeat(200) + &"]".repeat(200));
        for damaged in [
            r#"{"messageId": 7, "operator": "Unlock""#,
            r#"{"messageId": 7, "operator": "Unlock", "info": {"uid": "cut sho"#,
            r#"{"MessageID": 7, "OPERATOR": " Unlock ", "info": }"#,
            r#"{"operator": "Unlock", "messageId": 7, "info": {"a" 1}}"#,
            &deep,
        ] {
            let head = Head { message_id: json!(7), operator: "Unlock".to_owned() };
            assert_eq!(Head::read(damaged.as_bytes()), Some(head), "{damaged}");
        }
    }

    #[test]
    fn without_both_there_is_none() {
        for none in [
            "",
            "[]",
            "x",
            r#"{"operator": "Unlock""#,
            r#"{"messageId": 7, "info"#,
            r#"{"messageId": [], "operator": "a""#,
        ] {
            assert_eq!(Head::read(none.as_bytes()), None, "{none}");
        }
    }
}

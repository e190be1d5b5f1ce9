//! Configuration (chapter 7).

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};

#[derive(Deserialize)]
pub(crate) struct UpdateConfig {
    pub(crate) name: String,
    pub(crate) config: Properties,
    pub(crate) remark: Option<String>,
}

/// A JSON text, or an object, which is converted to text (quirk "7.1 config").
pub(crate) struct Properties {
    pub(crate) text: String,
    pub(crate) properties: Map<String, Value>,
}

impl<'de> Deserialize<'de> for Properties {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let wrong = || D::Error::custom("the text of a JSON object is expected");
        match Value::deserialize(deserializer)? {
            Value::Object(properties) => Ok(Self { text: Value::Object(properties.clone()).to_string(), properties }),
            Value::String(text) => {
                let properties = adapter::parse_object(text.as_bytes()).map_err(|_| wrong())?;
                Ok(Self { text, properties })
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) => Err(wrong()),
        }
    }
}

#[derive(Deserialize)]
pub(crate) struct GetConfig {
    pub(crate) name: String,
}

/// The document's table has `info`, its example `Info`: both are sent (quirk "7.2 info").
#[derive(Serialize)]
pub(crate) struct ConfigAnswer {
    pub(crate) code: u16,
    pub(crate) info: NamedConfig,
    #[serde(rename = "Info")]
    pub(crate) info_again: NamedConfig,
    pub(crate) msg: &'static str,
}

#[derive(Serialize, Clone)]
pub(crate) struct NamedConfig {
    pub(crate) name: String,
    pub(crate) config: String,
}

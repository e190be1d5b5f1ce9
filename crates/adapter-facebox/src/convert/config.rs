//! Configuration.

use serde_json::{Map, Value, json};

use super::bounded;
use crate::codes::Fault;

/// The longest configuration kept, in characters.
const MAX_CONFIG: usize = 4096;
/// The longest address, in characters.
const MAX_HOST: usize = 255;

/// The server of pictures that was not set yet.
pub(crate) fn no_storage_server() -> String {
    json!({"ip": "", "port": 0}).to_string()
}

/// What is kept of a storage server: the text as it was sent, or that of an object.
pub(crate) fn storage_server(config: &Value) -> Result<String, Fault> {
    let text = match config {
        Value::String(text) => text.clone(),
        Value::Object(_) => config.to_string(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) => return Err(Fault::field("config")),
    };
    let text = bounded("config", text, MAX_CONFIG)?;
    let properties: Map<String, Value> = serde_json::from_str(&text).map_err(|_| Fault::field("config"))?;
    let host = properties.get("ip").and_then(Value::as_str).unwrap_or_default();
    let named = (1..=MAX_HOST).contains(&host.chars().count());
    let port = properties.get("port").and_then(Value::as_u64).is_some_and(|port| (1..=65_535).contains(&port));
    if named && port { Ok(text) } else { Err(Fault::field("config")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_storage_server_has_an_address_and_a_port() {
        let text = r#"{"ip":"127.0.0.1","port":10009}"#;
        assert_eq!(storage_server(&json!(text)).unwrap(), text);
        assert_eq!(storage_server(&json!({"ip": "127.0.0.1", "port": 10009})).unwrap(), text);
        for bad in
            [json!(""), json!("7"), json!(7), json!({"ip": "a"}), json!({"ip": "a", "port": 0}), json!({"port": 1})]
        {
            assert_eq!(storage_server(&bad).unwrap_err().message(), "Invalid para: config", "{bad}");
        }
    }
}

//! Configuration.

use serde_json::{Value, json};

use super::bounded;
use crate::codes::Fault;
use crate::wire::config::Properties;

/// The longest configuration kept, in characters.
const MAX_CONFIG: usize = 4096;
/// The longest address, in characters.
const MAX_HOST: usize = 255;

/// The server of pictures that was not set yet.
pub(crate) fn no_storage_server() -> String {
    json!({"ip": "", "port": 0}).to_string()
}

/// What is kept of a storage server: the text as it was sent, or that of an object.
pub(crate) fn storage_server(Properties { text, properties }: Properties) -> Result<String, Fault> {
    let text = bounded("config", text, MAX_CONFIG)?;
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
        let read = |config: &Value| serde_json::from_value::<Properties>(config.clone());
        let kept = |config: &Value| storage_server(read(config).unwrap());
        assert_eq!(kept(&json!(text)).unwrap(), text);
        assert_eq!(kept(&json!({"ip": "127.0.0.1", "port": 10009})).unwrap(), text);
        for bad in [json!("{}"), json!({"ip": "a"}), json!({"ip": "a", "port": 0}), json!({"port": 1})] {
            assert_eq!(kept(&bad).unwrap_err().message(), "Invalid para: config", "{bad}");
        }
        for mistyped in [json!(""), json!("7"), json!("no JSON"), json!(7), json!(null), json!(["a", 1])] {
            assert!(read(&mistyped).is_err(), "{mistyped}");
        }
    }
}

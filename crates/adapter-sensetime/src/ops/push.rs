//! Where captures go: the receiver of HTTP pushes and the key of the WebSocket.

use domain::Error;
use serde::{Deserialize, Serialize};

use crate::call::Call;
use crate::codes::Fault;
use crate::convert::bounded;
use crate::core::Core;
use crate::wire::Nothing;
use crate::wire::push::{HttpPush, SetHttpPush, WsKey};

/// The state value that holds the receiver.
pub(super) const RECEIVER: &str = "push.receiver";

/// Who gets the pushes.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Receiver {
    /// Sent along, so that the receiver knows the sender.
    pub(crate) key: String,
    /// Empty when nothing is pushed.
    pub(crate) url: String,
}

/// The receiver in force. `Unavailable` when it cannot be read.
pub(crate) async fn receiver(core: &Core) -> domain::Result<Receiver> {
    Ok(core.state().read_value(RECEIVER, kept).await?.unwrap_or_default())
}

/// Former versions kept the key, a line feed, and the URL.
fn kept(text: &str) -> Result<Receiver, String> {
    match text.rsplit_once('\n') {
        Some((key, url)) => Ok(Receiver { key: key.to_owned(), url: url.to_owned() }),
        None => serde_json::from_str(text).map_err(|error| error.to_string()),
    }
}

/// Reads the receiver of pushes (1299, section 7.1).
pub(crate) async fn get_http_push(call: Call) -> Result<HttpPush, Fault> {
    let Receiver { key, url } = receiver(&call.core).await?;
    Ok(HttpPush { key, url })
}

/// Sets the receiver of pushes; an empty url stops them (1298, section 7.2).
pub(crate) async fn set_http_push(call: Call) -> Result<Nothing, Fault> {
    let SetHttpPush { url, key } = call.read()?;
    let url = with_scheme(url.0.trim());
    if !url.is_empty() {
        call.core.outbound.check(&url).map_err(|error| Fault::parameter(format!("url: {error}")))?;
    }
    let receiver = Receiver { key: bounded("key", key)?, url };
    let kept = serde_json::to_string(&receiver).map_err(Error::internal("writing the receiver"))?;
    call.acts()?.configure(&call.core.state(), RECEIVER, Some(kept)).await?;
    call.core.receiver_changed.send_modify(|version| *version += 1);
    Ok(Nothing::NOTHING)
}

/// An example of the document has no scheme.
fn with_scheme(url: &str) -> String {
    if url.is_empty() || url.contains("://") { url.to_owned() } else { format!("http://{url}") }
}

/// Reads the key of the WebSocket (1286, section 9.1).
pub(crate) async fn get_ws_key(call: Call) -> Result<WsKey, Fault> {
    Ok(WsKey { key: call.core.ws_key().await?.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_scheme_counts_as_http() {
        assert_eq!(with_scheme("192.0.2.10:8088/x"), "http://192.0.2.10:8088/x");
        assert_eq!(with_scheme("https://a/"), "https://a/");
        assert_eq!(with_scheme(""), "");
    }

    #[test]
    fn a_receiver_reads_back_as_written_and_as_former_versions_wrote_it() {
        let receiver = Receiver { key: "a \"b\"\nc".into(), url: "http://192.0.2.10/x".into() };
        assert_eq!(kept(&serde_json::to_string(&receiver).unwrap()), Ok(receiver.clone()));
        assert_eq!(kept("a \"b\"\nc\nhttp://192.0.2.10/x"), Ok(receiver));
        assert!(kept("").is_err() && kept(r#"{"key":""}"#).is_err());
    }
}

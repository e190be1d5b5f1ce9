//! Where captures go: the receiver of HTTP pushes and the key of the WebSocket.

use crate::call::Call;
use crate::codes::Fault;
use crate::convert::bounded;
use crate::core::Core;
use crate::wire::Nothing;
use crate::wire::push::{HttpPush, SetHttpPush, WsKey};

/// The state value that holds the receiver: its key, a line feed, its URL.
pub(super) const RECEIVER: &str = "push.receiver";

/// Who gets the pushes.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Receiver {
    /// Sent along, so that the receiver knows the sender.
    pub(crate) key: String,
    /// Empty when nothing is pushed.
    pub(crate) url: String,
}

/// The receiver in force.
pub(crate) async fn receiver(core: &Core) -> domain::Result<Receiver> {
    let kept = core.state().value(RECEIVER).await?.unwrap_or_default();
    let (key, url) = kept.rsplit_once('\n').unwrap_or_default();
    Ok(Receiver { key: key.to_owned(), url: url.to_owned() })
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
    let kept = format!("{}\n{url}", bounded("key", key)?);
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
}

//! Where captures are sent: the receiver of HTTP pushes and the key of the WebSocket.

use crate::codes::{Code, Fault};
use crate::convert::bounded;
use crate::request::Call;
use crate::settings::{self, RECEIVER, Receiver};
use crate::wire::Nothing;
use crate::wire::push::{HttpPush, SetHttpPush, WsKey};

/// Reads the receiver of pushes (1299, section 7.1).
pub(crate) async fn get_http_push(call: Call) -> Result<HttpPush, Fault> {
    let Receiver { key, url } = settings::receiver(&call.device.state()).await?;
    Ok(HttpPush { key, url })
}

/// Sets the receiver of pushes; an empty url stops them (1298, section 7.2).
pub(crate) async fn set_http_push(call: Call) -> Result<Nothing, Fault> {
    let SetHttpPush { url, key } = call.read()?;
    let url = with_scheme(url.0.trim());
    if !url.is_empty() {
        call.device.outbound.check(&url).map_err(|error| Fault::parameter(format!("url: {error}")))?;
    }
    let receiver = Receiver { key: bounded("key", key)?, url };
    call.acts()?.configure(&call.device.state(), RECEIVER, Some(receiver.value()?)).await?;
    call.device.receiver_changed.send_modify(|version| *version += 1);
    Ok(Nothing::NOTHING)
}

/// An example of the document has no scheme.
fn with_scheme(url: &str) -> String {
    if url.is_empty() || url.contains("://") { url.to_owned() } else { format!("http://{url}") }
}

/// Reads the key that admits the caller's session to the WebSocket (1286, section 9.1).
pub(crate) async fn get_ws_key(call: Call) -> Result<WsKey, Fault> {
    let caller = call.caller.as_ref().ok_or(Code::NotLoggedIn)?;
    let key = call.device.sessions.stream_key(&caller.session).ok_or(Code::NotLoggedIn)?;
    Ok(WsKey { key })
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

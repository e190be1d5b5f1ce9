//! Calls to the servers that the device sends to, and what they answer.

use std::time::Duration;

use axum::http::StatusCode;
use serde::Serialize;
use serde_json::Value;

use crate::device::Device;

/// The message of a platform that refuses the token, whatever its code (quirk S-401CODE).
const UNAUTHORISED: &str = "未授权";
/// The largest answer that is searched for this message, bytes.
const MAX_REFUSAL: usize = 64 << 10;

/// Posts JSON; the text says why the server does not take it. A platform that refuses the token has the device log in
/// again.
pub(super) async fn send_json(
    device: &Device,
    url: &str,
    document: &(impl Serialize + Sync),
    timeout: Duration,
) -> Result<(), String> {
    let sent = device.outbound.exchange_json(url, document, None, timeout).await;
    let (status, body) = sent.map_err(|error| error.to_string())?;
    check_token(device, url, status, &body)?;
    accepted(status, &body)
}

/// Ends the login of a call that is answered with a refusal of its token; fails for such an answer.
pub(super) fn check_token(device: &Device, url: &str, status: StatusCode, body: &[u8]) -> Result<(), String> {
    if !refuses_token(status, body) {
        return Ok(());
    }
    device.end_login_of(url);
    Err("the server answers that the call is not authorised".to_owned())
}

fn refuses_token(status: StatusCode, body: &[u8]) -> bool {
    if status == StatusCode::UNAUTHORIZED || body.len() > MAX_REFUSAL {
        return status == StatusCode::UNAUTHORIZED;
    }
    serde_json::from_slice::<Value>(body).is_ok_and(|body| {
        let told = body.get("error").unwrap_or(&body).get("message");
        told.and_then(Value::as_str) == Some(UNAUTHORISED)
    })
}

/// Whether an answer says that all is well, otherwise what it says.
pub(super) fn accepted(status: StatusCode, body: &[u8]) -> Result<(), String> {
    if !status.is_success() {
        return Err(format!("the server answers {status}"));
    }
    let told = serde_json::from_slice::<Value>(body).ok();
    match told.as_ref().and_then(|body| body.get("status")).and_then(Value::as_i64) {
        None | Some(0) => Ok(()),
        Some(status) => Err(format!("the server answers status {status}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_other_than_0_in_the_body_is_a_failure() {
        for (status, body, ok) in [
            (200, "", true),
            (204, "text", true),
            (200, "{\"status\": 0, \"data\": null}", true),
            (200, "{\"status\": 1}", false),
            (500, "{\"status\": 0}", false),
        ] {
            assert_eq!(accepted(StatusCode::from_u16(status).unwrap(), body.as_bytes()).is_ok(), ok, "{status} {body}");
        }
    }

    #[test]
    fn the_status_or_the_message_refuses_a_token() {
        let refusal = r#"{"error": {"code": 40003, "message": "未授权", "status": "PARAM_ERROR"}}"#;
        for (status, body, refused) in [
            (401, "", true),
            (400, refusal, true),
            (200, refusal, true),
            (200, r#"{"status": 1, "message": "未授权"}"#, true),
            (403, r#"{"error": {"message": "no"}}"#, false),
            (500, "未授权", false),
            (200, r#"{"status": 0}"#, false),
        ] {
            let status = StatusCode::from_u16(status).unwrap();
            assert_eq!(refuses_token(status, body.as_bytes()), refused, "{status} {body}");
        }
    }
}

//! Software upgrades.

use crate::codes::{Code, Fault};
use crate::request::Call;
use crate::wire::Nothing;

/// Installs a signed package and restarts; all sessions end (1292, section 6.11).
pub(crate) async fn upgrade(mut call: Call) -> Result<Nothing, Fault> {
    let package = call.take_upload()?;
    call.acts()?.upgrade(package.path()).await.map_err(|error| {
        tracing::warn!(error = error.chain(), "software not installed");
        Fault::with_detail(Code::Upgrade, error.to_string())
    })?;
    call.device.sessions.close_all();
    Ok(Nothing::NOTHING)
}

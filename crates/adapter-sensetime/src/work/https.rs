//! Serving over HTTPS, or in clear, as before the last stop.

use std::time::Duration;

use crate::device::Device;
use crate::settings;

/// The interval between two attempts.
const RETRY: Duration = Duration::from_secs(10);

/// Serves as before the last stop; retries until that succeeds. A device that served over HTTPS never serves in clear
/// afterwards, and serves with an expired certificate rather than not at all.
pub(crate) async fn resume(device: &Device) {
    while let Err(error) = try_resume(device).await {
        tracing::error!(error, "failed to serve as before the restart, retrying");
        tokio::time::sleep(RETRY).await;
    }
}

async fn try_resume(device: &Device) -> Result<(), String> {
    if !settings::is_https(&device.state()).await.map_err(|error| error.chain())? {
        return device.encryption.turn_off().await.map_err(|error| error.to_string());
    }
    device.encryption.refuse_clear();
    let config = device.encryption.server(None).await.map_err(|error| error.to_string())?;
    device.encryption.turn_on(config).await.map_err(|error| error.to_string())
}

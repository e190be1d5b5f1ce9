//! The status, every period; a report that fails is not repeated.

use std::future::pending;
use std::time::Duration;

use domain::Error;
use tokio_util::sync::CancellationToken;

use super::messages::status;
use crate::device::Device;

/// The server takes a report within this time.
const TIMEOUT: Duration = Duration::from_secs(10);

/// Reports every period while there is a server for it, until cancelled.
pub(super) async fn report(device: &Device, cancel: &CancellationToken) {
    let mut changed = device.servers_changed.subscribe();
    loop {
        // While the settings cannot be read, nothing is reported.
        let server = device.status().await.ok().filter(|server| !server.url.is_empty());
        let due = async {
            match &server {
                Some(server) => tokio::time::sleep(Duration::from_secs(server.period.into())).await,
                None => pending().await,
            }
        };
        tokio::select! {
            () = cancel.cancelled() => return,
            _ = changed.changed() => {}
            () = due => {
                let url = server.as_ref().map(|server| server.url.as_str()).unwrap_or_default();
                if let Some(Err(why)) = cancel.run_until_cancelled(send(device, url)).await {
                    tracing::debug!(why, "status report failed");
                }
            }
        }
    }
}

async fn send(device: &Device, url: &str) -> Result<(), String> {
    let report = status(device).await.map_err(|error| error.chain())?;
    let document = serde_json::to_value(report).map_err(Error::internal("writing a status report"));
    let document = document.map_err(|error| error.chain())?;
    match device.outbound.post_json(url, &document, TIMEOUT).await {
        Ok(status) if status.is_success() => Ok(()),
        Ok(status) => Err(format!("the server answers {status}")),
        Err(error) => Err(error.to_string()),
    }
}

//! The status, every period; a report that fails is not repeated.

use std::future::pending;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::calls::send_json;
use super::messages::status;
use crate::device::Device;

/// The server takes a report within this time.
const TIMEOUT: Duration = Duration::from_secs(10);

/// Reports every period while there is a server for it, the platform's before the one that was set, until cancelled.
pub(super) async fn report(device: &Device, cancel: &CancellationToken) {
    let (mut changed, mut platform) = (device.servers_changed.subscribe(), device.platform_servers.subscribe());
    loop {
        let server = server(device).await;
        let due = async {
            match &server {
                Some((url, every)) => {
                    tokio::time::sleep(*every).await;
                    url
                }
                None => pending().await,
            }
        };
        tokio::select! {
            () = cancel.cancelled() => return,
            _ = changed.changed() => {}
            _ = platform.changed() => {}
            url = due => {
                if let Some(Err(why)) = cancel.run_until_cancelled(send(device, url)).await {
                    tracing::debug!(why, "status report failed");
                }
            }
        }
    }
}

/// Where the status goes, and how often; `None` while it goes nowhere, or the settings cannot be read.
async fn server(device: &Device) -> Option<(String, Duration)> {
    let platform = device.platform_servers.borrow().clone();
    if let Some(url) = platform.status {
        return Some((url, platform.status_every));
    }
    let server = device.status().await.ok().filter(|server| !server.url.is_empty())?;
    Some((server.url, Duration::from_secs(server.period.into())))
}

async fn send(device: &Device, url: &str) -> Result<(), String> {
    let report = status(device).await.map_err(|error| error.chain())?;
    send_json(device, url, &report, TIMEOUT).await
}

//! The list of cameras (7.4): whole, after a login and whenever one changes, until the platform has it.

use std::time::Duration;

use domain::{Error, LibraryFilter};
use tokio_util::sync::CancellationToken;

use super::after_changes::send_after_changes;
use super::calls::send_json;
use crate::convert::events::list_entry;
use crate::device::Device;
use crate::wire::events::CameraList;

/// The platform takes the list within this time.
const TIMEOUT: Duration = Duration::from_secs(10);

/// Sends the list until cancelled.
pub(super) async fn send(device: &Device, cancel: &CancellationToken) {
    let send = |url: String| async move { send_list(device, &url).await };
    send_after_changes((device, "list of cameras"), |servers| servers.cameras, send, cancel).await;
}

async fn send_list(device: &Device, url: &str) -> Result<(), String> {
    let list = list(device).await.map_err(|error| error.chain())?;
    send_json(device, url, &list, TIMEOUT).await
}

async fn list(device: &Device) -> Result<CameraList, Error> {
    let appliance = &device.appliance;
    let dev_sno = device.dev_sno().await?;
    let now = appliance.now().as_millis() / 1000;
    let cameras = appliance.cameras().await?;
    let libraries = appliance.libraries(LibraryFilter::default()).await?;
    let entry = |camera| list_entry(camera, &appliance.camera_status(camera.id), &libraries, &dev_sno, now);
    Ok(CameraList { device_list: cameras.iter().map(entry).collect(), dev_sno })
}

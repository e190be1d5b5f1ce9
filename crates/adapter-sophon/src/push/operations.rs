//! Cameras that are added and removed, one by one, for platforms of V2R1C01 (7.4): each until the platform has it, also over
//! a restart.

use std::time::Duration;

use domain::{Camera, LibraryFilter, Result};
use tokio_util::sync::CancellationToken;

use super::after_changes::send_after_changes;
use super::calls::send_json;
use crate::convert::events::{added, list_entry, removed};
use crate::device::{Device, REPORTED, written};
use crate::settings::{ReportedCamera, ReportedCameras};
use crate::wire::events::Operation;

/// The platform takes a message within this time.
const TIMEOUT: Duration = Duration::from_secs(10);

/// Sends what has changed, until cancelled.
pub(super) async fn send(device: &Device, cancel: &CancellationToken) {
    let send = |url: String| async move { send_changes(device, &url).await };
    send_after_changes((device, "change of a camera"), |servers| servers.operations, send, cancel).await;
}

/// Sends every change since the last one that the platform has taken, in order.
async fn send_changes(device: &Device, url: &str) -> Result<(), String> {
    let internal = |error: domain::Error| error.chain();
    let to = url.split('?').next().unwrap_or_default();
    let mut known = device.reported().await.map_err(internal)?;
    if known.to != to {
        known = ReportedCameras { to: to.to_owned(), cameras: Vec::new() };
    }
    let present = present(device).await.map_err(internal)?;
    let now = device.appliance.now().as_millis() / 1000;
    let is_in = |list: &[ReportedCamera], camera: &ReportedCamera| list.iter().any(|other| is_same(other, camera));
    for gone in known.cameras.clone().iter().filter(|camera| !is_in(&present, camera)) {
        post(device, url, &removed(gone.entry.clone(), now)).await?;
        known.cameras.retain(|camera| !is_same(camera, gone));
        keep(device, &known).await.map_err(internal)?;
    }
    for new in present {
        if !is_in(&known.cameras, &new) {
            post(device, url, &added(new.entry.clone())).await?;
            known.cameras.push(new);
            keep(device, &known).await.map_err(internal)?;
        }
    }
    Ok(())
}

/// Whether both are one camera at one address; another address is another device to the platform.
fn is_same(one: &ReportedCamera, other: &ReportedCamera) -> bool {
    (one.channel, one.added_at, &one.entry.ep_id) == (other.channel, other.added_at, &other.entry.ep_id)
}

async fn present(device: &Device) -> Result<Vec<ReportedCamera>> {
    let appliance = &device.appliance;
    let (dev_sno, now) = (device.dev_sno().await?, appliance.now().as_millis() / 1000);
    let libraries = appliance.libraries(LibraryFilter::default()).await?;
    let as_reported = |camera: Camera| ReportedCamera {
        channel: camera.id.0,
        added_at: camera.created_at.as_millis(),
        entry: list_entry(&camera, &appliance.camera_status(camera.id), &libraries, &dev_sno, now),
    };
    Ok(appliance.cameras().await?.into_iter().map(as_reported).collect())
}

async fn post(device: &Device, url: &str, message: &Operation) -> Result<(), String> {
    send_json(device, url, message, TIMEOUT).await
}

async fn keep(device: &Device, known: &ReportedCameras) -> Result<()> {
    device.state().set_value(REPORTED, Some(written(known)?)).await
}

//! Cameras that send pictures to the device, by FTP or in a request.

use std::net::IpAddr;

use bytes::Bytes;
use domain::{Actor, Camera, Error, Result, Source, Thing, Timestamp};

use crate::device::Device;

/// The camera that sends pictures from this address, if there is one.
pub(crate) async fn camera_at(device: &Device, address: IpAddr) -> Result<Option<Camera>> {
    let address = address.to_canonical();
    let is_meant = |camera: &Camera| matches!(camera.settings.source, Source::Pushed { host } if host == address);
    Ok(device.appliance.cameras().await?.into_iter().find(is_meant))
}

/// Takes a picture as if the camera at this address had sent it at `at`. On `Ok` the people in it are recorded.
///
/// # Errors
/// `NotFound(Camera)` when there is no such camera, and those of the core.
pub(crate) async fn take_picture(
    device: &Device,
    actor: &Actor,
    from: IpAddr,
    picture: Bytes,
    at: Timestamp,
) -> Result<()> {
    let camera = camera_at(device, from).await?.ok_or(Error::NotFound { what: Thing::Camera })?;
    device.appliance.by(actor).deliver_picture(camera.id, picture, at).await
}

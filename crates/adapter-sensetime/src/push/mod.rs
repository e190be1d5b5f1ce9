//! Captures on their way out: to the receiver of HTTP pushes and to WebSocket clients.

pub(crate) mod receiver;
pub(crate) mod websocket;

use adapter::content_type;
use bytes::Bytes;
use domain::{Error, PictureId, Record, Result};

use crate::convert::{paths, records};
use crate::device::Device;
use crate::wire::push::CaptureData;

/// The pictures of a record; `None` for one that is no longer kept.
struct Pictures {
    /// The face.
    snap: Option<Bytes>,
    /// The whole scene.
    scene: Option<Bytes>,
    /// The best match's picture.
    photo: Option<Bytes>,
}

/// The data of 774 and 777 for a capture, and its pictures.
async fn capture(device: &Device, record: &Record) -> Result<(CaptureData, Pictures)> {
    let photo = match record.best() {
        Some(best) => kept(device, &best.photo).await?,
        None => None,
    };
    let (snap, scene) = (kept(device, &record.capture.crop).await?, kept(device, &record.capture.scene).await?);
    let extension = photo.as_deref().map_or("jpg", |photo| paths::extension(content_type(photo)));
    let device_id = device.appliance.device().await?.device_id;
    let data = records::capture_data(record, device_id, extension, &device.zone());
    Ok((data, Pictures { snap, scene, photo }))
}

/// A stored picture, unless it was removed.
async fn kept(device: &Device, picture: &PictureId) -> Result<Option<Bytes>> {
    match device.appliance.picture(picture.clone()).await {
        Ok(bytes) => Ok(Some(bytes)),
        Err(Error::NotFound { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

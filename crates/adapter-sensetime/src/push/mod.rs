//! Captures on their way out: to the receiver of HTTP pushes and to WebSocket clients.

pub(crate) mod receiver;
pub(crate) mod websocket;

use adapter::content_type;
use bytes::Bytes;
use domain::{CameraId, Entry, Error, ObjectCapture, PictureId, Record, Result, What};

use crate::convert::{bodies, paths, records};
use crate::device::Device;
use crate::wire::push::CaptureData;

/// A capture on its way out.
enum Captured<'a> {
    Face(&'a Record),
    Body(Box<ObjectCapture>),
}

impl<'a> Captured<'a> {
    /// The capture that an entry of the log is, if it is one.
    fn of(entry: &'a Entry) -> Option<Self> {
        match &entry.what {
            What::Record(record) => Some(Self::Face(record)),
            What::Behaviour(seen) if bodies::is_capture(seen) => {
                let camera = entry.camera.unwrap_or(CameraId(0));
                let behaviour = seen.as_ref().clone();
                Some(Self::Body(Box::new(ObjectCapture { seq: entry.seq, at: entry.at, camera, behaviour })))
            }
            What::Behaviour(_) | What::Correction(_) | What::Clip(_) | What::Opening(_) | What::Notice(_) => None,
        }
    }

    /// `ranking` of 777.
    fn ranking(&self) -> i64 {
        match self {
            Self::Face(record) => records::ranking(record.best()),
            Self::Body(_) => records::ranking(None),
        }
    }
}

/// The pictures of a capture; `None` for one that is no longer kept.
struct Pictures {
    /// The face or the body.
    snap: Option<Bytes>,
    /// The whole scene.
    scene: Option<Bytes>,
    /// The best match's picture.
    photo: Option<Bytes>,
}

/// The data of 774 and 777 for a capture, and its pictures.
async fn capture(device: &Device, captured: &Captured<'_>) -> Result<(CaptureData, Pictures)> {
    match captured {
        Captured::Face(record) => face_capture(device, record).await,
        Captured::Body(body) => body_capture(device, body).await,
    }
}

async fn body_capture(device: &Device, body: &ObjectCapture) -> Result<(CaptureData, Pictures)> {
    let (snap, scene) = (kept(device, &body.behaviour.crop).await?, kept(device, &body.behaviour.scene).await?);
    let device_id = device.appliance.device().await?.device_id;
    Ok((bodies::capture_data(body, device_id, &device.zone()), Pictures { snap, scene, photo: None }))
}

async fn face_capture(device: &Device, record: &Record) -> Result<(CaptureData, Pictures)> {
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

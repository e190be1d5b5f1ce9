//! What the messages are made of.

use std::time::Duration;

use bytes::Bytes;
use domain::{CameraId, Error, PictureId, Record, Result};

use super::calls::{accepted, check_token, send_json};
use crate::convert::events::{Pictures, event, form, main_port, sub_device};
use crate::device::Device;
use crate::settings::Format;
use crate::wire::events::{Event, Gateway, Status};

/// Bytes of a GB.
const GIGA: f64 = 1e9;

/// Which pictures go with an event.
#[derive(Clone, Copy)]
pub(super) struct Wanted {
    pub(super) enrolment: bool,
    pub(super) scene: bool,
    pub(super) face: bool,
}

/// The event of a record; `dev_sno`: for the history.
pub(super) async fn of_record(
    device: &Device,
    record: &Record,
    wanted: Wanted,
    dev_sno: Option<String>,
) -> Result<Event> {
    let camera = camera(device, record.capture.camera).await?;
    let photo = record.accepted().map(|person| &person.photo);
    let pictures = Pictures {
        enrolment: picture(device, photo.filter(|_| wanted.enrolment)).await?,
        scene: picture(device, Some(&record.capture.scene).filter(|_| wanted.scene)).await?,
        face: picture(device, Some(&record.capture.crop).filter(|_| wanted.face)).await?,
    };
    Ok(event(record, camera.as_ref(), pictures, dev_sno))
}

/// A camera; `None` when it is gone.
async fn camera(device: &Device, id: CameraId) -> Result<Option<domain::Camera>> {
    match device.appliance.camera(id).await {
        Ok(camera) => Ok(Some(camera)),
        Err(Error::NotFound { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

/// A picture; `None` for one that is no longer kept.
async fn picture(device: &Device, id: Option<&PictureId>) -> Result<Option<Bytes>> {
    let Some(id) = id else { return Ok(None) };
    match device.appliance.picture(id.clone()).await {
        Ok(bytes) => Ok(Some(bytes)),
        Err(Error::NotFound { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

/// The status of the device.
pub(super) async fn status(device: &Device) -> Result<Status> {
    let appliance = &device.appliance;
    let (about, dev_sno, network) = (appliance.device().await?, device.dev_sno().await?, appliance.network().await?);
    let (processor, memory, disk) =
        (appliance.processor().await?, appliance.memory().await?, appliance.storage_usage().await?);
    let port = main_port(&network.ports);
    let subnet = port.and_then(|port| port.subnet);
    let cameras = appliance.cameras().await?;
    let sub_devices = cameras.iter().map(|camera| sub_device(camera, &appliance.camera_status(camera.id), &dev_sno));
    Ok(Status {
        gateway_ip: subnet.map(|subnet| subnet.address.to_string()).unwrap_or_default(),
        gateway_name: about.name,
        gateway_status: "online",
        gateway_sn: about.serial,
        gateway_ext_data: Gateway {
            sw_version: format!("VERSION: polyface {}\n", about.version),
            sdk_version: about.version,
            gateway_mac: port.map(|port| port.hardware_address.clone()).unwrap_or_default(),
            cpu_usage: processor.busy_percent,
            memory_size: memory.total_bytes as f64 / GIGA,
            memory_usage: memory.used_bytes as f64 / memory.total_bytes.max(1) as f64,
            disk_size: (disk.used_bytes + disk.free_bytes) as f64 / GIGA,
            disk_free_size: disk.free_bytes as f64 / GIGA,
            temperature: 0,
        },
        sub_devices: sub_devices.collect(),
        dev_sno,
    })
}

/// Sends an event. The receiver has it when it answers 2xx, and no other `status` than 0 in a JSON body (quirk
/// S-HISTACK); otherwise the text says why it has not.
pub(super) async fn post(
    device: &Device,
    url: &str,
    event: &Event,
    format: Format,
    timeout: Duration,
) -> Result<(), String> {
    match format {
        Format::Json => send_json(device, url, event, timeout).await,
        Format::FormData => {
            let parts = form(event).map_err(|error| error.to_string())?;
            let sent = device.outbound.exchange_multipart(url, parts, timeout).await;
            let (status, body) = sent.map_err(|error| error.to_string())?;
            check_token(device, url, status, &body)?;
            accepted(status, &body)
        }
    }
}

//! What the messages are made of.

use bytes::Bytes;
use domain::{Camera, CameraStatus, Candidate, Error, ObjectCapture, PictureId, Record, Result, Seq, Source};

use crate::convert::channels::camera_of;
use crate::convert::push::{Shown, THIS_FACE, behaviour, compare_result, face, target_id};
use crate::device::Device;
use crate::settings::Channel;
use crate::wire::push::{ChannelInfo, CompareResult, DeviceInfo, Message};

/// A rule has fired.
const ALARM: u8 = 1;
/// What a rule has fired for is over.
const RECOVERY: u8 = 2;
/// A face on a channel without person libraries.
const FACE_CAPTURE: u8 = 3;
/// A face on a channel with person libraries.
const FACE_COMPARISON: u8 = 4;
/// Faces of an alarm that were compared.
const ALARM_COMPARISON: u8 = 5;
/// The device lives.
const KEEP_ALIVE: u8 = 6;
/// A channel changed.
const CHANNEL_CHANGE: u8 = 7;

/// The message about a record.
pub(super) async fn of_record(device: &Device, record: &Record, with_pictures: bool) -> Result<Message> {
    let camera = device.appliance.camera(record.capture.camera).await;
    let camera = match camera {
        Ok(camera) => Some(camera),
        Err(Error::NotFound { .. }) => None,
        Err(error) => return Err(error),
    };
    let compared =
        record.best().is_some() || camera.as_ref().is_some_and(|camera| !camera.watch.settings.libraries.is_empty());
    let results = if compared { Some(compare_results(device, record, with_pictures).await?) } else { None };
    let (scene, crop) = (&record.capture.scene, &record.capture.crop);
    let scene = Shown { id: scene, bytes: kept(device, scene).await? };
    let crop = Shown { id: crop, bytes: kept(device, crop).await? };
    Ok(Message {
        kind: if compared { FACE_COMPARISON } else { FACE_CAPTURE },
        event_id: record.seq.0.to_string(),
        has_result: results.as_ref().is_some_and(|results| !results.is_empty()).into(),
        device_info: device_info(device).await?,
        channel_info: Some(channel_of(device, record, camera).await?),
        face: Some(face(record, &scene, &crop, with_pictures)),
        behaviour: None,
        compare_results: results,
    })
}

/// The message about an alarm (`event` is its own place in the log), or about its end (`event` is that of the alarm).
pub(super) async fn of_behaviour(
    device: &Device,
    (found, camera, kept): (&ObjectCapture, &Camera, &Channel),
    event: Seq,
    with_pictures: bool,
) -> Result<Message> {
    let scene = &found.behaviour.scene;
    let scene = Shown { id: scene, bytes: self::kept(device, scene).await? };
    let channel_name = found.behaviour.camera_name.clone();
    Ok(Message {
        kind: if found.behaviour.fired { ALARM } else { RECOVERY },
        event_id: event.0.to_string(),
        has_result: 0,
        device_info: device_info(device).await?,
        channel_info: Some(ChannelInfo { channel_name, ..channel_info(camera, kept, 0) }),
        face: None,
        behaviour: Some(behaviour(found, &scene, with_pictures)),
        compare_results: None,
    })
}

/// The message about the faces of an alarm that were compared, beside that of the alarm itself.
pub(super) async fn of_comparisons(
    device: &Device,
    about: (&ObjectCapture, &Camera, &Channel),
    with_pictures: bool,
) -> Result<Message> {
    let (found, ..) = about;
    let mut results = Vec::new();
    for face in &found.behaviour.comparisons {
        if let Some(person) = face.accepted() {
            results.push(recognised(device, target_id(face.target), person, with_pictures).await?);
        }
    }
    let alarm = of_behaviour(device, about, found.seq, with_pictures).await?;
    let has_result = (!results.is_empty()).into();
    Ok(Message { kind: ALARM_COMPARISON, has_result, compare_results: Some(results), ..alarm })
}

/// The person recognised; empty when the face matches none.
async fn compare_results(device: &Device, record: &Record, with_pictures: bool) -> Result<Vec<CompareResult>> {
    match record.accepted() {
        Some(found) => Ok(vec![recognised(device, THIS_FACE, found, with_pictures).await?]),
        None => Ok(Vec::new()),
    }
}

async fn recognised(device: &Device, target: usize, found: &Candidate, with_pictures: bool) -> Result<CompareResult> {
    let now = match device.appliance.person(found.person).await {
        Ok(person) => Some(person),
        Err(Error::NotFound { .. }) => None,
        Err(error) => return Err(error),
    };
    let photo = Shown { id: &found.photo, bytes: kept(device, &found.photo).await? };
    Ok(compare_result(target, found, now, &photo, with_pictures))
}

/// The channel of a record, which may be gone.
async fn channel_of(device: &Device, record: &Record, camera: Option<Camera>) -> Result<ChannelInfo> {
    let named = match camera {
        Some(camera) => channel_info(&camera, &device.channel(&camera).await?, 0),
        None => ChannelInfo {
            mode: 0,
            ipc_sn: String::new(),
            ipc_addr: String::new(),
            channel_id: record.capture.camera.0,
            channel_name: String::new(),
            status: None,
            custom_code: String::new(),
        },
    };
    Ok(ChannelInfo { channel_name: record.capture.camera_name.clone(), ..named })
}

/// The channel as messages describe it.
pub(super) fn channel_info(camera: &Camera, kept: &Channel, mode: u8) -> ChannelInfo {
    let address = match &camera.settings.source {
        Source::Rtsp { url } => camera_of(url).0.unwrap_or_default(),
        Source::File { .. } => String::new(),
        Source::Onvif(device) | Source::Gb28181 { server: device, .. } | Source::Capture { device, .. } => {
            device.host.clone()
        }
        Source::Pushed { host } => host.to_string(),
    };
    ChannelInfo {
        mode,
        ipc_sn: kept.serial_number.clone(),
        ipc_addr: address,
        channel_id: camera.id.0,
        channel_name: camera.settings.name.clone(),
        status: None,
        custom_code: kept.custom_code.clone(),
    }
}

/// 1 online, 2 offline; `None` while a camera is being connected.
pub(super) fn status(status: &CameraStatus) -> Option<u8> {
    match status {
        CameraStatus::Online => Some(1),
        CameraStatus::Offline { .. } => Some(2),
        CameraStatus::Connecting => None,
    }
}

/// The message that the device lives.
pub(super) async fn keep_alive(device: &Device, number: String) -> Result<Message> {
    about_no_record(device, KEEP_ALIVE, number, None).await
}

/// The message about a change of a channel.
pub(super) async fn channel_change(device: &Device, number: String, channel: ChannelInfo) -> Result<Message> {
    about_no_record(device, CHANNEL_CHANGE, number, Some(channel)).await
}

async fn about_no_record(device: &Device, kind: u8, number: String, channel: Option<ChannelInfo>) -> Result<Message> {
    Ok(Message {
        kind,
        event_id: number,
        has_result: 0,
        device_info: device_info(device).await?,
        channel_info: channel,
        face: None,
        behaviour: None,
        compare_results: None,
    })
}

async fn device_info(device: &Device) -> Result<DeviceInfo> {
    let (about, names) = (device.appliance.device().await?, device.names().await?);
    Ok(DeviceInfo {
        device_code: names.code,
        device_name: names.name.unwrap_or(about.name),
        device_sn: about.serial,
        custom_code: names.custom_code,
    })
}

/// A picture; `None` for one that is no longer kept.
async fn kept(device: &Device, picture: &PictureId) -> Result<Option<Bytes>> {
    match device.appliance.picture(picture.clone()).await {
        Ok(bytes) => Ok(Some(bytes)),
        Err(Error::NotFound { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

//! Cameras that send pictures, as programs for later versions add and play them (quirk S-LATERPATHS).

use std::collections::BTreeSet;
use std::net::IpAddr;

use adapter::lenient::Text;
use domain::{
    Camera, CameraChange, CameraId, CameraSettings, Error, LibraryFilter, LibraryId, NewCamera, OwnValues, SnapMode,
    Source, Thing, WatchSettings,
};

use crate::codes::{Code, Fault};
use crate::convert::people::{NO_PERMISSION, photo};
use crate::request::Caller;
use crate::wire::devices::{AddDevices, AddedDevice, Device, DevicesAdded, MatchPicture, PictureTaken};
use crate::work::devices::{self, camera_at};
use crate::work::permissions::meant;

/// Maximum number of devices of a request.
const MAX_DEVICES: usize = 64;
/// The kind of device that can be added.
const PHOTO: &str = "photo";
/// The sizes of faces, pixels; such cameras select faces themselves.
const FACE_SIZES: (u32, u32) = (30, 8192);

/// A device as the core has it.
struct Checked {
    host: IpAddr,
    name: String,
    library: LibraryId,
    permission_groups: BTreeSet<String>,
}

/// Adds cameras that send pictures, or changes those that there are; none when one cannot be (POST Devices).
pub(crate) async fn add(caller: Caller, request: AddDevices) -> Result<DevicesAdded, Fault> {
    if request.devices_list.is_empty() || request.devices_list.len() > MAX_DEVICES {
        return Err(Fault::parameter(format!("devices_list is not a list of 1 to {MAX_DEVICES}")));
    }
    let _one_at_a_time = caller.device.one_at_a_time.lock().await;
    let mut all = Vec::new();
    for device in request.devices_list {
        all.push(checked(&caller, device).await?);
    }
    let mut devices_list = Vec::new();
    for device in all {
        let (device_key, device_name) = (device.host.to_string(), device.name.clone());
        let id = put(&caller, device).await?.to_string();
        devices_list.push(AddedDevice { id, device_key, device_name });
    }
    Ok(DevicesAdded { devices_list })
}

async fn checked(caller: &Caller, device: Device) -> Result<Checked, Fault> {
    let Device { device_type, relay, device_name, device_key, group_id, permission_id } = device;
    if device_type.0 != PHOTO {
        return Err(Fault::with(Code::NotImplemented, "device_type other than photo"));
    }
    if relay.is_some_and(|relay| !relay.0.is_empty()) {
        return Err(Fault::with(Code::NotImplemented, "netRelay"));
    }
    Ok(Checked {
        host: address(&device_key, "device_key")?,
        name: device_name.filled().ok_or_else(|| Fault::parameter("device_name is empty"))?,
        library: library(caller, &group_id.0).await?,
        permission_groups: permission_groups(caller, &permission_id.0).await?,
    })
}

fn address(text: &Text, field: &str) -> Result<IpAddr, Fault> {
    let address = text.0.trim().parse::<IpAddr>();
    address.map(|address| address.to_canonical()).map_err(|_| Fault::parameter(format!("{field} is no address")))
}

/// The library with this id, or else with this name.
async fn library(caller: &Caller, text: &str) -> Result<LibraryId, Fault> {
    let all = caller.reading()?.libraries(LibraryFilter::default()).await?;
    let by_id = all.iter().find(|library| library.id.to_string() == text);
    let found = by_id.or_else(|| all.iter().find(|library| library.name.as_str() == text));
    found.map(|library| library.id).ok_or_else(|| Fault::with(Code::NoResource, "group_id"))
}

/// The permission groups whose people may pass; none for `0` and an empty id.
async fn permission_groups(caller: &Caller, text: &str) -> Result<BTreeSet<String>, Fault> {
    if text.is_empty() || text == NO_PERMISSION {
        return Ok(BTreeSet::new());
    }
    let all = caller.reading()?.permission_groups().await?;
    let found = meant(&all, text).ok_or_else(|| Fault::with(Code::NoResource, "permission_id"))?;
    Ok([found.id.clone()].into())
}

/// Adds a camera, or changes the one that sends from the same address.
async fn put(caller: &Caller, device: Checked) -> Result<CameraId, Fault> {
    let Checked { host, name, library, permission_groups } = device;
    let Some(present) = camera_at(&caller.device, host).await? else {
        let camera = NewCamera {
            id: None,
            settings: settings(name, host),
            watch: WatchSettings { libraries: [library].into(), ..WatchSettings::default() },
            own: OwnValues::default(),
            permission_groups,
            note: None,
        };
        return Ok(caller.acts().add_camera(camera).await?.id);
    };
    let change = move |camera: &Camera| {
        let settings = CameraSettings { name, ..camera.settings.clone() };
        let watch = WatchSettings { libraries: [library].into(), ..camera.watch.settings.clone() };
        Ok::<_, Error>(CameraChange {
            settings: Some(settings),
            watch: Some(watch),
            permission_groups: Some(permission_groups),
            ..CameraChange::default()
        })
    };
    Ok(caller.acts().amend_camera(present.id, change).await?.id)
}

fn settings(name: String, host: IpAddr) -> CameraSettings {
    CameraSettings {
        name,
        position: String::new(),
        description: String::new(),
        source: Source::Pushed { host },
        region: None,
        min_face_px: FACE_SIZES.0,
        max_face_px: FACE_SIZES.1,
        snap_mode: SnapMode::First,
    }
}

/// Takes a picture as if the camera had sent it now (POST PictureMatch).
pub(crate) async fn take_picture(caller: Caller, request: MatchPicture) -> Result<PictureTaken, Fault> {
    let (picture, from) = (photo(&request.rgb_image_base64)?, address(&request.device_ip, "device_ip")?);
    let at = caller.device.appliance.now();
    let taken = devices::take_picture(&caller.device, &caller.actor, from, picture, at).await;
    taken.map_err(|error| match error {
        Error::NotFound { what: Thing::Camera } => Fault::with(Code::NoResource, "device_ip"),
        other => other.into(),
    })?;
    Ok(PictureTaken { message: "ok" })
}

//! Cameras.

use std::collections::BTreeSet;

use domain::{
    Camera, CameraChange, CameraId, CameraSettings, Error, LibraryId, NewCamera, Note, OwnValues, SnapMode,
    WatchSettings,
};

use crate::codes::{Code, Fault};
use crate::convert::cameras::{self, CameraKind, missing};
use crate::convert::records::channel;
use crate::convert::sources::OwnServer;
use crate::convert::{bounded, library_ids, sources, threshold};
use crate::request::Call;
use crate::wire::cameras::{CameraFields, CameraKey, Cameras, Channel};
use crate::wire::sip::SipServer;
use crate::wire::{Nothing, Text};

/// Maximum number of libraries of a camera.
const MAX_LIBRARIES: usize = 1000;

/// Lists all cameras with their live status (516, section 4.1).
pub(crate) async fn list_cameras(call: Call) -> Result<Cameras, Fault> {
    let cameras = call.acts()?.cameras().await?;
    let used_computing_power = cameras.iter().map(|camera| camera.settings.source.computing_power()).sum();
    let computing_power_capacity = call.reading()?.options().limits.computing_power;
    let ids: Vec<_> = cameras.iter().map(|camera| camera.id).collect();
    let mut decoders = call.device.state().notes(&ids).await?;
    let mut rows = Vec::with_capacity(cameras.len());
    for camera in cameras {
        let status = call.reading()?.camera_status(camera.id);
        let decoder = decoders.remove(&camera.id).unwrap_or_default();
        rows.push(cameras::row(camera, &status, decoder));
    }
    Ok(Cameras { camera: rows, computing_power_capacity, used_computing_power })
}

/// Adds a camera (513, section 4.2).
pub(crate) async fn add_camera(call: Call) -> Result<Channel, Fault> {
    let mut fields: CameraFields = call.read()?;
    let kind = CameraKind::wanted(&fields)?;
    let note = note_of(&call, fields.decoder.take())?;
    let camera = NewCamera { note, ..new_camera(&call, kind, fields)? };
    let added = call.acts()?.add_camera(camera).await?;
    Ok(Channel { channel: added.id.0 })
}

fn new_camera(call: &Call, kind: CameraKind, fields: CameraFields) -> Result<NewCamera, Fault> {
    let id = fields.channel.map(|number| channel(number.0, call.device.config.channels)).transpose()?;
    let (min_face_px, max_face_px) = cameras::default_face_sizes(kind);
    let snap_mode = match (kind, fields.snap_mode) {
        (CameraKind::Image, Some(_)) => return Err(Code::ImageSnapMode.into()),
        // The camera decides when it captures: every picture that it delivers is a capture.
        (CameraKind::Image, None) => SnapMode::First,
        (_, mode) => cameras::snap_mode(mode.ok_or_else(|| missing("snap_mode"))?)?,
    };
    let settings = CameraSettings {
        name: fields.camera_name.as_ref().ok_or_else(|| missing("camera_name"))?.0.clone(),
        position: String::new(),
        description: String::new(),
        source: sources::new_source(kind, &fields, &own_server(call)?)?,
        region: None,
        min_face_px,
        max_face_px,
        snap_mode,
    };
    if fields.threshold.is_none() {
        return Err(missing("threshold"));
    }
    let own = own_values(kind, &fields);
    let (settings, watch) = changed(settings, WatchSettings::default(), fields)?;
    Ok(NewCamera { id, settings, watch, own, permission_groups: BTreeSet::new(), note: None })
}

/// Changes the fields of a camera that are sent (515, section 4.3).
pub(crate) async fn update_camera(call: Call) -> Result<Channel, Fault> {
    let mut fields: CameraFields = call.read()?;
    let id = fields.channel.map(|number| channel(number.0, call.device.config.channels)).transpose()?;
    let id = id.ok_or_else(|| missing("channel"))?;
    let note = note_of(&call, fields.decoder.take())?;
    let own_server = own_server(&call)?;
    let change = move |camera: &Camera| {
        let kind = CameraKind::of(&camera.settings.source);
        kind.check_same(&fields)?;
        let mut settings = camera.settings.clone();
        settings.source = sources::changed_source(settings.source, &fields)?;
        if settings.source != camera.settings.source {
            own_server.check(&settings.source)?;
        }
        let own = own_values(kind, &fields);
        let (settings, watch) = changed(settings, camera.watch.settings.clone(), fields)?;
        Ok::<_, Fault>(CameraChange {
            settings: Some(settings),
            watch: Some(watch),
            own,
            permission_groups: None,
            note,
        })
    };
    call.acts()?.amend_camera(id, change).await?;
    Ok(Channel { channel: id.0 })
}

/// The device as a SIP server.
fn own_server(call: &Call) -> Result<OwnServer, Fault> {
    let id = call.reading()?.options().sip_id.clone();
    Ok(OwnServer { id, default_password: call.device.config.sip_default_password })
}

/// The values that were sent: they override what a platform sets for all cameras.
fn own_values(kind: CameraKind, fields: &CameraFields) -> OwnValues {
    OwnValues {
        threshold: fields.threshold.is_some(),
        rearm: false,
        min_face_px: kind != CameraKind::Image && fields.facesize_min.is_some(),
        region: kind.has_region() && fields.camera_roi.is_some(),
    }
}

/// The settings with the fields that were sent.
fn changed(
    mut settings: CameraSettings,
    mut watch: WatchSettings,
    fields: CameraFields,
) -> Result<(CameraSettings, WatchSettings), Fault> {
    let kind = CameraKind::of(&settings.source);
    if kind != CameraKind::Image {
        let sizes = (fields.facesize_min.as_ref(), fields.facesize_max.as_ref());
        (settings.min_face_px, settings.max_face_px) =
            cameras::face_sizes(sizes, (settings.min_face_px, settings.max_face_px));
    }
    if let Some(name) = fields.camera_name {
        settings.name = camera_name(name)?;
    }
    if let Some(position) = fields.position {
        settings.position = bounded("position", position)?;
    }
    if let Some(description) = fields.description {
        settings.description = bounded("description", description)?;
    }
    if let Some(mode) = fields.snap_mode {
        settings.snap_mode = cameras::snap_mode(mode)?;
    }
    if let Some(roi) = fields.camera_roi.filter(|_| kind.has_region()) {
        settings.region = cameras::changed_region(&roi.0, settings.region)?;
    }
    if let Some(ids) = fields.lib_ids {
        watch.libraries = library_ids(&ids.0, MAX_LIBRARIES)?.into_iter().collect::<BTreeSet<LibraryId>>();
    }
    if let Some(percent) = fields.threshold {
        watch.threshold = threshold(percent)?;
    }
    Ok((settings, watch))
}

fn camera_name(name: Text) -> Result<String, Fault> {
    let length = name.0.chars().count();
    if (1..=64).contains(&length) { Ok(name.0) } else { Err(Fault::parameter("camera_name is not 1 to 64 characters")) }
}

/// Removes a camera; its captures stay (514, section 4.4).
pub(crate) async fn delete_camera(call: Call) -> Result<Nothing, Fault> {
    let CameraKey { channel: number } = call.read()?;
    let id = channel(number.0, call.device.config.channels)?;
    match call.acts()?.remove_camera(id).await {
        Err(Error::InUse { .. }) => return Err(needed_by_tasks(&call, id).await?),
        outcome => outcome?,
    }
    Ok(Nothing::NOTHING)
}

/// The table has no code for a camera in use, so the answer is that of a wrong parameter, with the names of the tasks.
async fn needed_by_tasks(call: &Call, id: CameraId) -> Result<Fault, Fault> {
    let mut tasks = call.reading()?.tasks().await?;
    tasks.retain(|task| task.settings.entries.contains(&id) || task.settings.exits.contains(&id));
    let names: Vec<_> = tasks.into_iter().map(|task| task.settings.name).collect();
    Ok(Fault::parameter(format!("channel {id} is used by a task of another interface: {}", names.join(", "))))
}

/// Reads the device's own id as a SIP server (1310, section 4.5).
pub(crate) async fn get_sip_server_id(call: Call) -> Result<SipServer, Fault> {
    Ok(SipServer { server_sip_id: call.reading()?.options().sip_id.clone() })
}

/// The note that keeps the reserved text `decoder` with the camera.
fn note_of(call: &Call, decoder: Option<Text>) -> Result<Option<Note>, Fault> {
    let text = decoder.map(|decoder| bounded("decoder", decoder)).transpose()?;
    Ok(text.map(|text| call.device.state().noting(Some(text))))
}

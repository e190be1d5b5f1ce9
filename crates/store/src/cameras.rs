//! Cameras.

use std::collections::BTreeSet;

use domain::geometry::Rect;
use domain::{
    Camera, CameraChange, CameraId, CameraSettings, DeviceAddress, Error, NewCamera, OwnValues, Source, Thing,
    Timestamp,
};
use rusqlite::Connection;
use rusqlite::types::Value;

use crate::columns::{self, Columns, Reader, optional, real, text, time, whole, word};
use crate::connection::View;
use crate::error::Fault;
use crate::seal::{Keys, Place, pack};
use crate::{notes, permissions, watches};

const SELECT: &str = "SELECT camera.id, created_at, name, position, description,
        source, sealed, device_host, device_port,
        server_sip_id, camera_sip_id, vendor, product,
        region_left, region_top, region_right, region_bottom, min_face_px, max_face_px, snap_mode,
        own_threshold, own_rearm, own_min_face_px, own_region,
        watch.id, threshold, rearm_ms, enabled, unclear
    FROM camera JOIN watch ON watch.camera = camera.id
    WHERE ?1 IS NULL OR camera.id = ?1
    ORDER BY camera.id";

/// This camera, or all cameras by ascending channel.
pub(crate) fn cameras(db: &View<'_>, only: Option<CameraId>) -> Result<Vec<Camera>, Fault> {
    let mut lists = watches::Lists::read(db)?;
    let mut statement = db.prepare_cached(SELECT)?;
    let mut cameras = statement
        .query_and_then([only.map(|id| id.0)], |row| read(db.keys, &mut Reader::new(row)))?
        .collect::<Result<Vec<Camera>, Fault>>()?;
    let mut reserved = permissions::reserved(db)?;
    for Camera { id, watch, permission_groups, .. } in &mut cameras {
        lists.fill(watch.id, &mut watch.settings);
        *permission_groups = reserved.remove(id).unwrap_or_default();
    }
    Ok(cameras)
}

fn camera(db: &View<'_>, id: CameraId) -> Result<Camera, Fault> {
    cameras(db, Some(id))?.pop().ok_or_else(not_found)
}

/// `NotFound(Camera)` unless the camera exists.
pub(crate) fn require(db: &Connection, id: CameraId) -> Result<(), Fault> {
    let mut statement = db.prepare_cached("SELECT 1 FROM camera WHERE id = ?")?;
    if statement.exists([id.0])? { Ok(()) } else { Err(not_found()) }
}

fn not_found() -> Fault {
    Error::NotFound { what: Thing::Camera }.into()
}

pub(crate) fn insert(db: &View<'_>, new: &NewCamera, channels: u32, at: Timestamp) -> Result<Camera, Fault> {
    let id = free_channel(db, new.id, channels)?;
    let mut columns = vec![("id", id.0.into()), ("created_at", time(at))];
    columns.extend(settings_columns(db.keys, id, &new.settings));
    columns.extend(own_columns(new.own));
    columns::insert(db, "camera", columns)?;
    watches::insert(db, vec![("camera", id.0.into())], &new.watch)?;
    permissions::reserve(db, id, &new.permission_groups)?;
    notes::keep(db, id, new.note.as_ref())?;
    camera(db, id)
}

fn free_channel(db: &Connection, wanted: Option<CameraId>, channels: u32) -> Result<CameraId, Fault> {
    let mut statement = db.prepare_cached("SELECT id FROM camera")?;
    let taken = statement.query_map([], |row| row.get(0))?.collect::<Result<BTreeSet<u32>, _>>()?;
    match wanted {
        Some(CameraId(id)) if !(1..=channels).contains(&id) => {
            Err(Error::invalid("channel", format!("not 1 to {channels}")).into())
        }
        Some(CameraId(id)) if taken.contains(&id) => Err(Error::AlreadyExists { what: Thing::Camera }.into()),
        Some(id) => Ok(id),
        None => {
            let lowest = (1..=channels).find(|id| !taken.contains(id));
            lowest.map(CameraId).ok_or(Fault::Refused(Error::LimitReached { what: Thing::Camera }))
        }
    }
}

pub(crate) fn update(db: &View<'_>, id: CameraId, change: &CameraChange) -> Result<Camera, Fault> {
    let before = camera(db, id)?;
    if let Some(settings) = &change.settings {
        if !before.settings.source.may_become(&settings.source) {
            return Err(Error::invalid("source", "the kind of a camera's source cannot change").into());
        }
        columns::update(db, "camera", id.0.into(), settings_columns(db.keys, id, settings))?;
    }
    if let Some(settings) = &change.watch {
        watches::update(db, before.watch.id, settings)?;
    }
    if let Some(groups) = &change.permission_groups {
        permissions::reserve(db, id, groups)?;
    }
    columns::update(db, "camera", id.0.into(), own_columns(before.own.and(change.own)))?;
    notes::keep(db, id, change.note.as_ref())?;
    camera(db, id)
}

/// Removes these own values from every camera.
pub(crate) fn release(db: &View<'_>, values: OwnValues) -> Result<(), Fault> {
    for Camera { id, own, .. } in cameras(db, None)? {
        columns::update(db, "camera", id.0.into(), own_columns(own.without(values)))?;
    }
    Ok(())
}

pub(crate) fn remove(db: &Connection, id: CameraId) -> Result<(), Fault> {
    if db.prepare_cached("SELECT 1 FROM task_camera WHERE camera = ?")?.exists([id.0])? {
        return Err(Error::InUse { by: Thing::Task }.into());
    }
    let removed = db.prepare_cached("DELETE FROM camera WHERE id = ?")?.execute([id.0])?;
    if removed == 0 { Err(not_found()) } else { Ok(()) }
}

fn settings_columns(keys: &Keys, id: CameraId, settings: &CameraSettings) -> Columns {
    let edge = |edge: fn(&Rect) -> f32| optional(settings.region.as_ref(), |region| real(edge(region)));
    let mut columns = vec![
        ("name", text(&settings.name)),
        ("position", text(&settings.position)),
        ("description", text(&settings.description)),
        ("region_left", edge(|region| region.left)),
        ("region_top", edge(|region| region.top)),
        ("region_right", edge(|region| region.right)),
        ("region_bottom", edge(|region| region.bottom)),
        ("min_face_px", whole(settings.min_face_px)),
        ("max_face_px", whole(settings.max_face_px)),
        ("snap_mode", word(&settings.snap_mode)),
    ];
    columns.extend(source_columns(&settings.source));
    columns.push(("sealed", Value::Blob(keys.seal(place(id), &logins(&settings.source)))));
    columns
}

fn place(id: CameraId) -> Place<'static> {
    Place::new("camera", id.0.into())
}

/// What a camera is reached with, in an order that never changes: URL, user, password.
fn logins(source: &Source) -> Vec<u8> {
    match source {
        Source::Rtsp { url } | Source::File { url } => pack(&[url]),
        Source::Onvif(device) | Source::Gb28181 { server: device, .. } | Source::Capture { device, .. } => {
            pack(&["", &device.user, &device.password])
        }
        Source::Pushed { .. } => Vec::new(),
    }
}

fn own_columns(own: OwnValues) -> Columns {
    vec![
        ("own_threshold", own.threshold.into()),
        ("own_rearm", own.rearm.into()),
        ("own_min_face_px", own.min_face_px.into()),
        ("own_region", own.region.into()),
    ]
}

fn source_columns(source: &Source) -> Columns {
    match source {
        Source::Rtsp { .. } => vec![("source", text("rtsp"))],
        Source::File { .. } => vec![("source", text("file"))],
        Source::Onvif(device) => device_columns("onvif", device),
        Source::Gb28181 { server, server_sip_id, camera_sip_id } => {
            let mut columns = device_columns("gb28181", server);
            columns.extend([("server_sip_id", text(server_sip_id)), ("camera_sip_id", text(camera_sip_id))]);
            columns
        }
        Source::Pushed { host } => vec![("source", text("pushed")), ("device_host", text(&host.to_string()))],
        Source::Capture { device, vendor, product } => {
            let mut columns = device_columns("capture", device);
            columns.extend([("vendor", text(vendor)), ("product", text(product))]);
            columns
        }
    }
}

fn device_columns(source: &str, device: &DeviceAddress) -> Columns {
    vec![("source", text(source)), ("device_host", text(&device.host)), ("device_port", whole(device.port))]
}

fn read(keys: &Keys, row: &mut Reader<'_>) -> Result<Camera, Fault> {
    let id = CameraId(row.take()?);
    let created_at = row.time()?;
    let settings = CameraSettings {
        name: row.take()?,
        position: row.take()?,
        description: row.take()?,
        source: read_source(keys, id, row)?,
        region: read_region(row)?,
        min_face_px: row.take()?,
        max_face_px: row.take()?,
        snap_mode: row.word()?,
    };
    let own = OwnValues { threshold: row.take()?, rearm: row.take()?, min_face_px: row.take()?, region: row.take()? };
    let permission_groups = BTreeSet::new();
    Ok(Camera { id, settings, own, watch: watches::read(row)?, permission_groups, created_at })
}

/// Reads the source columns, of which each kind of source fills its own.
fn read_source(keys: &Keys, id: CameraId, row: &mut Reader<'_>) -> Result<Source, Fault> {
    let kind: String = row.take()?;
    let mut logins = row.fields(keys, place(id))?;
    let url = logins.take();
    let device = DeviceAddress {
        host: row.text_or_empty()?,
        port: row.take::<Option<u16>>()?.unwrap_or_default(),
        user: logins.take(),
        password: logins.take(),
    };
    let (server_sip_id, camera_sip_id) = (row.text_or_empty()?, row.text_or_empty()?);
    let (vendor, product) = (row.text_or_empty()?, row.text_or_empty()?);
    Ok(match kind.as_str() {
        "rtsp" => Source::Rtsp { url },
        "file" => Source::File { url },
        "onvif" => Source::Onvif(device),
        "gb28181" => Source::Gb28181 { server: device, server_sip_id, camera_sip_id },
        "capture" => Source::Capture { device, vendor, product },
        "pushed" => Source::Pushed { host: device.host.parse().map_err(|_| Fault::Corrupt("device_host"))? },
        _ => return Err(Fault::Corrupt("source")),
    })
}

fn read_region(row: &mut Reader<'_>) -> rusqlite::Result<Option<Rect>> {
    let edges: [Option<f32>; 4] = [row.take()?, row.take()?, row.take()?, row.take()?];
    let [Some(left), Some(top), Some(right), Some(bottom)] = edges else { return Ok(None) };
    Ok(Some(Rect { left, top, right, bottom }))
}

//! How faces are found.

use std::io::Cursor;

use domain::geometry::Rect;
use domain::{Camera, CameraChange, Error};

use super::{FACE, Values, get, keep};
use crate::codes::up_face;
use crate::convert::face;
use crate::core::{Core, NAME};
use crate::ops::{Call, Outcome, failed};
use crate::wire::Reply;

/// The size of the picture in which the detection area is set.
const WHOLE: (i64, i64) = (960, 1280);

/// Reads how faces are found (GetFaceconfig, section 9.10).
pub(crate) async fn get_face_config(call: Call) -> Outcome {
    get(&call, &FACE).await
}

/// Changes how faces are found: the smallest face and the detection area of every camera follow (UpFaceconfig,
/// section 9.10.3).
pub(crate) async fn up_face_config(call: Call) -> Outcome {
    let core = &call.core;
    let mut values = Values::load(core, &FACE).await.map_err(|error| failed(&error))?;
    let changed = values.put(&FACE, &call.info).ok_or(up_face::NO_INFO)?;
    let fits = |start, size, most| values.number(start) + values.number(size) <= most;
    if !fits("detectArea_x", "detectArea_w", WHOLE.0) || !fits("detectArea_y", "detectArea_h", WHOLE.1) {
        return Err(up_face::NO_INFO.into());
    }
    if changed.contains(&"recDistance") {
        values.set("faceMinPixel", face::pixels(values.number("recDistance")).to_string());
    } else if changed.contains(&"faceMinPixel") {
        values.set("recDistance", face::distance(values.number("faceMinPixel")).to_string());
    }
    keep(core, &FACE, &values, &changed).await?;
    let smallest = (changed.contains(&"recDistance") || changed.contains(&"faceMinPixel"))
        .then(|| values.number("faceMinPixel").max(0) as u32);
    let area = changed.iter().any(|name| name.starts_with("detectArea")).then(|| area(&values));
    if smallest.is_some() || area.is_some() {
        tell_cameras(core, smallest, area).await.map_err(|error| failed(&error))?;
    }
    Ok(Reply::default())
}

/// Left, top, right and bottom as parts of the whole; `None`: all of it.
type Area = Option<[f32; 4]>;

fn area(values: &Values) -> Area {
    let part = |name: &str, size: &str, whole: i64| {
        let start = values.number(name);
        let end = start + values.number(size);
        (start as f32 / whole as f32, end as f32 / whole as f32)
    };
    let (left, right) = part("detectArea_x", "detectArea_w", WHOLE.0);
    let (top, bottom) = part("detectArea_y", "detectArea_h", WHOLE.1);
    let area = [left, top, right, bottom];
    // An area of nothing would find nobody: the whole picture, as it is set on a new device.
    (area != [0.0, 0.0, 1.0, 1.0] && left < right && top < bottom).then_some(area)
}

async fn tell_cameras(core: &Core, smallest: Option<u32>, area: Option<Area>) -> domain::Result<()> {
    for Camera { id, mut settings, .. } in core.appliance.cameras().await? {
        if let Some(smallest) = smallest {
            settings.min_face_px = smallest.min(settings.max_face_px);
        }
        match area {
            None => {}
            Some(None) => settings.region = None,
            Some(Some(parts)) => match size(core, id).await {
                Some(size) => settings.region = Some(region(parts, size)),
                None => tracing::warn!(camera = %id, "shows no picture, and keeps its detection area"),
            },
        }
        let change = CameraChange { settings: Some(settings), watch: None };
        match core.appliance.update_camera(NAME, id, change).await {
            Ok(_) | Err(Error::NotFound { .. }) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// The size of a camera's picture, pixels.
async fn size(core: &Core, camera: domain::CameraId) -> Option<(u32, u32)> {
    let picture = core.appliance.snapshot(camera).await.ok()?;
    image::ImageReader::new(Cursor::new(picture)).with_guessed_format().ok()?.into_dimensions().ok()
}

fn region([left, top, right, bottom]: [f32; 4], (width, height): (u32, u32)) -> Rect {
    let (width, height) = (width as f32, height as f32);
    Rect::new(left * width, top * height, right * width, bottom * height)
}

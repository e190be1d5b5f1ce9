//! How faces are detected.

use domain::{Area, CameraDefaults, OwnValues};

use super::groups::forget as forget_groups;
use crate::codes::up_face;
use crate::convert::face;
use crate::device::Device;
use crate::ops::failed;
use crate::request::{Call, Outcome};
use crate::settings::{FACE, Values};
use crate::wire::{Fault, Reply};
use crate::work::cameras::{self, InForce};

/// The size of the picture in which the detection area is set.
const WHOLE: (i64, i64) = (960, 1280);

/// Reads the settings of face detection (GetFaceconfig, section 9.10).
pub(crate) async fn get_face_config(call: Call) -> Outcome {
    Ok(Reply::with(in_force(&call.device).await.map_err(|error| failed(&error))?.into_map()))
}

/// The settings in force on the cameras.
async fn in_force(device: &Device) -> domain::Result<Values> {
    let (mut values, InForce { min_face_px, area, .. }) = (device.values(&FACE).await?, InForce::load(device).await?);
    let smallest = i64::from(min_face_px);
    if face::pixels(values.number("recDistance")) != smallest {
        values.set("recDistance", face::distance(smallest).to_string());
    }
    values.set("faceMinPixel", smallest.to_string());
    let share = |edge: f32, whole: i64| (edge * whole as f32).round() as i64;
    let (left, top) = (share(area.left, WHOLE.0), share(area.top, WHOLE.1));
    for (name, number) in [
        ("detectArea_x", left),
        ("detectArea_y", top),
        ("detectArea_w", share(area.right, WHOLE.0) - left),
        ("detectArea_h", share(area.bottom, WHOLE.1) - top),
    ] {
        values.set(name, number.to_string());
    }
    Ok(values)
}

/// Changes the settings of face detection: the smallest face and the detection area apply to every camera without
/// values of its own (UpFaceconfig, section 9.10.3).
pub(crate) async fn up_face_config(call: Call) -> Outcome {
    let device = &call.device;
    let mut values = in_force(device).await.map_err(|error| failed(&error))?;
    let changed = values.put(&FACE, &call.info).map_err(|why| up_face::NO_INFO.because(why))?;
    for (start, size, most) in [("detectArea_x", "detectArea_w", WHOLE.0), ("detectArea_y", "detectArea_h", WHOLE.1)] {
        if values.number(start) + values.number(size) > most {
            return Err(up_face::NO_INFO.because(format_args!("{start} and {size} must be {most} together at most")));
        }
    }
    if changed.contains(&"recDistance") {
        values.set("faceMinPixel", face::pixels(values.number("recDistance")).to_string());
    } else if changed.contains(&"faceMinPixel") {
        values.set("recDistance", face::distance(values.number("faceMinPixel")).to_string());
    }
    let smallest = (changed.contains(&"recDistance") || changed.contains(&"faceMinPixel"))
        .then(|| values.number("faceMinPixel").max(0) as u32);
    let area = changed.iter().any(|name| name.starts_with("detectArea")).then(|| area(&values));
    let set = |defaults: CameraDefaults| CameraDefaults {
        min_face_px: smallest.or(defaults.min_face_px),
        area: area.or(defaults.area),
        ..defaults
    };
    cameras::set_defaults(device, set).await.map_err(|error| failed(&error))?;
    device.keep_values(&FACE, &values, &changed).await.map_err(|error| failed(&error))?;
    Ok(Reply::default())
}

fn area(values: &Values) -> Area {
    let part = |name: &str, size: &str, whole: i64| {
        let start = values.number(name);
        let end = start + values.number(size);
        (start as f32 / whole as f32, end as f32 / whole as f32)
    };
    let (left, right) = part("detectArea_x", "detectArea_w", WHOLE.0);
    let (top, bottom) = part("detectArea_y", "detectArea_h", WHOLE.1);
    // An empty area would detect nothing: it counts as the whole picture, as in factory settings.
    if left < right && top < bottom { Area { left, top, right, bottom } } else { Area::WHOLE }
}

/// Resets the settings of face detection to factory settings, on every camera.
pub(crate) async fn forget(device: &Device) -> Result<(), Fault> {
    forget_groups(device, &[&FACE]).await?;
    let released = OwnValues { min_face_px: true, region: true, ..OwnValues::default() };
    let restored = async {
        device.acts().release_cameras(released).await?;
        let set =
            |defaults| CameraDefaults { min_face_px: Some(face::FACTORY_PIXELS), area: Some(Area::WHOLE), ..defaults };
        cameras::set_defaults(device, set).await
    };
    restored.await.map_err(|error| failed(&error))
}

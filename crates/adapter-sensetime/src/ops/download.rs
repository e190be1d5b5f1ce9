//! Pictures and exports by the paths that answers and pushes name.

use adapter::picture_answer;
use axum::response::Response;
use domain::{Error, Result, Thing};

use crate::convert::paths::Download;
use crate::device::Device;

/// Reads a file (GET /ws/{path}, sections 3.11 to 3.28, 7.4, 9.2); `NotFound` when there is none.
pub(crate) async fn download(device: &Device, wanted: Download) -> Result<Response> {
    let gone = Error::NotFound { what: Thing::Picture };
    let picture = match wanted {
        Download::Face(library, code) => {
            let person = device.appliance.person_by_code(code).await?;
            if !person.libraries.contains(&library) {
                return Err(gone);
            }
            device.appliance.picture(person.photo).await?
        }
        Download::Capture(id) => {
            let record = device.appliance.record_of_capture(id).await?;
            device.appliance.picture(record.capture.crop).await?
        }
        Download::Body(id) => {
            let body = device.appliance.behaviour(id).await?;
            device.appliance.picture(body.behaviour.crop).await?
        }
        Download::Temporary(id) => device.temporary.get(id).map(|kept| kept.bytes).ok_or(gone)?,
        Download::Export(name) => return device.exports.answer(&name).await?.ok_or(gone),
    };
    Ok(picture_answer(picture))
}

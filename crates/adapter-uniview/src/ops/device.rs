//! The device itself (chapter 9).

use domain::Error;

use crate::codes::{Code, Fault};
use crate::convert::{bounded, name, within};
use crate::device::{NAMES, written};
use crate::request::Caller;
use crate::settings::DeviceNames;
use crate::wire::device::{DeviceRow, UpdateDevice};
use crate::wire::{Answer, Done, Nothing};

/// What the device presents itself as: an AI box of the document's family PI.
const MODEL: &str = "IA57XX@PI";
/// When the firmware was released, seconds since 1970; a fixed time, because releases differ in their version.
const RELEASED: i64 = 1_764_547_200;
/// Maximum length of a text of the device, characters.
const MAX_TEXT: usize = 64;

/// Sets name, number and customer code (/device/update, section 9.1).
pub(crate) async fn update(caller: Caller, request: UpdateDevice) -> Result<Done, Fault> {
    let device = &caller.device;
    let _one_at_a_time = device.one_at_a_time.lock().await;
    let kept = device.names().await.map_err(|error| in_device(error, Code::DeviceWrite))?;
    let custom_code = request.custom_code.map(|text| bounded("custom_code", text.0, MAX_TEXT)).transpose()?;
    let names = DeviceNames {
        name: Some(name("device_name", &request.device_name.0)?),
        code: within("device_code", request.device_code, 1..=u8::MAX)?,
        custom_code: custom_code.unwrap_or(kept.custom_code),
    };
    let kept = caller.acts().configure(&device.state(), NAMES, Some(written(&names)?)).await;
    kept.map_err(|error| in_device(error, Code::DeviceWrite))?;
    Ok(Done::DONE)
}

/// Reads what the device is (/device/get, section 9.2).
pub(crate) async fn get(caller: Caller, _: Nothing) -> Result<Answer<DeviceRow>, Fault> {
    let about = caller.reading()?.device().await.map_err(|error| in_device(error, Code::DeviceRead))?;
    let names = caller.device.names().await.map_err(|error| in_device(error, Code::DeviceRead))?;
    Ok(Answer::of(DeviceRow {
        device_name: names.name.unwrap_or(about.name),
        device_model: MODEL,
        serial_number: about.serial,
        firmware_version: format!("polyface {}", about.version),
        release_time: RELEASED,
        device_code: names.code,
        custom_code: names.custom_code,
    }))
}

/// A failure of the device itself has a code of its own here.
fn in_device(error: Error, code: Code) -> Fault {
    match error {
        Error::Internal { .. } | Error::Unavailable { .. } | Error::StorageFull => Fault::from(error).with_code(code),
        other => other.into(),
    }
}

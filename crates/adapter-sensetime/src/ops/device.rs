//! The device itself.

use crate::call::Call;
use crate::codes::Fault;
use crate::wire::device::Version;

/// Reads the device's ids and versions (1281, section 6.3).
pub(crate) async fn get_version(call: Call) -> Result<Version, Fault> {
    let device = call.core.appliance.device().await?;
    Ok(Version {
        device_id: device.device_id,
        serial_id: device.serial,
        version: format!("polyface-V{}", device.version),
        web_version: format!("polyface-web-V{}", device.version),
    })
}

//! The device itself.

use domain::WhenFull;

use crate::codes::{Code, Fault};
use crate::request::Call;
use crate::settings::{RECEIVER, TIME_FORMAT};
use crate::wire::Nothing;
use crate::wire::device::{Cpu, DeviceId, Memory, SetDeviceId, SetStorage, Storage, Version};

/// A gibibyte: the unit of storage sizes.
const GIB: u64 = 1 << 30;
/// The adapter's settings that restoring removes.
const RESTORED: &[&str] = &[RECEIVER, TIME_FORMAT];

/// Reads the device's ids and versions (1281, section 6.3).
pub(crate) async fn get_version(call: Call) -> Result<Version, Fault> {
    let device = call.reading()?.device().await?;
    Ok(Version {
        device_id: device.device_id,
        serial_id: device.serial,
        version: format!("polyface-V{}", device.version),
        web_version: format!("polyface-web-V{}", device.version),
    })
}

/// Reads the storage usage, and what happens when it is full (1288, section 6.4).
pub(crate) async fn get_storage(call: Call) -> Result<Storage, Fault> {
    let (usage, limits) = (call.reading()?.storage_usage().await?, call.reading()?.storage_limits());
    let storage_strategy = match limits.when_full {
        WhenFull::Overwrite => 1,
        WhenFull::Stop => 2,
    };
    let gibibytes = |bytes: u64| (bytes + GIB / 2) / GIB;
    Ok(Storage {
        cur_storage: gibibytes(usage.used_bytes),
        max_storage: gibibytes(limits.max_bytes).max(1),
        storage_strategy,
    })
}

/// Sets what happens when the storage is full (1287, section 6.5).
pub(crate) async fn set_storage(call: Call) -> Result<Nothing, Fault> {
    let SetStorage { storage_strategy } = call.read()?;
    let when_full = match storage_strategy.0 {
        1 => WhenFull::Overwrite,
        2 => WhenFull::Stop,
        _ => return Err(Fault::parameter("storage_strategy is neither 1 nor 2")),
    };
    call.acts()?.set_when_full(when_full).await?;
    Ok(Nothing::NOTHING)
}

/// Restarts the machine; all sessions end (1294, section 6.12).
pub(crate) async fn reboot(call: Call) -> Result<Nothing, Fault> {
    call.acts()?.restart_machine().await?;
    call.device.sessions.close_all();
    Ok(Nothing::NOTHING)
}

/// Reads the platform's name for the device (1301, section 6.13).
pub(crate) async fn get_device_id(call: Call) -> Result<DeviceId, Fault> {
    Ok(DeviceId { device_id: call.reading()?.device().await?.device_id })
}

/// Sets the platform's name for the device (1300, section 6.14).
pub(crate) async fn set_device_id(call: Call) -> Result<Nothing, Fault> {
    let SetDeviceId { device_id } = call.read()?;
    call.acts()?.set_device_id(&device_id.0).await?;
    Ok(Nothing::NOTHING)
}

/// Restores factory settings (1317, section 6.15, quirk restore-scope).
pub(crate) async fn restore_defaults(call: Call) -> Result<Nothing, Fault> {
    call.acts()?.restore_defaults(&call.device.state(), RESTORED).await?;
    call.device.receiver_changed.send_modify(|version| *version += 1);
    Ok(Nothing::NOTHING)
}

/// Opens the management page (1315, section 6.16).
pub(crate) async fn enable_web(call: Call) -> Result<Nothing, Fault> {
    open_web(&call, true).await
}

/// Closes the management page (1316, section 6.17).
pub(crate) async fn disable_web(call: Call) -> Result<Nothing, Fault> {
    open_web(&call, false).await
}

async fn open_web(call: &Call, open: bool) -> Result<Nothing, Fault> {
    match call.acts()?.open_console(open).await? {
        true => Ok(Nothing::NOTHING),
        false => Err(Code::AlreadyInMode.into()),
    }
}

/// Reads the processor and its load (1313, section 6.18).
pub(crate) async fn get_cpu(call: Call) -> Result<Cpu, Fault> {
    let processor = call.reading()?.processor().await?;
    Ok(Cpu { cpu_type: processor.name, cpu_usage: processor.busy_percent, kernel_num: processor.cores })
}

/// Reads the memory and its usage (1314, section 6.19).
pub(crate) async fn get_memory(call: Call) -> Result<Memory, Fault> {
    let memory = call.reading()?.memory().await?;
    let memory_usage = memory.used_bytes as f64 * 100.0 / memory.total_bytes.max(1) as f64;
    Ok(Memory { memory_usage, total_memory: memory.total_bytes })
}

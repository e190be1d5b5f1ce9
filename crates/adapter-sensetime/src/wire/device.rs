//! 1281, 1287, 1288, 1300, 1301, 1313 and 1314.

use serde::{Deserialize, Serialize};

use super::{Int, Text};

/// The answer to 1281.
#[derive(Serialize)]
pub(crate) struct Version {
    pub(crate) device_id: String,
    pub(crate) serial_id: String,
    pub(crate) version: String,
    pub(crate) web_version: String,
}

/// The answer to 1288; gibibytes.
#[derive(Serialize)]
pub(crate) struct Storage {
    pub(crate) cur_storage: u64,
    pub(crate) max_storage: u64,
    pub(crate) storage_strategy: u8,
}

/// 1287.
#[derive(Deserialize)]
pub(crate) struct SetStorage {
    pub(crate) storage_strategy: Int,
}

/// 1300.
#[derive(Deserialize)]
pub(crate) struct SetDeviceId {
    pub(crate) device_id: Text,
}

/// The answer to 1301.
#[derive(Serialize)]
pub(crate) struct DeviceId {
    pub(crate) device_id: String,
}

/// The answer to 1313.
#[derive(Serialize)]
pub(crate) struct Cpu {
    pub(crate) cpu_type: String,
    /// Percent.
    pub(crate) cpu_usage: f64,
    pub(crate) kernel_num: usize,
}

/// The answer to 1314.
#[derive(Serialize)]
pub(crate) struct Memory {
    /// Percent.
    pub(crate) memory_usage: f64,
    /// Bytes.
    pub(crate) total_memory: u64,
}

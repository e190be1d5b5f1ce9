//! The device itself (chapters 9 and 10), and the public key (4.1).

use serde::{Deserialize, Serialize};

use super::{Int, Text};

#[derive(Deserialize)]
pub(crate) struct UpdateDevice {
    pub(crate) device_name: Text,
    pub(crate) device_code: Int,
    pub(crate) custom_code: Option<Text>,
}

#[derive(Serialize)]
pub(crate) struct DeviceRow {
    pub(crate) device_name: String,
    pub(crate) device_model: &'static str,
    pub(crate) serial_number: String,
    pub(crate) firmware_version: String,
    pub(crate) release_time: i64,
    pub(crate) device_code: u8,
    pub(crate) custom_code: String,
}

#[derive(Serialize)]
pub(crate) struct UpgradeStatus {
    pub(crate) status: u8,
}

#[derive(Serialize)]
pub(crate) struct PublicKey {
    pub(crate) public_key: String,
}

//! A device on fakes, a real broker, and a platform that speaks MQTT through another library than the device.

#![allow(dead_code, reason = "every test file uses another part")]

pub(crate) mod broker;
pub(crate) mod device;
pub(crate) mod platform;

use std::time::Duration;

/// Longer than anything takes.
pub(crate) const DEADLINE: Duration = Duration::from_secs(30);
/// The device's number.
pub(crate) const ID: &str = "1306612";

//! A device on fakes, for a real broker and a platform that speaks MQTT through another library than the device.

#![allow(dead_code, reason = "every test file uses another part")]

pub(crate) mod device;

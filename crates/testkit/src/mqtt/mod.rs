//! An MQTT broker, and a platform that uses another MQTT library than the device.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "test code may panic")]

mod broker;
mod platform;

pub use broker::{Broker, free_port};
pub use platform::Platform;

/// The device id that a platform sends to.
pub const ID: &str = "1306612";

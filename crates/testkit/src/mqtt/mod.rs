//! A real broker, and a platform that speaks MQTT through another library than the device.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "code of tests, which may die of what a test may die of")]

mod broker;
mod platform;

pub use broker::{Broker, free_port};
pub use platform::Platform;

/// The number of the device to which a platform speaks.
pub const ID: &str = "1306612";

//! A real broker, and a platform that speaks MQTT through another library than the device.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "code of tests, which may die of what a test may die of")]

mod broker;
mod platform;

use std::time::Duration;

pub use broker::{Broker, free_port};
pub use platform::Platform;

/// Longer than any answer takes.
pub const DEADLINE: Duration = Duration::from_secs(30);
/// The number of the device to which a platform speaks.
pub const ID: &str = "1306612";

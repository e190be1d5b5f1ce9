//! A RabbitMQ broker, and a platform that sends commands through it.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "test code may panic")]

mod broker;
mod client;

pub use broker::{Broker, Certificate};
pub use client::Client;

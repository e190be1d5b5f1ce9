//! The built daemon under attack: one module for each property that must hold.

#![allow(clippy::unwrap_used, reason = "tests may die of what they did not expect")]

mod addresses;
mod broker_topics;
mod broker_trust;
mod camera_passwords;
mod sip_cameras;

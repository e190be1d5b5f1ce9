//! The built daemon under attack: one file for each property that must hold.

#![allow(clippy::unwrap_used, reason = "tests may die of what they did not expect")]

mod addresses;
mod at_rest;
mod audit;
mod broker_topics;
mod broker_trust;
mod camera_passwords;
mod decoder_process;
mod guesses;
mod lockout;
mod metadata;
mod names;
mod network_trial;
mod packages;
mod password_memory;
mod passwords;
mod photos_at_the_door;
mod picture_memory;
mod places;
mod removal;
mod secrets;
mod secure_by_default;
mod sessions;
mod sip_cameras;
mod stranger_memory;
mod telemetry;

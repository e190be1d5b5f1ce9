//! What the end-to-end tests share: the built daemon as a device, a client of its vendor API, a pretend platform,
//! and the people in the clips.

#![allow(clippy::expect_used, reason = "code of tests, which may die of what a test may die of")]

mod attacker;
pub mod bait;
mod calls;
mod cast;
mod cli;
mod client;
pub mod cloud;
mod device;
pub mod disk;
mod facebox;
mod figures;
pub mod logistic;
mod network;
mod output;
pub mod own_space;
mod picture_server;
mod platform;
pub mod power;
mod report;
mod samples;
pub mod soak;
pub mod torture;
mod uniview;

pub use attacker::{Attacker, memory_growth};
pub use cast::{Actor, cache, cast, hd, models, photo};
pub use client::{Answer, SenseTime, console_login, http};
pub use device::{ADMIN_PASSWORD, Device, polyfaced};
pub use facebox::FaceBox;
pub use figures::Figures;
pub use network::{OTHER_MACHINE, has_own_network};
pub use output::write_report;
pub use picture_server::PictureServer;
pub use platform::{Push, PushReceiver, Subscription};
pub use report::{Report, checkout};
pub use samples::SampleReceivers;
pub use testkit::{eventually, eventually_within};
pub use uniview::{Uniview, UniviewPlatform, UniviewVideo};

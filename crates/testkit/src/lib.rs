//! Fakes for every port of the core, the contract runner, an RTSP server, MQTT and AMQP brokers, simulated cameras, and
//! clips.

mod analyzer;
mod bench;
pub mod capture;
pub mod clip;
mod clock;
pub mod contract;
mod detector;
mod discovery;
mod frames;
pub mod ftp;
pub mod gb28181;
mod host;
pub mod memory;
pub mod mqtt;
pub mod onvif;
mod picture;
mod poll;
pub mod rabbitmq;
mod reader;
mod rig;
pub mod rtsp;
pub mod rtsp_script;
mod serial;
mod slots;
pub mod store;
pub mod store_suite;

pub use analyzer::{Failure, FakeAnalyzer};
pub use bench::{ADMIN, Handles, actor, appliance, appliance_of, appliance_with, options};
pub use clock::FakeClock;
pub use detector::FakeDetector;
pub use discovery::FakeDiscovery;
pub use frames::{FakeFrames, Take};
pub use host::{Act, FakeHost};
pub use picture::{FakeFace, Picture, encoded, enlarged, portrait};
pub use poll::{DEADLINE, eventually, eventually_within, until};
pub use reader::FakeReader;
pub use rig::Rig;
pub use serial::SerialSocket;
pub use slots::{BOARD, bundle};

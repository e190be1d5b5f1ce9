//! Fakes with behaviour for every port of the core, the contract runner, a real RTSP server and clips to test with.

mod analyzer;
pub mod clip;
mod clock;
mod frames;
mod picture;
pub mod rtsp;

pub use analyzer::{FakeAnalyzer, Mishap};
pub use clock::FakeClock;
pub use frames::{FakeFrames, Take};
pub use picture::{FakeFace, Picture, portrait};

//! The machine, reached through the system's own services, or only pretended.

mod bus;
mod figures;
mod linux;
mod network;
mod recording;
mod time_server;

pub use linux::{Linux, Places};
pub use recording::Recording;

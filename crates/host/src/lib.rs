//! The host machine: through the system's services, or simulated.

mod bus;
mod contact;
mod figures;
mod linux;
mod network;
mod packages;
mod rauc;
mod reader;
mod recording;
mod relay;
mod speaker;
mod time_server;
mod wiegand;

pub use contact::{Contact, ContactLine};
pub use linux::{Linux, Places};
pub use packages::Spool;
pub use reader::{ReaderConnection, ReaderLine, Reads};
pub use recording::Recording;
pub use relay::RelayMessages;
pub use wiegand::{NumberLine, Numbers};

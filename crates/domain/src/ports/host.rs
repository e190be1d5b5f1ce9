//! The machine.

use std::net::SocketAddr;
use std::path::Path;

use async_trait::async_trait;

use crate::{Memory, Network, Output, Processor, Result, TimeService, Timestamp, WiegandFrame};

/// The machine. A call that the machine does not permit, or that none of its services can do, is
/// [`Error::Unavailable`](crate::Error::Unavailable); the log says which right or service is missing.
#[async_trait]
pub trait Host: Send + Sync {
    /// Restarts the machine in a few seconds: the caller still gets an answer.
    async fn restart(&self) -> Result<()>;

    /// Sets the clock.
    async fn set_clock(&self, to: Timestamp) -> Result<()>;

    /// Sets the time zone of the system by its name in the time zone database.
    async fn set_time_zone(&self, name: &str) -> Result<()>;

    /// Sets where the clock gets the time from; the same again changes nothing. `NotFound(TimeServer)` when it is
    /// switched on and the server does not answer: all stays as it was.
    async fn set_time_service(&self, service: &TimeService) -> Result<()>;

    /// How the machine is connected now.
    async fn network(&self) -> Result<Network>;

    /// Connects the machine like this; a crash between is undone with [`Host::roll_back_network`].
    async fn apply_network(&self, wanted: &Network) -> Result<()>;

    /// Keeps the network as it was applied last.
    async fn keep_network(&self) -> Result<()>;

    /// Puts the network back to what it was before it was applied last; nothing when it was kept.
    async fn roll_back_network(&self) -> Result<()>;

    /// Takes over a verified software package and restarts the machine with it. The file is gone when this returns.
    async fn install(&self, package: &Path) -> Result<()>;

    /// Switches what opens a door on or off. `Unavailable` when it cannot be reached or there is none.
    async fn switch(&self, output: Output, on: bool) -> Result<()>;

    /// Sends a number to the controller of the door, whole, one after the other. `Unavailable` when there is no line
    /// to one.
    async fn send_number(&self, number: &WiegandFrame) -> Result<()>;

    /// Whether something answers where a relay listens.
    async fn relay_answers(&self, relay: SocketAddr) -> bool;

    /// Begins to play a sound (WAV) in place of the one being played, `volume` percent of its own loudness; it goes on
    /// after the answer. `Invalid` for a file that is none, `Unavailable` when there is nothing to play it on.
    async fn play(&self, sound: &Path, volume: u8) -> Result<()>;

    /// The processor, and how busy it was in the last moment.
    async fn processor(&self) -> Result<Processor>;

    /// The memory.
    async fn memory(&self) -> Result<Memory>;
}

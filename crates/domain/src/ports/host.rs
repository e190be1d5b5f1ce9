//! The port to the machine.

use std::net::SocketAddr;
use std::path::Path;

use async_trait::async_trait;

use crate::{
    Bundle, Memory, Network, Output, Processor, Result, SlotMark, Slots, Software, TimeService, Timestamp, WiegandFrame,
};

/// Told how far an installation is, in percent.
pub type OnPercent<'a> = &'a (dyn Fn(u8) + Send + Sync);

/// The machine. A call that the machine does not permit, or that no service can do, fails with
/// [`Error::Unavailable`](crate::Error::Unavailable); the log names the missing right or service.
#[async_trait]
pub trait Host: Send + Sync {
    /// Restarts the machine in a few seconds, so that the caller can still answer its request.
    async fn restart(&self) -> Result<()>;

    /// Sets the clock.
    async fn set_clock(&self, to: Timestamp) -> Result<()>;

    /// Sets the time zone of the system by its name in the time zone database.
    async fn set_time_zone(&self, name: &str) -> Result<()>;

    /// Sets the time service of the clock; idempotent. `NotFound(TimeServer)` when the service is enabled and the
    /// server does not answer: nothing has changed then.
    async fn set_time_service(&self, service: &TimeService) -> Result<()>;

    /// The present network settings.
    async fn network(&self) -> Result<Network>;

    /// Applies network settings; [`Host::roll_back_network`] undoes them, also after a crash.
    async fn apply_network(&self, wanted: &Network) -> Result<()>;

    /// Makes the network settings that were applied last permanent.
    async fn keep_network(&self) -> Result<()>;

    /// Restores the network settings from before they were applied last; no effect once they are permanent.
    async fn roll_back_network(&self) -> Result<()>;

    /// The slots for software; `None` on a machine without, which installs packages.
    async fn slots(&self) -> Result<Option<Slots>>;

    /// Checks the signature of a bundle and reads what it says of itself; writes nothing. `Invalid("package")` when the
    /// signature does not count, `Invalid("package content")` when the file is no complete bundle.
    async fn inspect(&self, bundle: &Path) -> Result<Bundle>;

    /// Installs software, which runs after the next [`restart`](Self::restart). A [`Package`](crate::Package) is
    /// activated only after its `copy_to` has succeeded. After a failure, what ran before is started again.
    async fn install(&self, software: Software, on_percent: OnPercent<'_>) -> Result<()>;

    /// Waits for an installation that a former process of this daemon began, and returns whether software waits for a
    /// restart. `Ok(false)` when there is none.
    async fn await_installation(&self) -> Result<bool>;

    /// Tells the boot loader about a slot, durably. `Unavailable` on a machine without slots.
    async fn mark(&self, mark: SlotMark) -> Result<()>;

    /// Switches an output on or off. `Unavailable` when it cannot be reached or does not exist.
    async fn switch(&self, output: Output, on: bool) -> Result<()>;

    /// Sends a number to the controller of the door; concurrent calls send one after the other. `Unavailable` when no
    /// controller is connected.
    async fn send_number(&self, number: &WiegandFrame) -> Result<()>;

    /// Whether a relay responds at this address.
    async fn relay_answers(&self, relay: SocketAddr) -> bool;

    /// Starts to play a sound (WAV), replacing the one that is playing, and returns at once. `volume`: percent of its
    /// recorded loudness. `Invalid` for a file that is not a sound, `Unavailable` when there is no audio output.
    async fn play(&self, sound: &Path, volume: u8) -> Result<()>;

    /// The processor and its load of the last moment.
    async fn processor(&self) -> Result<Processor>;

    /// Size and use of the memory.
    async fn memory(&self) -> Result<Memory>;
}

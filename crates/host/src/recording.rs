//! A simulated host.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use domain::ports::{Host, OnPercent};
use domain::{
    Bundle, Error, Memory, Network, OutboundPolicy, Output, Processor, Result, SlotMark, Slots, Software, TimeService,
    Timestamp, WiegandFrame,
};

use crate::network::seen;
use crate::speaker::Samples;
use crate::{figures, relay};

/// Logs each action and reports success without changing anything. Figures are those of the machine; so is the network,
/// until a change to it is recorded.
#[derive(Default)]
pub struct Recording {
    network: Mutex<Changes>,
    outbound: OutboundPolicy,
}

#[derive(Default)]
struct Changes {
    now: Option<Network>,
    before: Option<Option<Network>>,
}

impl Recording {
    /// The same host, which connects to relays at these addresses.
    pub fn reaching(self, outbound: OutboundPolicy) -> Self {
        Self { outbound, ..self }
    }

    fn changes(&self) -> MutexGuard<'_, Changes> {
        self.network.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Host for Recording {
    async fn restart(&self) -> Result<()> {
        tracing::info!(host.act = "restart", "recorded, not done");
        Ok(())
    }

    async fn set_clock(&self, to: Timestamp) -> Result<()> {
        tracing::info!(host.act = "set_clock", host.to_ms = to.as_millis(), "recorded, not done");
        Ok(())
    }

    async fn set_time_zone(&self, name: &str) -> Result<()> {
        tracing::info!(host.act = "set_time_zone", host.zone = name, "recorded, not done");
        Ok(())
    }

    async fn set_time_service(&self, service: &TimeService) -> Result<()> {
        let TimeService { enabled, server, port, every_minutes } = service;
        tracing::info!(
            host.act = "set_time_service",
            host.enabled = enabled,
            host.server = server,
            host.port = port,
            host.every_minutes = every_minutes,
            "recorded, not done"
        );
        Ok(())
    }

    async fn network(&self) -> Result<Network> {
        let changed = self.changes().now.clone();
        Ok(changed.unwrap_or_else(seen::network))
    }

    async fn apply_network(&self, wanted: &Network) -> Result<()> {
        let mut changes = self.changes();
        let before = changes.now.replace(wanted.clone());
        changes.before = Some(before);
        tracing::info!(host.act = "apply_network", "recorded, not done");
        Ok(())
    }

    async fn keep_network(&self) -> Result<()> {
        self.changes().before = None;
        tracing::info!(host.act = "keep_network", "recorded, not done");
        Ok(())
    }

    async fn roll_back_network(&self) -> Result<()> {
        let mut changes = self.changes();
        if let Some(before) = changes.before.take() {
            changes.now = before;
        }
        tracing::info!(host.act = "roll_back_network", "recorded, not done");
        Ok(())
    }

    async fn slots(&self) -> Result<Option<Slots>> {
        Ok(None)
    }

    async fn inspect(&self, _bundle: &Path) -> Result<Bundle> {
        Err(Error::Unavailable { what: "a system with two software slots" })
    }

    async fn install(&self, software: Software, on_percent: OnPercent<'_>) -> Result<()> {
        let Software::Package(mut package) = software else {
            return Err(Error::Unavailable { what: "a system with two software slots" });
        };
        let (length, version) = (package.length(), package.version().to_string());
        let read = tokio::task::spawn_blocking(move || package.copy_to(&mut std::io::sink())).await;
        let read = read.map_err(Error::internal("reading the package"))?;
        read.map_err(Error::internal("reading the package"))?;
        on_percent(100);
        tracing::info!(
            host.act = "install",
            host.package_bytes = length,
            host.package_version = version,
            "recorded, not done"
        );
        Ok(())
    }

    async fn await_installation(&self) -> Result<bool> {
        Ok(false)
    }

    async fn mark(&self, _mark: SlotMark) -> Result<()> {
        Err(Error::Unavailable { what: "a system with two software slots" })
    }

    async fn switch(&self, output: Output, on: bool) -> Result<()> {
        tracing::info!(host.act = "switch", host.output = %output, host.on = on, "recorded, not done");
        Ok(())
    }

    async fn send_number(&self, number: &WiegandFrame) -> Result<()> {
        // Card numbers open doors, so they are not logged.
        tracing::info!(host.act = "send_number", host.bits = number.bits().len(), "recorded, not done");
        Ok(())
    }

    async fn relay_answers(&self, relay: SocketAddr) -> bool {
        relay::answers(relay, self.outbound).await
    }

    async fn play(&self, sound: &Path, volume: u8) -> Result<()> {
        let samples = Samples::load(sound, volume).await?;
        tracing::info!(host.act = "play", host.sound_ms = samples.millis(), host.volume = volume, "recorded, not done");
        Ok(())
    }

    async fn processor(&self) -> Result<Processor> {
        Ok(figures::processor().await)
    }

    async fn memory(&self) -> Result<Memory> {
        Ok(figures::memory())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_recorded_network_is_read_back_and_can_be_put_back() {
        let machine = Recording::default();
        let before = machine.network().await.unwrap();
        let wanted = Network { default_port: Some("eth7".into()), ..before.clone() };
        machine.apply_network(&wanted).await.unwrap();
        assert_eq!(machine.network().await.unwrap(), wanted);
        machine.roll_back_network().await.unwrap();
        assert_eq!(machine.network().await.unwrap(), before);
        machine.apply_network(&wanted).await.unwrap();
        machine.keep_network().await.unwrap();
        machine.roll_back_network().await.unwrap();
        assert_eq!(machine.network().await.unwrap(), wanted);
    }
}

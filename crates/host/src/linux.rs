//! A Linux host, through systemd's services.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use async_trait::async_trait;
use domain::ports::{Host, OnPercent};
use domain::{
    Bundle, Error, Memory, Network, OutboundPolicy, Output, Processor, Result, SlotMark, Slots, Software, Thing,
    TimeService, Timestamp, WiegandFrame,
};
use tokio::process::Command;

use crate::bus::{self, Bus, LOGIN, TIME, TIME_SYNC};
use crate::contact::Contact;
use crate::network::files::Files;
use crate::network::seen;
use crate::packages::{self, Spool};
use crate::rauc::Rauc;
use crate::relay::{self, RelayMessages};
use crate::speaker::{Samples, Speaker};
use crate::wiegand::Numbers;
use crate::{figures, time_server};

/// Delay of a restart, microseconds, so that the reply to the caller can be sent.
const RESTART_DELAY_US: i64 = 2_000_000;

/// Configuration paths of the services.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Places {
    /// Configuration directory of systemd-networkd.
    pub network: PathBuf,
    /// Directory of chrony's time sources.
    pub chrony_sources: PathBuf,
    /// The chrony daemon; if absent, systemd-timesyncd is used.
    pub chrony: PathBuf,
    /// Configuration of RAUC; the machine has two slots where it exists.
    pub rauc: PathBuf,
    /// A file that differs after each start of the machine.
    pub boot_id: PathBuf,
    /// Where packages are handed over on a machine without slots.
    pub spool: Spool,
}

impl Default for Places {
    /// The paths of Debian and its derivatives.
    fn default() -> Self {
        Self {
            network: "/etc/systemd/network".into(),
            chrony_sources: "/etc/chrony/sources.d".into(),
            chrony: "/usr/sbin/chronyd".into(),
            rauc: "/etc/rauc/system.conf".into(),
            boot_id: "/proc/sys/kernel/random/boot_id".into(),
            spool: Spool {
                folder: "/var/lib/polyface/upgrades/spool".into(),
                answer: "/var/lib/polyface-upgrade/answer".into(),
            },
        }
    }
}

/// The machine this process runs on, controlled through systemd-logind, -timedated, -timesyncd (or chrony where
/// installed) and -networkd.
#[derive(Default)]
pub struct Linux {
    bus: Bus,
    places: Places,
    relays: RelayMessages,
    contact: Option<Contact>,
    numbers: Option<Numbers>,
    speaker: Speaker,
    outbound: OutboundPolicy,
}

impl Linux {
    /// The machine, with the messages for network relays, an optional door contact and an optional door controller
    /// line.
    pub fn new(relays: RelayMessages, contact: Option<Contact>, numbers: Option<Numbers>) -> Self {
        Self { relays, contact, numbers, ..Self::default() }
    }

    /// The same machine, which connects to relays and time servers at these addresses.
    pub fn reaching(self, outbound: OutboundPolicy) -> Self {
        Self { outbound, ..self }
    }

    /// The same machine with these paths.
    pub fn with_places(self, places: Places) -> Self {
        Self { places, ..self }
    }

    /// The same machine, whose services are on the bus at this address instead of the system bus.
    pub fn on_bus(self, address: String) -> Self {
        Self { bus: Bus::at(address), ..self }
    }

    fn rauc(&self) -> Result<Rauc<'_>> {
        if self.places.rauc.exists() {
            Ok(Rauc(&self.bus))
        } else {
            Err(Error::Unavailable { what: "a system with two software slots" })
        }
    }

    async fn switch_relay(&self, address: SocketAddr, on: bool) -> Result<()> {
        let RelayMessages { on: switch_on, off: switch_off } = &self.relays;
        if switch_on.is_empty() {
            tracing::error!(host.lacks = "door.relay_on in the configuration", "host operation refused");
            return Err(Error::Unavailable { what: "the message that switches relays" });
        }
        let message = if on { switch_on } else { switch_off };
        if message.is_empty() {
            return Ok(());
        }
        relay::send(address, message, self.outbound).await.map_err(|error| {
            tracing::warn!(host.relay = %address, %error, "failed to send message to relay");
            Error::Unavailable { what: "the relay" }
        })
    }

    fn files(&self) -> Files {
        Files::new(self.places.network.clone())
    }

    /// Makes networkd reload its files and reconfigure these ports.
    async fn reconnect(&self, ports: &[String]) -> Result<()> {
        self.bus.call(bus::NETWORK, "Reload", &()).await?;
        for number in ports.iter().filter_map(|port| seen::number(port)) {
            self.bus.call(bus::NETWORK, "ReconfigureLink", &number).await?;
        }
        Ok(())
    }

    async fn name_time_server(&self, service: &TimeService) -> Result<()> {
        if self.places.chrony.exists() {
            return self.name_time_server_to_chrony(service).await;
        }
        // systemd-timesyncd supports only port 123 and chooses the interval itself.
        if service.port != TimeService::default().port {
            return Err(Error::NotSupported { what: "a time server on another port than 123" });
        }
        self.bus.call(TIME_SYNC, "SetRuntimeNTPServers", &(vec![service.server.as_str()],)).await
    }

    async fn name_time_server_to_chrony(&self, service: &TimeService) -> Result<()> {
        let file = self.places.chrony_sources.join("polyface.sources");
        let written = tokio::fs::write(&file, chrony_source(service)).await;
        written.map_err(|error| unwritable(&self.places.chrony_sources, &error))?;
        let reloaded = Command::new("chronyc").args(["reload", "sources"]).output().await;
        match reloaded {
            Ok(output) if output.status.success() => Ok(()),
            Ok(_) | Err(_) => {
                tracing::error!(
                    host.service = "chrony",
                    host.lacks = "the right to run chronyc",
                    "host operation refused"
                );
                Err(Error::Unavailable { what: "the system's time synchronisation" })
            }
        }
    }
}

/// chrony's source line for a time server; the polling interval is a power of two, in seconds.
fn chrony_source(service: &TimeService) -> String {
    let poll = (service.every_minutes * 60).ilog2().clamp(4, 17);
    format!("server {} port {} iburst minpoll {poll} maxpoll {poll}\n", service.server, service.port)
}

fn unwritable(place: &Path, error: &std::io::Error) -> Error {
    tracing::error!(host.place = %place.display(), host.lacks = "the right to write there", %error, "host operation refused");
    Error::Unavailable { what: "the system's configuration" }
}

#[async_trait]
impl Host for Linux {
    async fn restart(&self) -> Result<()> {
        let at = jiff::Timestamp::now().as_microsecond() + RESTART_DELAY_US;
        self.bus.call(LOGIN, "ScheduleShutdown", &("reboot", at.unsigned_abs())).await
    }

    async fn set_clock(&self, to: Timestamp) -> Result<()> {
        self.bus.call(TIME, "SetTime", &(to.as_millis().saturating_mul(1000), false, false)).await
    }

    async fn set_time_zone(&self, name: &str) -> Result<()> {
        self.bus.call(TIME, "SetTimezone", &(name, false)).await
    }

    async fn set_time_service(&self, service: &TimeService) -> Result<()> {
        if !service.enabled {
            return self.bus.call(TIME, "SetNTP", &(false, false)).await;
        }
        if !time_server::answers(&service.server, service.port, self.outbound).await {
            return Err(Error::NotFound { what: Thing::TimeServer });
        }
        self.bus.call(TIME, "SetNTP", &(true, false)).await?;
        self.name_time_server(service).await
    }

    async fn network(&self) -> Result<Network> {
        tokio::task::spawn_blocking(seen::network).await.map_err(Error::internal("reading the network configuration"))
    }

    async fn apply_network(&self, wanted: &Network) -> Result<()> {
        let now = self.network().await?;
        let ports = self.files().write(&now, wanted).map_err(|error| unwritable(&self.places.network, &error))?;
        self.reconnect(&ports).await
    }

    async fn keep_network(&self) -> Result<()> {
        self.files().keep().map_err(|error| unwritable(&self.places.network, &error))
    }

    async fn roll_back_network(&self) -> Result<()> {
        let ports = self.files().roll_back().map_err(|error| unwritable(&self.places.network, &error))?;
        if !ports.is_empty() {
            self.reconnect(&ports).await?;
        }
        self.keep_network().await
    }

    async fn slots(&self) -> Result<Option<Slots>> {
        match self.rauc() {
            Ok(rauc) => rauc.slots(&self.places.boot_id).await.map(Some),
            Err(_) => Ok(None),
        }
    }

    async fn inspect(&self, bundle: &Path) -> Result<Bundle> {
        self.rauc()?.inspect(bundle).await
    }

    async fn install(&self, software: Software, on_percent: OnPercent<'_>) -> Result<()> {
        match software {
            Software::Bundle(bundle) => self.rauc()?.install(&bundle, on_percent).await,
            Software::Package(package) => packages::install(&self.bus, &self.places.spool, package, on_percent).await,
        }
    }

    async fn await_installation(&self) -> Result<bool> {
        match self.rauc() {
            Ok(rauc) => rauc.await_installation().await,
            Err(_) => packages::await_installation(&self.bus, &self.places.spool).await,
        }
    }

    async fn mark(&self, mark: SlotMark) -> Result<()> {
        self.rauc()?.mark(mark).await
    }

    async fn switch(&self, output: Output, on: bool) -> Result<()> {
        match output {
            Output::Relay(address) => self.switch_relay(address, on).await,
            Output::Contact => match &self.contact {
                Some(contact) => contact.set(on),
                None => Err(Error::Unavailable { what: "the contact of the door" }),
            },
        }
    }

    async fn send_number(&self, number: &WiegandFrame) -> Result<()> {
        let lines = self.numbers.as_ref();
        lines.ok_or(Error::Unavailable { what: "the line to the controller of the door" })?.send(number.clone()).await
    }

    async fn relay_answers(&self, relay: SocketAddr) -> bool {
        relay::answers(relay, self.outbound).await
    }

    async fn play(&self, sound: &Path, volume: u8) -> Result<()> {
        self.speaker.play(Samples::load(sound, volume).await?).await
    }

    async fn processor(&self) -> Result<Processor> {
        Ok(figures::processor().await)
    }

    async fn memory(&self) -> Result<Memory> {
        Ok(figures::memory())
    }
}

#[cfg(test)]
mod tests;

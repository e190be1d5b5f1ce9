//! The machine the appliance runs on: its time, its network, its figures.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use crate::{Error, Result};

/// The time service of the machine's clock.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TimeService {
    /// Whether the clock follows the server.
    pub enabled: bool,
    /// Name or address of the NTP server.
    pub server: String,
    /// UDP port of the server.
    pub port: u16,
    /// Interval between two requests, minutes, 1 to 1440; a hint for a service that adapts the interval itself.
    pub every_minutes: u32,
}

/// Maximum length of a host name.
const MAX_HOST_NAME: usize = 253;

impl TimeService {
    /// `Invalid` for an impossible server, port 0, or an interval out of range.
    pub fn check(&self) -> Result<()> {
        let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | ':');
        if self.server.is_empty() || self.server.len() > MAX_HOST_NAME || !self.server.chars().all(allowed) {
            return Err(Error::invalid("server", "not the name or address of a host"));
        }
        if self.port == 0 {
            return Err(Error::invalid("port", "must be 1 to 65535"));
        }
        if !(1..=24 * 60).contains(&self.every_minutes) {
            return Err(Error::invalid("every_minutes", "must be 1 to 1440"));
        }
        Ok(())
    }
}

impl Default for TimeService {
    /// Off, with `pool.ntp.org` every ten minutes.
    fn default() -> Self {
        Self { enabled: false, server: "pool.ntp.org".into(), port: 123, every_minutes: 10 }
    }
}

/// An address and the length of its network prefix.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Subnet {
    /// The address of the port.
    pub address: IpAddr,
    /// Leading bits: 1 to 32, or 1 to 128 for IPv6.
    pub prefix: u8,
}

impl Subnet {
    /// Whether an address is in the network.
    pub fn contains(&self, other: IpAddr) -> bool {
        match (self.address, other) {
            (IpAddr::V4(own), IpAddr::V4(other)) => same_start(own.to_bits(), other.to_bits(), self.prefix),
            (IpAddr::V6(own), IpAddr::V6(other)) => same_start(own.to_bits(), other.to_bits(), self.prefix),
            (IpAddr::V4(_), IpAddr::V6(_)) | (IpAddr::V6(_), IpAddr::V4(_)) => false,
        }
    }

    fn overlaps(&self, other: &Self) -> bool {
        self.contains(other.address) || other.contains(self.address)
    }

    fn check(&self) -> Result<()> {
        let max = if self.address.is_ipv4() { 32 } else { 128 };
        if !(1..=max).contains(&self.prefix) {
            return Err(Error::invalid("netmask", format!("must have 1 to {max} leading bits")));
        }
        let no_host = self.address.is_unspecified() || self.address.is_multicast();
        if no_host || matches!(self.address, IpAddr::V4(address) if address.is_broadcast()) {
            return Err(Error::invalid("address", "is not that of a single machine"));
        }
        Ok(())
    }
}

/// Whether two numbers begin with the same bits.
fn same_start<T: std::ops::BitXor<Output = T> + std::ops::Shr<u32, Output = T> + Default + PartialEq>(
    one: T,
    other: T,
    bits: u8,
) -> bool {
    let width = (std::mem::size_of::<T>() * 8) as u32;
    bits == 0 || (one ^ other) >> width.saturating_sub(bits.into()) == T::default()
}

/// A network interface, wired or wireless.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NetworkPort {
    /// The system's name of it, such as `eth0`.
    pub name: String,
    /// Its MAC address, lower case with colons; empty when it has none.
    pub hardware_address: String,
    /// Whether address and gateway come from the network.
    pub dhcp: bool,
    /// Its address; with DHCP the assigned one, if any.
    pub subnet: Option<Subnet>,
    /// The gateway.
    pub gateway: Option<IpAddr>,
}

impl NetworkPort {
    fn check(&self) -> Result<()> {
        if self.dhcp {
            return Ok(());
        }
        let Some(subnet) = self.subnet else { return Err(Error::invalid("address", "is missing")) };
        subnet.check()?;
        match self.gateway {
            Some(gateway) if gateway == subnet.address => Err(Error::invalid("gateway", "is the port itself")),
            Some(gateway) if !subnet.contains(gateway) => Err(Error::invalid("gateway", "is not in the port's subnet")),
            _ => Ok(()),
        }
    }
}

/// The network settings of the machine.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Network {
    /// Its ports, by name.
    pub ports: Vec<NetworkPort>,
    /// The port of the default route; `None` when there is none.
    pub default_port: Option<String>,
    /// The name servers in use.
    pub name_servers: Vec<IpAddr>,
    /// Whether the name servers are set; otherwise they are those that the network announces.
    pub name_servers_given: bool,
}

impl Network {
    /// The port of this name. `NotFound(NetworkPort)`.
    pub fn port_mut(&mut self, name: &str) -> Result<&mut NetworkPort> {
        let found = self.ports.iter_mut().find(|port| port.name == name);
        found.ok_or(Error::NotFound { what: crate::Thing::NetworkPort })
    }

    /// Checks a port. `NotFound(NetworkPort)`; `Invalid` for an impossible address, mask or gateway, or a network that
    /// overlaps that of another port.
    pub fn check_port(&self, name: &str) -> Result<()> {
        let Some(port) = self.ports.iter().find(|port| port.name == name) else {
            return Err(Error::NotFound { what: crate::Thing::NetworkPort });
        };
        port.check()?;
        let Some(subnet) = port.subnet.filter(|_| !port.dhcp) else { return Ok(()) };
        let others = self.ports.iter().filter(|other| other.name != name).filter_map(|other| other.subnet);
        match others.into_iter().any(|other| other.overlaps(&subnet)) {
            true => Err(Error::invalid("address", "is in the network of another port")),
            false => Ok(()),
        }
    }
}

/// The machine's processor.
#[derive(Debug, Clone, PartialEq)]
pub struct Processor {
    /// Model name.
    pub name: String,
    /// Logical cores.
    pub cores: usize,
    /// Load over all cores, percent.
    pub busy_percent: f64,
}

/// The machine's memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Memory {
    /// Total size, bytes.
    pub total_bytes: u64,
    /// Used and not immediately reclaimable, bytes.
    pub used_bytes: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn port(name: &str, address: &str, prefix: u8, gateway: &str) -> NetworkPort {
        NetworkPort {
            name: name.into(),
            hardware_address: String::new(),
            dhcp: false,
            subnet: Some(Subnet { address: address.parse().unwrap(), prefix }),
            gateway: gateway.parse().ok(),
        }
    }

    fn check(port: NetworkPort) -> Option<&'static str> {
        let other = super::NetworkPort { name: "eth1".into(), ..self::port("", "192.168.2.10", 24, "") };
        let network = Network { ports: vec![port, other], ..Network::default() };
        match network.check_port("eth0") {
            Ok(()) => None,
            Err(Error::Invalid { field, .. }) => Some(field),
            Err(_) => Some("?"),
        }
    }

    #[test]
    fn a_port_that_could_not_communicate_is_refused() {
        assert_eq!(check(port("eth0", "10.5.2.56", 8, "10.9.9.1")), None);
        assert_eq!(check(port("eth0", "10.5.2.56", 8, "")), None);
        assert_eq!(check(port("eth0", "fd00::5", 64, "fd00::1")), None);
        let cases = [
            (port("eth0", "10.5.2.56", 0, ""), "netmask"),
            (port("eth0", "10.5.2.56", 33, ""), "netmask"),
            (port("eth0", "0.0.0.0", 8, ""), "address"),
            (port("eth0", "224.0.0.1", 8, ""), "address"),
            (port("eth0", "10.5.2.56", 24, "10.5.3.1"), "gateway"),
            (port("eth0", "10.5.2.56", 24, "fd00::1"), "gateway"),
            (port("eth0", "10.5.2.56", 24, "10.5.2.56"), "gateway"),
            (port("eth0", "192.168.2.20", 24, ""), "address"),
            (port("eth0", "192.168.3.20", 16, ""), "address"),
        ];
        for (port, field) in cases {
            let text = format!("{port:?}");
            assert_eq!(check(port), Some(field), "{text}");
        }
        assert_eq!(check(NetworkPort { dhcp: true, ..port("eth0", "192.168.2.20", 24, "") }), None);
    }

    #[test]
    fn a_time_server_is_a_host_and_not_a_line_of_a_file() {
        let server = |server: &str| TimeService { server: server.into(), ..TimeService::default() };
        for good in ["pool.ntp.org", "10.0.0.1", "fd00::1"] {
            assert!(server(good).check().is_ok(), "{good}");
        }
        for bad in ["", "a b", "a\nserver b", &"a".repeat(254)] {
            assert!(server(bad).check().is_err(), "{bad:?}");
        }
        assert!(TimeService { port: 0, ..TimeService::default() }.check().is_err());
        assert!(TimeService { every_minutes: 0, ..TimeService::default() }.check().is_err());
    }
}

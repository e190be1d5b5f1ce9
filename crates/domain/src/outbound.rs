//! Addresses that the device may connect to, and connecting to them.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::time::Duration;

use tokio::net::TcpStream;

/// Addresses that the device may connect to besides public ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OutboundPolicy {
    /// Private networks, where most platforms and cameras are.
    pub allow_private: bool,
    /// The device itself, by loopback or one of its own addresses, and link-local addresses.
    pub allow_loopback: bool,
}

/// Why no connection was made; contains no address.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// The name has no address.
    #[error("the server's name is unknown")]
    UnknownHost,
    /// The policy allows none of the addresses.
    #[error("the address is not allowed")]
    NotAllowed,
    /// No connection within the timeout.
    #[error("the server does not answer in time")]
    TimedOut,
    /// The connection failed.
    #[error("the server cannot be reached: {0}")]
    Failed(io::Error),
}

impl Default for OutboundPolicy {
    /// Private networks, but not the device itself.
    fn default() -> Self {
        Self { allow_private: true, allow_loopback: false }
    }
}

impl OutboundPolicy {
    /// Every address that is one of a host: for tests and tools.
    pub const OPEN: Self = Self { allow_private: true, allow_loopback: true };

    /// Whether this address may be connected to.
    pub fn allows(self, address: IpAddr) -> bool {
        match kind(address) {
            Kind::Never => false,
            Kind::Near => self.allow_loopback,
            Kind::Private if !self.allow_private => false,
            Kind::Public | Kind::Private => self.allow_loopback || !is_own(address),
        }
    }

    /// Resolves a name, or reads an address, which may be in brackets; returns the addresses that are allowed.
    ///
    /// # Errors
    /// `UnknownHost`, `NotAllowed`.
    pub async fn resolve(self, host: &str, port: u16) -> Result<Vec<SocketAddr>, ConnectError> {
        let host = host.trim().trim_start_matches('[').trim_end_matches(']');
        let found = tokio::net::lookup_host((host, port)).await.map_err(|_| ConnectError::UnknownHost)?;
        let found: Vec<SocketAddr> = found.collect();
        if found.is_empty() {
            return Err(ConnectError::UnknownHost);
        }
        let allowed: Vec<_> = found.into_iter().filter(|address| self.allows(address.ip())).collect();
        if allowed.is_empty() { Err(ConnectError::NotAllowed) } else { Ok(allowed) }
    }

    /// Connects over TCP to the first of a host's allowed addresses that answers, all within `timeout`.
    ///
    /// # Errors
    /// Every variant.
    pub async fn connect(self, host: &str, port: u16, timeout: Duration) -> Result<TcpStream, ConnectError> {
        let connecting = async {
            let allowed = self.resolve(host, port).await?;
            TcpStream::connect(allowed.as_slice()).await.map_err(ConnectError::Failed)
        };
        tokio::time::timeout(timeout, connecting).await.map_err(|_| ConnectError::TimedOut)?
    }
}

/// Whether the address is one of this machine's: only those can be bound. It costs a system call and needs no list of
/// interfaces, which changes.
fn is_own(address: IpAddr) -> bool {
    let address = match address {
        IpAddr::V6(v6) => embedded(v6).map_or(address, IpAddr::V4),
        IpAddr::V4(_) => address,
    };
    UdpSocket::bind((address, 0)).is_ok()
}

enum Kind {
    Public,
    Private,
    Near,
    Never,
}

fn kind(address: IpAddr) -> Kind {
    match address {
        IpAddr::V4(v4) => kind_v4(v4),
        IpAddr::V6(v6) => embedded(v6).map_or_else(|| kind_v6(v6), kind_v4),
    }
}

fn kind_v4(address: Ipv4Addr) -> Kind {
    let [a, b, ..] = address.octets();
    if address.is_loopback() || address.is_link_local() {
        Kind::Near
    } else if a == 0 || a >= 224 || (a == 198 && matches!(b, 18 | 19)) {
        // This network, multicast, reserved, broadcast, benchmarks.
        Kind::Never
    } else if address.is_private() || (a == 100 && (64..128).contains(&b)) {
        Kind::Private
    } else {
        Kind::Public
    }
}

fn kind_v6(address: Ipv6Addr) -> Kind {
    if address.is_loopback() || address.is_unicast_link_local() {
        Kind::Near
    } else if address.is_unspecified() || address.is_multicast() {
        Kind::Never
    } else if address.is_unique_local() || address.segments()[0] & 0xffc0 == 0xfec0 {
        Kind::Private
    } else {
        Kind::Public
    }
}

/// The IPv4 address to which a gateway or the kernel maps an IPv6 one: mapped, compatible, NAT64, 6to4.
fn embedded(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let [a, b, c, d, e, f, g, h] = address.segments();
    let of = |high: u16, low: u16| {
        let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
        Some(Ipv4Addr::new(a, b, c, d))
    };
    match [a, b, c, d, e, f] {
        [0, 0, 0, 0, 0, 0] if g != 0 => of(g, h),
        [0, 0, 0, 0, 0, 0xffff] | [0x64, 0xff9b, 0, 0, 0, 0] => of(g, h),
        [0x2002, high, low, ..] => of(high, low),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CLOSED: OutboundPolicy = OutboundPolicy { allow_private: false, allow_loopback: false };
    const PRIVATE: OutboundPolicy = OutboundPolicy { allow_private: true, allow_loopback: false };

    fn allowed(policy: OutboundPolicy, address: &str) -> bool {
        policy.allows(address.parse().unwrap())
    }

    #[test]
    fn public_addresses_pass_and_private_ones_when_allowed() {
        for public in ["8.8.8.8", "2606:4700::1111"] {
            assert!(allowed(CLOSED, public), "{public}");
        }
        for private in ["10.1.2.3", "172.31.255.1", "192.168.255.1", "100.64.0.1", "fd00::1", "::ffff:10.0.0.1"] {
            assert!(!allowed(CLOSED, private) && allowed(PRIVATE, private), "{private}");
        }
    }

    #[test]
    fn the_device_itself_passes_only_when_loopback_is_allowed() {
        let near = [
            "127.0.0.1",
            "127.9.9.9",
            "::1",
            "::ffff:127.0.0.1",
            "64:ff9b::7f00:1",
            "2002:7f00:1::",
            "169.254.169.254",
        ];
        for near in near {
            assert!(!allowed(PRIVATE, near) && allowed(OutboundPolicy::OPEN, near), "{near}");
        }
        for never in ["0.0.0.0", "224.0.0.1", "255.255.255.255", "240.0.0.1", "::", "ff02::1", "198.18.0.1"] {
            assert!(!allowed(OutboundPolicy::OPEN, never), "{never}");
        }
    }

    #[test]
    fn an_address_of_this_machine_is_the_device_itself() {
        let socket = UdpSocket::bind("0.0.0.0:0").unwrap();
        // Nothing is sent: the kernel only chooses a way. Without a network there is none, and nothing to check.
        let Ok(own) = socket.connect("192.0.2.1:9").and_then(|()| socket.local_addr()) else { return };
        assert!(is_own(own.ip()) && !PRIVATE.allows(own.ip()), "{own}");
        assert!(OutboundPolicy::OPEN.allows(own.ip()));
        let IpAddr::V4(own) = own.ip() else { return };
        assert!(!PRIVATE.allows(own.to_ipv6_mapped().into()), "however it is written");
    }

    #[tokio::test]
    async fn a_name_is_judged_by_its_addresses() {
        assert!(matches!(PRIVATE.resolve("localhost", 1).await, Err(ConnectError::NotAllowed)));
        assert!(!OutboundPolicy::OPEN.resolve("localhost", 1).await.unwrap().is_empty());
        assert_eq!(OutboundPolicy::OPEN.resolve("[::1]", 7).await.unwrap(), ["[::1]:7".parse().unwrap()]);
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let patience = Duration::from_secs(5);
        assert!(OutboundPolicy::OPEN.connect("127.0.0.1", port, patience).await.is_ok());
        assert!(matches!(PRIVATE.connect("127.0.0.1", port, patience).await, Err(ConnectError::NotAllowed)));
    }
}

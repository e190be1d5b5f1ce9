//! Where an attempt to log in comes from.

use std::net::{IpAddr, Ipv6Addr};

/// Bits of an IPv6 address that a network assigns to one customer or machine, who can take any address below them.
const PREFIX: u128 = u128::MAX << 64;

/// A caller as far as the network tells callers apart: an IPv4 address, or the /64 network of an IPv6 address.
/// `None` stands for callers without an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Source(Option<IpAddr>);

impl From<Option<IpAddr>> for Source {
    fn from(origin: Option<IpAddr>) -> Self {
        Self(origin.map(|address| match address.to_canonical() {
            IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & PREFIX)),
            v4 => v4,
        }))
    }
}

//! Reverse proxies in front of a listener.

use std::net::{IpAddr, SocketAddr};

use axum::http::HeaderMap;
use ipnet::IpNet;

/// Names the caller, and each proxy that passed the request on, the nearest last.
const FORWARDED_FOR: &str = "x-forwarded-for";

/// The reverse proxies whose statement of the caller's address is believed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TrustedProxies(Vec<IpNet>);

impl TrustedProxies {
    /// No proxy: every connection is the caller's own.
    pub const NONE: Self = Self(Vec::new());

    /// The proxies with these addresses.
    pub fn new(networks: Vec<IpNet>) -> Self {
        Self(networks)
    }

    pub(super) fn contain(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.0.iter().any(|network| network.contains(&address))
    }

    /// The caller of a request that came from `peer`: behind a trusted proxy, the last address of `X-Forwarded-For`
    /// that is not a trusted proxy itself. What a caller writes there precedes what the proxy adds and is ignored.
    pub(super) fn caller(&self, peer: SocketAddr, headers: &HeaderMap) -> SocketAddr {
        if !self.contain(peer.ip()) {
            return peer;
        }
        let lines = headers.get_all(FORWARDED_FOR).iter().rev();
        let hops = lines.flat_map(|line| line.to_str().unwrap_or_default().rsplit(','));
        let mut nearest = peer;
        for hop in hops {
            let Some(address) = address(hop.trim()) else { break };
            nearest = SocketAddr::new(address.to_canonical(), 0);
            if !self.contain(address) {
                break;
            }
        }
        nearest
    }
}

/// An address, with or without a port.
fn address(hop: &str) -> Option<IpAddr> {
    hop.parse().ok().or_else(|| hop.parse::<SocketAddr>().ok().map(|hop| hop.ip()))
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn caller(peer: &str, lines: &[&str]) -> String {
        let proxies = TrustedProxies::new(vec!["10.0.0.0/24".parse().unwrap(), "fd00::1/128".parse().unwrap()]);
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(FORWARDED_FOR, HeaderValue::from_str(line).unwrap());
        }
        proxies.caller(peer.parse().unwrap(), &headers).ip().to_string()
    }

    #[test]
    fn a_trusted_proxy_names_the_caller() {
        assert_eq!(caller("10.0.0.1:80", &["192.0.2.7"]), "192.0.2.7");
        assert_eq!(caller("10.0.0.1:80", &["192.0.2.7:1234"]), "192.0.2.7");
        assert_eq!(caller("[fd00::1]:80", &["[2001:db8::7]:1234, 10.0.0.2"]), "2001:db8::7");
        assert_eq!(caller("[::ffff:10.0.0.1]:80", &["::ffff:192.0.2.7"]), "192.0.2.7");
        assert_eq!(caller("10.0.0.1:80", &[]), "10.0.0.1");
    }

    #[test]
    fn nobody_else_does_and_what_callers_write_is_ignored() {
        assert_eq!(caller("192.0.2.7:80", &["127.0.0.1"]), "192.0.2.7");
        assert_eq!(caller("10.0.0.1:80", &["127.0.0.1, 192.0.2.7"]), "192.0.2.7");
        assert_eq!(caller("10.0.0.1:80", &["127.0.0.1", "192.0.2.7", "10.0.0.2"]), "192.0.2.7");
        assert_eq!(caller("10.0.0.1:80", &["127.0.0.1, nonsense, 10.0.0.2"]), "10.0.0.2");
        assert_eq!(caller("10.0.0.1:80", &["nonsense"]), "10.0.0.1");
    }
}

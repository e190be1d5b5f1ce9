//! The network ports: masks as text, methods by name.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use domain::{NetworkPort, Subnet};

use crate::codes::{Code, Fault};
use crate::wire::Text;
use crate::wire::network::{DefaultInfo, Ethernet, Network, SetDefaultPort, SetNetwork};

/// The answer to 1297.
pub(crate) fn answer(network: domain::Network) -> Network {
    let mut servers = network.name_servers.iter().map(ToString::to_string);
    Network {
        default_info: DefaultInfo {
            dns_method: method(!network.name_servers_given),
            ethname: network.default_port.unwrap_or_default(),
            first_dns: servers.next().unwrap_or_default(),
            second_dns: servers.next().unwrap_or_default(),
        },
        ethernet: network.ports.into_iter().map(ethernet).collect(),
    }
}

fn ethernet(port: NetworkPort) -> Ethernet {
    let is_v6 = port.subnet.is_some_and(|subnet| subnet.address.is_ipv6());
    let text = |address: Option<IpAddr>| address.map(|address| address.to_string()).unwrap_or_default();
    Ethernet {
        gateway: text(port.gateway),
        hw_addr: port.hardware_address,
        ip: text(port.subnet.map(|subnet| subnet.address)),
        ip_method: method(port.dhcp),
        ip_version: if is_v6 { "IPv6" } else { "IPv4" },
        netmask: port.subnet.map(mask).unwrap_or_default(),
        ethname: port.name,
    }
}

fn method(dhcp: bool) -> &'static str {
    if dhcp { "dhcp" } else { "static" }
}

/// A mask for IPv4, a prefix length for IPv6.
fn mask(subnet: Subnet) -> String {
    match subnet.address {
        IpAddr::V4(_) => {
            Ipv4Addr::from_bits(u32::MAX.checked_shl(32 - u32::from(subnet.prefix)).unwrap_or_default()).to_string()
        }
        IpAddr::V6(_) => subnet.prefix.to_string(),
    }
}

/// The port that 1296 sets; with DHCP only its name and the method count (quirk dhcp-fields).
pub(crate) fn port(asked: SetNetwork) -> Result<NetworkPort, Fault> {
    let is_v6 = match asked.ip_version.0.trim() {
        version if version.eq_ignore_ascii_case("IPv4") => false,
        version if version.eq_ignore_ascii_case("IPv6") => true,
        _ => return Err(Fault::parameter("ip_version is neither IPv4 nor IPv6")),
    };
    let dhcp = is_dhcp("ip_method", &asked.ip_method)?;
    let port =
        NetworkPort { name: asked.ethname.0, hardware_address: String::new(), dhcp, subnet: None, gateway: None };
    if dhcp {
        return Ok(port);
    }
    let address = required("ip", asked.ip, is_v6)?;
    let netmask = asked.netmask.and_then(Text::filled).ok_or_else(|| Fault::parameter("missing field `netmask`"))?;
    let prefix = prefix(netmask.trim(), is_v6)?;
    // The field is required, but may be empty: 1297 reports ports without a gateway.
    let gateway = asked.gateway.ok_or_else(|| Fault::parameter("missing field `gateway`"))?;
    let gateway = gateway.filled().map(|text| address_of("gateway", &text, is_v6)).transpose()?;
    Ok(NetworkPort { subnet: Some(Subnet { address, prefix }), gateway, ..port })
}

fn is_dhcp(field: &str, text: &Text) -> Result<bool, Fault> {
    match text.0.trim() {
        "static" => Ok(false),
        "dhcp" => Ok(true),
        _ => Err(Fault::parameter(format!("{field} is neither static nor dhcp"))),
    }
}

fn required(field: &str, text: Option<Text>, is_v6: bool) -> Result<IpAddr, Fault> {
    let text = text.and_then(Text::filled).ok_or_else(|| Fault::parameter(format!("missing field `{field}`")))?;
    address_of(field, &text, is_v6)
}

fn address_of(field: &str, text: &str, is_v6: bool) -> Result<IpAddr, Fault> {
    let address = text.trim().parse().ok().filter(|address: &IpAddr| address.is_ipv6() == is_v6);
    address.ok_or_else(|| Fault::parameter(format!("{field} is not an address of that version")))
}

/// The prefix length of a mask, or of a length for IPv6. A mask with holes is a network error.
fn prefix(text: &str, is_v6: bool) -> Result<u8, Fault> {
    let wrong = || Fault::parameter("netmask is not a mask");
    let ones = if is_v6 {
        if let Ok(length) = text.parse() {
            return Ok(length);
        }
        let bits = text.parse::<Ipv6Addr>().map_err(|_| wrong())?.to_bits();
        (bits.count_ones(), bits.leading_ones())
    } else {
        let bits = text.parse::<Ipv4Addr>().map_err(|_| wrong())?.to_bits();
        (bits.count_ones(), bits.leading_ones())
    };
    match ones {
        (all, leading) if all == leading => Ok(leading as u8),
        _ => Err(Fault::with_detail(Code::Network, "netmask has holes")),
    }
}

/// The name servers that 1295 sets; `None` with DHCP.
pub(crate) fn name_servers(asked: &SetDefaultPort) -> Result<Option<Vec<IpAddr>>, Fault> {
    if is_dhcp("dns_method", &asked.dns_method)? {
        return Ok(None);
    }
    let mut servers = Vec::new();
    for (field, text) in [("first_dns", &asked.first_dns), ("second_dns", &asked.second_dns)] {
        let Some(text) = text.clone().and_then(Text::filled) else { continue };
        let address = text.trim().parse();
        servers.push(address.map_err(|_| Fault::parameter(format!("{field} is not an address")))?);
    }
    Ok(Some(servers))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn masks_are_written_and_read_as_text() {
        for (text, bits) in [("255.0.0.0", 8), ("255.255.255.0", 24), ("255.255.255.255", 32), ("0.0.0.0", 0)] {
            assert_eq!(prefix(text, false).unwrap(), bits);
            assert_eq!(mask(Subnet { address: Ipv4Addr::LOCALHOST.into(), prefix: bits }), text);
        }
        assert_eq!(prefix("255.0.255.0", false).unwrap_err().code, Code::Network);
        assert_eq!(prefix("24", false).unwrap_err().code, Code::Parameter);
        assert_eq!((prefix("64", true).unwrap(), prefix("ffff:ffff::", true).unwrap()), (64, 32));
        assert_eq!(mask(Subnet { address: Ipv6Addr::LOCALHOST.into(), prefix: 64 }), "64");
    }

    fn asked(method: &str, ip: Option<&str>, version: &str) -> SetNetwork {
        let text = |text: &str| Text(text.into());
        SetNetwork {
            ethname: text("eth0"),
            ip: ip.map(text),
            ip_method: text(method),
            netmask: Some(text("255.255.255.0")),
            gateway: Some(text("")),
            ip_version: text(version),
        }
    }

    #[test]
    fn with_dhcp_no_address_is_needed_and_without_it_one_is() {
        let port = port(asked("dhcp", None, "IPv4")).unwrap();
        assert!(port.dhcp && port.subnet.is_none());
        for wrong in [asked("static", None, "IPv4"), asked("static", Some("fd00::1"), "IPv4"), asked("x", None, "IPv4")]
        {
            assert_eq!(super::port(wrong).unwrap_err().code, Code::Parameter);
        }
        assert_eq!(super::port(asked("dhcp", None, "IPX")).unwrap_err().code, Code::Parameter);
    }
}

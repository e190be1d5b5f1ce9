//! The current network state, read from files that need no privileges.

use std::fs;
use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;

use domain::{Network, NetworkPort, Subnet};
use sysinfo::{NetworkData, Networks};

/// systemd-networkd's DHCP leases, by interface index.
const LEASES: &str = "/run/systemd/netif/leases";
/// Resolver configurations in order of preference: the upstream servers of systemd-resolved, then the system's.
const RESOLVERS: [&str; 2] = ["/run/systemd/resolve/resolv.conf", "/etc/resolv.conf"];

/// A default route.
#[derive(Debug, PartialEq, Eq)]
struct DefaultRoute {
    port: String,
    gateway: Ipv4Addr,
    metric: u32,
}

/// The current network state.
pub(crate) fn network() -> Network {
    let routes = default_routes(&fs::read_to_string("/proc/net/route").unwrap_or_default());
    let seen = Networks::new_with_refreshed_list();
    let wired = seen.keys().any(|name| is_hardware(name));
    let mut ports: Vec<_> = seen
        .iter()
        .filter(|(name, _)| *name != "lo" && (is_hardware(name) || !wired))
        .map(|(name, data)| port(name, data, &routes))
        .collect();
    ports.sort_by(|one, other| one.name.cmp(&other.name));
    let best = routes.iter().min_by_key(|route| route.metric);
    let default_port = best.map(|route| route.port.clone()).filter(|name| ports.iter().any(|port| port.name == *name));
    let resolver = RESOLVERS.iter().find_map(|file| fs::read_to_string(file).ok());
    let leased = |name: &String| ports.iter().any(|port| port.name == *name && port.dhcp);
    let name_servers_given = !default_port.as_ref().is_some_and(leased);
    Network { name_servers: name_servers(&resolver.unwrap_or_default()), name_servers_given, default_port, ports }
}

/// The interface index of a port.
pub(crate) fn number(port: &str) -> Option<i32> {
    fs::read_to_string(Path::new("/sys/class/net").join(port).join("ifindex")).ok()?.trim().parse().ok()
}

fn is_hardware(port: &str) -> bool {
    Path::new("/sys/class/net").join(port).join("device").exists()
}

fn port(name: &str, data: &NetworkData, routes: &[DefaultRoute]) -> NetworkPort {
    let addresses = data.ip_networks();
    // IPv4 is preferred, then IPv6 other than link-local.
    let address = addresses.iter().find(|found| found.addr.is_ipv4());
    let address = address.or_else(|| addresses.iter().find(|found| !is_link_local(found.addr)));
    NetworkPort {
        name: name.to_owned(),
        hardware_address: data.mac_address().to_string(),
        dhcp: number(name).is_some_and(|number| Path::new(LEASES).join(number.to_string()).exists()),
        subnet: address.map(|found| Subnet { address: found.addr, prefix: found.prefix }),
        gateway: routes.iter().find(|route| route.port == name).map(|route| route.gateway.into()),
    }
}

fn is_link_local(address: IpAddr) -> bool {
    matches!(address, IpAddr::V6(address) if address.is_unicast_link_local())
}

/// The default routes in the kernel's routing table.
fn default_routes(table: &str) -> Vec<DefaultRoute> {
    let route = |line: &str| {
        let columns: Vec<_> = line.split_whitespace().collect();
        let [port, "00000000", gateway, _, _, _, metric, ..] = columns[..] else { return None };
        // The table prints the address in native byte order.
        let gateway = Ipv4Addr::from(u32::from_str_radix(gateway, 16).ok()?.to_ne_bytes());
        Some(DefaultRoute { port: port.to_owned(), gateway, metric: metric.parse().ok()? })
    };
    table.lines().skip(1).filter_map(route).collect()
}

fn name_servers(resolver: &str) -> Vec<IpAddr> {
    resolver.lines().filter_map(|line| line.trim().strip_prefix("nameserver ")?.trim().parse().ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_way_to_everywhere_is_read_from_the_kernels_table() {
        let table = "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n\
                     eth0\t00000000\t0102A8C0\t0003\t0\t0\t100\t00000000\t0\t0\t0\n\
                     eth0\t0002A8C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0\n";
        let route = DefaultRoute { port: "eth0".into(), gateway: Ipv4Addr::new(192, 168, 2, 1), metric: 100 };
        assert_eq!(default_routes(table), [route]);
        assert_eq!(default_routes("Iface\nbroken line\n"), []);
    }

    #[test]
    fn name_servers_are_read_from_the_resolvers_file() {
        let file = "# comment\nnameserver 10.5.4.207\nsearch example\n nameserver fd00::1\nnameserver junk\n";
        assert_eq!(name_servers(file).iter().map(ToString::to_string).collect::<Vec<_>>(), ["10.5.4.207", "fd00::1"]);
    }

    #[test]
    fn this_machine_is_seen_without_its_loopback() {
        assert!(network().ports.iter().all(|port| port.name != "lo"));
    }
}

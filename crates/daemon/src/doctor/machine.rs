//! Network and clock of the machine.

use domain::Network;
use domain::ports::Host;
use tokio::process::Command;

use super::finding::Finding;

const NETWORK: &str = "network";
const CLOCK: &str = "clock";

pub(super) async fn examine() -> Vec<Finding> {
    let (network, clock) = tokio::join!(network(), clock());
    network.into_iter().chain([clock]).collect()
}

async fn network() -> Vec<Finding> {
    let nothing = host::RelayMessages { on: Vec::new(), off: Vec::new() };
    match host::Linux::new(nothing, None, None).network().await {
        Ok(network) => ports(&network),
        Err(error) => vec![Finding::warning(NETWORK, error.to_string(), "")],
    }
}

fn ports(network: &Network) -> Vec<Finding> {
    let addressed: Vec<_> = network
        .ports
        .iter()
        .filter_map(|port| port.subnet.map(|subnet| format!("{} {}/{}", port.name, subnet.address, subnet.prefix)))
        .collect();
    if addressed.is_empty() {
        let found = if network.ports.is_empty() { "no network port" } else { "no network port has an address" };
        return vec![Finding::problem(NETWORK, found, "check cable and DHCP, or set an address")];
    }
    let mut findings = vec![Finding::ok(NETWORK, addressed.join(", "))];
    match &network.default_port {
        Some(port) => findings.push(Finding::ok(NETWORK, format!("default route by {port}"))),
        None => findings.push(Finding::warning(
            NETWORK,
            "no default route: only the device's own networks can be reached",
            "set a gateway, unless that is intended",
        )),
    }
    if network.name_servers.is_empty() {
        findings.push(Finding::warning(
            NETWORK,
            "no name server",
            "set one, unless everything is named by its address",
        ));
    }
    findings
}

/// Whether the system says that the clock follows a time source.
async fn clock() -> Finding {
    let now = jiff::Timestamp::now();
    let asked = Command::new("timedatectl").args(["show", "--property=NTPSynchronized", "--value"]).output().await;
    let answer = asked.ok().map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned());
    match answer.as_deref() {
        Some("yes") => Finding::ok(CLOCK, format!("synchronised, {now}")),
        Some("no") => Finding::problem(
            CLOCK,
            format!("not synchronised, {now}"),
            "set a time server that the device can reach, or compare the time: records, certificates and plans need it",
        ),
        _ => {
            Finding::warning(CLOCK, format!("{now}; the system does not say whether it is synchronised"), "compare it")
        }
    }
}

#[cfg(test)]
mod tests {
    use domain::NetworkPort;

    use super::*;
    use crate::doctor::finding::State;

    fn network(address: Option<&str>, default_port: Option<&str>) -> Network {
        let subnet = address.map(|address| domain::Subnet { address: address.parse().unwrap(), prefix: 24 });
        let port =
            NetworkPort { name: "eth0".into(), hardware_address: String::new(), dhcp: true, subnet, gateway: None };
        let default_port = default_port.map(str::to_owned);
        Network { ports: vec![port], default_port, name_servers: vec![], name_servers_given: false }
    }

    fn states(network: &Network) -> Vec<State> {
        ports(network).iter().map(|finding| finding.state).collect()
    }

    #[test]
    fn a_port_without_an_address_is_a_problem_and_no_route_a_warning() {
        assert_eq!(states(&network(None, None)), [State::Problem]);
        assert_eq!(states(&network(Some("192.0.2.7"), None)), [State::Ok, State::Warning, State::Warning]);
        assert_eq!(states(&network(Some("192.0.2.7"), Some("eth0"))), [State::Ok, State::Ok, State::Warning]);
    }
}

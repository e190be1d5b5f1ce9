//! The network configuration as files of systemd-networkd, with a backup from before the last change.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use domain::{Network, NetworkPort};

/// Sorts before other files, because networkd applies the first one that matches.
const START: &str = "05-polyface-";
const END: &str = ".network";
/// Directory of the backup from before the last change.
const BEFORE: &str = "polyface-before";
/// Route metrics: of the default port, and of others.
const METRICS: (u32, u32) = (100, 1000);

/// The configuration files written by this program.
pub(crate) struct Files {
    dir: PathBuf,
}

impl Files {
    pub(crate) fn new(dir: PathBuf) -> Self {
        Self { dir }
    }

    /// Backs up the files, then writes those of ports that change. Returns the ports written.
    pub(crate) fn write(&self, now: &Network, wanted: &Network) -> io::Result<Vec<String>> {
        self.copy()?;
        let ours = self.ports(&self.dir)?;
        let touched = |port: &&NetworkPort| ours.contains(&port.name) || differs(port, now, wanted);
        let ports: Vec<_> = wanted.ports.iter().filter(touched).collect();
        for port in &ports {
            put(&self.file(&port.name), &text(port, wanted))?;
        }
        Ok(ports.into_iter().map(|port| port.name.clone()).collect())
    }

    /// Deletes the backup.
    pub(crate) fn keep(&self) -> io::Result<()> {
        remove_folder(&self.dir.join(BEFORE))
    }

    /// Restores the backup, if there is one. Returns the ports whose files changed.
    pub(crate) fn roll_back(&self) -> io::Result<Vec<String>> {
        let before = self.dir.join(BEFORE);
        if !before.exists() {
            return Ok(Vec::new());
        }
        let mut ports = self.ports(&self.dir)?;
        let kept = self.ports(&before)?;
        for port in ports.iter().filter(|port| !kept.contains(port)) {
            fs::remove_file(self.file(port))?;
        }
        for port in &kept {
            put(&self.file(port), &fs::read_to_string(before.join(name(port)))?)?;
        }
        ports.extend(kept);
        ports.sort();
        ports.dedup();
        Ok(ports)
    }

    /// Backs up the files atomically.
    fn copy(&self) -> io::Result<()> {
        let (fresh, before) = (self.dir.join(format!("{BEFORE}.new")), self.dir.join(BEFORE));
        remove_folder(&fresh)?;
        remove_folder(&before)?;
        fs::create_dir(&fresh)?;
        for port in self.ports(&self.dir)? {
            put(&fresh.join(name(&port)), &fs::read_to_string(self.file(&port))?)?;
        }
        fs::rename(fresh, before)?;
        fs::File::open(&self.dir)?.sync_all()
    }

    fn file(&self, port: &str) -> PathBuf {
        self.dir.join(name(port))
    }

    /// The ports that have a file in `dir`.
    fn ports(&self, dir: &Path) -> io::Result<Vec<String>> {
        let mut ports = Vec::new();
        for entry in fs::read_dir(dir)? {
            let file = entry?.file_name();
            let port = file.to_str().and_then(|file| file.strip_prefix(START)?.strip_suffix(END));
            ports.extend(port.map(str::to_owned));
        }
        ports.sort();
        Ok(ports)
    }
}

fn name(port: &str) -> String {
    format!("{START}{port}{END}")
}

fn remove_folder(dir: &Path) -> io::Result<()> {
    match fs::remove_dir_all(dir) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Whether the configuration of a port changes, including what depends on its being the default port.
fn differs(port: &NetworkPort, now: &Network, wanted: &Network) -> bool {
    let is_default = |network: &Network| network.default_port.as_ref() == Some(&port.name);
    let servers = |network: &Network| (network.name_servers_given, network.name_servers.clone());
    let same = now.ports.contains(port) && is_default(now) == is_default(wanted);
    !same || (is_default(wanted) && servers(now) != servers(wanted))
}

/// The networkd file of a port.
fn text(port: &NetworkPort, network: &Network) -> String {
    let is_default = network.default_port.as_ref() == Some(&port.name);
    let metric = if is_default { METRICS.0 } else { METRICS.1 };
    let mut text = format!("# Written by polyface; changes here are lost.\n[Match]\nName={}\n\n[Network]\n", port.name);
    let mut line = |line: String| {
        text.push_str(&line);
        text.push('\n');
    };
    line(format!("DHCP={}", if port.dhcp { "yes" } else { "no" }));
    if let Some(subnet) = port.subnet.filter(|_| !port.dhcp) {
        line(format!("Address={}/{}", subnet.address, subnet.prefix));
    }
    let given = is_default && network.name_servers_given;
    network.name_servers.iter().filter(|_| given).for_each(|server| line(format!("DNS={server}")));
    if port.dhcp {
        let use_dns = if given { "no" } else { "yes" };
        line(format!("\n[DHCPv4]\nUseDNS={use_dns}\nRouteMetric={metric}\n\n[DHCPv6]\nUseDNS={use_dns}"));
    } else if let Some(gateway) = port.gateway {
        line(format!("\n[Route]\nGateway={gateway}\nMetric={metric}"));
    }
    text
}

/// Writes a file atomically.
fn put(file: &Path, text: &str) -> io::Result<()> {
    let fresh = file.with_extension("new");
    let mut out = fs::File::create(&fresh)?;
    out.write_all(text.as_bytes())?;
    out.sync_all()?;
    fs::rename(fresh, file)
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::Subnet;

    fn network(address: &str) -> Network {
        let port = |name: &str, address: &str, gateway: &str| NetworkPort {
            name: name.into(),
            hardware_address: String::new(),
            dhcp: false,
            subnet: Some(Subnet { address: address.parse().unwrap(), prefix: 24 }),
            gateway: gateway.parse().ok(),
        };
        Network {
            ports: vec![port("eth0", address, "192.168.2.1"), port("eth1", "192.168.3.10", "")],
            default_port: Some("eth0".into()),
            name_servers: vec!["10.5.4.207".parse().unwrap()],
            name_servers_given: true,
        }
    }

    fn listed(dir: &Path) -> Vec<String> {
        let names = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let mut names: Vec<_> = names.collect();
        names.sort();
        names
    }

    #[test]
    fn only_what_changes_is_written_and_can_be_taken_back() {
        let dir = tempfile::tempdir().unwrap();
        let files = Files::new(dir.path().to_owned());
        let (first, second) = (network("192.168.2.10"), network("192.168.2.20"));
        assert_eq!(files.write(&first, &second).unwrap(), ["eth0"]);
        let written = fs::read_to_string(dir.path().join("05-polyface-eth0.network")).unwrap();
        for line in ["Name=eth0", "DHCP=no", "Address=192.168.2.20/24", "DNS=10.5.4.207", "Gateway=192.168.2.1"] {
            assert!(written.lines().any(|written| written == line), "{line}: {written}");
        }
        assert_eq!(files.roll_back().unwrap(), ["eth0"]);
        files.keep().unwrap();
        assert_eq!(listed(dir.path()), [] as [&str; 0]);
    }

    #[test]
    fn what_was_kept_is_what_the_next_change_goes_back_to() {
        let dir = tempfile::tempdir().unwrap();
        let files = Files::new(dir.path().to_owned());
        let (first, second, third) = (network("192.168.2.10"), network("192.168.2.20"), network("192.168.2.30"));
        files.write(&first, &second).unwrap();
        files.keep().unwrap();
        let kept = fs::read_to_string(dir.path().join("05-polyface-eth0.network")).unwrap();
        files.write(&second, &third).unwrap();
        assert_eq!(files.roll_back().unwrap(), ["eth0"]);
        assert_eq!(fs::read_to_string(dir.path().join("05-polyface-eth0.network")).unwrap(), kept);
    }

    #[test]
    fn another_default_port_concerns_both() {
        let dir = tempfile::tempdir().unwrap();
        let files = Files::new(dir.path().to_owned());
        let now = network("192.168.2.10");
        let mut wanted = Network { default_port: Some("eth1".into()), name_servers_given: false, ..now.clone() };
        wanted.ports[1].dhcp = true;
        assert_eq!(files.write(&now, &wanted).unwrap(), ["eth0", "eth1"]);
        let read = |port: &str| fs::read_to_string(dir.path().join(name(port))).unwrap();
        assert!(read("eth0").contains("Metric=1000") && !read("eth0").contains("DNS="));
        assert!(read("eth1").contains("DHCP=yes") && read("eth1").contains("RouteMetric=100\n"));
        assert!(read("eth1").contains("UseDNS=yes") && !read("eth1").contains("Address="));
    }
}

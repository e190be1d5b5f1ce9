//! A network of a test's own, in which there is another machine.

use std::net::{IpAddr, Ipv4Addr};
use std::os::unix::fs::MetadataExt;
use std::process::Command;

/// An address in that network that is not loopback: to the device, a caller from it is another machine.
pub const OTHER_MACHINE: IpAddr = IpAddr::V4(Ipv4Addr::new(198, 51, 100, 7));

/// Set in the process that has the network.
const INSIDE: &str = "POLYFACE_TEST_NETWORK";

/// Gives a test a network of its own: runs this test of the program again there, and answers `false` when it has passed;
/// `true` in the process that is to run it. Panics when it fails, or when there can be no such network.
pub fn has_own_network(test: &str) -> bool {
    if std::env::var_os(INSIDE).is_some() {
        set_up();
        return true;
    }
    let mut command = Command::new("unshare");
    command.arg("--net");
    let is_root = std::fs::metadata("/proc/self").is_ok_and(|own| own.uid() == 0);
    if !is_root {
        command.arg("--map-root-user");
    }
    command.arg(std::env::current_exe().expect("a program")).args(["--exact", test, "--nocapture"]);
    let passed = command.env(INSIDE, "1").status().expect("unshare runs");
    assert!(passed.success(), "{test} failed in a network of its own");
    false
}

fn set_up() {
    let other = format!("{OTHER_MACHINE}/32");
    for arguments in [&["link", "set", "lo", "up"][..], &["address", "add", &other, "dev", "lo"]] {
        let done = Command::new("ip").args(arguments).status().expect("ip runs");
        assert!(done.success(), "ip {arguments:?}");
    }
}

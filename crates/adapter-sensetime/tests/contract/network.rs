//! The network ports (sections 6.8 to 6.10).

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use testkit::contract::Ledger;
use testkit::until;

use crate::witness::Witness;

fn port(ip: &str, netmask: &str, gateway: &str) -> Value {
    json!({"ethname": "eth1", "ip": ip, "ip_method": "static", "netmask": netmask, "gateway": gateway, "ip_version": "IPv4"})
}

/// Waits until the trial of a change has ended: a further change is taken.
async fn settled(witness: &Witness) {
    let default = json!({"dns_method": "dhcp", "ethname": "eth0"});
    until("the trial has ended", async || witness.call("set_default_port", &default).await.code != -3606).await;
}

pub(crate) async fn a_port_that_is_reached_on_its_new_address_stays(ledger: &Arc<Ledger>) {
    let witness = Witness::start(ledger).await;
    let before = witness.ok("get_network", json!({})).await;
    assert_eq!(before["ethernet"][0]["ip"], "192.168.2.10");
    assert_eq!(before["default_info"]["ethname"], "eth0");
    // The requests of this test come in on the loopback address.
    witness.ok("set_network", port("127.0.0.1", "255.255.0.0", "127.0.0.9")).await;
    let changed = witness.ok("get_network", json!({})).await;
    let wanted = json!({
        "ethname": "eth1", "gateway": "127.0.0.9", "hw_addr": before["ethernet"][1]["hw_addr"], "ip": "127.0.0.1",
        "ip_method": "static", "ip_version": "IPv4", "netmask": "255.255.0.0",
    });
    assert_eq!((&changed["ethernet"][1], &changed["ethernet"][0]), (&wanted, &before["ethernet"][0]));
    settled(&witness).await;
    witness.pass(Duration::from_secs(120)).await;
    assert_eq!(witness.ok("get_network", json!({})).await["ethernet"][1], wanted);
    witness.stop().await;
}

pub(crate) async fn a_port_that_is_not_reached_is_reverted(ledger: &Arc<Ledger>) {
    let witness = Witness::start(ledger).await;
    let before = witness.ok("get_network", json!({})).await;
    witness.ok("set_network", port("192.168.133.120", "255.255.255.0", "192.168.133.1")).await;
    let changed = witness.ok("get_network", json!({})).await;
    assert_eq!(changed["ethernet"][1]["ip"], "192.168.133.120");
    witness.refused("set_network", port("192.168.134.120", "255.255.255.0", ""), -3606).await;
    witness.pass(Duration::from_secs(61)).await;
    until("the network is as before", async || witness.ok("get_network", json!({})).await == before).await;
    witness.stop().await;
}

pub(crate) async fn a_change_that_a_crash_interrupts_is_undone_at_the_start(ledger: &Arc<Ledger>) {
    let witness = Witness::start(ledger).await;
    let before = witness.ok("get_network", json!({})).await;
    witness.ok("set_network", port("192.168.133.120", "255.255.255.0", "192.168.133.1")).await;
    let again = witness.restart().await;
    until("the network is as before", async || again.ok("get_network", json!({})).await == before).await;
    again.stop().await;
}

pub(crate) async fn default_port_and_name_servers_are_set(ledger: &Arc<Ledger>) {
    let witness = Witness::start(ledger).await;
    let wanted =
        json!({"dns_method": "static", "first_dns": "10.5.4.207", "second_dns": "10.5.4.205", "ethname": "eth1"});
    witness.ok("set_default_port", wanted.clone()).await;
    assert_eq!(witness.ok("get_network", json!({})).await["default_info"], wanted);
    settled(&witness).await;
    let dhcp = json!({"dns_method": "dhcp", "first_dns": "", "second_dns": "", "ethname": "eth0"});
    assert_eq!(witness.ok("get_network", json!({})).await["default_info"], dhcp);
    witness.stop().await;
}

pub(crate) async fn settings_that_would_cut_the_device_off_are_refused(ledger: &Arc<Ledger>) {
    let witness = Witness::start(ledger).await;
    let before = witness.ok("get_network", json!({})).await;
    for (wrong, code) in [
        (port("192.168.2.20", "255.255.255.0", ""), -3606),
        (port("192.168.3.20", "255.0.255.0", ""), -3606),
        (port("192.168.3.20", "255.255.255.0", "192.168.4.1"), -3606),
        (port("0.0.0.0", "255.255.255.0", ""), -3606),
        (port("192.168.3", "255.255.255.0", ""), -3596),
        (port("", "255.255.255.0", ""), -3596),
        (port("192.168.3.20", "wide", ""), -3596),
        (json!({"ethname": "eth7", "ip_method": "dhcp", "ip_version": "IPv4"}), -3606),
        (json!({"ethname": "eth1", "ip_method": "magic", "ip_version": "IPv4"}), -3596),
        (json!({"ip_method": "dhcp", "ip_version": "IPv4"}), -3596),
    ] {
        witness.refused("set_network", wrong, code).await;
    }
    witness.refused("set_default_port", json!({"dns_method": "dhcp", "ethname": "eth7"}), -3606).await;
    witness.refused("set_default_port", json!({"dns_method": "dhcp"}), -3596).await;
    witness
        .refused("set_default_port", json!({"dns_method": "static", "first_dns": "x", "ethname": "eth0"}), -3596)
        .await;
    witness.device.handles.host.forbid(true);
    witness.refused("set_network", port("192.168.3.20", "255.255.255.0", ""), -3606).await;
    assert_eq!(witness.ok("get_network", json!({})).await, before);
    witness.stop().await;
}

//! The machine: network changes on trial, time, and factory settings.

use std::net::IpAddr;
use std::sync::Arc;

use domain::{Appliance, Error, Limits, Network, NetworkPort, Subnet, TimeService, WhenFull, network};
use testkit::{Act, FakeHost, actor};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::stage::{Stage, secs};

fn address(text: &str) -> IpAddr {
    text.parse().unwrap()
}

fn port(ip: &str) -> NetworkPort {
    NetworkPort {
        name: "eth1".into(),
        hardware_address: String::new(),
        dhcp: false,
        subnet: Some(Subnet { address: address(ip), prefix: 24 }),
        gateway: None,
    }
}

/// The address of the second port.
async fn now(appliance: &Appliance) -> IpAddr {
    let Network { ports, .. } = appliance.network().await.unwrap();
    ports[1].subnet.unwrap().address
}

fn guard(appliance: &Appliance) -> (JoinSet<()>, CancellationToken) {
    let (cancel, mut tasks) = (CancellationToken::new(), JoinSet::new());
    tasks.spawn(network::guard(appliance.clone(), cancel.clone()));
    (tasks, cancel)
}

#[tokio::test(start_paused = true)]
async fn only_a_request_at_the_new_address_confirms_a_network_change() {
    let stage = Stage::new();
    let _guard = guard(&stage.appliance);
    let before = now(&stage.appliance).await;
    stage.appliance.by(&actor("test")).set_port(port("10.0.7.1")).await.unwrap();
    assert_eq!(now(&stage.appliance).await, address("10.0.7.1"));
    stage.appliance.note_arrival(before);
    let busy = stage.appliance.by(&actor("test")).set_port(port("10.0.8.1")).await;
    assert!(matches!(busy, Err(Error::Busy)));
    tokio::time::sleep(secs(59.0)).await;
    assert_eq!(now(&stage.appliance).await, address("10.0.7.1"));
    tokio::time::sleep(secs(2.0)).await;
    assert_eq!(now(&stage.appliance).await, before);

    stage.appliance.by(&actor("test")).set_port(port("10.0.7.1")).await.unwrap();
    tokio::time::sleep(secs(59.0)).await;
    stage.appliance.note_arrival(address("::ffff:10.0.7.1"));
    tokio::time::sleep(secs(600.0)).await;
    assert_eq!(now(&stage.appliance).await, address("10.0.7.1"));
    stage.appliance.by(&actor("test")).set_default_port("eth1", None).await.unwrap();
    stage.appliance.note_arrival(before);
    tokio::time::sleep(secs(600.0)).await;
    assert_eq!(stage.appliance.network().await.unwrap().default_port.as_deref(), Some("eth1"));
}

#[tokio::test(start_paused = true)]
async fn a_change_that_cannot_be_undone_at_once_is_undone_later() {
    let stage = Stage::new();
    let before = now(&stage.appliance).await;
    stage.appliance.by(&actor("test")).set_port(port("10.0.7.1")).await.unwrap();
    stage.fakes.host.forbid(true);
    let again = stage.fakes.restart(Limits::default()).unwrap();
    let _guard = guard(&again);
    tokio::time::sleep(secs(30.0)).await;
    assert_eq!(now(&again).await, address("10.0.7.1"));
    assert!(matches!(again.by(&actor("test")).set_port(port("10.0.8.1")).await, Err(Error::Busy)));
    stage.fakes.host.forbid(false);
    tokio::time::sleep(secs(15.0)).await;
    assert_eq!(now(&again).await, before);
    again.by(&actor("test")).set_port(port("10.0.8.1")).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_refused_change_is_undone_before_the_next() {
    let stage = Stage::new();
    let _guard = guard(&stage.appliance);
    let before = now(&stage.appliance).await;
    // Lets the guard check for an interrupted change first.
    tokio::time::sleep(secs(1.0)).await;
    stage.fakes.host.forbid(true);
    let refused = stage.appliance.by(&actor("test")).set_port(port("10.0.7.1")).await;
    assert!(matches!(refused, Err(Error::Unavailable { .. })), "{refused:?}");
    assert!(matches!(stage.appliance.by(&actor("test")).set_port(port("10.0.7.1")).await, Err(Error::Busy)));
    stage.fakes.host.forbid(false);
    tokio::time::sleep(secs(15.0)).await;
    assert_eq!(now(&stage.appliance).await, before);
    stage.appliance.by(&actor("test")).set_port(port("10.0.7.1")).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_confirmed_change_is_not_undone_at_the_next_start() {
    let stage = Stage::new();
    let (mut tasks, cancel) = guard(&stage.appliance);
    stage.appliance.by(&actor("test")).set_port(port("10.0.7.1")).await.unwrap();
    stage.appliance.note_arrival(address("10.0.7.1"));
    tokio::time::sleep(secs(1.0)).await;
    cancel.cancel();
    tasks.join_next().await.unwrap().unwrap();
    let again = stage.fakes.restart(Limits::default()).unwrap();
    let _guard = guard(&again);
    tokio::time::sleep(secs(120.0)).await;
    assert_eq!(now(&again).await, address("10.0.7.1"));
}

#[tokio::test]
async fn settings_are_restored_all_or_none() {
    let stage = Stage::new();
    let appliance = &stage.appliance;
    appliance.by(&actor("test")).set_device_id("gate").await.unwrap();
    appliance.by(&actor("test")).set_when_full(WhenFull::Stop).await.unwrap();
    appliance.state("one").set_value("key", Some("1".into())).await.unwrap();
    stage.fakes.store.fill_up(true);
    appliance.by(&actor("test")).restore_defaults(&appliance.state("one"), &["key"]).await.unwrap_err();
    stage.fakes.store.fill_up(false);
    assert_eq!(appliance.storage_limits().when_full, WhenFull::Stop);
    assert_eq!(appliance.device().await.unwrap().device_id, "gate");
    appliance.by(&actor("test")).restore_defaults(&appliance.state("one"), &["key"]).await.unwrap();
    assert_eq!(appliance.storage_limits().when_full, WhenFull::Overwrite);
    assert_eq!(appliance.device().await.unwrap().device_id, "PF0001");
    assert_eq!(appliance.state("one").value("key").await.unwrap(), None);
}

#[tokio::test]
async fn a_refusal_by_the_machine_changes_no_settings() {
    let stage = Stage::new();
    let host: &Arc<FakeHost> = &stage.fakes.host;
    let (appliance, zone) = (&stage.appliance, stage.appliance.time_zone());
    host.forbid(true);
    let on = TimeService { enabled: true, ..TimeService::default() };
    appliance.by(&actor("test")).set_time_service(on.clone()).await.unwrap_err();
    appliance.by(&actor("test")).set_time(appliance.now(), Some("Etc/UTC")).await.unwrap_err();
    host.forbid(false);
    assert_eq!((appliance.time_service().await.unwrap(), appliance.time_zone()), (TimeService::default(), zone));
    let unknown = appliance.by(&actor("test")).set_time(appliance.now(), Some("Mars/Olympus")).await;
    assert!(matches!(unknown, Err(Error::Invalid { field: "time_zone", .. })));
    appliance.by(&actor("test")).set_time_service(on.clone()).await.unwrap();
    assert_eq!(host.acts(), [Act::TimeService(on)]);
}

#[tokio::test(start_paused = true)]
async fn a_restored_network_is_confirmed_by_a_connection_to_a_platform() {
    let stage = Stage::new();
    let _guard = guard(&stage.appliance);
    let before = stage.appliance.network().await.unwrap();
    for reached in [false, true] {
        stage.appliance.by(&actor("test")).restore_network().await.unwrap();
        let restored = stage.appliance.network().await.unwrap();
        assert!(restored.ports.iter().all(|port| port.dhcp) && !restored.name_servers_given, "{restored:?}");
        if reached {
            stage.appliance.note_connection();
        }
        tokio::time::sleep(secs(600.0)).await;
        let dhcp = stage.appliance.network().await.unwrap().ports.iter().all(|port| port.dhcp);
        assert_eq!(dhcp, reached, "{before:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_connection_does_not_confirm_a_new_address() {
    let stage = Stage::new();
    let _guard = guard(&stage.appliance);
    let before = now(&stage.appliance).await;
    stage.appliance.by(&actor("test")).set_port(port("10.0.7.1")).await.unwrap();
    stage.appliance.note_connection();
    tokio::time::sleep(secs(600.0)).await;
    assert_eq!(now(&stage.appliance).await, before);
}

#[tokio::test]
async fn the_factory_time_settings_are_restored_alone() {
    let stage = Stage::new();
    let (appliance, zone) = (&stage.appliance, stage.appliance.time_zone());
    appliance.by(&actor("test")).set_time(appliance.now(), Some("Etc/UTC")).await.unwrap();
    let on = TimeService { enabled: true, ..TimeService::default() };
    appliance.by(&actor("test")).set_time_service(on).await.unwrap();
    appliance.by(&actor("test")).set_device_id("gate").await.unwrap();
    appliance.by(&actor("test")).restore_time().await.unwrap();
    assert_eq!((appliance.time_zone(), appliance.time_service().await.unwrap()), (zone, TimeService::default()));
    assert_eq!(appliance.device().await.unwrap().device_id, "gate");
}

#[tokio::test]
async fn a_cleared_audit_log_names_who_cleared_it() {
    let stage = Stage::new();
    stage.appliance.by(&actor("test")).set_device_id("gate").await.unwrap();
    stage.appliance.by(&actor("platform")).clear_audit_log().await.unwrap();
    let log = stage.appliance.by(&actor("test")).audit_log(10).await.unwrap();
    let entries: Vec<_> = log.iter().map(|entry| (&*entry.actor, &*entry.action)).collect();
    assert_eq!(entries, [("platform", "audit.clear")]);
}

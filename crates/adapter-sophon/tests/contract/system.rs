//! Wiping (4.5.4), and how the platform is found (8).

use std::sync::Arc;

use serde_json::json;
use testkit::contract::Ledger;

use crate::device::{Device, column};

pub(crate) async fn people_and_events_are_wiped(ledger: &Arc<Ledger>) {
    let device = Device::start(ledger).await;
    device.ok("POST groups", json!({"group_name": "staff", "description": ""})).await;
    device.ok("POST permissions", json!({"permission_name": "day", "description": ""})).await;
    device.enrol("alice").await;
    let wipe = |users, events| json!({"wipe_options": {"users": users, "events": events}});
    assert_eq!(device.ok("POST WipeData", wipe(false, true)).await, wipe(false, true));
    assert_eq!(device.members(None).await, ["alice"]);
    device.ok("POST WipeData", wipe(true, true)).await;
    assert_eq!(device.members(None).await, [] as [&str; 0]);
    let groups = device.ok("GET groups", json!({})).await;
    assert_eq!(column(&groups["groups_list"], "name"), ["default_group"]);
    assert_eq!(device.ok("GET permissions", json!({})).await, json!({"permissions_list": []}));
    device.refused("POST WipeData", json!({"wipe_options": {"users": true}}), 40091).await;
    device.refused("POST WipeData", json!({"wipe_options": {"users": "all", "events": true}}), 40005).await;
    device.stop().await;
}

pub(crate) async fn the_platform_of_the_device_reads_back(ledger: &Arc<Ledger>) {
    let device = Device::start(ledger).await;
    assert_eq!(device.ok("GET DevSno", json!({})).await, json!({"dev_sno": "PF0001", "response": "PF0001"}));
    assert_eq!(device.ok("PUT DevSno", json!({"dev_sno": "TJG1"})).await, json!({"response": "TJG1"}));
    // Nothing is there: the device goes on trying.
    let url = "http://127.0.0.1:1/login";
    assert_eq!(device.ok("PUT LoginUrl", json!({"login_url": url})).await, json!({"response": url}));
    let device = device.restart().await;
    assert_eq!(device.ok("GET DevSno", json!({})).await["dev_sno"], "TJG1");
    assert_eq!(device.ok("GET LoginUrl", json!({})).await, json!({"response": url, "login_url": url}));
    device.refused("PUT DevSno", json!({"dev_sno": ""}), 40091).await;
    device.refused("PUT LoginUrl", json!({"login_url": "ftp://x"}), 40091).await;
    device.refused("PUT LoginUrl", json!({}), 40091).await;
    device.stop().await;
}

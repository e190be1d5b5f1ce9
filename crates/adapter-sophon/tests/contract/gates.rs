//! What follows a recognised person (4.4.1 to 4.4.3).

use std::sync::Arc;

use domain::Output;
use reqwest::multipart::Form;
use serde_json::{Value, json};
use testkit::contract::Ledger;

use crate::device::Device;

pub(crate) async fn the_reaction_reads_back(ledger: &Arc<Ledger>) {
    let device = Device::start(ledger).await;
    let mode = |mode: &str| json!({"controller_mode": mode});
    assert_eq!(device.ok("GET GateControllerMode", json!({})).await, mode("opendoor"));
    assert_eq!(device.ok("POST GateControllerMode", mode("alarm")).await, mode("alarm"));
    let device = device.restart().await;
    assert_eq!(device.ok("GET GateControllerMode", json!({})).await, mode("alarm"));
    device.refused("POST GateControllerMode", mode("dance"), 40091).await;
    device.refused("POST GateControllerMode", json!({"controller_mode": null}), 40091).await;
    device.stop().await;
}

fn action(mode: &str) -> Value {
    json!({"action_ip": "192.0.2.50", "action_port": "5555", "action_mode": mode, "logic_port": 0})
}

pub(crate) async fn relays_are_switched_on(ledger: &Arc<Ledger>) {
    let device = Device::start(ledger).await;
    let answer = device.ok("PUT EventAction", json!({"action": [action("opendoor")]})).await;
    assert_eq!(answer, json!({"message": "ok", "action_mode": "opendoor"}));
    let relay = Output::Relay("192.0.2.50:5555".parse().unwrap());
    assert!(device.handles.host.switched().contains(&(relay, true)));
    device.handles.host.take_offline(relay, true);
    device.refused("PUT EventAction", json!({"action": [action("opendoor")]}), 50073).await;
    device.stop().await;
}

pub(crate) async fn actions_that_cannot_be_are_refused(ledger: &Arc<Ledger>) {
    let device = Device::start(ledger).await;
    for (field, value, code) in [
        ("action_mode", json!("closedoor"), 50100),
        ("action_mode", json!("dance"), 40091),
        ("action_duration", json!(255), 50100),
        ("action_duration", json!(61), 40091),
        ("action_ip", json!("door"), 40091),
        ("action_port", json!(0), 40091),
    ] {
        let mut action = action("opendoor");
        action[field] = value;
        device.refused("PUT EventAction", json!({"action": [action]}), code).await;
    }
    device.refused("PUT EventAction", json!({"action": []}), 40091).await;
    let form = device.plain("PUT", "/SophonFogSys/api/EventAction").multipart(Form::new().text("action", "[]"));
    device.turned_down("PUT EventAction", form, 41591).await;
    assert!(!device.handles.host.switched().iter().any(|(_, on)| *on));
    device.stop().await;
}

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

pub(crate) async fn relays_are_switched_off_and_sound_alarms(ledger: &Arc<Ledger>) {
    let device = Device::start(ledger).await;
    let relay = Output::Relay("192.0.2.50:5555".parse().unwrap());
    let do_it = async |mode: &str| device.ok("PUT EventAction", json!({"action": [action(mode)]})).await;
    for mode in ["opendoor", "alarm"] {
        assert_eq!(do_it(mode).await, json!({"message": "ok", "action_mode": mode}));
        assert_eq!(device.handles.host.switched().last(), Some(&(relay, true)), "{mode}");
        assert_eq!(do_it("closedoor").await, json!({"message": "ok", "action_mode": "closedoor"}));
        assert_eq!(device.handles.host.switched().last(), Some(&(relay, false)), "{mode}");
    }
    // An alarm is no opening.
    let openings = device.appliance.entries_after(domain::Seq(0), &[domain::EntryKind::Opening], 9).await.unwrap();
    assert_eq!(openings.len(), 1);
    // What opens a door sounds no alarm.
    device.add_gate(&[]).await;
    let address = "192.0.2.50:5555".parse().unwrap();
    let door = domain::NewRelay { camera: domain::CameraId(1), address, name: String::new(), tag: String::new() };
    device.appliance.by(&testkit::actor("root")).bind_relay(door).await.unwrap();
    device.refused("PUT EventAction", json!({"action": [action("alarm")]}), 40091).await;
    device.handles.host.take_offline(relay, true);
    device.refused("PUT EventAction", json!({"action": [action("closedoor")]}), 50073).await;
    device.stop().await;
}

pub(crate) async fn the_mode_decides_what_follows_a_known_face(ledger: &Arc<Ledger>) {
    let (door, alarm) = ("192.0.2.50:5000".parse().unwrap(), "192.0.2.51:5000".parse().unwrap());
    let doors = domain::DoorOptions { alarm: Some(alarm), ..testkit::options().doors };
    let device = Device::start_for(ledger, domain::Options { doors, ..testkit::options() }).await;
    let camera = json!({"device_type": "photo", "device_name": "a", "device_key": "192.0.2.1", "group_id": "1",
        "permission_id": "0"});
    device.later("POST Devices", json!({"devices_list": [camera]})).await;
    let bound =
        domain::NewRelay { camera: domain::CameraId(1), address: door, name: String::new(), tag: String::new() };
    device.appliance.by(&testkit::actor("root")).bind_relay(bound).await.unwrap();
    for who in ["alice", "bob", "carol"] {
        device.enrol(who).await;
    }
    let on = |relay| device.handles.host.switched().contains(&(Output::Relay(relay), true));
    for (mode, who) in [("avoid", "alice"), ("alarm", "bob"), ("opendoor", "carol")] {
        device.ok("POST GateControllerMode", json!({"controller_mode": mode})).await;
        let picture = json!({"rgb_image_base64": crate::device::photo(who), "device_ip": "192.0.2.1"});
        device.later("POST PictureMatch", picture).await;
        testkit::until("the alarm or the door is switched", async || match mode {
            "avoid" => true,
            "alarm" => on(alarm),
            _ => on(door),
        })
        .await;
        assert_eq!((on(alarm), on(door)), (mode != "avoid", mode == "opendoor"), "{mode}");
    }
    device.stop().await;
}

pub(crate) async fn actions_that_cannot_be_are_refused(ledger: &Arc<Ledger>) {
    let device = Device::start(ledger).await;
    for (field, value, code) in [
        ("logic_port", json!(2), 50100),
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

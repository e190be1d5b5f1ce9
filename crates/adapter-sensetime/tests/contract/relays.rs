//! Relays (section 10).

use std::sync::Arc;
use std::time::Duration;

use domain::Output;
use serde_json::json;
use testkit::contract::Ledger;
use testkit::{FakeFace, Take};

use crate::witness::Witness;

fn camera() -> serde_json::Value {
    json!({
        "camera_mode": "VIDEO", "protocol": "rtsp", "url": "rtsp://gate", "threshold": 80, "camera_name": "gate",
        "snap_mode": 3, "lib_ids": "1",
    })
}

pub(crate) async fn relays_are_bound_to_cameras_and_switched_for_known_people(ledger: &Arc<Ledger>) {
    let witness = Witness::start(ledger).await;
    assert_eq!(witness.ok("list_relays", json!({})).await, json!([]));
    let face = || [FakeFace::of("alice")];
    let take = || Take::new().nobody(Duration::from_millis(400)).show(Duration::from_secs(2), face());
    witness.device.handles.frames.script("rtsp://gate", [take(), take(), take()]);
    witness.library("staff", &["alice"]).await;
    let staff = witness.ok("list_libs", json!({})).await[0]["lib_id"].to_string();
    let mut gate = camera();
    gate["lib_ids"] = json!(staff);
    // Nobody passes before the relay is there.
    let relay = json!({"camera_channel": "1", "dev_ip": "10.0.0.2", "dev_port": 1234, "dev_name": "lock"});
    witness.refused("add_relay", relay.clone(), -109).await;
    witness.ok("add_camera_rtsp", gate).await;
    let bound = witness.ok("add_relay", relay).await;
    let wanted = json!({
        "id": bound["id"], "camera_channel": 1, "camera_name": "gate", "dev_ip": "10.0.0.2", "dev_port": 1234,
        "dev_name": "lock", "dev_tag": "", "dev_type": "relay",
    });
    assert_eq!(bound, wanted);
    let mut listed = wanted;
    listed["work_status"] = json!(1);
    assert_eq!(witness.ok("list_relays", json!({})).await, json!([listed]));
    let lock = Output::Relay("10.0.0.2:1234".parse().unwrap());
    let host = Arc::clone(&witness.device.handles.host);
    let opened = async {
        while !host.switched().contains(&(lock, true)) {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), opened).await.unwrap();
    host.take_offline(lock, true);
    assert_eq!(witness.ok("list_relays", json!({})).await[0]["work_status"], 0);
    witness.ok("delete_relay", json!({"id": bound["id"]})).await;
    assert_eq!(witness.ok("list_relays", json!({})).await, json!([]));
    witness.stop().await;
}

pub(crate) async fn invalid_relays_are_refused(ledger: &Arc<Ledger>) {
    let witness = Witness::start(ledger).await;
    witness.ok("add_camera_rtsp", camera()).await;
    let relay = json!({"camera_channel": 1, "dev_ip": "10.0.0.2", "dev_port": 1234});
    for (field, value) in [
        ("camera_channel", json!(0)),
        ("camera_channel", json!(17)),
        ("dev_ip", json!("relay.example")),
        ("dev_ip", json!("255.255.255.255")),
        ("dev_port", json!(-1)),
        ("dev_port", json!(65_536)),
        ("dev_name", json!("x".repeat(300))),
    ] {
        let mut wrong = relay.clone();
        wrong[field] = value;
        witness.refused("add_relay", wrong, -3596).await;
    }
    for missing in ["camera_channel", "dev_ip", "dev_port"] {
        let mut wrong = relay.clone();
        wrong.as_object_mut().unwrap().remove(missing);
        witness.refused("add_relay", wrong, -3596).await;
    }
    witness.refused("delete_relay", json!({"id": 7}), -105).await;
    witness.refused("delete_relay", json!({}), -3596).await;
    assert_eq!(witness.ok("list_relays", json!({})).await, json!([]));
    witness.ok("add_relay", relay).await;
    witness.ok("delete_camera", json!({"channel": 1})).await;
    assert_eq!(witness.ok("list_relays", json!({})).await, json!([]), "a relay goes with its camera");
    witness.stop().await;
}

//! Permission groups (4.1).

use std::sync::Arc;

use domain::{Output, Verdict};
use serde_json::{Value, json};
use testkit::contract::Ledger;
use testkit::until;

use crate::device::{Device, person};

pub(crate) async fn permission_groups_are_made_changed_listed_and_removed(ledger: &Arc<Ledger>) {
    let device = Device::start(ledger).await;
    let made = device.ok("POST permissions", json!({"permission_name": "测试组", "description": ""})).await;
    assert_eq!((&made["info"]["name"], &made["info"]["description"]), (&json!("测试组"), &json!("")));
    device.ok("POST permissions", json!({"permission_name": "b", "description": "x", "info": {"a": 1}})).await;
    let changed = device.ok("PUT permissions", json!({"permission_name": "测试组", "description": "new"})).await;
    assert_eq!(changed, json!({"info": {"name": "测试组", "description": "new"}}));
    let device = device.restart().await;
    let all = device.ok("GET permissions", json!({})).await;
    let (one, other) = (json!({"name": "测试组", "description": "new"}), json!({"name": "b", "description": "x"}));
    assert_eq!(all, json!({"permissions_list": [one, other]}));
    let named = device.ok("GET permissions", json!({"permission_name": "b"})).await;
    assert_eq!(named, json!({"permissions_list": [other]}));
    device.ok("DELETE permissions", json!({"permission_name": "测试组"})).await;
    assert_eq!(device.ok("GET permissions", json!({})).await, named);
    device.stop().await;
}

pub(crate) async fn permission_groups_that_cannot_be_are_refused(ledger: &Arc<Ledger>) {
    let device = Device::start(ledger).await;
    device.ok("POST permissions", json!({"permission_name": "a", "description": ""})).await;
    for (name, code) in [("", 40012), ("a", 40012), ("a,b", 40012)] {
        device.refused("POST permissions", json!({"permission_name": name, "description": ""}), code).await;
    }
    device.refused("POST permissions", json!({"permission_name": "b"}), 40091).await;
    device.refused("POST permissions", json!({"permission_name": null, "description": ""}), 40091).await;
    let info = json!({"permission_name": "b", "description": "", "info": {"name": "c"}});
    device.refused("POST permissions", info, 40091).await;
    for operation in ["GET permissions", "DELETE permissions"] {
        device.refused(operation, json!({"permission_name": "none"}), 40491).await;
    }
    device.refused("PUT permissions", json!({"permission_name": "none", "description": ""}), 40491).await;
    let unclear = json!({"permission_name": "a", "user_recursive_delete": "perhaps"});
    device.refused("DELETE permissions", unclear, 40005).await;
    device.stop().await;
}

pub(crate) async fn a_permission_group_goes_with_its_people(ledger: &Arc<Ledger>) {
    let device = Device::start(ledger).await;
    let made = device.ok("POST permissions", json!({"permission_name": "night", "description": ""})).await;
    for (id, group) in [("alice", made["info"]["id"].clone()), ("bob", json!("0")), ("carol", json!("night"))] {
        let mut person = person(id);
        person["info"]["permission_ids"] = json!([group]);
        device.ok("POST users", person).await;
    }
    let request = json!({"permission_name": "night", "user_recursive_delete": true});
    let gone = device.ok("DELETE permissions", request).await;
    assert_eq!(gone["message"], "delete the permission info and the user in the permission");
    assert_eq!(device.members(None).await, ["bob"]);
    device.stop().await;
}

/// Adds a camera at this address that is reserved for a permission group.
async fn add_door(device: &Device, ip: &str, permission: &Value) {
    let camera = json!({"device_type": "photo", "netRelay": {}, "is_start_rtmp": false, "device_name": ip,
        "device_key": ip, "group_id": "1", "permission_id": permission});
    device.later("POST Devices", json!({"devices_list": [camera]})).await;
}

/// Shows somebody to the camera at this address.
async fn show(device: &Device, who: &str, ip: &str) {
    let picture = crate::device::photo(who);
    device.later("POST PictureMatch", json!({"rgb_image_base64": picture, "device_ip": ip})).await;
}

/// Who was recognised at which camera, and with which verdict, oldest first.
async fn verdicts(device: &Device) -> Vec<(String, String, Verdict)> {
    let records = device.appliance.records_after(domain::Seq(0), 100).await.unwrap();
    let row = |record: &domain::Record| {
        let who = record.accepted().map(|person| person.code.to_string()).unwrap_or_default();
        (record.capture.camera_name.clone(), who, record.verdict)
    };
    records.iter().map(row).collect()
}

pub(crate) async fn doors_open_to_people_of_their_permission_group_only(ledger: &Arc<Ledger>) {
    let device = Device::start(ledger).await;
    let mut ids = Vec::new();
    for name in ["day", "night"] {
        let made = device.ok("POST permissions", json!({"permission_name": name, "description": ""})).await;
        ids.push(made["info"]["id"].clone());
    }
    // In one group, in two, in another one, in none.
    for (who, groups) in [
        ("alice", json!([ids[0]])),
        ("bob", json!([ids[1], "day"])),
        ("carol", json!(["night"])),
        ("dan", json!(["0"])),
    ] {
        let mut person = person(who);
        person["info"]["permission_ids"] = groups;
        device.ok("POST users", person).await;
    }
    add_door(&device, "192.0.2.1", &ids[0]).await;
    add_door(&device, "192.0.2.2", &json!("0")).await;
    let address = "192.0.2.50:5000".parse().unwrap();
    for camera in [1, 2] {
        let relay =
            domain::NewRelay { camera: domain::CameraId(camera), address, name: String::new(), tag: String::new() };
        device.appliance.by(&testkit::actor("root")).bind_relay(relay).await.unwrap();
    }
    let opened =
        async || device.handles.host.switched().iter().filter(|now| **now == (Output::Relay(address), true)).count();
    let mut wanted = Vec::new();
    for (ip, who, verdict) in [
        ("192.0.2.1", "alice", Verdict::Known),
        ("192.0.2.1", "carol", Verdict::NotAllowedNow),
        ("192.0.2.1", "dan", Verdict::NotAllowedNow),
        ("192.0.2.1", "bob", Verdict::Known),
        ("192.0.2.2", "carol", Verdict::Known),
        ("192.0.2.2", "dan", Verdict::Known),
    ] {
        show(&device, who, ip).await;
        wanted.push((ip.to_owned(), who.to_owned(), verdict));
        let opens = wanted.iter().filter(|(_, _, verdict)| *verdict == Verdict::Known).count();
        until(&format!("the door has opened {opens} times"), async || opened().await == opens).await;
    }
    assert_eq!(verdicts(&device).await, wanted);
    // A change counts from the next picture on, and over a restart.
    let info = json!({"identity_id": "carol", "info": {"permission_ids": ["day"]}});
    device.ok("PUT users", info).await;
    let device = device.restart().await;
    device.handles.clock.advance(std::time::Duration::from_secs(60));
    show(&device, "carol", "192.0.2.1").await;
    show(&device, "dan", "192.0.2.1").await;
    let last: Vec<_> = verdicts(&device).await.into_iter().skip(6).map(|(_, who, verdict)| (who, verdict)).collect();
    assert_eq!(last, [("carol".to_owned(), Verdict::Known), ("dan".to_owned(), Verdict::NotAllowedNow)]);
    device.stop().await;
}

pub(crate) async fn a_camera_stays_reserved_when_its_permission_group_goes(ledger: &Arc<Ledger>) {
    let device = Device::start(ledger).await;
    device.ok("POST permissions", json!({"permission_name": "day", "description": ""})).await;
    let mut alice = person("alice");
    alice["info"]["permission_ids"] = json!(["day"]);
    device.ok("POST users", alice).await;
    add_door(&device, "192.0.2.1", &json!("day")).await;
    device.ok("DELETE permissions", json!({"permission_name": "day"})).await;
    let found = device.ok("GET users", json!({"identity_id": "alice"})).await;
    assert_eq!(found["identities_list"][0]["info"]["permission_ids"], json!(["0"]));
    show(&device, "alice", "192.0.2.1").await;
    assert_eq!(verdicts(&device).await.pop().unwrap().2, Verdict::NotAllowedNow);
    device.stop().await;
}

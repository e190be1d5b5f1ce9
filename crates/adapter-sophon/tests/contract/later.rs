//! What programs for later versions ask for.

use std::sync::Arc;

use serde_json::{Value, json};
use testkit::contract::Ledger;

use crate::device::Device;
use crate::platform::Platform;

pub(crate) async fn programs_for_later_versions_find_groups(ledger: &Arc<Ledger>) {
    let device = Device::start(ledger).await;
    let made = device.ok("POST permissions", json!({"permission_name": "day", "description": "d"})).await;
    let get = async |path: &str| -> Value {
        let answer = device.plain("GET", path).send().await.unwrap();
        assert_eq!(answer.status(), 200, "{path}");
        answer.json::<Value>().await.unwrap()["data"].take()
    };
    let found = get("/SophonFace/api/permissions?info.name=day&exact=true").await;
    let id = &made["info"]["id"];
    assert_eq!(found, json!([{"_id": id, "info": {"name": "day", "description": "d"}}]));
    assert_eq!(get("/SophonFace/api/groups?info.name=default&exact=true").await, json!([]));
    assert_eq!(get("/SophonFace/api/groups?info.name=default").await[0]["info"]["name"], "default_group");
    assert_eq!(get("/SophonFace/api/groups?").await.as_array().unwrap().len(), 1);
    device.stop().await;
}

/// A capture camera, or a program in its place.
fn photo_device(ip: &str, group: &Value, permission: &Value) -> Value {
    json!({"device_type": "photo", "netRelay": {}, "is_start_rtmp": false, "device_name": "63", "device_key": ip,
        "group_id": group, "permission_id": permission})
}

pub(crate) async fn the_registration_program_runs_in_its_order(ledger: &Arc<Ledger>) {
    let (device, receiver) = (Device::start(ledger).await, Platform::start().await);
    let found = async |what: &str, name: &str| -> Value {
        let path = format!("/SophonFace/api/{what}?info.name={name}&exact=true");
        let mut answer: Value = device.plain("GET", &path).send().await.unwrap().json().await.unwrap();
        assert_eq!(answer["data"][0]["info"]["name"], *name);
        answer["data"][0]["_id"].take()
    };
    // 1: a permission group, at an address with an empty query.
    let group = json!({"permission_name": "测试权限组", "description": "测试权限组"});
    let made = device.plain("POST", "/SophonFogSys/api/permissions?").json(&group);
    device.accepted("POST permissions", made).await;
    // 2: its id.
    let permission = found("permissions", "测试权限组").await;
    // 3: a person.
    let mut person = crate::device::person("666666");
    person["create_no_exit_permission"] = json!(false);
    person["ignore_exist"] = json!(false);
    person["fiqa_level"] = json!("custom");
    person["info"] = json!({"name": "张明", "type": 1, "permission_ids": [permission]});
    device.ok("POST users", person).await;
    // 4 and 5: the ids of both groups.
    let group = found("groups", "default_group").await;
    assert_eq!(found("permissions", "测试权限组").await, permission);
    // 6: a device, twice, as when the program runs again.
    for _ in 0..2 {
        device.later("POST Devices", json!({"devices_list": [photo_device("192.0.2.63", &group, &permission)]})).await;
    }
    assert_eq!(device.appliance.cameras().await.unwrap().len(), 1);
    // 7: a picture, whose text has line breaks.
    let text = crate::device::photo("666666");
    let lines: Vec<_> = text.as_bytes().chunks(76).map(|line| std::str::from_utf8(line).unwrap()).collect();
    let picture = json!({"rgb_image_base64": lines.join("\n") + "\n", "device_ip": "192.0.2.63"});
    device.later("POST PictureMatch", picture.clone()).await;
    // Then it says where events go.
    let history = json!({"history_upload_event_url": [format!("{}/event", receiver.url)], "content-type": "json",
        "reported_peroid": 1, "history_need_recognize_face": false, "history_need_reg_pic": true,
        "history_need_spot_pic": false});
    device.ok("POST HistoryEventUrl", history).await;
    device.handles.clock.advance(std::time::Duration::from_secs(60));
    device.later("POST PictureMatch", picture).await;
    let event = receiver.several("/event", 1).await.remove(0);
    assert_eq!(ledger.event("history event", &event, &[]), Ok(()));
    let more = &event["ext_data"];
    assert_eq!((&event["identity_id"], &event["identity_name"]), (&json!("666666"), &json!("张明")));
    assert_eq!((&more["device_ip"], &more["device_type"]), (&json!("192.0.2.63"), &json!("1")));
    assert_eq!((more.get("spot_pic"), more.get("recognize_face"), event["reg_pic"].is_string()), (None, None, true));
    device.stop().await;
}

pub(crate) async fn devices_that_cannot_be_are_refused(ledger: &Arc<Ledger>) {
    let device = Device::start(ledger).await;
    for (field, value, code) in [
        ("device_type", json!("ipc"), 50100),
        ("netRelay", json!({"ip": "192.0.2.1"}), 50100),
        ("device_key", json!("camera"), 40091),
        ("device_name", json!(""), 40091),
        ("device_name", json!("x".repeat(65)), 40091),
        ("group_id", json!("7"), 40491),
        ("permission_id", json!("none"), 40491),
    ] {
        let mut camera = photo_device("192.0.2.63", &json!("1"), &json!("0"));
        camera[field] = value;
        assert_eq!(device.later_refused("POST Devices", json!({"devices_list": [camera]})).await, code, "{field}");
    }
    assert_eq!(device.later_refused("POST Devices", json!({"devices_list": []})).await, 40091);
    assert_eq!(device.appliance.cameras().await.unwrap(), []);
    let picture = |text: String, ip: &str| json!({"rgb_image_base64": text, "device_ip": ip});
    let photo = || crate::device::photo("alice");
    assert_eq!(device.later_refused("POST PictureMatch", picture(photo(), "192.0.2.63")).await, 40491);
    device.add_gate(&[]).await;
    assert_eq!(device.later_refused("POST PictureMatch", picture(photo(), "192.0.2.7")).await, 40491);
    let camera = photo_device("192.0.2.63", &json!("default_group"), &json!(""));
    device.later("POST Devices", json!({"devices_list": [camera]})).await;
    for (text, code) in [("!", 40003), ("AAAA", 40003), ("", 40003)] {
        assert_eq!(device.later_refused("POST PictureMatch", picture(text.into(), "192.0.2.63")).await, code, "{text}");
    }
    device.stop().await;
}

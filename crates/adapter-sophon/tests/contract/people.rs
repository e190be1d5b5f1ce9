//! People (4.3).

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use domain::Limits;
use reqwest::multipart::{Form, Part};
use serde_json::{Value, json};
use testkit::Picture;
use testkit::contract::Ledger;

use crate::device::{Device, person, photo};

pub(crate) async fn people_are_enrolled_changed_listed_and_removed(ledger: &Arc<Ledger>) {
    let device = Device::start(ledger).await;
    device.ok("POST groups", json!({"group_name": "staff", "description": ""})).await;
    let mut request = person("001");
    request["group_name"] = json!("default_group,staff");
    request["info"] = json!({"name": "小王", "type": 5});
    let made = device.ok("POST users", request).await;
    let info = json!({"name": "小王", "type": 5, "permission_ids": ["0"], "user_id": "001"});
    let expected = json!({"identity_id": "001", "reg_photo": "", "group_name": "default_group,staff", "info": info});
    assert_eq!(made, expected);
    let device = device.restart().await;
    let found = device.ok("GET users", json!({"identity_id": "001", "group_name": "none"})).await;
    let entry = &found["identities_list"][0];
    assert_eq!((&entry["reg_photo"], &entry["group_name"]), (&json!(photo("001")), &json!(["default_group", "staff"])));
    let image = entry["info"]["image_id"].clone();
    let change = json!({"identity_id": "001", "reg_photo": "", "info": {"name": "小明"}});
    let changed = device.ok("PUT users", change).await;
    assert_eq!(
        (&changed["image_id"], &changed["info"]["name"], &changed["info"]["type"]),
        (&image, &json!("小明"), &json!(5))
    );
    let change = json!({"identity_id": "001", "reg_photo": photo("other"), "info": {}});
    assert_ne!(device.ok("PUT users", change).await["image_id"], image);
    let gone = device.ok("DELETE users", json!({"identity_id": "001"})).await;
    let groups = json!(["default_group", "staff"]);
    let message = "have remove from group success";
    assert_eq!(gone, json!({"identity_id": "001", "group_name": groups, "message": message}));
    assert_eq!(device.members(None).await, [] as [&str; 0]);
    device.stop().await;
}

pub(crate) async fn people_come_in_forms_too(ledger: &Arc<Ledger>) {
    let device = Device::start(ledger).await;
    device.ok("POST groups", json!({"group_name": "staff", "description": ""})).await;
    let picture = Part::bytes(testkit::portrait("alice").to_vec()).file_name("a.jpg");
    let form = Form::new().text("identity_id", "alice").part("reg_photo", picture);
    let form = form.text("group_name", "default_group").text("group_name", "staff");
    let form = form.text("info", "{\"name\": \"Alice\", \"type\": 2}").text("ignore_exist", "false");
    let request = device.plain("POST", "/SophonFogSys/api/users").multipart(form);
    let made = device.accepted("POST users", request).await;
    assert_eq!((&made["info"]["name"], &made["info"]["type"]), (&json!("Alice"), &json!(2)));
    assert_eq!(device.members(Some("staff")).await, ["alice"]);
    device.stop().await;
}

pub(crate) async fn known_people_are_overwritten_when_that_is_asked_for(ledger: &Arc<Ledger>) {
    let device = Device::start(ledger).await;
    device.ok("POST groups", json!({"group_name": "staff", "description": ""})).await;
    let with = |more: Value| {
        let mut request = person("alice");
        request.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        request
    };
    let first =
        device.request("POST users", &with(json!({"info": {"name": "A", "type": 1, "shift": "day", "floor": 4}})));
    let first: Value = first.send().await.unwrap().json().await.unwrap();
    // What has no meaning here is kept and told again.
    assert_eq!((&first["data"]["info"]["shift"], &first["data"]["info"]["floor"]), (&json!("day"), &json!(4)));
    device.refused("POST users", with(json!({})), 40011).await;
    let again = with(json!({"ignore_exist": true, "group_name": "staff", "info": {"name": "B", "shift": "night"}}));
    let again: Value = device.request("POST users", &again).send().await.unwrap().json().await.unwrap();
    let info =
        json!({"name": "B", "type": 1, "permission_ids": ["0"], "user_id": "alice", "shift": "night", "floor": 4});
    assert_eq!(again["data"]["info"], info);
    assert_eq!(device.request("GET users", &json!({"group_name": "staff"})).send().await.unwrap().status(), 200);
    device.stop().await;
}

pub(crate) async fn people_are_found_page_by_page(ledger: &Arc<Ledger>) {
    let device = Device::start(ledger).await;
    for number in 0..12 {
        device.enrol(&format!("p{number:02}")).await;
    }
    let page = async |fields: Value| {
        let found = device.ok("GET users", fields).await;
        crate::device::column(&found["identities_list"], "identity_id")
    };
    assert_eq!(page(json!({})).await.len(), 10);
    assert_eq!(page(json!({"group_name": "default_group", "skip_num": 10})).await, ["p01", "p00"]);
    assert_eq!(page(json!({"limit": 3, "skip_num": 1})).await, ["p10", "p09", "p08"]);
    for bad in [json!({"limit": "x"}), json!({"limit": 0}), json!({"limit": 101}), json!({"skip_num": -1})] {
        device.refused("GET users", bad, 40091).await;
    }
    device.refused("GET users", json!({"identity_id": "none"}), 40401).await;
    device.refused("GET users", json!({"group_name": "none"}), 40491).await;
    device.stop().await;
}

pub(crate) async fn people_who_cannot_be_are_refused(ledger: &Arc<Ledger>) {
    let device = Device::start_with(ledger, Limits { people: 1, ..Limits::default() }).await;
    let nobody = STANDARD.encode(Picture::empty().jpeg());
    let large = STANDARD.encode(vec![7; (6 << 20) + 1]);
    let info = json!({"name": "a", "type": 7});
    for (field, value, code) in [
        ("identity_id", json!(null), 40091),
        ("identity_id", json!("x".repeat(65)), 40091),
        ("group_name", json!("none"), 40491),
        ("group_name", json!(""), 40091),
        ("ignore_exist", json!("x"), 40005),
        ("reg_photo", json!("no picture!"), 40003),
        ("reg_photo", json!(STANDARD.encode("text")), 40003),
        ("reg_photo", json!(nobody), 40004),
        ("reg_photo", json!(large), 40007),
        ("info", json!({}), 40091),
        ("info", json!("x"), 40091),
        ("info", info, 40091),
        ("info", json!({"name": "a", "permission_ids": ["none"]}), 40401),
    ] {
        let mut request = person("alice");
        request[field] = value;
        device.refused("POST users", request, code).await;
    }
    assert_eq!(device.members(None).await, [] as [&str; 0]);
    device.enrol("alice").await;
    device.refused("POST users", person("bob"), 40015).await;
    device.refused("PUT users", json!({"identity_id": "bob", "info": {}}), 40401).await;
    device.refused("PUT users", json!({"identity_id": "alice"}), 40091).await;
    let picture = json!({"identity_id": "alice", "info": {}, "reg_photo": STANDARD.encode(Picture::empty().jpeg())});
    device.refused("PUT users", picture, 40004).await;
    device.refused("DELETE users", json!({"identity_id": "bob"}), 40401).await;
    device.stop().await;
}

pub(crate) async fn permission_groups_of_people_are_known_or_made(ledger: &Arc<Ledger>) {
    let device = Device::start(ledger).await;
    let made = device.ok("POST permissions", json!({"permission_name": "day", "description": ""})).await;
    let id = made["info"]["id"].as_str().unwrap();
    let mut request = person("alice");
    // By name or by id, which is what is told.
    request["info"]["permission_ids"] = json!(["day", id]);
    assert_eq!(device.ok("POST users", request.clone()).await["info"]["permission_ids"], json!([id]));
    request["identity_id"] = json!("bob");
    request["info"]["permission_ids"] = json!(["1046"]);
    device.refused("POST users", request.clone(), 40401).await;
    request["create_no_exit_permission"] = json!(true);
    assert_eq!(device.ok("POST users", request).await["info"]["permission_ids"], json!(["1046"]));
    let all = device.ok("GET permissions", json!({})).await;
    assert_eq!(crate::device::column(&all["permissions_list"], "name"), ["day", "1046"]);
    device.stop().await;
}

//! Permission groups (4.1).

use std::sync::Arc;

use serde_json::json;
use testkit::contract::Ledger;

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

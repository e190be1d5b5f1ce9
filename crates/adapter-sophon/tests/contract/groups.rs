//! Groups of faces (4.2).

use std::sync::Arc;

use domain::Limits;
use reqwest::multipart::Form;
use serde_json::json;
use testkit::contract::Ledger;

use crate::device::{Device, column, person};

pub(crate) async fn groups_are_made_changed_listed_and_removed(ledger: &Arc<Ledger>) {
    let device = Device::start(ledger).await;
    let request = json!({"group_name": "员工", "description": "all", "info": {"floor": 3}});
    let made = device.ok("POST groups", request).await;
    assert_eq!(made, json!({"info": {"name": "员工", "description": "all"}}));
    device.ok("PUT groups", json!({"group_name": "员工", "description": "new"})).await;
    let device = device.restart().await;
    let all = device.ok("GET groups", json!({})).await;
    assert_eq!(column(&all["groups_list"], "name"), ["default_group", "员工"]);
    let named = device.ok("GET groups", json!({"group_name": "员工"})).await;
    assert_eq!(named, json!({"groups_list": [{"name": "员工", "description": "new"}]}));
    device.ok("DELETE groups", json!({"group_name": "员工"})).await;
    device.refused("GET groups", json!({"group_name": "员工"}), 40491).await;
    device.stop().await;
}

pub(crate) async fn groups_that_cannot_be_are_refused(ledger: &Arc<Ledger>) {
    let full = Device::start_with(ledger, Limits { libraries: 2, ..Limits::default() }).await;
    for (name, code) in [("", 40012), ("a,b", 40012), ("default_group", 40012)] {
        full.refused("POST groups", json!({"group_name": name, "description": ""}), code).await;
    }
    full.refused("POST groups", json!({"group_name": "a"}), 40091).await;
    let info = json!({"group_name": "a", "description": "", "info": {"description": "b"}});
    full.refused("POST groups", info, 40091).await;
    full.refused("PUT groups", json!({"group_name": "a", "description": ""}), 40491).await;
    full.refused("DELETE groups", json!({"group_name": "a"}), 40491).await;
    full.refused("DELETE groups", json!({"group_name": "default_group"}), 40091).await;
    full.refused("DELETE groups", json!({"group_name": "a", "user_recursive_delete": 7}), 40005).await;
    let people = json!({"group_name": "a", "identity_id": ["1"]});
    full.refused("PUT GroupUsers", people.clone(), 40491).await;
    full.refused("DELETE GroupUsers", people, 40491).await;
    full.stop().await;
}

pub(crate) async fn people_stay_when_their_group_goes(ledger: &Arc<Ledger>) {
    let device = Device::start(ledger).await;
    for recursive in [false, true] {
        device.ok("POST groups", json!({"group_name": "staff", "description": ""})).await;
        let mut request = person("alice");
        request["group_name"] = json!("staff");
        request["ignore_exist"] = json!(true);
        device.ok("POST users", request).await;
        let gone = json!({"group_name": "staff", "user_recursive_delete": recursive});
        device.ok("DELETE groups", gone).await;
        let left: &[&str] = if recursive { &[] } else { &["alice"] };
        assert_eq!(device.members(Some("default_group")).await, left);
    }
    device.stop().await;
}

pub(crate) async fn people_are_put_into_groups_and_taken_out(ledger: &Arc<Ledger>) {
    let device = Device::start(ledger).await;
    device.ok("POST groups", json!({"group_name": "staff", "description": ""})).await;
    for id in ["alice", "bob"] {
        device.enrol(id).await;
    }
    let request = json!({"group_name": "staff", "identity_id": ["alice", "bob"], "with_identity_id": true});
    let answer = device.ok("PUT GroupUsers", request).await;
    let mut all: Vec<_> = answer["identity_id"].as_array().unwrap().iter().map(|id| id.as_str().unwrap()).collect();
    all.sort_unstable();
    assert_eq!(all, ["alice", "bob"]);
    let form = Form::new().text("group_name", "staff").text("identity_id", "[\"alice\"]");
    let request = device.plain("DELETE", "/SophonFogSys/api/GroupUsers");
    let answer = device.accepted("DELETE GroupUsers", request.multipart(form)).await;
    assert_eq!(answer, json!({"group_name": "staff"}));
    assert_eq!(device.members(Some("staff")).await, ["bob"]);
    assert_eq!(device.members(Some("default_group")).await, ["alice", "bob"]);
    let form = Form::new().text("group_name", "staff").text("identity_id", "alice, bob");
    device.accepted("PUT GroupUsers", device.plain("PUT", "/SophonFogSys/api/GroupUsers").multipart(form)).await;
    assert_eq!(device.members(Some("staff")).await, ["alice", "bob"]);
    device.ok("DELETE GroupUsers", json!({"group_name": "staff", "identity_id": "alice"})).await;
    // Nobody is moved when one is unknown.
    let some = json!({"group_name": "staff", "identity_id": ["alice", "none"]});
    device.refused("PUT GroupUsers", some.clone(), 40401).await;
    assert_eq!(device.members(Some("staff")).await, ["bob"]);
    device.refused("DELETE GroupUsers", some, 40401).await;
    let unclear = json!({"group_name": "staff", "identity_id": "alice", "with_identity_id": []});
    device.refused("PUT GroupUsers", unclear, 40005).await;
    device.refused("PUT GroupUsers", json!({"group_name": "staff"}), 40091).await;
    device.stop().await;
}

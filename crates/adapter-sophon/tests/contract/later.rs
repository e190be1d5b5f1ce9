//! What programs for later versions ask for.

use std::sync::Arc;

use serde_json::{Value, json};
use testkit::contract::Ledger;

use crate::device::Device;

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

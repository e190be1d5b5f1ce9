//! Configuration (chapter 7).

use std::sync::Arc;

use serde_json::json;
use testkit::contract::Ledger;

use crate::device::Device;

pub(crate) async fn the_storage_server_is_kept_and_reported(ledger: &Arc<Ledger>) {
    let device = Device::start(ledger).await;
    let name = || json!({"name": "StorageServer"});
    let first = device.ok("/GetSystemConfig", name()).await;
    assert_eq!((&first["info"], &first["info"]["name"]), (&first["Info"], &json!("StorageServer")));
    let text = "{\"ip\": \"192.0.2.7\",  \"port\": 10009}";
    device.ok("/UpdateSystemConfig", json!({"name": "StorageServer", "config": text, "remark": ""})).await;
    let device = device.restart().await;
    assert_eq!(device.info("/GetSystemConfig", json!({"name": "StorageServer", "config": 7})).await["config"], text);
    let object = json!({"ip": "192.0.2.8", "port": 1});
    device.ok("/UpdateSystemConfig", json!({"name": "StorageServer", "config": object})).await;
    let told = device.info("/GetSystemConfig", name()).await;
    assert_eq!(told["config"], object.to_string());
    for config in [json!("no JSON"), json!("{}"), json!({"ip": "a", "port": 70000}), json!(7), json!("7")] {
        let fields = json!({"name": "StorageServer", "config": config});
        device.refused_for("/UpdateSystemConfig", fields, "config").await;
    }
    device.refused_for("/UpdateSystemConfig", json!({"name": "StorageServer"}), "config").await;
    device.refused("/UpdateSystemConfig", json!({"name": "Other", "config": "{}"}), 6).await;
    for mistyped in [json!(7), json!(null), json!([1]), json!("no JSON"), json!(true)] {
        let fields = |session: &str| json!({"session": session, "name": "Other", "config": mistyped});
        device.refused_for("/UpdateSystemConfig", fields(device.session()), "config").await;
        device.refused_for("/UpdateSystemConfig", fields("of nobody"), "config").await;
    }
    device.refused("/GetSystemConfig", json!({"name": "Other"}), 6).await;
    device.refused_for("/GetSystemConfig", json!({}), "name").await;
    assert_eq!(device.info("/GetSystemConfig", name()).await, told);
    device.stop().await;
}

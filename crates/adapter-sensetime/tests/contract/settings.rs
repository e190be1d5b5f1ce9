//! The device's own data and the receiver of pushes (sections 6.3, 7.1, 7.2 and 9.1).

use std::sync::Arc;

use serde_json::json;
use testkit::contract::Ledger;

use crate::witness::Witness;

pub(crate) async fn the_version_and_the_push_receiver_are_read(ledger: &Arc<Ledger>) {
    let witness = Witness::start(ledger).await;
    let version = witness.ok("get_version", json!({})).await;
    assert_eq!(version["serial_id"], "PF0001");
    assert_eq!(witness.ok("get_http_push", json!({})).await, json!({"key": "", "url": ""}));
    witness.ok("set_http_push", json!({"url": "http://127.0.0.1:9/push", "key": "k1"})).await;
    assert_eq!(witness.ok("get_http_push", json!({})).await, json!({"key": "k1", "url": "http://127.0.0.1:9/push"}));
    for wrong in [
        json!({"url": "http://127.0.0.1:9/push"}),
        json!({"key": "k2"}),
        json!({"url": "ftp://127.0.0.1/", "key": "k2"}),
        json!({"url": "http://[", "key": "k2"}),
        json!({"url": {}, "key": "k2"}),
    ] {
        witness.refused("set_http_push", wrong, -3596).await;
    }
    assert_eq!(witness.ok("get_http_push", json!({})).await["key"], "k1");
    witness.ok("set_http_push", json!({"url": "", "key": ""})).await;
    assert_eq!(witness.ok("get_http_push", json!({})).await["url"], "");
    let key = witness.ok("get_ws_key", json!({})).await;
    assert_eq!(key["key"].as_str().unwrap().len(), 36, "a UUID");
    assert_eq!(witness.ok("get_ws_key", json!({})).await, key);
    witness.stop().await;
}

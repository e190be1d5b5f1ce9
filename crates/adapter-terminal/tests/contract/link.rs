//! Coming, living, going.

use std::sync::Arc;

use serde_json::json;
use testkit::contract::Ledger;
use testkit::mqtt::{Broker, ID, Platform};

use crate::device::Device;
use crate::witness::Witness;

const BASIC: &str = "mqtt/face/basic";
const HEARTBEAT: &str = "mqtt/face/heartbeat";

/// Again and again until the platform knows it.
pub(crate) async fn the_device_says_that_it_comes_lives_and_goes(ledger: &Arc<Ledger>) {
    let witness = Witness::start(ledger).await;
    for _ in 0..2 {
        let online = witness.event_on(BASIC, "Online", |_| true).await;
        assert_eq!((&online["facesluiceId"], &online["facesname"]), (&json!(ID), &json!("polyface")));
    }
    let confirmation =
        json!({"messageId": 10201, "operator": "Online-Ack", "info": {"facesluiceId": ID, "result": "ok"}});
    witness.platform.send(&confirmation).await;
    // The answer to what comes after shows that it was taken.
    witness.ok("Versions", json!({})).await;
    while witness.platform.take_one(BASIC).is_some() {}
    for _ in 0..5 {
        witness.event_on(HEARTBEAT, "HeartBeat", |_| true).await;
    }
    assert!(witness.platform.take_one(BASIC).is_none(), "it is confirmed");
    assert_eq!(ledger.answer("Online-Ack", None, None), Ok(()));
    let Witness { device, platform, broker, .. } = witness;
    device.stop().await;
    let goodbye = platform.wait_on(BASIC, |message| message["operator"] == "Offline").await;
    assert!(goodbye["info"]["time"].is_string());
    assert_eq!(ledger.event("Offline", &goodbye["info"], &[]), Ok(()));
    drop(broker);
}

/// The broker says it for the device.
pub(crate) async fn a_device_without_power_leaves_its_will(ledger: &Arc<Ledger>) {
    let witness = Witness::start(ledger).await;
    witness.device.crash().await;
    let will = witness.platform.wait_on(BASIC, |message| message["operator"] == "Offline").await;
    assert_eq!(will["info"], json!({"facesluiceId": ID}));
}

/// Where commands come, or where the device said it; without a result it counts, a failure does not.
pub(crate) async fn a_platform_confirms_on_either_topic(_: &Arc<Ledger>) {
    let confirmations = [
        (format!("mqtt/face/{ID}"), json!({"operator": "Online-Ack", "info": {}}), true),
        (BASIC.to_owned(), json!({"operator": "Online-Ack", "info": {"facesluiceId": ID}}), true),
        (BASIC.to_owned(), json!({"operator": "Online-Ack", "info": {"facesluiceId": "1"}}), false),
        (BASIC.to_owned(), json!({"operator": "Online-Ack", "info": {}}), false),
        (format!("mqtt/face/{ID}"), json!({"operator": "Online-Ack", "info": {"result": "fail"}}), false),
    ];
    for (topic, confirmation, counts) in confirmations {
        let broker = Broker::start().await;
        let platform = Platform::connect(broker.address(), None).await;
        let device = Device::start(broker.url()).await;
        platform.wait_on(BASIC, |message| message["operator"] == "Online").await;
        platform.publish(&topic, confirmation.to_string().as_bytes()).await;
        platform.ask(json!({"operator": "Versions", "info": {}})).await;
        while platform.take_one(BASIC).is_some() {}
        for _ in 0..5 {
            platform.wait_on(HEARTBEAT, |_| true).await;
        }
        let again = std::iter::from_fn(|| platform.take_one(BASIC)).any(|message| message["operator"] == "Online");
        assert_eq!(again, !counts, "{topic} {confirmation}");
        device.stop().await;
    }
}

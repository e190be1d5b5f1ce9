//! No value that a command may set keeps the device from its broker.

use std::time::Duration;

use polyface_tests::{Device, eventually_within};
use serde_json::{Value, json};
use testkit::mqtt::{Broker, ID, Platform};

/// Topics that brokers end the connection for, or that belong to them.
const BAD: [&str; 10] =
    ["a\u{1}b", "a\u{0}b", "a\nb", "a\u{1f}", "a\u{7f}", "a\u{9f}", "a/+/b", "a/#", "$SYS/uptime", "a\u{ffff}"];

async fn answered(platform: &Platform) -> Value {
    let question = json!({"messageId": "there", "operator": "Versions", "info": {}});
    eventually_within(Duration::from_secs(30), "the device answers", async || {
        platform.send(&question).await;
        tokio::time::sleep(Duration::from_millis(100)).await;
        platform.take_one(&format!("mqtt/face/{ID}/Ack"))
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn no_topic_cuts_the_device_off() {
    let broker = Broker::start().await;
    let section = format!("[terminal]\nenabled = true\nbroker = {:?}\ndevice_id = {ID:?}", broker.url());
    let mut device = Device::start_with_sections(&section).await;
    let platform = Platform::connect(broker.address(), None).await;
    answered(&platform).await;
    platform.forget("Ack");
    for topic in BAD.map(str::to_owned).into_iter().chain(["x".repeat(201)]) {
        for name in ["OnlineTopic", "HeartbeatTopic"] {
            let refused = platform.ask(json!({"operator": "UpMQTTconfig", "info": {name: topic}})).await;
            assert_eq!(refused["code"], "462", "{topic:?}: {refused}");
        }
    }
    let kept = platform.ask(json!({"operator": "GetMQTTconfig", "info": {}})).await;
    assert_eq!((&kept["info"]["OnlineTopic"], kept["code"].as_str()), (&json!("mqtt/face/basic"), Some("200")));
    let set = platform.ask(json!({"operator": "UpMQTTconfig", "info": {"OnlineTopic": "mqtt/face/\u{95e8}"}})).await;
    assert_eq!(set["code"], "200", "any other is set");
    platform.wait_on("mqtt/face/\u{95e8}", |notice| notice["operator"] == "Online").await;
    device.restart().await;
    platform.wait_on("mqtt/face/\u{95e8}", |notice| notice["operator"] == "Online").await;
    answered(&platform).await;
}

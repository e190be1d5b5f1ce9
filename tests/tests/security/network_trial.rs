//! Only an authenticated request confirms a network change that is on trial.

use polyface_tests::{ADMIN_PASSWORD, Device, FaceBox, console_login, eventually, http};
use serde_json::json;

const CONFIRMED: &str = "network change confirmed";

/// Everything that a stranger can send.
async fn send_as_a_stranger(device: &Device) {
    for path in ["/healthz", "/metrics", "/login", "/", "/api/status"] {
        http().get(format!("http://{}{path}", device.listener("console"))).send().await.unwrap();
    }
    let console = format!("http://{}", device.listener("console"));
    console_login(http(), &console, "wrong").send().await.unwrap();
    let stranger = device.anonymous();
    stranger.call(json!({"msg_id": "257", "user_name": "admin", "user_pwd": "wrong"})).await;
    stranger.call(json!({"msg_id": "1028"})).await;
    stranger.with_session("12345").call(json!({"msg_id": "1028"})).await;
    stranger.download("img/1").await;
    let facebox = device.listener("facebox");
    http().post(format!("http://{facebox}/QueryLibraryList")).json(&json!({"session": "x"})).send().await.unwrap();
    http().post(format!("http://{facebox}/nothing")).send().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn only_a_request_with_a_login_confirms_a_network_change() {
    let device = Device::start().await;
    let client = device.log_in().await;
    let facebox = FaceBox::log_in(device.listener("facebox"), "admin", ADMIN_PASSWORD).await;
    let network = client.call(json!({"msg_id": "1297"})).await.ok();
    let port = network["ethernet"][0]["ethname"].as_str().expect("the machine has a port").to_owned();
    let change = json!({"msg_id": "1295", "ethname": port, "dns_method": "dhcp"});
    client.call(change).await.ok();
    send_as_a_stranger(&device).await;
    assert!(device.log().contains("network changed, on trial"));
    assert!(!device.log().contains(CONFIRMED), "a stranger confirmed it");
    facebox.list("/QueryLibraryList").await;
    eventually("the change is confirmed", async || device.log().contains(CONFIRMED).then_some(())).await;
}

//! A storage that is full.

use std::time::Duration;

use polyface_tests::{Device, cast, eventually_within};
use serde_json::{Value, json};

async fn health(device: &Device) -> (u16, Value) {
    let answer = reqwest::get(format!("http://{}/healthz", device.listener("console"))).await.unwrap();
    (answer.status().as_u16(), answer.json().await.unwrap())
}

async fn wait_for_status(device: &Device, status: u16) -> Value {
    eventually_within(Duration::from_secs(20), "the health changes", async || {
        let (now, told) = health(device).await;
        (now == status).then_some(told)
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_device_tells_the_reason_and_recovers_when_there_is_room() {
    let device = Device::start_with_storage("max_bytes = \"16MiB\"\nwhen_full = \"stop\"").await;
    let client = device.log_in().await;
    let library = client.add_library("staff", 2).await;
    let photo = std::fs::read(&cast()[0].enrolled).unwrap();
    // What follows the end of a picture is nobody's business but takes room.
    let padded = |number: u8| [photo.clone(), vec![number; 2 << 20]].concat();
    for number in 0..8 {
        let code = format!("visitor-{number}");
        client.enrol(library, &code, &code, &padded(number)).await.ok();
    }
    let told = wait_for_status(&device, 503).await;
    let reason = told["reasons"][0].as_str().unwrap();
    assert!(reason.starts_with("storage: records are refused: ") && reason.contains("of 16 MiB are used"), "{told}");
    assert_eq!(client.codes(library).await.len(), 8, "questions are answered");
    assert_eq!(device.log().matches("records are refused").count(), 2, "told once by the storage, once by the board");
    for number in 0..4 {
        let request = json!({"msg_id": "1031", "lib_id": library, "img_id": format!("visitor-{number}")});
        client.call(request).await.ok();
    }
    wait_for_status(&device, 200).await;
}

//! A secret given to the device is shown to nobody who may not set it, and nobody below an operator has the device call
//! an address of their choice.

use domain::Role;
use polyface_tests::{ADMIN_PASSWORD, Device, SenseTime};
use serde_json::{Value, json};

const SECRET: &str = "c4mera-S3cret";
const PASSWORD: &str = "Seven-grey-doors";

fn named<'a>(listed: &'a Value, name: &str) -> &'a Value {
    listed["camera"].as_array().unwrap().iter().find(|camera| camera["camera_name"] == name).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn camera_passwords_are_masked_for_viewers_and_survive_the_mask() {
    let device = Device::start().await;
    let admin = device.log_in().await;
    device.add_account("eye", Role::Viewer, PASSWORD);
    let viewer = SenseTime::log_in(device.listener("sensetime"), "eye", PASSWORD).await;
    let url = format!("rtsp://root:{SECRET}@127.0.0.1:9/a");
    admin.add_camera("stream", &url, 1).await;
    let onvif = json!({"msg_id": "513", "protocol": "onvif", "camera_mode": "VIDEO", "camera_name": "onvif",
        "ip": "127.0.0.1", "port": 9, "camera_user": "root", "camera_pwd": SECRET, "lib_ids": "1", "threshold": 80,
        "snap_mode": 1});
    let channel = admin.call(onvif).await.ok()["channel"].clone();

    let listed = viewer.call(json!({"msg_id": "516"})).await.ok();
    assert!(!listed.to_string().contains(SECRET), "{listed}");
    assert_eq!(named(&listed, "onvif")["camera_pwd"], "******");
    assert_eq!(named(&listed, "stream")["url"], "rtsp://root:******@127.0.0.1:9/a");
    let session = device.facebox_session("eye", PASSWORD).await;
    let rows = device.facebox(&session, "/QueryCameraList", json!({"page_no": 1, "page_size": 9})).await;
    assert!(rows["code"] == 0 && !rows.to_string().contains(SECRET), "{rows}");

    // What a page showed masked comes back with other changes.
    let change = json!({"msg_id": "515", "channel": channel, "position": "gate", "camera_pwd": "******"});
    admin.call(change).await.ok();
    assert_eq!(named(&admin.call(json!({"msg_id": "516"})).await.ok(), "onvif")["camera_pwd"], SECRET);
    let elsewhere = json!({"msg_id": "515", "channel": channel, "ip": "127.0.0.2", "camera_pwd": "******"});
    assert_ne!(admin.call(elsewhere).await.code, 0, "the password was given for another address");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_viewer_has_the_device_call_nobody() {
    let device = Device::start().await;
    device.add_account("eye", Role::Viewer, PASSWORD);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let viewer = device.facebox_session("eye", PASSWORD).await;
    let camera =
        json!({"ip": format!("127.0.0.1:{}", listener.local_addr().unwrap().port()), "user": "a", "password": "b"});
    let refused = device.facebox(&viewer, "/QueryCameraRtsp", camera).await;
    assert_eq!(refused["code"], 5, "{refused}");
    let admin = SenseTime::log_in(device.listener("sensetime"), "admin", ADMIN_PASSWORD).await;
    let viewer = SenseTime::log_in(device.listener("sensetime"), "eye", PASSWORD).await;
    let receiver = json!({"msg_id": "1299"});
    admin.call(receiver.clone()).await.ok();
    assert_ne!(viewer.call(receiver).await.code, 0, "where data is sent to is shown to those who may set it");
    let none = tokio::time::timeout(std::time::Duration::from_millis(300), listener.accept()).await;
    assert!(none.is_err(), "nobody called");
}

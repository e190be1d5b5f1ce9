//! Platforms (chapter 12).

use std::sync::Arc;

use domain::Role;
use serde_json::{Value, json};
use testkit::contract::Ledger;

use crate::device::{Device, Login, full};

/// A platform that takes every message.
pub(crate) fn platform(id: i64, url: &str) -> Value {
    json!({
        "id": id, "version_code": "V2.0", "enabled": 1, "url": url, "picture_enable": 0, "video_enable": 0,
        "http_alive": 0, "alive_interval": 30, "channel_enable": 0,
    })
}

impl Device {
    /// Sets platforms.
    pub(crate) async fn dock(&self, platforms: Value) {
        self.ok("/docking/config/update", json!({"platform": platforms, "time_conf": []})).await;
    }
}

pub(crate) async fn platforms_and_intervals_read_back(ledger: &Arc<Ledger>) {
    let device = Device::start(ledger).await;
    device.add_channel("gate", "rtsp://192.0.2.7/gate").await;
    let ability = device.ok("/docking/ability/get", json!({})).await;
    assert_eq!(ability["list"][1], json!({"version_code": "V2.0", "version_name": "2.0接口"}));
    let fresh = device.ok("/docking/config/get", json!({})).await;
    assert_eq!((&fresh["platform"], fresh["time_conf"].as_array().unwrap().len()), (&json!([]), 16));
    let first = platform(1, "http://192.0.2.1:8000");
    let mut second = platform(2, "https://192.0.2.2/alarm?slot=1");
    second["version_code"] = json!("20240423AIBOX");
    second["alive_interval"] = json!("600");
    let intervals =
        json!([{"channel_id": 1, "interval": 100, "enable": 1}, {"channel_id": 8, "interval": 10080, "enable": 2}]);
    device.ok("/docking/config/update", json!({"platform": [second, first], "time_conf": intervals})).await;
    let device = device.restart().await;
    second["alive_interval"] = json!(600);
    let kept = device.ok("/docking/config/get", json!({})).await;
    assert_eq!(kept["platform"], json!([first, second]));
    assert_eq!(kept["time_conf"][0], json!({"channel_id": 1, "interval": 100, "enable": 1, "channel_name": "gate"}));
    assert_eq!(kept["time_conf"][7], json!({"channel_id": 8, "interval": 10080, "enable": 0, "channel_name": ""}));
    // What is not named stays.
    let mut off = first.clone();
    off["enabled"] = json!(0);
    device.ok("/docking/config/update", json!({"platform": [off]})).await;
    let kept = device.ok("/docking/config/get", json!({})).await;
    assert_eq!((&kept["platform"], &kept["time_conf"][0]["interval"]), (&json!([off, second]), &json!(100)));
    device.stop().await;
}

pub(crate) async fn platforms_that_cannot_be_are_refused(ledger: &Arc<Ledger>) {
    let device = Device::start(ledger).await;
    let good = platform(1, "http://192.0.2.1:8000");
    for (field, bad) in [
        ("id", json!(3)),
        ("id", json!(-1)),
        ("url", json!("ftp://192.0.2.1")),
        ("url", json!("192.0.2.1:8000")),
        ("url", json!("http://user:secret@192.0.2.1")),
        ("url", json!(format!("http://192.0.2.1/{}", "a".repeat(256)))),
        ("url", json!("")),
        ("enabled", json!(2)),
        ("picture_enable", json!(-1)),
        ("alive_interval", json!(29)),
        ("alive_interval", json!(601)),
        ("version_code", json!("x".repeat(129))),
        ("channel_enable", json!(null)),
    ] {
        let mut platform = good.clone();
        platform[field] = bad;
        device.refused("/docking/config/update", json!({"platform": [platform], "time_conf": []}), 2).await;
    }
    for bad in [json!([good, good]), json!([good, good, good]), json!(null), json!("x")] {
        device.refused("/docking/config/update", json!({"platform": bad, "time_conf": []}), 2).await;
    }
    for (channel, interval, enable) in [(1, 10081, 1), (1, -1, 1), (1, 1, 3), (0, 1, 1)] {
        let intervals = json!([{"channel_id": channel, "interval": interval, "enable": enable}]);
        device.refused("/docking/config/update", json!({"platform": [good], "time_conf": intervals}), 2).await;
    }
    assert_eq!(device.ok("/docking/config/get", json!({})).await["platform"], json!([]));
    device.stop().await;
}

pub(crate) async fn the_interval_of_a_channel_goes_with_it(ledger: &Arc<Ledger>) {
    let device = Device::start(ledger).await;
    for name in ["gate", "yard"] {
        device.add_channel(name, "rtsp://192.0.2.7/gate").await;
    }
    let mut platform = platform(1, "http://192.0.2.1:8000");
    platform["enabled"] = json!(0);
    let interval = |channel: i64| json!({"channel_id": channel, "interval": 100, "enable": 1});
    let intervals = json!([interval(1), interval(2)]);
    device.ok("/docking/config/update", json!({"platform": [platform], "time_conf": intervals})).await;
    // Operators remove channels, but may not set platforms.
    let root = testkit::actor("root");
    device.appliance.by(&root).create_account("operator", Role::Operator, "Operator_123").await.unwrap();
    let delete = device.client().post(device.url(&full("/channel/delete"))).json(&json!({"channel_id_list": [1]}));
    let answer = device.send_as(&Login::of("operator", "Operator_123"), delete).await;
    device.note_success("/channel/delete", answer.json().await.unwrap());
    device.add_channel("next", "rtsp://192.0.2.7/next").await;
    let kept = device.ok("/docking/config/get", json!({})).await;
    assert_eq!(kept["time_conf"][0], json!({"channel_id": 1, "interval": 0, "enable": 0, "channel_name": "next"}));
    assert_eq!((&kept["time_conf"][1]["interval"], &kept["platform"]), (&json!(100), &json!([platform])));
    device.stop().await;
}

//! Where events and status go (4.4.4 to 4.5.2).

use std::sync::Arc;

use serde_json::json;
use testkit::contract::Ledger;

use crate::device::Device;

const URL: &str = "http://192.0.2.9:9828/EventServer/api/events";

pub(crate) async fn addresses_for_events_and_status_read_back(ledger: &Arc<Ledger>) {
    let device = Device::start(ledger).await;
    let factory = device.ok("GET EventServerUrl", json!({})).await;
    assert_eq!(factory, json!({"event_server_url": [], "real_need_reg_pic": true, "content-type": "json"}));
    let realtime = json!({"event_server_url": [URL], "real_need_reg_pic": false, "content-type": "form-data"});
    assert_eq!(device.ok("POST EventServerUrl", realtime.clone()).await, realtime);
    // The web page of the vendor and its programs write lists as text.
    let request =
        json!({"history_upload_event_url": format!("{URL}, {URL}2"), "content-type": "json", "reported_peroid": 1});
    let mut history = device.ok("POST HistoryEventUrl", request).await;
    assert_eq!(history["history_upload_event_url"], json!([URL, format!("{URL}2")]));
    assert_eq!((&history["reported_peroid"], &history["message"]), (&json!(1), &json!("ok")));
    let monitor = json!({"monitor_server_url": URL, "content-type": "json", "reported_peroid": 30});
    assert_eq!(device.ok("POST MonitorServerUrl", monitor).await, "ok");
    let device = device.restart().await;
    assert_eq!(device.ok("GET EventServerUrl", json!({})).await, realtime);
    history.as_object_mut().unwrap().remove("message");
    assert_eq!(device.ok("GET HistoryEventUrl", json!({})).await, history);
    let monitor = device.ok("GET MonitorServerUrl", json!({})).await;
    assert_eq!(monitor, json!({"monitor_server_url": URL, "reported_peroid": 30}));
    device.stop().await;
}

pub(crate) async fn addresses_that_cannot_be_are_refused(ledger: &Arc<Ledger>) {
    let device = Device::start(ledger).await;
    for (field, value, code) in [
        ("event_server_url", json!(["ftp://192.0.2.9/"]), 40091),
        ("event_server_url", json!(vec![URL; 9]), 40091),
        ("event_server_url", json!(null), 40091),
        ("real_need_reg_pic", json!("x"), 40005),
        ("content-type", json!("xml"), 40001),
    ] {
        let mut request = json!({"event_server_url": [URL], "content-type": "json"});
        request[field] = value;
        device.refused("POST EventServerUrl", request, code).await;
    }
    for period in [json!(0), json!(null), json!("x")] {
        let request = json!({"history_upload_event_url": [URL], "content-type": "json", "reported_peroid": period});
        device.refused("POST HistoryEventUrl", request, 40091).await;
        let request = json!({"monitor_server_url": URL, "content-type": "json", "reported_peroid": period});
        device.refused("POST MonitorServerUrl", request, 40091).await;
    }
    let form = json!({"monitor_server_url": URL, "content-type": "form-data", "reported_peroid": 20});
    device.refused("POST MonitorServerUrl", form, 40001).await;
    device.stop().await;
}

//! What the device tells of its own accord (4.4.6, 4.4.9, 4.5.3).

use std::collections::BTreeSet;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use domain::{CameraSettings, LibraryId, NewCamera, OwnValues, SnapMode, Source, WatchSettings};
use serde_json::{Value, json};
use testkit::contract::Ledger;
use testkit::until;

use crate::device::Device;
use crate::platform::Platform;

const GATE: &str = "rtsp://192.0.2.7/gate";

impl Device {
    fn note_event(&self, id: &str, message: &Value) {
        assert_eq!(self.ledger().event(id, message, &[]), Ok(()), "{message}");
    }

    /// Adds a camera before which these people pass.
    pub(crate) async fn add_gate(&self, names: &[&str]) {
        let settings = CameraSettings {
            name: "gate".into(),
            position: "hall".into(),
            description: String::new(),
            source: Source::Rtsp { url: GATE.into() },
            region: None,
            min_face_px: 40,
            max_face_px: 2000,
            snap_mode: SnapMode::Best,
        };
        let watch = WatchSettings { libraries: BTreeSet::from([LibraryId::DEFAULT]), ..WatchSettings::default() };
        let camera = NewCamera {
            id: None,
            settings,
            watch,
            own: OwnValues::default(),
            permission_groups: [].into(),
            note: None,
        };
        self.script_visits(GATE, names);
        self.appliance.by(&testkit::actor("root")).add_camera(camera).await.unwrap();
    }

    /// Waits until so many people were recorded.
    pub(crate) async fn recorded(&self, count: i64) {
        until("they are recorded", async || self.appliance.newest_entry().borrow().0 >= count).await;
    }

    async fn send_history_to(&self, urls: Value, format: &str) {
        let request = json!({"history_upload_event_url": urls, "content-type": format, "reported_peroid": 1});
        self.ok("POST HistoryEventUrl", request).await;
    }
}

pub(crate) async fn known_people_are_told_of_at_once(ledger: &Arc<Ledger>) {
    let (device, down, up) = (Device::start(ledger).await, Platform::start().await, Platform::start().await);
    device.enrol("alice").await;
    down.answer(500);
    let urls = json!([format!("{}/rt", down.url), format!("{}/rt", up.url)]);
    device.ok("POST EventServerUrl", json!({"event_server_url": urls, "content-type": "json"})).await;
    device.add_gate(&["mallory", "alice"]).await;
    let event = up.several("/rt", 1).await.remove(0);
    device.note_event("realtime event", &event);
    let told = ["identity_id", "identity_name", "group_name"].map(|field| event[field].clone());
    assert_eq!(told, [json!("alice"), json!("alice"), json!("default_group")]);
    assert!(event["score"].as_f64().unwrap() > 0.8 && event["timestamp"].as_i64().unwrap() > 1_000_000_000_000);
    assert_eq!(STANDARD.decode(event["reg_pic"].as_str().unwrap()).unwrap(), testkit::portrait("alice"));
    let more = &event["ext_data"];
    assert_eq!(
        (&more["device_ip"], &more["device_type"], &more["person_type"]),
        (&json!("192.0.2.7"), &json!("3"), &json!(1))
    );
    assert_eq!((more.get("ep_id"), more["recognize_face"].is_string()), (None, true));
    // It is not repeated, and strangers are not told of.
    assert_eq!(down.messages("/rt").len(), 1);
    device.stop().await;
}

pub(crate) async fn the_history_is_sent_until_the_servers_have_it(ledger: &Arc<Ledger>) {
    let (device, receiver) = (Device::start(ledger).await, Platform::start().await);
    device.enrol("alice").await;
    device.send_history_to(json!([format!("{}/history", receiver.url)]), "json").await;
    receiver.answer(500);
    device.add_gate(&["alice", "mallory"]).await;
    receiver.several("/history", 1).await;
    device.recorded(2).await;
    let device = device.restart().await;
    let refused = receiver.messages("/history").len();
    receiver.answer(200);
    let all = receiver.several("/history", refused + 2).await;
    let (known, stranger) = (&all[refused], all.last().unwrap());
    for event in [known, stranger] {
        device.note_event("history event", event);
    }
    assert_eq!((&known["identity_id"], &known["ext_data"]["dev_sno"]), (&json!("alice"), &json!("PF0001")));
    assert_eq!(known["ext_data"]["ep_id"], "PF0001__192.0.2.7");
    let told = ["identity_id", "identity_name"].map(|field| stranger[field].clone());
    assert_eq!((told, &stranger["ext_data"]["person_type"]), ([json!(""), json!("stranger")], &json!(4)));
    until("nothing is left", async || {
        let newest = *device.appliance.newest_entry().borrow();
        device.appliance.feeds().iter().any(|feed| feed.feed == "history" && feed.place == newest)
    })
    .await;
    device.stop().await;
}

pub(crate) async fn the_history_waits_for_a_server(ledger: &Arc<Ledger>) {
    let (device, receiver) = (Device::start(ledger).await, Platform::start().await);
    device.enrol("alice").await;
    let urls = json!([format!("{}/now", receiver.url)]);
    device.ok("POST EventServerUrl", json!({"event_server_url": urls, "content-type": "json"})).await;
    device.add_gate(&["alice"]).await;
    // The device has sent it on; the history has no server yet and does not pass over it.
    receiver.several("/now", 1).await;
    let device = device.restart().await;
    device.send_history_to(json!([format!("{}/history", receiver.url)]), "json").await;
    assert_eq!(receiver.several("/history", 1).await[0]["identity_id"], "alice");
    device.stop().await;
}

pub(crate) async fn events_are_sent_as_forms_too(ledger: &Arc<Ledger>) {
    let (device, receiver) = (Device::start(ledger).await, Platform::start().await);
    device.enrol("alice").await;
    receiver.answer_at("/form", "{\"status\": 1}");
    device.send_history_to(json!([format!("{}/form", receiver.url)]), "form-data").await;
    device.add_gate(&["alice"]).await;
    receiver.several("/form", 2).await;
    receiver.answer_at("/form", "{\"status\": 0}");
    let form = receiver.several("/form", 1).await.remove(0);
    let form = form.as_str().unwrap();
    for part in ["name=\"identity_id\"\r\n\r\nalice\r\n", "name=\"ext_data\"\r\n\r\n{\"box_fiqa_info\":{},"] {
        assert!(form.contains(part), "{form}");
    }
    device.stop().await;
}

pub(crate) async fn the_status_is_reported_every_period(ledger: &Arc<Ledger>) {
    let (device, receiver) = (Device::start(ledger).await, Platform::start().await);
    device.add_gate(&[]).await;
    let url = format!("{}/status", receiver.url);
    let request = json!({"monitor_server_url": url, "content-type": "json", "reported_peroid": 1});
    device.ok("POST MonitorServerUrl", request).await;
    let reports = receiver.several("/status", 2).await;
    device.note_event("status report", &reports[0]);
    assert_eq!((&reports[0]["dev_sno"], &reports[0]["gateway_status"]), (&json!("PF0001"), &json!("online")));
    let camera = &reports[0]["sub_devices"][0];
    assert_eq!((&camera["ep_id"], &camera["ep_location"]), (&json!("PF0001__192.0.2.7"), &json!("hall")));
    device.stop().await;
}

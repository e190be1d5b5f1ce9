//! Messages to platforms (chapter 13).

use std::sync::Arc;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use reqwest::Method;
use serde_json::{Value, json};
use testkit::contract::Ledger;
use testkit::{FakeFace, Take, until};

use crate::device::{Device, column};
use crate::docking::platform;
use crate::platform::Platform;

const GATE: &str = "rtsp://192.0.2.7/gate";

impl Device {
    pub(crate) fn note_event(&self, kind: i64, message: &Value) {
        let id = format!("/custom/router1#{kind}");
        assert_eq!(self.ledger().event(&id, message, &[]), Ok(()), "{message}");
    }

    /// Lets people pass the gate once it is watched.
    async fn pass_by(&self, names: &[&str]) {
        self.script_visits(GATE, names);
    }
}

pub(crate) async fn faces_are_pushed_in_order_until_they_are_acknowledged(ledger: &Arc<Ledger>) {
    let (device, receiver) = (Device::start(ledger).await, Platform::start().await);
    let channel = device.add_channel("gate", GATE).await;
    device.watch_faces(channel, json!(null)).await;
    device.ok("/device/update", json!({"device_name": "box", "device_code": 3, "custom_code": "c"})).await;
    device.dock(json!([platform(1, &format!("{}/", receiver.url))])).await;
    receiver.answer(500);
    device.pass_by(&["alice", "bob"]).await;
    until("a message was refused", async || receiver.messages().len() >= 2).await;
    // Only 200 acknowledges.
    receiver.answer(204);
    let device = device.restart().await;
    let refused = receiver.messages().len();
    until("it is sent again", async || receiver.messages().len() > refused).await;
    receiver.answer(200);
    let acknowledged = receiver.of_type(3, refused + 2).await;
    let ids: Vec<i64> =
        column(&acknowledged, "event_id").iter().map(|id| id.as_str().unwrap().parse().unwrap()).collect();
    assert!(ids.is_sorted(), "{ids:?}");
    for (target, message) in receiver.messages() {
        assert_eq!(target, "/custom/router1");
        device.note_event(3, &message);
    }
    let message = acknowledged.last().unwrap();
    let about = json!({"device_code": 3, "device_name": "box", "device_sn": "PF0001", "custom_code": "c"});
    assert_eq!((&message["device_info"], &message["has_result"]), (&about, &json!(0)));
    let channel_info = json!({"mode": 0, "ipc_sn": "", "ipc_addr": "192.0.2.7", "channel_id": 1, "channel_name": "gate",
        "custom_code": ""});
    assert_eq!(message["channel_info"], channel_info);
    assert_eq!((message.get("compare_results"), message["face"].get("orig_image_base64")), (None, None));
    for path in ["orig_image_path", "crop_image_path"] {
        let address = message["face"][path].as_str().unwrap();
        let picture = device.picture(Method::GET, address).await;
        assert_eq!(picture.headers()["content-type"], "image/jpeg");
        let size = picture.bytes().await.unwrap().len();
        assert!(address.ends_with(&format!("&Size={size}")), "{address}");
    }
    device.stop().await;
}

pub(crate) async fn faces_are_compared_where_the_channel_watches_for_somebody(ledger: &Arc<Ledger>) {
    let (device, receiver) = (Device::start(ledger).await, Platform::start().await);
    let staff = device.add_library("staff").await;
    let alice = device.add_person(staff, "alice").await;
    device.ok("/person/update", json!({"person_id": alice, "tel": "138", "certificate_type": 2})).await;
    let channel = device.add_channel("gate", GATE).await;
    device.watch_faces(channel, json!({"person_lib_id": [staff]})).await;
    let mut with_pictures = platform(2, &format!("{}/alarm?slot=1", receiver.url));
    with_pictures["picture_enable"] = json!(1);
    device.dock(json!([with_pictures])).await;
    device.pass_by(&["alice", "mallory"]).await;
    let messages = receiver.of_type(4, 2).await;
    messages.iter().for_each(|message| device.note_event(4, message));
    assert!(receiver.messages().iter().all(|(target, _)| target == "/alarm?slot=1"));
    let (known, stranger) = (&messages[0], &messages[1]);
    let result = &known["compare_results"][0];
    let told = ["lib_id", "lib_name", "person_id", "person_name", "tel", "certificate_type"].map(|f| result[f].clone());
    let expected = [json!(staff), json!("staff"), json!(alice), json!("alice"), json!("138"), json!(2)];
    assert_eq!((told, &known["has_result"]), (expected, &json!(1)));
    assert!(result["similarity"].as_i64().unwrap() > 80);
    let photo = STANDARD.decode(result["image_base64"].as_str().unwrap()).unwrap();
    assert_eq!(photo, testkit::portrait("alice"));
    assert_eq!((&stranger["has_result"], &stranger["compare_results"]), (&json!(0), &json!([])));
    let face = &known["face"];
    let crop = STANDARD.decode(face["crop_image_base64"].as_str().unwrap()).unwrap();
    let address = face["crop_image_path"].as_str().unwrap();
    assert_eq!(device.picture(Method::GET, address).await.bytes().await.unwrap(), crop);
    let edges: Vec<i64> = face["point_x"].as_str().unwrap().split(',').map(|edge| edge.parse().unwrap()).collect();
    assert!(edges.len() == 2 && 0 <= edges[0] && edges[0] < edges[1] && edges[1] <= 10_000, "{edges:?}");
    device.stop().await;
}

pub(crate) async fn a_platform_that_is_down_holds_back_no_other(ledger: &Arc<Ledger>) {
    let (device, down, up) = (Device::start(ledger).await, Platform::start().await, Platform::start().await);
    let channel = device.add_channel("gate", GATE).await;
    device.watch_faces(channel, json!(null)).await;
    down.answer(503);
    device.dock(json!([platform(1, &down.url), platform(2, &up.url)])).await;
    device.pass_by(&["alice", "bob"]).await;
    up.of_type(3, 2).await;
    assert!(down.messages().iter().all(|(_, message)| message["event_id"] == down.messages()[0].1["event_id"]));
    // What came before a platform was switched off does not come when it is on again.
    let mut off = platform(1, &down.url);
    off["enabled"] = json!(0);
    device.dock(json!([off])).await;
    until("its messages pass by", async || {
        let cursor = device.appliance.state("uniview").cursor("platform1").await.unwrap();
        cursor == device.appliance.state("uniview").cursor("platform2").await.unwrap()
    })
    .await;
    device.stop().await;
}

pub(crate) async fn alarms_and_their_ends_are_pushed_and_found(ledger: &Arc<Ledger>) {
    let (device, receiver) = (Device::start(ledger).await, Platform::start().await);
    let channel = device.add_channel("gate", GATE).await;
    let area = json!({"polygon": {"point_x": "0,10000,10000,0", "point_y": "0,0,10000,10000"}});
    let tasks = json!([
        {"algo_model": "FieldDetectorObjectsInside", "graphs": [area]},
        {"algo_model": "AreaPeopleCounting", "graphs": [area]},
        {"algo_model": "CrowdDensityCriticalAlarm", "graphs": [area]},
    ]);
    device.ok("/smart/update", json!({"channel_id": channel, "smart_list": tasks})).await;
    // Armed at no time.
    let never = json!({"monday": [], "tuesday": [], "wednesday": [], "thursday": [], "friday": [], "saturday": [], "sunday": []});
    let plan = json!({"channel_id": channel, "algo_model": "CrowdDensityCriticalAlarm", "control_time": never});
    device.ok("/control/time/update", plan).await;
    device.ok("/smart/params/update", json!({"channel_id": channel, "status_recovery_param": {"status": 1}})).await;
    let mut with_pictures = platform(1, &receiver.url);
    with_pictures["picture_enable"] = json!(1);
    device.dock(json!([with_pictures])).await;
    let stay = Take::new()
        .nobody(Duration::from_secs(2))
        .show(Duration::from_secs(4), [FakeFace::of("alice").at(200, 60).sized(60)]);
    device.handles.frames.script(GATE, [stay.nobody(Duration::from_secs(12))]);

    let ended = receiver.of_type(2, 1).await.remove(0);
    let alarms = receiver.of_type(1, 2).await;
    for message in alarms.iter().chain([&ended]) {
        device.note_event(message["type"].as_i64().unwrap(), message);
    }
    let of = |name: &str| alarms.iter().find(|alarm| alarm["behaviour"]["algo_model"] == name);
    let intrusion = of("FieldDetectorObjectsInside").unwrap();
    assert_eq!(
        (&ended["event_id"], &ended["behaviour"]["algo_model"]),
        (&intrusion["event_id"], &intrusion["behaviour"]["algo_model"])
    );
    assert_eq!(of("AreaPeopleCounting").unwrap()["behaviour"]["area_num"], 1);
    assert_eq!(of("CrowdDensityCriticalAlarm"), None, "outside its plan");
    let seen = &intrusion["behaviour"];
    assert_eq!(
        (&seen["capture_info"][0]["object_type"], &intrusion["channel_info"]["channel_name"]),
        (&json!(1), &json!("gate"))
    );
    let scene = device.picture(Method::GET, seen["image_path"].as_str().unwrap()).await.bytes().await.unwrap();
    assert_eq!(STANDARD.decode(seen["image_base64"].as_str().unwrap()).unwrap(), scene);

    let search = |fields: Value| {
        let mut search =
            json!({"page": 1, "pagesize": 50, "channel_id": [1], "start_time": 0, "end_time": 4_000_000_000_i64});
        fields.as_object().unwrap().iter().for_each(|(name, value)| search[name] = value.clone());
        search
    };
    let found = async |fields: Value| {
        let found = device.ok("/search/behavior", search(fields)).await;
        column(found["list"].as_array().unwrap(), "alarm_id")
    };
    let id = json!(intrusion["event_id"].as_str().unwrap().parse::<i64>().unwrap());
    assert_eq!(
        found(json!({"algo_model": ["FieldDetectorObjectsInside"], "object_type": [1]})).await,
        std::slice::from_ref(&id)
    );
    assert!(found(json!({})).await.contains(&id));
    for nothing in [
        json!({"algo_model": ["FieldDetectorObjectsInside"], "object_type": [2]}),
        json!({"algo_model": ["NoMaskAlarm"]}),
        json!({"channel_id": [2]}),
        json!({"compare_flag": 2}),
        json!({"plate_no": "A1"}),
        json!({"end_time": 1}),
    ] {
        assert_eq!(found(nothing.clone()).await, [] as [Value; 0], "{nothing}");
    }
    device.stop().await;
}

pub(crate) async fn changes_of_channels_are_pushed(ledger: &Arc<Ledger>) {
    let (device, receiver) = (Device::start(ledger).await, Platform::start().await);
    let mut wanted = platform(1, &receiver.url);
    wanted["channel_enable"] = json!(1);
    device.dock(json!([wanted, platform(2, &receiver.url)])).await;
    device.handles.frames.script(GATE, [Take::new().nobody(Duration::from_millis(500)).break_off()]);
    receiver.answer(500);
    let channel = json!({"type": 2, "channel_name": "gate", "rtsp": GATE, "serial_number": "S1", "custom_code": "c"});
    device.ok("/channel/add", channel).await;
    until("it was refused", async || !receiver.messages().is_empty()).await;
    receiver.answer(200);
    let added = receiver.of_type(7, 2).await.remove(1);
    let info = json!({"mode": 1, "ipc_sn": "S1", "ipc_addr": "192.0.2.7", "channel_id": 1, "channel_name": "gate",
        "custom_code": "c"});
    let mut told = added["channel_info"].clone();
    told.as_object_mut().unwrap().remove("status");
    assert_eq!(told, info);
    let modes = async |mode: i64| {
        testkit::eventually(&format!("a change of mode {mode} is pushed"), async || {
            let all = receiver.messages().into_iter().map(|(_, message)| message);
            all.rev().find(|message| message["channel_info"]["mode"] == mode)
        })
        .await
    };
    until("the camera is offline", async || modes(4).await["channel_info"]["status"] == 2).await;
    device.ok("/channel/update", json!({"channel_id": 1, "channel_name": "north gate"})).await;
    assert_eq!(modes(2).await["channel_info"]["channel_name"], "north gate");
    // Whoever removes it.
    let root = testkit::actor("root");
    device.appliance.by(&root).remove_camera(domain::CameraId(1)).await.unwrap();
    assert_eq!(modes(3).await["channel_info"]["channel_id"], 1);
    for (_, message) in receiver.messages() {
        device.note_event(7, &message);
    }
    device.stop().await;
}

pub(crate) async fn keep_alives_are_sent_every_interval(ledger: &Arc<Ledger>) {
    let (device, receiver) = (Device::start(ledger).await, Platform::start().await);
    let mut wanted = platform(1, &receiver.url);
    wanted["http_alive"] = json!(1);
    device.dock(json!([wanted])).await;
    receiver.answer(500);
    for count in 1..=2 {
        // The task must sleep already when the time passes.
        tokio::time::sleep(Duration::from_millis(100)).await;
        device.pass(Duration::from_secs(30)).await;
        let messages = receiver.of_type(6, count).await;
        // It is not repeated, acknowledged or not.
        assert_eq!(messages.len(), count);
        device.note_event(6, &messages[count - 1]);
    }
    let ids = column(&receiver.of_type(6, 2).await, "event_id");
    assert!(ids[0].as_str().unwrap() < ids[1].as_str().unwrap());
    device.stop().await;
}

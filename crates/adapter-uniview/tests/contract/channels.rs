//! Channels (chapter 4).

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use domain::{CameraStream, FoundCamera, Limits, Source};
use rsa::PublicKey;
use rsa::pkcs8::DecodePublicKey;
use serde_json::{Value, json};
use sha1::Sha1;
use testkit::contract::Ledger;

use crate::device::{Device, column};

impl Device {
    /// Adds a stream and returns its channel.
    pub(crate) async fn add_channel(&self, name: &str, rtsp: &str) -> i64 {
        let channel = json!({"type": 2, "channel_name": name, "rtsp": rtsp});
        self.ok("/channel/add", channel).await["channel_id"].as_i64().unwrap()
    }

    pub(crate) async fn channels(&self) -> Vec<Value> {
        self.page("/channel/list", json!({})).await.1
    }

    async fn public_key(&self) -> PublicKey {
        let answer = self.ok("/rsa/publickey", json!({})).await;
        PublicKey::from_public_key_pem(answer["public_key"].as_str().unwrap()).unwrap()
    }

    /// A password as most clients encrypt it.
    async fn sealed(&self, password: &str) -> String {
        STANDARD.encode(self.public_key().await.pkcs1v15_encrypt(password.as_bytes()).unwrap())
    }

    async fn source(&self, channel: i64) -> Source {
        let cameras = self.appliance.cameras().await.unwrap();
        cameras.into_iter().find(|camera| i64::from(camera.id.0) == channel).unwrap().settings.source
    }

    /// Puts up a camera that has two streams.
    fn put_up_camera(&self) {
        let stream = |name: &str, width, height| CameraStream {
            name: name.to_owned(),
            url: format!("rtsp://192.0.2.9/{name}"),
            width,
            height,
            codec: "H264".to_owned(),
        };
        let found = FoundCamera {
            host: "192.0.2.9".into(),
            port: 80,
            maker: "HD".into(),
            name: "A27".into(),
            hardware: String::new(),
            location: String::new(),
        };
        let streams = vec![stream("main", 1920, 1080), stream("sub", 720, 576)];
        self.handles.discovery.put_up(found, "admin", "p@ss/1", streams);
    }
}

pub(crate) async fn channels_are_added_changed_listed_and_removed(ledger: &Arc<Ledger>) {
    let device = Device::start(ledger).await;
    let sent = json!({
        "type": 2, "channel_name": "gate", "rtsp": "rtsp://192.0.2.7:554/media/video1", "username": "admin",
        "pwd": device.sealed("p@ss/1").await, "transport_type": 2, "custom_code": "c-1", "serialnumber": "S1",
        "manufacturer": "HD", "model": "A27", "off_reason": 1, "Nums": 1,
    });
    assert_eq!(device.ok("/channel/add", sent).await, json!({"channel_id": 1}));
    assert!(matches!(device.source(1).await, Source::Rtsp { url }
        if url == "rtsp://admin:p%40ss%2F1@192.0.2.7:554/media/video1#transport=udp"));
    let shown = json!({
        "channel_id": 1, "channel_name": "gate", "custom_code": "c-1", "type": 2, "transport_type": 2,
        "ip": "192.0.2.7", "port": 554, "serial_number": "S1", "model": "A27", "manufacturer": "HD", "status": 2,
        "rtsp": "rtsp://192.0.2.7:554/media/video1", "username": "admin",
    });
    assert_eq!(json!(device.channels().await), json!([shown]));
    // What was shown may be sent back: the password stays.
    let mut change = shown.clone();
    change["channel_name"] = json!("north gate");
    change["custom_code"] = json!("");
    device.ok("/channel/update", change).await;
    assert!(matches!(device.source(1).await, Source::Rtsp { url }
        if url == "rtsp://admin:p%40ss%2F1@192.0.2.7:554/media/video1#transport=udp"));
    device.ok("/channel/update", json!({"channel_id": "1", "channel_name": "west", "transport_type": 1})).await;
    let row = device.channels().await.remove(0);
    assert_eq!(
        (&row["channel_name"], &row["transport_type"], &row["custom_code"]),
        (&json!("west"), &json!(1), &json!(""))
    );
    let oaep = STANDARD.encode(device.public_key().await.oaep_encrypt::<Sha1>(b"other").unwrap());
    device.ok("/channel/update", json!({"channel_id": 1, "channel_name": "west", "pwd": oaep})).await;
    assert!(matches!(device.source(1).await, Source::Rtsp { url } if url.starts_with("rtsp://admin:other@192.0.2.7")));

    device.add_channel("clip", "file:///clip.mp4?loop=1").await;
    let by_name = device.ok("/channel/list", json!({"channel_name": "LIP", "page": 1, "pagesize": 5})).await;
    assert_eq!(
        (&by_name["total"], &by_name["channel_list"][0]["rtsp"]),
        (&json!(1), &json!("file:///clip.mp4?loop=1"))
    );
    // Another kind of camera on the same channel.
    let onvif = json!({"channel_id": 2, "channel_name": "clip", "type": 1, "ip": "192.0.2.9", "port": "80"});
    device.ok("/channel/update", onvif).await;
    assert!(matches!(device.source(2).await, Source::Onvif(address) if address.host == "192.0.2.9"));
    assert_eq!(device.channels().await[1]["type"], 1);

    let device = device.restart().await;
    assert_eq!(column(&device.channels().await, "serial_number"), [json!("S1"), json!("")]);
    device.refused("/channel/delete", json!({"channel_id_list": [1, 9]}), 2).await;
    device.ok("/channel/delete", json!({"channel_id_list": [1, 2]})).await;
    assert_eq!(device.channels().await, [] as [Value; 0]);
    assert_eq!(device.add_channel("next", "rtsp://192.0.2.8/a").await, 1);
    assert_eq!(device.channels().await[0]["serial_number"], "");
    device.stop().await;
}

pub(crate) async fn an_onvif_camera_is_asked_for_its_streams_and_one_is_chosen(ledger: &Arc<Ledger>) {
    let device = Device::start(ledger).await;
    device.put_up_camera();
    let pwd = device.sealed("p@ss/1").await;
    let ask = json!({"ip": "192.0.2.9", "port": 80, "username": "admin", "pwd": pwd});
    let answer = device.ok("/channel/device/info", ask.clone()).await;
    let expected = json!([
        {"id": 1, "rtsp": "rtsp://192.0.2.9/main", "encoding": "H264", "ratio": "1920*1080"},
        {"id": 2, "rtsp": "rtsp://192.0.2.9/sub", "encoding": "H264", "ratio": "720*576"},
    ]);
    assert_eq!(answer["video"], expected);
    let with = |field: &str, value: Value| {
        let mut ask = ask.clone();
        ask[field] = value;
        ask
    };
    device.refused("/channel/device/info", with("ip", json!("192.0.2.10")), 1).await;
    device.refused("/channel/device/info", with("username", json!("other")), 1).await;
    for (field, bad) in [
        ("ip", json!("a b")),
        ("port", json!(0)),
        ("port", json!(65536)),
        ("pwd", json!("p@ss/1")),
        ("username", json!("x".repeat(65))),
        ("pwd", json!("A".repeat(513))),
    ] {
        device.refused("/channel/device/info", with(field, bad), 2).await;
    }

    let add = json!({"type": 1, "channel_name": "yard", "ip": "192.0.2.9", "port": 80, "username": "admin", "pwd": pwd,
        "video_type": 2, "video_id": 2});
    device.ok("/channel/add", add.clone()).await;
    assert!(matches!(device.source(1).await, Source::Rtsp { url } if url == "rtsp://admin:p%40ss%2F1@192.0.2.9/sub"));
    let row = device.channels().await.remove(0);
    assert_eq!((&row["type"], &row["port"], &row["rtsp"]), (&json!(1), &json!(80), &json!("rtsp://192.0.2.9/sub")));
    device.ok("/channel/update", json!({"channel_id": 1, "channel_name": "yard", "video_type": 1})).await;
    assert!(matches!(device.source(1).await, Source::Onvif(address) if address.password == "p@ss/1"));
    let mut third = add;
    third["video_id"] = json!(3);
    device.refused("/channel/add", third, 2).await;
    device.stop().await;
}

pub(crate) async fn channels_are_imported_one_by_one(ledger: &Arc<Ledger>) {
    let device = Device::start(ledger).await;
    let pwd = device.sealed("secret").await;
    let list = json!([
        {"type": 1, "channel_name": "a", "ip": "192.0.2.1", "port": "80", "username": "admin", "pwd": pwd},
        {"type": 1, "channel_name": "without address"},
        {"channel_name": "without type"},
        {"type": 2, "channel_name": "bad scheme", "rtsp": "http://192.0.2.1/a"},
        {"type": 2, "channel_name": "clear password", "rtsp": "rtsp://192.0.2.1/a", "pwd": "secret"},
        {"type": 2, "channel_name": "b", "rtsp": "rtsp://192.0.2.1/b", "custom_code": ""},
    ]);
    let failed = device.ok("/channel/import", json!({"channel_list": list})).await;
    assert_eq!(failed["fail_list"], json!(["without address", "without type", "bad scheme", "clear password"]));
    assert_eq!(column(&device.channels().await, "channel_name"), [json!("a"), json!("b")]);
    for bad in [json!([]), json!(null), json!("x"), json!([1])] {
        device.refused("/channel/import", json!({"channel_list": bad}), 2).await;
    }
    device.stop().await;
}

pub(crate) async fn channels_that_cannot_be_are_refused(ledger: &Arc<Ledger>) {
    let device = Device::start_with(ledger, Limits { channels: 1, ..Limits::default() }).await;
    let channel = json!({"type": 2, "channel_name": "gate", "rtsp": "rtsp://192.0.2.7/a"});
    let refused = [
        ("type", json!(3)),
        ("type", json!(1)),
        ("channel_name", json!("")),
        ("channel_name", json!("x".repeat(65))),
        ("rtsp", json!(null)),
        ("rtsp", json!("ftp://192.0.2.7/a")),
        ("rtsp", json!(format!("rtsp://192.0.2.7/{}", "a".repeat(256)))),
        ("transport_type", json!(3)),
        ("video_type", json!(2)),
        ("video_type", json!(3)),
        ("port", json!(0)),
        ("pwd", json!("clear")),
        ("username", json!("x".repeat(65))),
        ("custom_code", json!("x".repeat(65))),
    ];
    for (field, bad) in &refused {
        let mut channel = channel.clone();
        channel[*field] = bad.clone();
        device.refused("/channel/add", channel, 2).await;
    }
    device.ok("/channel/add", channel.clone()).await;
    let before = device.channels().await;
    device.refused("/channel/add", channel, 1).await;
    for (field, bad) in refused.into_iter().filter(|(_, bad)| !bad.is_null()) {
        let mut change = json!({"channel_id": 1, "channel_name": "gate"});
        change[field] = bad;
        device.refused("/channel/update", change, 2).await;
    }
    device.refused("/channel/update", json!({"channel_id": 1}), 2).await;
    for unknown in [json!(2), json!(0), json!(-1), json!(null), json!(1_i64 << 40)] {
        device.refused("/channel/update", json!({"channel_id": unknown, "channel_name": "a"}), 2).await;
    }
    for bad in [json!([]), json!([2]), json!(null), json!(["x"])] {
        device.refused("/channel/delete", json!({"channel_id_list": bad}), 2).await;
    }
    device.refused("/channel/list", json!({"page": 0, "pagesize": 1}), 2).await;
    assert_eq!(device.channels().await, before);
    device.stop().await;
}

pub(crate) async fn a_field_may_come_under_both_of_its_names(ledger: &Arc<Ledger>) {
    let device = Device::start(ledger).await;
    let channel = device.add_channel("gate", "rtsp://192.0.2.7/gate").await;
    let staff = device.add_library("staff").await;
    let both = json!({"channel_id": channel, "channel_name": "gate", "serial_number": "S1", "serialnumber": "S2", "algo_model": ""});
    device.ok("/channel/update", both).await;
    assert_eq!(device.channels().await[0]["serial_number"], "S1");
    let video = json!({"status": 1, "befor_alarmed_time": 7, "before_alarmed_time": 9, "after_alarmed_time": 6});
    device.ok("/smart/params/update", json!({"channel_id": channel, "alarm_video_param": video})).await;
    let params = device.ok("/smart/params/get", json!({"channel_id": channel})).await;
    assert_eq!(params["alarm_video_param"]["befor_alarmed_time"], 7);
    let task = json!([{"algo_model": "ObjectIsRecognized"}]);
    device.ok("/smart/update", json!({"channel_id": channel, "smart_list": task, "list": []})).await;
    let tasks = device.ok("/smart/list", json!({"channel_id": channel})).await;
    assert_eq!(tasks["smart_list"].as_array().unwrap().len(), 1);
    let status = json!({"lib_id": staff, "page": 1, "pagesize": 5, "model_status": 999, "modeling_type": 5});
    let mut of_clothes = status.clone();
    of_clothes["lib_id"] = json!(1);
    device.ok("/person/list", status).await;
    device.ok("/workclothes/list", of_clothes).await;
    device.stop().await;
}

pub(crate) async fn a_chosen_stream_and_its_transport_are_kept(ledger: &Arc<Ledger>) {
    let device = Device::start(ledger).await;
    device.put_up_camera();
    let pwd = device.sealed("p@ss/1").await;
    let add = json!({"type": 1, "channel_name": "yard", "ip": "192.0.2.9", "port": 80, "username": "admin", "pwd": pwd,
        "video_type": 2, "video_id": 2, "transport_type": 2});
    device.ok("/channel/add", add).await;
    let update = |video_type: i64| json!({"channel_id": 1, "channel_name": "north", "video_type": video_type});
    device.ok("/channel/update", update(2)).await;
    assert!(matches!(device.source(1).await, Source::Rtsp { url }
        if url == "rtsp://admin:p%40ss%2F1@192.0.2.9/sub#transport=udp"));
    let row = device.channels().await.remove(0);
    assert_eq!((&row["transport_type"], &row["rtsp"]), (&json!(2), &json!("rtsp://192.0.2.9/sub")));
    // Of the main stream no number is stored.
    device.ok("/channel/update", update(1)).await;
    device.refused("/channel/update", update(2), 2).await;
    device.stop().await;
}

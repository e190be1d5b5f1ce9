//! Cameras (5.1 to 5.4).

use std::sync::Arc;

use domain::{CameraStream, FoundCamera, Limits};
use serde_json::{Value, json};
use testkit::contract::Ledger;
use testkit::{Take, eventually};

use crate::device::{Device, column};

impl Device {
    /// The entry of the camera of this name.
    pub(crate) async fn camera(&self, name: &str) -> Value {
        let items = self.items("/QueryCameraList", json!({})).await;
        items.into_iter().find(|item| item["name"] == name).unwrap_or_default()
    }

    /// Adds a camera that plays these takes and answers its id.
    pub(crate) async fn add_camera(&self, name: &str, takes: impl IntoIterator<Item = Take>) -> i64 {
        let url = format!("rtsp://{name}/live");
        self.handles.frames.script(&url, takes);
        self.ok("/AddCamera", json!({"name": name, "rtsp": url})).await;
        self.camera(name).await["camera_id"].as_i64().unwrap()
    }
}

pub(crate) async fn cameras_are_added_changed_listed_and_removed(ledger: &Arc<Ledger>) {
    let device = Device::start(ledger).await;
    device.handles.frames.script("rtsp://gate/live", [Take::new(), Take::new()]);
    device.ok("/AddCamera", json!({"name": "gate", "rtsp": "rtsp://gate/live", "type": 4, "remark": "north"})).await;
    let gate = device.camera("gate").await;
    assert_eq!(
        (&gate["rtsp"], &gate["type"], &gate["remark"]),
        (&json!("rtsp://gate/live"), &json!(4), &json!("north"))
    );
    let is_online = async |name: &str, online: i64| {
        eventually("its state is seen", async || {
            let camera = device.camera(name).await;
            assert_eq!(camera["online"], camera["state"]);
            (camera["online"] == online).then_some(())
        })
        .await;
    };
    is_online("gate", 1).await;
    let change = json!({"camera_id": gate["camera_id"], "name": "yard", "rtsp": "file:///nothing.mp4"});
    device.ok("/UpdateCamera", change).await;
    let yard = device.camera("yard").await;
    assert_eq!((&yard["rtsp"], &yard["type"]), (&json!("file:///nothing.mp4"), &json!(4)));
    is_online("yard", 0).await;
    device.ok("/UpdateCamera", json!({"camera_id": gate["camera_id"], "type": 0, "remark": "south"})).await;
    let yard = device.camera("yard").await;
    assert_eq!((&yard["remark"], &yard["type"]), (&json!("south"), &json!(0)));
    device.ok("/DeleteCamera", json!({"camera_id": gate["camera_id"]})).await;
    assert_eq!(device.camera("yard").await, Value::Null);
    device.refused("/DeleteCamera", json!({"camera_id": gate["camera_id"]}), 6).await;
    device.stop().await;
}

pub(crate) async fn cameras_are_found_by_every_condition(ledger: &Arc<Ledger>) {
    let device = Device::start(ledger).await;
    for (name, kind) in [("north gate", 0), ("south gate", 1), ("yard", 1)] {
        device.ok("/AddCamera", json!({"name": name, "rtsp": "rtsp://192.0.2.1/a", "type": kind})).await;
    }
    for (query, names) in [
        (json!({}), json!(["north gate", "south gate", "yard"])),
        (json!({"name": "gate"}), json!(["north gate", "south gate"])),
        (json!({"name": "TH GATE"}), json!(["north gate", "south gate"])),
        (json!({"username": "gate", "type": 1}), json!(["south gate"])),
        (json!({"type": 9}), json!([])),
    ] {
        let found = device.items("/QueryCameraList", query.clone()).await;
        assert_eq!(json!(column(&found, "name")), names, "{query}");
    }
    let page = device.info("/QueryCameraList", json!({"page_no": 2, "page_size": 2})).await;
    assert_eq!((&page["total_count"], &page["items"][0]["name"]), (&json!(3), &json!("yard")));
    device.refused_for("/QueryCameraList", json!({"page_no": 1, "page_size": 0}), "page_size").await;
    device.stop().await;
}

pub(crate) async fn invalid_cameras_are_refused(ledger: &Arc<Ledger>) {
    let device = Device::start_with(ledger, Limits { channels: 2, ..Limits::default() }).await;
    let gate = device.add_camera("gate", []).await;
    let yard = device.add_camera("yard", []).await;
    let before = column(&device.items("/QueryCameraList", json!({})).await, "name");
    let camera = |name: &str, rtsp: &str| json!({"name": name, "rtsp": rtsp, "camera_id": yard});
    for path in ["/AddCamera", "/UpdateCamera"] {
        device.refused(path, camera("gate", "rtsp://192.0.2.1/a"), 301).await;
        for url in ["", "http://192.0.2.1/a", "192.0.2.1"] {
            device.refused(path, camera("hall", url), 300).await;
        }
        for url in ["rtsp://", "rtsp:///live", "rtsp://admin:secret/1", "rtsp://admin:1234/secret@10.0.0.5/"] {
            let answer = device.refused(path, camera("hall", url), 300).await;
            let text = answer["msg"].as_str().unwrap();
            assert!(text.contains("%2F") && !text.contains("secret"), "{text}");
        }
        device.refused_for(path, camera("", "rtsp://192.0.2.1/a"), "name").await;
        device.refused_for(path, json!({"name": 1, "rtsp": "rtsp://a", "camera_id": yard}), "name").await;
    }
    device.refused("/AddCamera", camera("hall", "rtsp://192.0.2.1/a"), 1).await;
    device.refused_for("/AddCamera", json!({"name": "hall"}), "rtsp").await;
    for id in [99, -1, i64::MAX] {
        device.refused("/UpdateCamera", json!({"camera_id": id}), 6).await;
        device.refused("/DeleteCamera", json!({"camera_id": id}), 6).await;
    }
    device.refused_for("/DeleteCamera", json!({"camera_id": "1"}), "camera_id").await;
    device.refused_for("/UpdateCamera", json!({}), "camera_id").await;
    let library = device.add_library("staff").await;
    device.add_task("t", json!({"camera_list1": gate.to_string(), "lib_list": library.to_string()})).await;
    device.refused("/DeleteCamera", json!({"camera_id": gate}), 303).await;
    device.refused("/DeleteLibrary", json!({"lib_id": library}), 202).await;
    assert_eq!(column(&device.items("/QueryCameraList", json!({})).await, "name"), before);
    device.stop().await;
}

pub(crate) async fn cameras_of_the_network_are_found_and_asked_for_their_stream(ledger: &Arc<Ledger>) {
    let device = Device::start(ledger).await;
    let found = FoundCamera {
        host: "192.0.2.64".into(),
        port: 80,
        maker: "HD".into(),
        name: "gate".into(),
        hardware: String::new(),
        location: String::new(),
    };
    let stream = CameraStream {
        name: "main".into(),
        url: "rtsp://192.0.2.64:554/stream1".into(),
        width: 1920,
        height: 1080,
        codec: "H264".into(),
    };
    device.handles.discovery.put_up(found, "admin", "p@ss", vec![stream]);
    let answer = device.ok("/SearchCamera", json!({})).await["info"].clone();
    assert_eq!(answer, json!({"total_count": 1, "items": [{"ip": "192.0.2.64", "manufacturer": "HD"}]}));
    let login = json!({"ip": "192.0.2.64", "user": "admin", "password": "p@ss"});
    let rtsp = device.ok("/QueryCameraRtsp", login).await["info"]["rtsp"].clone();
    assert_eq!(rtsp, json!("rtsp://admin:p%40ss@192.0.2.64:554/stream1"));
    device.ok("/AddCamera", json!({"name": "gate", "rtsp": rtsp})).await;
    for wrong in [json!({"ip": "192.0.2.64"}), json!({"ip": "192.0.2.65", "user": "admin", "password": "p@ss"})] {
        device.refused("/QueryCameraRtsp", wrong, 302).await;
    }
    device.refused("/QueryCameraRtsp", json!({}), 3).await;
    device.stop().await;
}

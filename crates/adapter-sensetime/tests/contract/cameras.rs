//! Cameras (section 4).

use std::collections::BTreeSet;
use std::sync::Arc;

use domain::{CameraId, LibraryId, TaskKind, TaskSettings, WatchSettings};
use serde_json::{Value, json};
use testkit::contract::Ledger;
use testkit::{Take, actor, until};

use crate::witness::{Witness, column};

fn camera(name: &str) -> Value {
    json!({
        "camera_mode": "VIDEO", "protocol": "rtsp", "url": format!("rtsp://{name}"), "threshold": 80,
        "camera_name": name, "snap_mode": 1,
    })
}

fn with(mut fields: Value, name: &str, value: Value) -> Value {
    fields[name] = value;
    fields
}

pub(crate) async fn cameras_are_added_changed_listed_and_removed(ledger: &Arc<Ledger>) {
    let witness = Witness::start(ledger).await;
    let empty = witness.ok("list_cameras", json!({})).await;
    assert_eq!(empty, json!({"camera": [], "computing_power_capacity": 16, "used_computing_power": 0}));
    let full = json!({
        "camera_mode": "video", "protocol": "RTSP", "url": "rtsp://user:secret@gate/1", "position": "north",
        "lib_ids": "1", "description": "main gate", "threshold": "75", "camera_name": "gate", "snap_mode": "3",
        "facesize_min": 80, "facesize_max": 500, "decoder": "hw",
    });
    assert_eq!(witness.ok("add_camera_rtsp", full).await, json!({"channel": 1}));
    assert_eq!(witness.ok("add_camera_rtsp", camera("door")).await, json!({"channel": 2}));
    let listed = witness.ok("list_cameras", json!({})).await;
    assert_eq!(listed["used_computing_power"], 4);
    let gate = &listed["camera"][0];
    let wanted = json!({
        "camera_mode": "VIDEO", "protocol": "rtsp", "url": "rtsp://user:secret@gate/1", "position": "north",
        "lib_ids": "1", "description": "main gate", "threshold": 75, "camera_name": "gate", "snap_mode": 3,
        "facesize_min": 80, "facesize_max": 500, "decoder": "hw", "camera_roi": "", "roi_max": 2_073_600,
        "channel": 1, "status": gate["status"],
    });
    assert_eq!(*gate, wanted);
    let change = json!({"channel": "1", "camera_roi": "0,180,1920,900", "lib_ids": "", "snap_mode": 2, "threshold": 0});
    assert_eq!(witness.ok("update_camera_rtsp", change.clone()).await, json!({"channel": 1}));
    let changed = witness.ok("list_cameras", json!({})).await["camera"][0].clone();
    for (field, value) in wanted.as_object().unwrap().iter().filter(|(field, _)| *field != "status") {
        let value = change.get(field).filter(|_| field != "channel").unwrap_or(value);
        assert_eq!(changed[field], *value, "{field}");
    }
    witness.ok("delete_camera", json!({"channel": 1})).await;
    assert_eq!(column(&witness.ok("list_cameras", json!({})).await["camera"], "channel"), [json!(2)]);
    assert_eq!(witness.ok("add_camera_rtsp", camera("yard")).await, json!({"channel": 1}), "the lowest free channel");
    witness.stop().await;
}

pub(crate) async fn a_camera_shows_whether_it_is_online(ledger: &Arc<Ledger>) {
    let witness = Witness::start(ledger).await;
    witness.device.handles.frames.script("rtsp://gate", [Take::new()]);
    witness.ok("add_camera_rtsp", camera("gate")).await;
    witness.ok("add_camera_rtsp", camera("dead")).await;
    until("one is online and one is not", async || {
        column(&witness.ok("list_cameras", json!({})).await["camera"], "status") == [json!(1), json!(0)]
    })
    .await;
    witness.stop().await;
}

pub(crate) async fn invalid_face_sizes_count_as_the_defaults(ledger: &Arc<Ledger>) {
    let witness = Witness::start(ledger).await;
    for (smallest, largest, wanted) in [
        (json!(59), json!(1001), json!([60, 1000])),
        (json!(100), json!(400), json!([100, 400])),
        (json!("120"), json!("x"), json!([120, 1000])),
    ] {
        let fields = with(with(camera("gate"), "facesize_min", smallest), "facesize_max", largest);
        let channel = witness.ok("add_camera_rtsp", fields).await["channel"].clone();
        let row = witness.ok("list_cameras", json!({})).await["camera"][0].clone();
        assert_eq!(json!([row["facesize_min"], row["facesize_max"]]), wanted);
        witness.ok("delete_camera", json!({"channel": channel})).await;
    }
    witness.stop().await;
}

pub(crate) async fn a_region_is_listed_in_whole_pixels_and_accepted_back(ledger: &Arc<Ledger>) {
    let witness = Witness::start(ledger).await;
    witness.ok("add_camera_rtsp", camera("gate")).await;
    let appliance = witness.device.appliance.clone();
    let id = domain::CameraId(1);
    for (edges, told) in [
        ([0.0, 0.4 * 1080.0, 0.9 * 1920.0, 1080.0], "0,432,1728,1080"),
        ([100.7, 50.2, 900.1, 700.9], "100,50,901,701"),
        ([0.0, 0.0, 3839.5, 2160.0], "0,0,3840,2160"),
    ] {
        let mut settings = appliance.camera(id).await.unwrap().settings;
        let region = Some(domain::geometry::Rect::new(edges[0], edges[1], edges[2], edges[3]));
        settings.region = region;
        let change = domain::CameraChange { settings: Some(settings), ..Default::default() };
        appliance.by(&actor("another interface")).update_camera(id, change).await.unwrap();
        assert_eq!(witness.ok("list_cameras", json!({})).await["camera"][0]["camera_roi"], told);
        witness.ok("update_camera_rtsp", json!({"channel": 1, "camera_roi": told, "description": told})).await;
        assert_eq!(witness.ok("list_cameras", json!({})).await["camera"][0]["camera_roi"], told);
        assert_eq!(appliance.camera(id).await.unwrap().settings.region, region, "nothing was changed");
    }
    witness.stop().await;
}

pub(crate) async fn invalid_cameras_are_refused(ledger: &Arc<Ledger>) {
    let witness = Witness::start(ledger).await;
    witness.ok("add_camera_rtsp", camera("gate")).await;
    let before = witness.everything().await;
    witness.refused("add_camera_rtsp", with(camera("door"), "channel", json!(1)), -115).await;
    witness.refused("add_camera_rtsp", with(camera("door"), "lib_ids", json!("1,99")), -117).await;
    witness.refused("update_camera_rtsp", json!({"channel": 1, "lib_ids": "99"}), -117).await;
    witness.refused("update_camera_rtsp", json!({"channel": 2, "threshold": 1}), -109).await;
    witness.refused("delete_camera", json!({"channel": 2}), -109).await;
    for field in ["camera_mode", "url", "threshold", "camera_name", "snap_mode"] {
        let mut fields = camera("door");
        fields.as_object_mut().unwrap().remove(field);
        witness.refused("add_camera_rtsp", fields, -3596).await;
    }
    for (field, value) in [
        ("threshold", json!(101)),
        ("threshold", json!(-1)),
        ("snap_mode", json!(4)),
        ("url", json!("http://gate")),
        ("url", json!("rtsp://")),
        ("url", json!("rtsp:///live")),
        ("url", json!("rtsp://admin:1234/56@10.0.0.5/live")),
        ("lib_ids", json!("1;2")),
        ("camera_roi", json!("1,2,3")),
        ("camera_roi", json!("100,100,50,200")),
        ("camera_roi", json!("0,0,1921,1080")),
    ] {
        witness.refused("update_camera_rtsp", with(json!({"channel": 1}), field, value.clone()), -3596).await;
        witness.refused("add_camera_rtsp", with(camera("door"), field, value), -3596).await;
    }
    for channel in [json!(0), json!(17), json!("x"), json!(null)] {
        witness.refused("delete_camera", json!({"channel": channel}), -3596).await;
    }
    let task = TaskSettings {
        name: "roll call".into(),
        kind: TaskKind::RollCall,
        entries: vec![CameraId(1)],
        exits: Vec::new(),
        remark: String::new(),
        watch: WatchSettings { libraries: BTreeSet::from([LibraryId(1)]), ..WatchSettings::default() },
    };
    let task = witness.device.appliance.by(&actor("another")).add_task(task, None).await.unwrap();
    witness.refused("delete_camera", json!({"channel": 1}), -3596).await;
    let refused = witness.call("delete_camera", &json!({"channel": 1})).await;
    assert!(refused.msg.contains("channel 1") && refused.msg.contains("roll call"), "{}", refused.msg);
    witness.device.appliance.by(&actor("another")).remove_task(task.id).await.unwrap();
    assert_eq!(witness.everything().await, before);
    for n in 2..=8 {
        witness.ok("add_camera_rtsp", camera(&format!("gate{n}"))).await;
    }
    witness.refused("add_camera_rtsp", camera("surplus"), -151).await;
    assert_eq!(witness.ok("list_cameras", json!({})).await["used_computing_power"], 16);
    witness.stop().await;
}

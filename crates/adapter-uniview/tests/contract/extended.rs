//! Extended configuration (6.4 to 6.7).

use std::sync::Arc;

use serde_json::json;
use testkit::contract::Ledger;

use crate::device::Device;

pub(crate) async fn extended_settings_and_parameters_read_back(ledger: &Arc<Ledger>) {
    let device = Device::start(ledger).await;
    let channel = device.add_channel("gate", "rtsp://192.0.2.7/gate").await;
    device.add_channel("yard", "rtsp://192.0.2.7/yard").await;
    let fresh = device.ok("/extend/get", json!({"channel_id": channel})).await;
    assert_eq!((&fresh[0]["channel_id"], &fresh[0]["status"]), (&json!(1), &json!(0)));
    let listed = fresh[0]["smart_list"].as_array().unwrap();
    assert_eq!(listed[0], json!({"algo_model": "ObjectIsRecognized"}));
    assert!(listed.contains(&json!({"algo_model": "AccessElevatorAlarm", "sensitive": 80, "report_rate": 0})));
    assert!(listed.contains(&json!({"algo_model": "LongStayDetection", "report_rate": 0})));
    let update = |channel: i64, algorithm: serde_json::Value| json!({"list": [{"channel_id": channel, "status": 1, "smart_list": [algorithm]}]});
    let fast = json!({"algo_model": "FastMoving", "sensitive": 50, "report_rate": "10"});
    device.ok("/extend/update", update(channel, fast)).await;
    let all = device.ok("/extend/get", json!({})).await;
    assert_eq!(
        (&all[0]["status"], &all[1]),
        (&json!(1), &{
            let mut second = fresh[0].clone();
            second["channel_id"] = json!(2);
            second
        })
    );
    let changed = json!({"algo_model": "FastMoving", "sensitive": 50, "report_rate": 10});
    assert!(all[0]["smart_list"].as_array().unwrap().contains(&changed));
    for (field, bad) in [("sensitive", 0), ("sensitive", 101), ("report_rate", -1)] {
        let mut faces = json!({"algo_model": "ObjectIsRecognized"});
        faces[field] = json!(bad);
        device.refused("/extend/update", update(channel, faces), 2).await;
    }
    device.refused("/extend/update", update(channel, json!({"algo_model": "x"})), 2).await;
    device.refused("/extend/update", update(channel, json!({"algo_model": "FallOverAlarm"})), 4).await;
    device.refused("/extend/update", update(9, json!({"algo_model": "ObjectIsRecognized"})), 2).await;
    device.refused("/extend/update", json!({"list": []}), 2).await;
    device.refused("/extend/get", json!({"channel_id": 9}), 2).await;

    let factory = json!({
        "alarm_video_param": {"status": 0, "befor_alarmed_time": 5, "after_alarmed_time": 5},
        "status_recovery_param": {"status": 0}, "face_param": {"min_width": 10, "min_height": 10},
    });
    assert_eq!(device.ok("/smart/params/get", json!({"channel_id": channel})).await, factory);
    let changed = json!({
        "alarm_video_param": {"status": 1, "befor_alarmed_time": 7, "after_alarmed_time": 30},
        "status_recovery_param": {"status": 1}, "face_param": {"min_width": 40, "min_height": 50},
    });
    for part in ["alarm_video_param", "status_recovery_param", "face_param"] {
        device.ok("/smart/params/update", json!({"channel_id": channel, part: changed[part]})).await;
    }
    let device = device.restart().await;
    assert_eq!(device.ok("/smart/params/get", json!({"channel_id": channel})).await, changed);
    assert_eq!(device.appliance.cameras().await.unwrap()[0].settings.min_face_px, 40);
    let alias = json!({"status": 0, "before_alarmed_time": "6", "after_alarmed_time": 6});
    device.ok("/smart/params/update", json!({"channel_id": channel, "alarm_video_param": alias})).await;
    for (part, bad) in [
        ("alarm_video_param", json!({"status": 2, "befor_alarmed_time": 5, "after_alarmed_time": 5})),
        ("alarm_video_param", json!({"status": 1, "befor_alarmed_time": 4, "after_alarmed_time": 5})),
        ("alarm_video_param", json!({"status": 1, "befor_alarmed_time": 5, "after_alarmed_time": 31})),
        ("alarm_video_param", json!({"status": 1})),
        ("status_recovery_param", json!({})),
        ("face_param", json!({"min_width": -1, "min_height": 1})),
        ("face_param", json!({"min_width": 1})),
    ] {
        device.refused("/smart/params/update", json!({"channel_id": channel, part: bad}), 2).await;
    }
    device.refused("/smart/params/update", json!({"channel_id": 9}), 2).await;
    device.refused("/smart/params/get", json!({}), 2).await;
    device.stop().await;
}

pub(crate) async fn entries_of_one_channel_add_up(ledger: &Arc<Ledger>) {
    let device = Device::start(ledger).await;
    let channel = device.add_channel("gate", "rtsp://192.0.2.7/gate").await;
    let entry = |algorithm: &str, every: i64| json!({"channel_id": channel, "status": 1, "smart_list": [{"algo_model": algorithm, "report_rate": every}]});
    let list = json!([entry("LongStayDetection", 60), entry("StayAloneDetection", 90)]);
    device.ok("/extend/update", json!({"list": list})).await;
    let kept = device.ok("/extend/get", json!({"channel_id": channel})).await;
    let of = |algorithm: &str| {
        let rows = kept[0]["smart_list"].as_array().unwrap();
        rows.iter().find(|row| row["algo_model"] == algorithm).unwrap()["report_rate"].clone()
    };
    assert_eq!((of("LongStayDetection"), of("StayAloneDetection")), (json!(60), json!(90)));
    device.stop().await;
}

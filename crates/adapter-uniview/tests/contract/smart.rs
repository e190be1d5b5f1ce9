//! Smart tasks (6.1 to 6.3, 6.8, 6.9) and arming times (chapter 5).

use std::sync::Arc;

use serde_json::{Value, json};
use testkit::contract::Ledger;

use crate::device::{Device, full};

impl Device {
    /// Has a channel analyse faces, and watch for somebody.
    pub(crate) async fn watch_faces(&self, channel: i64, control: Value) {
        let tasks = json!([{"algo_model": "ObjectIsRecognized"}]);
        self.ok("/smart/update", json!({"channel_id": channel, "smart_list": tasks, "person_control_info": control}))
            .await;
    }

    /// Whether the analysis of faces is on.
    async fn watches(&self, channel: usize) -> bool {
        self.appliance.cameras().await.unwrap()[channel - 1].watch.settings.enabled
    }
}

pub(crate) async fn faces_are_analysed_when_a_task_says_so(ledger: &Arc<Ledger>) {
    let device = Device::start(ledger).await;
    let algorithms = device.ok("/algo/list", json!({})).await["algo_model"].clone();
    assert_eq!((&algorithms[0], algorithms.as_array().unwrap().len()), (&json!("ObjectIsRecognized"), 17));
    let staff = device.add_library("staff").await;
    let channel = device.add_channel("gate", "rtsp://192.0.2.7/gate").await;
    assert_eq!(device.ok("/smart/list", json!({"channel_id": channel})).await, json!({"smart_list": []}));
    assert!(!device.watches(1).await);
    let task = json!({
        "algo_model": "ObjectIsRecognized", "time_threshold": 5,
        "graphs": [{"graph_type": "polygon", "polygon": {"point_x": "50,9950,9950,50", "point_y": "50,50,9950,9950"}}],
    });
    let mut sent = task.clone();
    sent["title"] = json!("left over");
    // Newer platforms call the list otherwise.
    device.ok("/smart/update", json!({"channel_id": channel, "list": [sent]})).await;
    let shown = device.ok("/smart/list", json!({"channel_id": channel})).await;
    assert_eq!(shown, json!({"smart_list": [task]}));
    assert!(device.watches(1).await);

    let control = json!({"alarm_threshold": "85", "person_lib_id": [staff]});
    let update = json!({"channel_id": channel, "smart_list": [task], "person_control_info": control});
    device.ok("/smart/update", update).await;
    let expected = json!({"alarm_threshold": 85, "person_lib_id": [staff]});
    assert_eq!(device.ok("/smart/list", json!({"channel_id": channel})).await["person_control_info"], expected);
    let camera = device.appliance.cameras().await.unwrap().remove(0);
    assert_eq!(camera.watch.settings.threshold.percent(), 85);

    device.ok("/smart/task", json!({"channel_id": channel, "status": 0})).await;
    assert!(!device.watches(1).await);
    let device = device.restart().await;
    let stopped = device.ok("/smart/list", json!({"channel_id": channel})).await;
    assert_eq!((&stopped["smart_list"], &stopped["person_control_info"]), (&json!([task]), &expected));
    for _ in 0..2 {
        device.ok("/smart/task", json!({"channel_id": channel, "status": "1"})).await;
        assert!(device.watches(1).await);
    }
    device.ok("/smart/cycle", json!({"channel_id": channel, "status": 1})).await;
    // Whom it watches for is kept.
    device.ok("/smart/update", json!({"channel_id": channel, "smart_list": []})).await;
    assert!(!device.watches(1).await);
    let cleared = device.ok("/smart/list", json!({"channel_id": channel})).await;
    assert_eq!(cleared, json!({"smart_list": [], "person_control_info": expected}));
    device.stop().await;
}

pub(crate) async fn the_arming_plan_reads_back(ledger: &Arc<Ledger>) {
    let device = Device::start(ledger).await;
    let channel = device.add_channel("gate", "rtsp://192.0.2.7/gate").await;
    device.watch_faces(channel, json!(null)).await;
    let key = json!({"channel_id": channel, "algo_model": "ObjectIsRecognized"});
    let always = device.ok("/control/time/get", key.clone()).await;
    assert_eq!(always["sunday"], json!([{"start": "00:00", "end": "24:00"}]));
    let day = json!([{"start": "12:30", "end": "24:00"}, {"start": "00:00", "end": "04:00"}]);
    let sorted = json!([{"start": "00:00", "end": "04:00"}, {"start": "12:30", "end": "24:00"}]);
    let mut week = json!({"tuesday": [], "wednesday": [], "thursday": [], "friday": [], "saturday": [], "sunday": []});
    week["monday"] = day;
    let update =
        |week: &Value| json!({"channel_id": channel, "algo_model": "ObjectIsRecognized", "control_time": week});
    device.ok("/control/time/update", update(&week)).await;
    let kept = device.ok("/control/time/get", key.clone()).await;
    assert_eq!((&kept["monday"], &kept["tuesday"]), (&sorted, &json!([])));
    // Without the wrapper too, and with no period at all.
    week["monday"] = json!([]);
    let mut bare = week.clone();
    bare["channel_id"] = json!(channel);
    bare["algo_model"] = json!(" ObjectIsRecognized");
    device.ok("/control/time/update", bare).await;
    assert_eq!(device.ok("/control/time/get", key.clone()).await["monday"], json!([]));
    assert!(!device.watches(1).await);
    week["sunday"] = json!([{"start": "00:00", "end": "24:00"}]);
    device.ok("/control/time/update", update(&week)).await;
    assert!(device.watches(1).await);
    let device = device.restart().await;
    assert_eq!(device.ok("/control/time/get", key.clone()).await, week);

    let mut short = week.clone();
    short.as_object_mut().unwrap().remove("friday");
    device.refused("/control/time/update", update(&short), 2).await;
    for bad in [
        json!([{"start": "04:00", "end": "04:00"}]),
        json!([{"start": "4:00", "end": "05:00"}]),
        json!([{"start": "04:00"}]),
        json!([{"start": "00:00", "end": "24:01"}]),
        json!([{"start": "00:00", "end": "02:00"}, {"start": "01:00", "end": "03:00"}]),
        json!("always"),
        json!(null),
    ] {
        let mut wrong = week.clone();
        wrong["monday"] = bad;
        device.refused("/control/time/update", update(&wrong), 2).await;
    }
    let mut rule = update(&week);
    rule["algo_model"] = json!("LongStayDetection");
    device.ok("/control/time/update", rule).await;
    let of_rule = async |algorithm: &str| {
        device.ok("/control/time/get", json!({"channel_id": channel, "algo_model": algorithm})).await
    };
    assert_eq!((of_rule("LongStayDetection").await, of_rule("FastMoving").await), (week.clone(), always));
    for (field, bad) in [("channel_id", json!(9)), ("algo_model", json!("FallOverAlarm")), ("algo_model", json!("x"))] {
        let (mut wrong, mut ask) = (update(&week), key.clone());
        wrong[field] = bad.clone();
        ask[field] = bad;
        device.refused("/control/time/update", wrong, 2).await;
        device.refused("/control/time/get", ask, 2).await;
    }
    assert_eq!(device.ok("/control/time/get", key).await, week);
    device.stop().await;
}

pub(crate) async fn tasks_that_cannot_be_are_refused(ledger: &Arc<Ledger>) {
    let device = Device::start(ledger).await;
    let channel = device.add_channel("gate", "rtsp://192.0.2.7/gate").await;
    device.watch_faces(channel, json!(null)).await;
    let before = device.ok("/smart/list", json!({"channel_id": channel})).await;
    let update = |task: Value| json!({"channel_id": channel, "smart_list": [task]});
    let area = |x: &str, y: &str| json!([{"graph_type": "polygon", "polygon": {"point_x": x, "point_y": y}}]);
    for (field, bad) in [
        ("algo_model", json!("Faces")),
        ("algo_model", json!(null)),
        ("graphs", area("0,1", "0,1")),
        ("graphs", area("0,1,2,3,4,5,6", "0,1,2,3,4,5,6")),
        ("graphs", area("0,1,2", "0,1,10001")),
        ("graphs", json!([{"graph_type": "line", "line": {"point_x": "1,2,3", "point_y": "1,2,3"}}])),
        ("graphs", json!([{"graph_type": "polygon", "polygon": {"point_x": "0,1,2"}}])),
        ("graphs", Value::Array(vec![area("0,1,2", "0,1,2")[0].clone(); 11])),
        ("max_person_object_height", json!(1080)),
        ("line_dpc_time", json!(24)),
        ("time_threshold", json!(-1)),
        ("object_type", json!([4])),
        ("workclothes_lib_list", json!([99])),
    ] {
        let mut task = json!({"algo_model": "ObjectIsRecognized"});
        task[field] = bad;
        device.refused("/smart/update", update(task), 2).await;
    }
    for elsewhere in ["FallOverAlarm", "WorkClothesAlarm", "ClimbingDetectionAlarm"] {
        device.refused("/smart/update", update(json!({"algo_model": elsewhere})), 4).await;
    }
    let line = |y: &str| json!([{"graph_type": "line", "line": {"point_x": "1000,9000", "point_y": y}}]);
    let crossing =
        json!([{"graph_type": "polygon", "polygon": {"point_x": "0,9000,9000,0", "point_y": "0,9000,0,9000"}}]);
    for (algorithm, graphs) in [
        ("LineDetectorCrossed", json!([])),
        ("LineDetectorCrossed", area("0,1,2", "0,1,2")),
        ("LineDetectorCrossed", line("1,2,3")),
        ("LongStayDetection", json!(null)),
        ("LongStayDetection", line("5000,5000")),
        ("LongStayDetection", crossing),
    ] {
        device.refused("/smart/update", update(json!({"algo_model": algorithm, "graphs": graphs})), 2).await;
    }
    let twice = json!({"algo_model": "ObjectIsRecognized"});
    device.refused("/smart/update", json!({"channel_id": channel, "smart_list": [twice, twice]}), 2).await;
    for control in [json!({"person_lib_id": [99]}), json!({"alarm_threshold": 101}), json!({"alarm_threshold": -1})] {
        let update = json!({"channel_id": channel, "smart_list": [], "person_control_info": control});
        device.refused("/smart/update", update, 2).await;
    }
    for path in ["/smart/list", "/smart/update", "/smart/task", "/smart/cycle"] {
        device.refused(path, json!({"channel_id": 9, "status": 1, "smart_list": []}), 2).await;
        device.refused(path, json!({"status": 1, "smart_list": []}), 2).await;
    }
    device.refused("/smart/task", json!({"channel_id": channel, "status": 2}), 2).await;
    device.refused("/smart/cycle", json!({"channel_id": channel, "status": 3}), 2).await;
    device.refused("/smart/cycle", json!({"channel_id": channel, "status": 2}), 4).await;
    assert_eq!(device.ok("/smart/list", json!({"channel_id": channel})).await, before);
    device.stop().await;
}

pub(crate) async fn rules_follow_their_tasks(ledger: &Arc<Ledger>) {
    let device = Device::start(ledger).await;
    let channel = device.add_channel("gate", "rtsp://192.0.2.7/gate").await;
    let rules = async || device.appliance.rules(domain::CameraId(1)).await.unwrap();
    let area =
        json!({"graph_type": "polygon", "polygon": {"point_x": "0,10000,10000,0", "point_y": "0,0,10000,10000"}});
    let line = json!({"graph_type": "line", "line": {"point_x": "1000,9000", "point_y": "5000,5000"},
        "direction_line": {"point_x": "5000,5000", "point_y": "4000,6000"}});
    let tasks = json!([
        {"algo_model": "LongStayDetection", "time_threshold": 30, "graphs": [area]},
        {"algo_model": "FieldDetectorObjectsInside", "object_type": [1, 3], "graphs": [area]},
        {"algo_model": "LineRuleData", "line_dpc_enable": 1, "line_dpc_time": 4, "graphs": [line]},
    ]);
    device.ok("/smart/update", json!({"channel_id": channel, "smart_list": tasks})).await;
    let shown = device.ok("/smart/list", json!({"channel_id": channel})).await;
    assert_eq!(shown["smart_list"][2]["algo_model"], "LinePeopleCounting");
    assert_eq!(shown["smart_list"][0], tasks[0]);
    let made = rules().await;
    assert_eq!((made.len(), made[0].settings.options.after.as_secs()), (4, 30));
    assert!(!device.watches(1).await);
    // One that stays the same goes on, others change or go.
    let extended = json!([{"algo_model": "LineRuleData", "sensitive": 30}, {"algo_model": "LongStayDetection", "report_rate": 60}]);
    device.ok("/extend/update", json!({"list": [{"channel_id": channel, "status": 1, "smart_list": extended}]})).await;
    let tuned = rules().await;
    assert_eq!((tuned[1].clone(), tuned[0].settings.options.every.as_secs()), (made[1].clone(), 60));
    assert_eq!(tuned[3].settings.options.sensitivity, 30);
    let crossing = json!({"polygon": {"point_x": "0,9000,9000,0", "point_y": "0,9000,0,9000"}});
    let bad = json!([{"algo_model": "FastMoving", "graphs": [area]}, {"algo_model": "LongStayDetection", "graphs": [crossing]}]);
    device.refused("/smart/update", json!({"channel_id": channel, "smart_list": bad}), 2).await;
    let names = |rules: &[domain::Rule]| rules.iter().map(|rule| rule.settings.clone()).collect::<Vec<_>>();
    assert_eq!(names(&rules().await), names(&tuned), "what was there before is put back");
    device.ok("/smart/task", json!({"channel_id": channel, "status": 0})).await;
    assert_eq!(rules().await, []);
    device.ok("/smart/task", json!({"channel_id": channel, "status": 1})).await;
    assert_eq!(names(&rules().await), names(&tuned));
    device.ok("/smart/update", json!({"channel_id": channel, "smart_list": []})).await;
    assert_eq!(rules().await, []);
    device.stop().await;
}

pub(crate) async fn what_newer_firmware_adds_is_answered(ledger: &Arc<Ledger>) {
    let device = Device::start(ledger).await;
    let channel = device.add_channel("gate", "rtsp://192.0.2.7/gate").await;
    device.watch_faces(channel, json!(null)).await;
    let data = async |path: &str| device.send(path, &json!({})).await["data"].clone();
    assert_eq!(data("/algo/list/current").await, data("/algo/list").await);
    let on = data("/smart/enable/list").await;
    let channels = on.as_array().unwrap();
    assert_eq!((channels.len(), &channels[0]), (16, &json!({"channel_id": 1, "algo_model": ["ObjectIsRecognized"]})));
    assert_eq!(channels[1], json!({"channel_id": 2, "algo_model": []}));
    device.ok("/smart/task", json!({"channel_id": channel, "status": 0})).await;
    assert_eq!(data("/smart/enable/list").await[0]["algo_model"], json!([]));
    // Of these no form is known.
    for path in ["/algo/capabilities", "/smart/default/param", "/linkage/get", "/linkage/update"] {
        let answer = device.send_as(device.admin(), device.client().post(device.url(&full(path)))).await;
        assert_eq!(answer.status(), 404, "{path}");
        assert_eq!(answer.json::<Value>().await.unwrap()["code"], 4, "{path}");
    }
    device.stop().await;
}

/// Rules about these classes.
async fn classes(device: &Device) -> Vec<(domain::BehaviourKind, domain::ObjectClass)> {
    let rules = device.appliance.rules(domain::CameraId(1)).await.unwrap();
    rules.iter().map(|rule| (rule.settings.kind, rule.settings.object)).collect()
}

pub(crate) async fn every_algorithm_that_is_listed_runs(ledger: &Arc<Ledger>) {
    use domain::{BehaviourKind, ObjectClass};
    let device = Device::start(ledger).await;
    let channel = device.add_channel("gate", "rtsp://192.0.2.7/gate").await;
    let graph = json!({
        "polygon": {"point_x": "0,10000,10000,0", "point_y": "0,0,10000,10000"},
        "line": {"point_x": "1000,9000", "point_y": "5000,5000"},
    });
    let listed = device.ok("/algo/list", json!({})).await["algo_model"].clone();
    let task = |name: &Value| json!({"algo_model": name, "graphs": [graph]});
    for name in listed.as_array().unwrap() {
        device.ok("/smart/update", json!({"channel_id": channel, "smart_list": [task(name)]})).await;
        let is_rule = name != "ObjectIsRecognized";
        assert_eq!(classes(&device).await.len(), usize::from(is_rule), "{name}");
    }
    let all: Vec<_> = listed.as_array().unwrap().iter().map(task).collect();
    device.ok("/smart/update", json!({"channel_id": channel, "smart_list": all})).await;
    let made = classes(&device).await;
    for rule in [
        (BehaviourKind::Enter, ObjectClass::Person),
        (BehaviourKind::Leave, ObjectClass::Person),
        (BehaviourKind::Parking, ObjectClass::Vehicle),
        (BehaviourKind::Parking, ObjectClass::Cycle),
        (BehaviourKind::Presence, ObjectClass::Cycle),
        (BehaviourKind::Presence, ObjectClass::Dog),
    ] {
        assert!(made.contains(&rule), "{rule:?} in {made:?}");
    }
    // More areas and targets than a channel has room for cannot run together; nothing is changed.
    let wide = |name: &str| json!({"algo_model": name, "object_type": [1, 2, 3], "graphs": vec![&graph; 10]});
    let many: Vec<_> = ["EnterArea", "LeaveArea", "FieldDetectorObjectsInside"].into_iter().map(wide).collect();
    device.refused("/smart/update", json!({"channel_id": channel, "smart_list": many}), 1500).await;
    let mut still = classes(&device).await;
    still.sort_unstable_by_key(|rule| format!("{rule:?}"));
    let mut before = made;
    before.sort_unstable_by_key(|rule| format!("{rule:?}"));
    assert_eq!(still, before);
    device.stop().await;
}

pub(crate) async fn rules_stay_when_the_kind_of_camera_changes(ledger: &Arc<Ledger>) {
    let device = Device::start(ledger).await;
    let channel = device.add_channel("gate", "rtsp://192.0.2.7/gate").await;
    let area = json!({"polygon": {"point_x": "0,10000,10000,0", "point_y": "0,0,10000,10000"}});
    let tasks = json!([{"algo_model": "LongStayDetection", "time_threshold": 30, "graphs": [area]}]);
    device.ok("/smart/update", json!({"channel_id": channel, "smart_list": tasks})).await;
    let before = classes(&device).await;
    assert_eq!(before.len(), 1);
    let onvif = json!({"channel_id": channel, "channel_name": "gate", "type": 1, "ip": "192.0.2.9", "port": 80});
    device.ok("/channel/update", onvif).await;
    assert_eq!(classes(&device).await, before);
    let stream = json!({"channel_id": channel, "channel_name": "gate", "type": 2, "rtsp": "rtsp://192.0.2.7/gate"});
    device.ok("/channel/update", stream).await;
    assert_eq!(classes(&device).await, before);
    device.stop().await;
}

pub(crate) async fn detours_are_shown_where_they_were_set(ledger: &Arc<Ledger>) {
    let device = Device::start(ledger).await;
    let channel = device.add_channel("gate", "rtsp://192.0.2.7/gate").await;
    let points = json!({"point_x": "0,10000,10000,0", "point_y": "0,0,10000,10000"});
    let mut inner = points.clone();
    inner["detour_area"] = json!("1");
    let sent = json!({"algo_model": "LongStayDetection", "detour_area": 0, "graphs": [
        {"graph_type": "polygon", "polygon": points, "detour_area": 1},
        {"graph_type": "polygon", "polygon": inner, "detour_area": 0},
        {"graph_type": "polygon", "polygon": points},
    ]});
    device.ok("/smart/update", json!({"channel_id": channel, "smart_list": [sent]})).await;
    let mut shown = sent;
    shown["graphs"][1] = shown["graphs"][0].clone();
    let device = device.restart().await;
    assert_eq!(device.ok("/smart/list", json!({"channel_id": channel})).await["smart_list"], json!([shown]));
    let mut bad = points.clone();
    bad["detour_area"] = json!(7);
    for graph in [json!({"polygon": points, "detour_area": 7}), json!({"polygon": bad, "detour_area": 1})] {
        let task = json!({"algo_model": "LongStayDetection", "graphs": [graph]});
        device.refused("/smart/update", json!({"channel_id": channel, "smart_list": [task]}), 2).await;
    }
    device.stop().await;
}

pub(crate) async fn a_threshold_alone_is_shown(ledger: &Arc<Ledger>) {
    let device = Device::start(ledger).await;
    let channel = device.add_channel("gate", "rtsp://192.0.2.7/gate").await;
    // Even that which holds anyway.
    let percent = device.appliance.cameras().await.unwrap()[0].watch.settings.threshold.percent();
    device.watch_faces(channel, json!({"alarm_threshold": percent})).await;
    let shown = device.ok("/smart/list", json!({"channel_id": channel})).await;
    assert_eq!(shown["person_control_info"], json!({"alarm_threshold": percent, "person_lib_id": []}));
    device.stop().await;
}

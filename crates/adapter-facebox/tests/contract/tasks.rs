//! Tasks (6.1 to 6.6).

use std::sync::Arc;

use domain::Limits;
use serde_json::{Value, json};
use testkit::contract::Ledger;
use testkit::{Take, eventually};

use crate::device::{Device, column};

impl Device {
    /// The entry of the task of this name.
    pub(crate) async fn task(&self, name: &str) -> Value {
        let items = self.items("/QueryTaskList", json!({})).await;
        items.into_iter().find(|item| item["name"] == name).unwrap_or_default()
    }

    /// Makes a task with these fields and answers its id.
    pub(crate) async fn add_task(&self, name: &str, fields: Value) -> i64 {
        self.ok("/AddTask", task(name, &fields)).await;
        self.task(name).await["task_id"].as_i64().unwrap()
    }
}

fn task(name: &str, fields: &Value) -> Value {
    let mut task = json!({"name": name, "interval": 3000, "threshold": 0.8});
    fields.as_object().unwrap().iter().for_each(|(name, value)| task[name] = value.clone());
    task
}

pub(crate) async fn tasks_are_made_changed_and_removed(ledger: &Arc<Ledger>) {
    let device = Device::start(ledger).await;
    let (gate, yard) = (device.add_camera("gate", []).await, device.add_camera("yard", []).await);
    let (staff, guests) = (device.add_library("staff").await, device.add_library("guests").await);
    let plan = r#"{"monday":[{"start":"22:00","end":"06:00"},{"start":"08:00","end":"18:00"}]}"#;
    let fields = json!({
        "type": 1, "camera_list1": format!("{gate}，"), "camera_list2": [yard], "lib_list": format!("{staff}, {guests}"),
        "threshold": 1, "plan": plan, "remark": "r",
    });
    let id = device.add_task("roll", fields).await;
    let made = device.task("roll").await;
    assert_eq!(made["camera_list1"], json!([{"camera_id": gate, "name": "gate", "state": 0}]));
    assert_eq!(made["camera_list2"], json!([{"camera_id": yard, "name": "yard", "state": 0}]));
    assert_eq!(made["lib_list"], json!([{"lib_id": staff, "name": "staff"}, {"lib_id": guests, "name": "guests"}]));
    assert_eq!((&made["type"], &made["interval"], &made["threshold"]), (&json!(1), &json!(3000), &json!(1.0)));
    assert_eq!((&made["state"], &made["plan"], &made["remark"]), (&json!(0), &json!(plan), &json!("r")));
    assert_eq!(made["task_name"], "roll");
    let change = json!({
        "task_id": id, "name": "sign", "type": 3, "camera_list2": "", "lib_list": staff.to_string(), "interval": 1,
        "threshold": 0.55, "plan": "template 7",
    });
    device.ok("/UpdateTask", change).await;
    let changed = device.task("sign").await;
    assert_eq!((&changed["camera_list1"], &changed["camera_list2"]), (&made["camera_list1"], &json!([])));
    assert_eq!((&changed["type"], &changed["interval"], &changed["threshold"]), (&json!(3), &json!(1), &json!(0.55)));
    assert_eq!((&changed["plan"], &changed["remark"]), (&json!("template 7"), &json!("r")));
    device.ok("/DeleteTask", json!({"task_id": id})).await;
    assert_eq!(device.task("sign").await, Value::Null);
    device.refused("/DeleteTask", json!({"task_id": id}), 401).await;
    device.stop().await;
}

pub(crate) async fn tasks_run_until_they_are_stopped_and_over_a_restart(ledger: &Arc<Ledger>) {
    let device = Device::start(ledger).await;
    let gate = device.add_camera("gate", [Take::new(), Take::new()]).await;
    let id = device.add_task("t", json!({"camera_list1": gate.to_string(), "lib_list": "1"})).await;
    let key = json!({"task_id": id});
    device.ok("/StopTask", key.clone()).await;
    device.ok("/StartTask", key.clone()).await;
    let opened = async |device: &Device| {
        eventually("its camera is open", async || {
            let task = device.task("t").await;
            assert_eq!(task["state"], 1);
            (task["camera_list1"][0]["state"] == 1).then_some(())
        })
        .await;
    };
    opened(&device).await;
    device.refused("/StartTask", key.clone(), 601).await;
    device.refused("/DeleteTask", key.clone(), 601).await;
    device.refused("/UpdateTask", json!({"task_id": id, "name": "other"}), 601).await;
    let device = device.restart().await;
    opened(&device).await;
    device.ok("/StopTask", key.clone()).await;
    let stopped = device.task("t").await;
    assert_eq!((&stopped["state"], &stopped["camera_list1"][0]["state"]), (&json!(0), &json!(0)));
    device.ok("/UpdateTask", json!({"task_id": id, "name": "other"})).await;
    for path in ["/StartTask", "/StopTask", "/UpdateTask"] {
        device.refused(path, json!({"task_id": 99}), 401).await;
        device.refused_for(path, json!({}), "task_id").await;
    }
    device.stop().await;
}

pub(crate) async fn tasks_are_found_by_every_condition(ledger: &Arc<Ledger>) {
    let device = Device::start(ledger).await;
    let gate = device.add_camera("gate", [Take::new()]).await;
    for (name, kind) in [("day", 0), ("night roll", 1), ("day roll", 1)] {
        device.add_task(name, json!({"type": kind, "camera_list1": [gate], "lib_list": [1]})).await;
    }
    device.ok("/StartTask", json!({"task_id": 1})).await;
    for (query, names) in [
        (json!({}), json!(["day", "night roll", "day roll"])),
        (json!({"name": "day"}), json!(["day", "day roll"])),
        (json!({"username": "roll"}), json!(["night roll", "day roll"])),
        (json!({"name": "Ｒoll"}), json!(["night roll", "day roll"])),
        (json!({"type": 0}), json!(["day"])),
        (json!({"type": 3}), json!([])),
        (json!({"state": 1}), json!(["day"])),
        (json!({"state": 0, "name": "day"}), json!(["day roll"])),
    ] {
        let found = device.items("/QueryTaskList", query.clone()).await;
        assert_eq!(json!(column(&found, "name")), names, "{query}");
    }
    let page = device.info("/QueryTaskList", json!({"page_no": 2, "page_size": 2})).await;
    assert_eq!((&page["total_count"], &page["items"][0]["name"]), (&json!(3), &json!("day roll")));
    for (field, value) in [("type", 2), ("state", 2), ("page_no", 0)] {
        let mut query = json!({"page_no": 1, "page_size": 1});
        query[field] = json!(value);
        device.refused_for("/QueryTaskList", query, field).await;
    }
    device.stop().await;
}

pub(crate) async fn tasks_that_cannot_be_are_refused(ledger: &Arc<Ledger>) {
    let device = Device::start_with(ledger, Limits { tasks: 2, ..Limits::default() }).await;
    let gate = device.add_camera("gate", []).await;
    let fields = json!({"camera_list1": [gate], "lib_list": [1]});
    device.add_task("one", fields.clone()).await;
    let two = device.add_task("two", fields.clone()).await;
    assert_eq!(two, 2);
    device.refused("/AddTask", task("three", &fields), 1).await;
    device.stop().await;

    let device = Device::start(ledger).await;
    let gate = device.add_camera("gate", []).await;
    device.add_task("one", fields.clone()).await;
    let two = device.add_task("two", fields.clone()).await;
    let before = device.items("/QueryTaskList", json!({})).await;
    for (field, value, code) in [
        ("name", json!("one"), 400),
        ("name", json!(""), 3),
        ("camera_list1", json!("99"), 6),
        ("camera_list2", json!([99]), 6),
        ("lib_list", json!("1,99"), 201),
        ("camera_list1", json!(""), 3),
        ("camera_list1", json!("a"), 3),
        ("lib_list", json!([]), 3),
        ("type", json!(2), 3),
        ("interval", json!(0), 3),
        ("interval", json!("3000"), 3),
        ("threshold", json!(1.1), 3),
        ("threshold", json!("0.8"), 3),
        ("plan", json!(r#"{"monday": 7}"#), 3),
        ("remark", json!("x".repeat(257)), 3),
    ] {
        let mut wrong = task("three", &fields);
        wrong[field] = value.clone();
        device.refused("/AddTask", wrong, code).await;
        device.refused("/UpdateTask", json!({"task_id": two, field: value}), code).await;
    }
    for field in ["name", "camera_list1", "lib_list", "interval", "threshold"] {
        let mut short = task("three", &fields);
        short.as_object_mut().unwrap().remove(field);
        device.refused_for("/AddTask", short, field).await;
    }
    assert_eq!(device.items("/QueryTaskList", json!({})).await, before);
    assert_eq!(gate, 1);
    device.stop().await;
}

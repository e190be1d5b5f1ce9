//! Records of tasks (chapter 8).

use std::sync::Arc;

use serde_json::{Value, json};
use testkit::contract::Ledger;
use testkit::eventually;

use crate::device::{Device, column};

const QUERY: &str = "/QueryTaskCaptureRecord";

impl Device {
    /// Starts a task, and only then lets people pass its camera.
    async fn start_task(&self, task: i64, camera: &str, names: &[&str]) {
        self.ok("/StartTask", json!({"task_id": task})).await;
        self.script_visits(&format!("rtsp://{camera}/live"), names);
    }

    /// The records, once there are so many.
    async fn records(&self, count: usize) -> Vec<Value> {
        eventually("everybody is recorded", async || {
            let records = self.items(QUERY, json!({})).await;
            (records.len() >= count).then_some(records)
        })
        .await
    }
}

pub(crate) async fn what_tasks_saw_is_listed_and_removed(ledger: &Arc<Ledger>) {
    let device = Device::start(ledger).await;
    let staff = device.add_library("staff").await;
    let alice = device.add_person(staff, "alice").await;
    let key = json!({"lib_id": staff, "person_id": alice["person_id"], "card_no": "A1", "sex": 2, "category": 1});
    device.ok("/UpdatePerson", key).await;
    let gate = device.add_camera("gate", []).await;
    let fields = json!({"camera_list1": [gate], "lib_list": [staff], "interval": 1000});
    let task = device.add_task("watch", fields).await;
    device.start_task(task, "gate", &["alice", "mallory"]).await;
    let records = device.records(2).await;
    let (stranger, known) = (&records[0], &records[1]);
    for (field, value) in [
        ("task_id", json!(task)),
        ("task_name", json!("watch")),
        ("camera_id", json!(gate)),
        ("camera_name", json!("gate")),
        ("lib_id", json!(staff)),
        ("lib_name", json!("staff")),
        ("person_id", alice["person_id"].clone()),
        ("person_name", json!("alice")),
        ("sex", json!(2)),
        ("category", json!(1)),
        ("card_no", json!("A1")),
        ("classify", json!(1)),
        ("pic_url", alice["pic_url"].clone()),
    ] {
        assert_eq!(known[field], value, "{field}");
    }
    assert!(known["similarity"].as_f64().unwrap() > 0.8 && stranger["similarity"].as_f64().unwrap() < 0.8);
    assert_eq!((&stranger["classify"], &stranger["person_id"], &stranger["lib_id"]), (&json!(0), &json!(0), &json!(0)));
    assert_eq!((&stranger["person_name"], &stranger["pic_url"]), (&json!(""), &json!("")));
    for (query, names) in [
        (json!({"task_id": task}), json!(["", "alice"])),
        (json!({"task_id": 99}), json!([])),
        (json!({"camera_id": gate}), json!(["", "alice"])),
        (json!({"camera_id": 99}), json!([])),
        (json!({"lib_id": staff}), json!(["alice"])),
        (json!({"person_name": "LIC"}), json!(["alice"])),
        (json!({"person_name": "ＡＬＩＣＥ"}), json!(["alice"])),
        (json!({"person_name": "%"}), json!([])),
        (json!({"card_no": "A1"}), json!(["alice"])),
        (json!({"card_no": "A"}), json!([])),
        (json!({"classify": 0}), json!([""])),
        (json!({"classify": 1, "task_id": task}), json!(["alice"])),
        (json!({"similarity": 0.8}), json!(["alice"])),
        (json!({"end_time": "2020-01-01 00:00:00"}), json!([])),
        (json!({"start_time": "2020-01-01 00:00:00", "person_name": "", "card_no": ""}), json!(["", "alice"])),
        (json!({"start_time": "1970-01-01 00:00:00", "end_time": "9999-12-31 23:59:59"}), json!(["", "alice"])),
        (json!({"start_time": "0000-00-00 00:00:00", "end_time": "2099-12-31 24:00:00"}), json!(["", "alice"])),
        (json!({"start_time": "9999-12-31 23:59:59", "end_time": "1900-01-01 00:00:00"}), json!([])),
    ] {
        let found = device.items(QUERY, query.clone()).await;
        assert_eq!(json!(column(&found, "person_name")), names, "{query}");
    }
    for (record, name) in [(known, json!("alice")), (stranger, json!(""))] {
        let told = record["similarity"].as_f64().unwrap();
        let found = device.items(QUERY, json!({"similarity": told})).await;
        assert!(column(&found, "person_name").contains(&name), "{told}");
    }
    let more = stranger["similarity"].as_f64().unwrap() + 1e-6;
    assert_eq!(column(&device.items(QUERY, json!({"similarity": more})).await, "person_name"), [json!("alice")]);
    assert_eq!(device.items(QUERY, json!({"similarity": 0})).await.len(), 2);
    let picture = known["capture_url"].as_str().unwrap();
    assert!(device.download(picture).await.starts_with(&[0xff, 0xd8]));
    device.ok("/DeleteTaskCaptureRecord", json!({"record_id": known["record_id"]})).await;
    device.refused("/DownloadPersonPicture", json!({"pic_url": picture}), 6).await;
    device.refused("/DeleteTaskCaptureRecord", json!({"record_id": known["record_id"]}), 6).await;
    assert_eq!(device.records(1).await, std::slice::from_ref(stranger));
    device.ok("/DeletePicture", json!({"pic_url": stranger["capture_url"]})).await;
    device.refused("/DownloadPersonPicture", json!({"pic_url": stranger["capture_url"]}), 6).await;
    device.stop().await;
}

pub(crate) async fn records_outlive_their_task_their_camera_and_their_person(ledger: &Arc<Ledger>) {
    let device = Device::start(ledger).await;
    let staff = device.add_library("staff").await;
    let alice = device.add_person(staff, "alice").await;
    let gate = device.add_camera("gate", []).await;
    let task = device.add_task("watch", json!({"camera_list1": [gate], "lib_list": [staff]})).await;
    device.start_task(task, "gate", &["alice"]).await;
    let before = device.records(1).await;
    device.ok("/StopTask", json!({"task_id": task})).await;
    device.ok("/DeleteTask", json!({"task_id": task})).await;
    device.ok("/DeleteCamera", json!({"camera_id": gate})).await;
    device.ok("/DeletePerson", json!({"lib_id": staff, "person_id": alice["person_id"]})).await;
    device.ok("/DeleteLibrary", json!({"lib_id": staff})).await;
    let mut after = device.records(1).await;
    let record = after[0].as_object_mut().unwrap();
    assert_eq!((&record["person_id"], &record["person_name"]), (&json!(0), &json!("")), "it says no longer who it was");
    for field in ["person_id", "person_name", "pic_url"] {
        record[field] = before[0][field].clone();
    }
    assert_eq!(after, before);
    device.stop().await;
}

pub(crate) async fn queries_for_records_that_mean_nothing_are_refused(ledger: &Arc<Ledger>) {
    let device = Device::start(ledger).await;
    for (field, value) in [
        ("page_no", json!(0)),
        ("page_size", json!(1001)),
        ("classify", json!(2)),
        ("similarity", json!(1.5)),
        ("similarity", json!("0.8")),
        ("task_id", json!("1")),
        ("person_name", json!(7)),
        ("start_time", json!("yesterday")),
    ] {
        let mut query = json!({"page_no": 1, "page_size": 1});
        query[field] = value;
        device.refused_for(QUERY, query, field).await;
    }
    device.refused_for(QUERY, json!({"page_no": 1}), "page_size").await;
    device.refused_for("/DeleteTaskCaptureRecord", json!({}), "record_id").await;
    device.refused("/DeleteTaskCaptureRecord", json!({"record_id": 1}), 6).await;
    device.stop().await;
}

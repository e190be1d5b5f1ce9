//! Searches (chapter 11).

use std::sync::Arc;

use serde_json::{Value, json};
use testkit::contract::Ledger;
use testkit::eventually;

use crate::device::{Device, column};

const GATE: &str = "rtsp://192.0.2.7/gate";
const CAPTURES: &str = "/search/facecap";
const MATCHES: &str = "/search/facematch";
const BEHAVIOURS: [&str; 2] = ["/search/behavior", "/search/behaviormatch"];

/// Everything of the first page.
fn all() -> Value {
    json!({"page": 1, "pagesize": 10, "channel_id": [], "start_time": 0, "end_time": 4_000_000_000_i64})
}

fn with(fields: &Value) -> Value {
    let mut search = all();
    for (name, value) in fields.as_object().unwrap() {
        search[name] = value.clone();
    }
    search
}

impl Device {
    async fn found(&self, path: &str, fields: &Value) -> Vec<Value> {
        self.ok(path, with(fields)).await["list"].as_array().unwrap().clone()
    }
}

pub(crate) async fn captures_are_found_by_every_condition(ledger: &Arc<Ledger>) {
    let device = Device::start(ledger).await;
    let staff = device.add_library("staff").await;
    let alice = device.add_person(staff, "alice").await;
    device.ok("/person/update", json!({"person_id": alice, "certificate_no": "AB12"})).await;
    let channel = device.add_channel("gate", GATE).await;
    device.watch_faces(channel, json!({"person_lib_id": [staff]})).await;
    device.script_visits(GATE, &["alice", "mallory"]);
    let captures = eventually("both are recorded", async || {
        let found = device.found(CAPTURES, &json!({})).await;
        (found.len() == 2).then_some(found)
    })
    .await;
    let (stranger, known) = (&captures[0], &captures[1]);
    let told = ["channel_id", "channel_name", "algo_model", "glass", "mask"].map(|field| known[field].clone());
    assert_eq!(told, [json!(1), json!("gate"), json!("ObjectIsRecognized"), json!(1), json!(1)]);
    let compared = &known["compare_list"][0];
    assert_eq!((&compared["match_type"], &compared["base_image_id"]), (&json!(1), &json!(alice)));
    assert_eq!((&compared["name"], &compared["certificate_no"]), (&json!("alice"), &json!("AB12")));
    assert_eq!(stranger["compare_list"][0]["match_type"], 2);
    for url in [&known["big_picture_url"], &known["small_picture_url"], &compared["base_image_url"]] {
        assert_eq!(device.picture(reqwest::Method::GET, url.as_str().unwrap()).await.status(), 200);
    }
    let similarity = compared["similarity"].as_i64().unwrap();
    let (time, ids) = (known["capture_time"].as_i64().unwrap(), column(&captures, "alarm_id"));
    let (later, earlier) = (ids[0].clone(), ids[1].clone());
    let both = json!([later, earlier]);
    for (fields, expected) in [
        (json!({}), both.clone()),
        (json!({"channel_id": [1, 99]}), both.clone()),
        (json!({"channel_id": [99]}), json!([])),
        (json!({"channel_id": [-1]}), json!([])),
        (json!({"start_time": time, "end_time": time}), json!([earlier])),
        (json!({"start_time": time + 1}), json!([later])),
        (json!({"compare_flag": 1, "match_type": 999, "name": "", "certificate_no": ""}), both.clone()),
        (json!({"compare_flag": 2}), both.clone()),
        (json!({"match_type": 1}), json!([earlier])),
        (json!({"match_type": 2}), json!([later])),
        (json!({"match_type": 1, "name": "lic"}), json!([earlier])),
        (json!({"name": "mallory"}), json!([])),
        (json!({"match_type": 99, "certificate_no": "B1", "similarity": {"min": 80, "max": "100"}}), json!([earlier])),
        (json!({"similarity": {"min": similarity, "max": similarity}}), json!([earlier])),
        (json!({"similarity": {"min": 0, "max": similarity - 1}}), json!([later])),
        (json!({"similarity": {"min": 0, "max": 100}}), both.clone()),
        (json!({"faceattr": {"gender": 999, "age": 999, "glass": 999, "mask": "999"}}), both.clone()),
        (json!({"channel_id": "", "compare_flag": "", "match_type": "", "similarity": ""}), both.clone()),
        (json!({"faceattr": ""}), both.clone()),
        (json!({"faceattr": {"gender": "", "age": "", "glass": "", "mask": " "}}), both.clone()),
        (json!({"faceattr": {"glass": 1, "mask": 1}}), both.clone()),
        (json!({"faceattr": {"mask": 2}}), json!([])),
    ] {
        for path in [CAPTURES, MATCHES] {
            let found = device.ok(path, with(&fields)).await;
            let list = found["list"].as_array().unwrap();
            assert_eq!(json!(column(list, "alarm_id")), expected, "{path} {fields}");
            assert_eq!(found["total"].as_u64().unwrap() as usize, list.len(), "{path} {fields}");
        }
    }
    let of_gender = async |gender: i64| device.found(CAPTURES, &json!({"faceattr": {"gender": gender}})).await.len();
    assert_eq!(of_gender(1).await + of_gender(2).await + of_gender(99).await, 2);
    let of_age = async |age: i64| device.found(CAPTURES, &json!({"faceattr": {"age": age}})).await;
    let told = known["age"].as_i64().unwrap();
    let same_age = of_age(told).await;
    assert!(column(&same_age, "age").iter().all(|age| *age == told));
    let matched = device.found(MATCHES, &json!({"match_type": 1})).await.remove(0);
    assert_eq!(matched["object_list"][0]["small_picture_url"], known["small_picture_url"]);
    assert_eq!(matched["alarm_id"], earlier);
    let second = device.ok(CAPTURES, with(&json!({"page": 2, "pagesize": 1}))).await;
    assert_eq!((&second["total"], column(second["list"].as_array().unwrap(), "alarm_id")), (&json!(2), vec![earlier]));
    let beyond = device.ok(CAPTURES, with(&json!({"page": 9}))).await;
    assert_eq!((&beyond["total"], &beyond["list"]), (&json!(2), &json!([])));
    for path in BEHAVIOURS {
        let found = device
            .ok(
                path,
                with(&json!({"algo_model": ["NoMaskAlarm", " LineRuleData"], "compare_flag": 1, "object_type": [1]})),
            )
            .await;
        assert_eq!(found, json!({"total": 0, "list": []}));
        let empty = json!({"algo_model": "", "object_type": "", "compare_flag": "", "match_type": "", "plate_no": ""});
        assert_eq!(device.found(path, &empty).await, [] as [Value; 0]);
    }
    device.stop().await;
}

pub(crate) async fn searches_that_mean_nothing_are_refused(ledger: &Arc<Ledger>) {
    let device = Device::start(ledger).await;
    let refused = [
        json!({"page": 0}),
        json!({"pagesize": 0}),
        json!({"pagesize": 1001}),
        json!({"channel_id": null}),
        json!({"channel_id": ["x"]}),
        json!({"start_time": 20, "end_time": 10}),
        json!({"start_time": null}),
        json!({"compare_flag": 3}),
        json!({"match_type": 3}),
        json!({"name": "x".repeat(65)}),
    ];
    for fields in &refused {
        for path in [CAPTURES, MATCHES].into_iter().chain(BEHAVIOURS) {
            device.refused(path, with(fields), 2).await;
        }
    }
    for fields in [
        json!({"similarity": {"min": 2, "max": 1}}),
        json!({"similarity": {"min": 0, "max": 101}}),
        json!({"similarity": {"min": 0}}),
        json!({"faceattr": {"gender": 4}}),
        json!({"faceattr": {"age": 30}}),
        json!({"faceattr": {"glass": 0}}),
    ] {
        device.refused(CAPTURES, with(&fields), 2).await;
        device.refused(MATCHES, with(&fields), 2).await;
    }
    for path in BEHAVIOURS {
        device.refused(path, with(&json!({"algo_model": ["Faces"]})), 2).await;
    }
    device.refused(BEHAVIOURS[0], with(&json!({"object_type": [4]})), 2).await;
    device.stop().await;
}

//! Libraries and pictures of work clothes (chapters 7 and 8).

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use reqwest::Method;
use serde_json::{Value, json};
use testkit::contract::Ledger;

use crate::device::{Device, column};
use crate::people::photo;

impl Device {
    async fn clothes(&self, library: i64) -> Vec<Value> {
        self.page("/workclothes/list", json!({"lib_id": library})).await.1
    }

    async fn add_clothes(&self, library: i64, picture: &str) -> i64 {
        let answer = self.ok("/workclothes/add", json!({"lib_id": library, "image_base64": picture})).await;
        answer["workclothes_id"].as_i64().unwrap()
    }
}

pub(crate) async fn work_clothes_are_kept_listed_and_removed(ledger: &Arc<Ledger>) {
    let device = Device::start(ledger).await;
    let (total, factory) = device.page("/workclotheslib/list", json!({})).await;
    assert_eq!((total, &factory[0]["lib_id"], &factory[0]["lib_name"]), (1, &json!(1), &json!("默认工服库")));
    let library = device.ok("/workclotheslib/add", json!({"lib_name": "lib1"})).await["lib_id"].as_i64().unwrap();
    device.ok("/workclotheslib/update", json!({"lib_id": library, "lib_name": "lib2"})).await;
    let first = device.add_clothes(library, &photo("coat")).await;
    let batch = json!({"lib_id": library, "image_base64": [photo("hat"), "none", photo("vest")]});
    let stored = device.ok("/workclothes/batchadd", batch).await;
    assert_eq!(stored["fail_list"], json!([{"index": 1, "reason": "Importing picture failed"}]));
    let alone = device.ok("/workclothes/batchadd", json!({"lib_id": library, "image_base64": photo("boots")})).await;
    let device = device.restart().await;
    let rows = device.clothes(library).await;
    let ids = [
        json!(first),
        stored["workclothes_id"][0].clone(),
        stored["workclothes_id"][1].clone(),
        alone["workclothes_id"][0].clone(),
    ];
    assert_eq!(column(&rows, "workclothes_id"), ids);
    assert!(column(&rows, "model_status").iter().all(|status| *status == 1));
    let address = rows[0]["image_path"].as_str().unwrap();
    assert_eq!(device.picture(Method::GET, address).await.status(), 200);
    for (status, count) in [(json!(999), 4), (json!(""), 4), (json!(1), 4), (json!(3), 0)] {
        let listed = device.page("/workclothes/list", json!({"lib_id": library, "model_status": status})).await;
        assert_eq!((listed.0, listed.1.len()), (count, count as usize));
    }
    device.ok("/workclothes/delete", json!({"lib_id": library, "workclothes_id_list": [first]})).await;
    assert_eq!(device.clothes(library).await.len(), 3);
    assert_eq!(device.picture(Method::GET, address).await.status(), 404);
    let last = device.clothes(library).await[2]["image_path"].as_str().unwrap().to_owned();
    device.ok("/workclotheslib/delete", json!({"lib_id": [library]})).await;
    assert_eq!(device.picture(Method::GET, &last).await.status(), 404);
    assert_eq!(device.page("/workclotheslib/list", json!({"lib_name": "LIB"})).await.0, 0);
    device.stop().await;
}

pub(crate) async fn work_clothes_that_cannot_be_are_refused(ledger: &Arc<Ledger>) {
    let device = Device::start(ledger).await;
    for bad in [json!(""), json!("x".repeat(65)), json!(null)] {
        device.refused("/workclotheslib/add", json!({"lib_name": bad}), 2).await;
        device.refused("/workclotheslib/update", json!({"lib_id": 1, "lib_name": bad}), 2).await;
    }
    device.refused("/workclotheslib/add", json!({"lib_name": "默认工服库"}), 1600).await;
    let other = device.ok("/workclotheslib/add", json!({"lib_name": "other"})).await["lib_id"].clone();
    device.refused("/workclotheslib/update", json!({"lib_id": other, "lib_name": "默认工服库"}), 1600).await;
    device.refused("/workclotheslib/update", json!({"lib_id": 99, "lib_name": "new"}), 2).await;
    for bad in [json!(99), json!([]), json!([1, other]), json!(null)] {
        device.refused("/workclotheslib/delete", json!({"lib_id": bad}), 2).await;
    }
    device.refused("/workclotheslib/list", json!({"page": 0, "pagesize": 1}), 2).await;
    for number in 0..30 {
        device.ok("/workclotheslib/add", json!({"lib_name": format!("library {number}")})).await;
    }
    device.refused("/workclotheslib/add", json!({"lib_name": "too many"}), 1601).await;

    let large = STANDARD.encode(vec![0; (4 << 20) + 1]);
    for (field, bad, code) in [
        ("lib_id", json!(99), 2),
        ("image_base64", json!(null), 2),
        ("image_base64", json!("no base64"), 1702),
        ("image_base64", json!(STANDARD.encode("no picture")), 1702),
        ("image_base64", json!(large), 1701),
    ] {
        let mut picture = json!({"lib_id": 1, "image_base64": photo("coat")});
        picture[field] = bad;
        device.refused("/workclothes/add", picture, code).await;
    }
    let coat = photo("coat");
    for (library, pictures, code) in [(99, json!([coat]), 2), (1, json!([]), 2), (1, json!(vec!["x"; 51]), 2)] {
        device.refused("/workclothes/batchadd", json!({"lib_id": library, "image_base64": pictures}), code).await;
    }
    for _ in 0..4 {
        device.ok("/workclothes/batchadd", json!({"lib_id": 1, "image_base64": vec![coat.as_str(); 50]})).await;
    }
    device.refused("/workclothes/add", json!({"lib_id": 1, "image_base64": coat}), 1700).await;
    device.refused("/workclothes/batchadd", json!({"lib_id": 1, "image_base64": [coat]}), 1700).await;
    let id = device.clothes(1).await[0]["workclothes_id"].clone();
    for (library, ids) in
        [(json!(99), json!([id])), (other, json!([id])), (json!(1), json!([])), (json!(1), json!([id, 0]))]
    {
        device.refused("/workclothes/delete", json!({"lib_id": library, "workclothes_id_list": ids}), 2).await;
    }
    for (field, bad) in [("lib_id", json!(99)), ("page", json!(0)), ("model_status", json!(5))] {
        let mut query = json!({"lib_id": 1, "page": 1, "pagesize": 5});
        query[field] = bad;
        device.refused("/workclothes/list", query, 2).await;
    }
    device.stop().await;
}

pub(crate) async fn a_library_goes_from_the_tasks_that_name_it(ledger: &Arc<Ledger>) {
    let device = Device::start(ledger).await;
    let channel = device.add_channel("gate", "rtsp://192.0.2.7/gate").await;
    let library = device.ok("/workclotheslib/add", json!({"lib_name": "lib1"})).await["lib_id"].clone();
    let task = json!({"algo_model": "ObjectIsRecognized", "workclothes_lib_list": [1, library]});
    device.ok("/smart/update", json!({"channel_id": channel, "smart_list": [task]})).await;
    device.ok("/workclotheslib/delete", json!({"lib_id": library})).await;
    let tasks = device.ok("/smart/list", json!({"channel_id": channel})).await["smart_list"].clone();
    assert_eq!(tasks[0]["workclothes_lib_list"], json!([1]));
    // What is shown may be sent back.
    device.ok("/smart/update", json!({"channel_id": channel, "smart_list": tasks})).await;
    device.stop().await;
}

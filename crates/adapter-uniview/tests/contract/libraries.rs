//! Person libraries (chapter 2).

use std::sync::Arc;

use domain::Limits;
use serde_json::{Value, json};
use testkit::contract::Ledger;

use crate::device::{Device, column};

impl Device {
    /// Creates a library and returns its id.
    pub(crate) async fn add_library(&self, name: &str) -> i64 {
        self.ok("/personlib/add", json!({"lib_name": name})).await["lib_id"].as_i64().unwrap()
    }

    async fn library_names(&self, part: &str) -> Vec<Value> {
        column(&self.page("/personlib/list", json!({"lib_name": part})).await.1, "lib_name")
    }
}

pub(crate) async fn libraries_are_made_renamed_listed_and_removed(ledger: &Arc<Ledger>) {
    let device = Device::start(ledger).await;
    let before = device.page("/personlib/list", json!({})).await.0;
    let (staff, guests) = (device.add_library("staff").await, device.add_library(" guests ").await);
    assert!(guests > staff);
    device.ok("/personlib/update", json!({"lib_id": staff.to_string(), "lib_name": "Staff 工"})).await;
    assert_eq!(device.library_names("sTAFF").await, [json!("Staff 工")]);
    assert_eq!(device.library_names("s").await.len(), 2);
    let page = device.ok("/personlib/list", json!({"page": "2", "pagesize": 1})).await;
    assert_eq!((page["total"].as_i64(), page["list"].as_array().unwrap().len()), (Some(before + 2), 1));
    let beyond = device.ok("/personlib/list", json!({"page": 9, "pagesize": 10})).await;
    assert_eq!((beyond["total"].as_i64(), &beyond["list"]), (Some(before + 2), &json!([])));
    device.ok("/personlib/delete", json!({"lib_id": [staff, guests]})).await;
    assert_eq!(device.page("/personlib/list", json!({})).await.0, before);
    device.stop().await;
}

pub(crate) async fn a_library_goes_with_its_people_and_from_what_is_watched_for(ledger: &Arc<Ledger>) {
    let device = Device::start(ledger).await;
    let (staff, guests) = (device.add_library("staff").await, device.add_library("guests").await);
    device.add_person(staff, "alice").await;
    let channel = device.add_channel("gate", "rtsp://192.0.2.7/gate").await;
    let control = json!({"alarm_threshold": 85, "person_lib_id": [staff, guests]});
    device.watch_faces(channel, control).await;
    device.refused("/personlib/delete", json!({"lib_id": [staff, 99]}), 2).await;
    assert_eq!(device.page("/person/list", json!({"lib_id": staff})).await.0, 1);
    // A single number is taken too.
    device.ok("/personlib/delete", json!({"lib_id": staff})).await;
    device.refused("/person/list", json!({"lib_id": staff, "page": 1, "pagesize": 9}), 2).await;
    let tasks = device.ok("/smart/list", json!({"channel_id": channel})).await;
    assert_eq!(tasks["person_control_info"], json!({"alarm_threshold": 85, "person_lib_id": [guests]}));
    device.stop().await;
}

pub(crate) async fn libraries_that_cannot_be_are_refused(ledger: &Arc<Ledger>) {
    let device = Device::start_with(ledger, Limits { libraries: 3, ..Limits::default() }).await;
    let staff = device.add_library("staff").await;
    for bad in [json!(""), json!("  "), json!("x".repeat(65)), json!(null), json!([]), json!("a\nb")] {
        device.refused("/personlib/add", json!({"lib_name": bad}), 2).await;
        device.refused("/personlib/update", json!({"lib_id": staff, "lib_name": bad}), 2).await;
    }
    device.refused("/personlib/add", json!({}), 2).await;
    device.refused("/personlib/add", json!({"lib_name": "staff"}), 1101).await;
    let guests = device.add_library(&"库".repeat(64)).await;
    device.refused("/personlib/add", json!({"lib_name": "more"}), 1100).await;
    device.refused("/personlib/update", json!({"lib_id": guests, "lib_name": "staff"}), 1101).await;
    device.refused("/personlib/update", json!({"lib_id": 99, "lib_name": "other"}), 2).await;
    for bad in [json!([]), json!([99]), json!([1]), json!("x"), json!(null)] {
        device.refused("/personlib/delete", json!({"lib_id": bad}), 2).await;
    }
    for (page, size) in [(json!(0), json!(1)), (json!(1), json!(0)), (json!(-1), json!(1)), (json!(1), json!(null))] {
        device.refused("/personlib/list", json!({"page": page, "pagesize": size}), 2).await;
    }
    device.stop().await;
}

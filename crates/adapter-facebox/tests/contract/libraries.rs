//! Libraries (chapter 3).

use std::sync::Arc;

use domain::Limits;
use serde_json::{Value, json};
use testkit::contract::Ledger;

use crate::device::{Device, column};

impl Device {
    /// The entry of the library of this name.
    pub(crate) async fn library(&self, name: &str) -> Value {
        let items = self.items("/QueryLibraryList", json!({})).await;
        items.into_iter().find(|item| item["name"] == name).unwrap_or_default()
    }

    /// Makes a library and answers its id.
    pub(crate) async fn add_library(&self, name: &str) -> i64 {
        self.ok("/AddLibrary", json!({"name": name, "type": 0})).await;
        self.library(name).await["lib_id"].as_i64().unwrap()
    }
}

pub(crate) async fn libraries_are_made_listed_and_removed(ledger: &Arc<Ledger>) {
    let device = Device::start(ledger).await;
    device.ok("/AddLibrary", json!({"name": "员工", "type": 7, "remark": "the staff"})).await;
    let made = device.library("员工").await;
    assert_eq!((&made["type"], &made["remark"], &made["person_count"]), (&json!(7), &json!("the staff"), &json!(0)));
    assert!(made["create_time"].as_str().unwrap().starts_with("2026-03-02 09:0"), "local time: {made}");
    device.ok("/AddLibrary", json!({"name": "guests"})).await;
    assert_eq!(device.library("guests").await["type"], 0);
    device.ok("/DeleteLibrary", json!({"lib_id": made["lib_id"]})).await;
    assert_eq!(device.library("员工").await, Value::Null);
    device.refused("/DeleteLibrary", json!({"lib_id": made["lib_id"]}), 201).await;
    device.stop().await;
}

pub(crate) async fn libraries_are_found_by_every_condition(ledger: &Arc<Ledger>) {
    let device = Device::start(ledger).await;
    for (name, kind) in [("staff", 1), ("guests", 2), ("night staff", 2)] {
        device.ok("/AddLibrary", json!({"name": name, "type": kind})).await;
    }
    for (query, total, names) in [
        (json!({}), 4, json!(["default_group", "staff", "guests", "night staff"])),
        (json!({"name": "staff"}), 2, json!(["staff", "night staff"])),
        (json!({"name": "STAFF"}), 2, json!(["staff", "night staff"])),
        (json!({"username": "staff"}), 2, json!(["staff", "night staff"])),
        (json!({"name": "", "type": 2}), 2, json!(["guests", "night staff"])),
        (json!({"name": "staff", "type": 2}), 1, json!(["night staff"])),
        (json!({"type": 99}), 0, json!([])),
        (json!({"page_no": 2, "page_size": 3}), 4, json!(["night staff"])),
        (json!({"page_no": 9, "page_size": 3}), 4, json!([])),
    ] {
        let mut fields = query.clone();
        if fields.get("page_no").is_none() {
            (fields["page_no"], fields["page_size"]) = (json!(1), json!(10));
        }
        let found = device.info("/QueryLibraryList", fields.clone()).await;
        assert_eq!(json!(column(found["items"].as_array().unwrap(), "name")), names, "{query}");
        assert_eq!((&found["total_count"], &found["page_no"]), (&json!(total), &fields["page_no"]), "{query}");
    }
    for (fields, field) in [
        (json!({"page_no": 0, "page_size": 1}), "page_no"),
        (json!({"page_no": 1, "page_size": 0}), "page_size"),
        (json!({"page_no": 1, "page_size": 1001}), "page_size"),
        (json!({"page_no": 1}), "page_size"),
        (json!({"page_no": "1", "page_size": 1}), "page_no"),
        (json!({"page_no": 1, "page_size": 1, "type": "x"}), "type"),
    ] {
        device.refused_for("/QueryLibraryList", fields, field).await;
    }
    device.stop().await;
}

pub(crate) async fn a_library_that_is_missing_taken_or_watched_is_refused(ledger: &Arc<Ledger>) {
    let full = Device::start_with(ledger, Limits { libraries: 2, ..Limits::default() }).await;
    full.add_library("staff").await;
    full.refused("/AddLibrary", json!({"name": "guests", "type": 0}), 1).await;
    full.stop().await;

    let device = Device::start(ledger).await;
    device.add_library("staff").await;
    let before = device.items("/QueryLibraryList", json!({})).await;
    device.refused("/AddLibrary", json!({"name": "staff", "type": 0}), 200).await;
    for (fields, field) in [
        (json!({"type": 0}), "name"),
        (json!({"name": "", "type": 0}), "name"),
        (json!({"name": "x".repeat(65), "type": 0}), "name"),
        (json!({"name": "x", "type": {}}), "type"),
        (json!({"name": "x", "remark": "x".repeat(257)}), "remark"),
    ] {
        device.refused_for("/AddLibrary", fields, field).await;
    }
    device.refused_for("/DeleteLibrary", json!({}), "lib_id").await;
    device.refused_for("/DeleteLibrary", json!({"lib_id": 1}), "lib_id").await;
    device.handles.store.fill_up(true);
    device.refused("/AddLibrary", json!({"name": "guests", "type": 0}), 8).await;
    device.refused("/DeleteLibrary", json!({"lib_id": 2}), 8).await;
    device.handles.store.fill_up(false);
    assert_eq!(device.items("/QueryLibraryList", json!({})).await, before);
    device.stop().await;
}

//! Libraries (sections 3.1 to 3.5).

use std::sync::Arc;
use std::time::Duration;

use domain::Limits;
use serde_json::json;
use testkit::contract::Ledger;

use crate::witness::{Witness, column, photo};

pub(crate) async fn libraries_are_made_changed_listed_and_removed(ledger: &Arc<Ledger>) {
    let witness = Witness::start(ledger).await;
    let made = witness.ok("add_lib", json!({"lib_name": "员工", "lib_type": 2})).await;
    let id = &made["lib_id"];
    assert_eq!(made["lib_name"], "员工");
    let listed = witness.ok("list_libs", json!({})).await;
    let row = listed.as_array().unwrap().iter().find(|row| row["lib_id"] == *id).unwrap().clone();
    assert_eq!((&row["lib_type"], &row["picture_no"]), (&json!(2), &json!(0)));
    assert!(row["create_time"].as_str().unwrap().starts_with("2026-03-02 09:0"), "local time: {row}");
    witness.device.handles.clock.advance(Duration::from_secs(60));
    witness.ok("update_lib", json!({"lib_id": id, "lib_name": "wanted", "lib_type": 1})).await;
    let found = witness.ok("query_libs", json!({"lib_id": id})).await;
    let changed = &found["record"][0];
    assert_eq!((&changed["lib_name"], &changed["lib_type"]), (&json!("wanted"), &json!(1)));
    assert_eq!(changed["create_time"], row["create_time"]);
    assert_ne!(changed["update_time"], row["update_time"]);
    witness.ok_form("add_face", json!({"lib_id": id, "img_id": "alice"}), &[("img", photo("alice"))]).await;
    assert_eq!(witness.ok("query_libs", json!({"lib_id": id})).await["record"][0]["picture_no"], 1);
    witness.ok("delete_lib", json!({"lib_id": id})).await;
    assert!(!column(&witness.ok("list_libs", json!({})).await, "lib_id").contains(id));
    witness.refused("get_face", json!({"lib_id": id, "img_id": "alice"}), -117).await;
    witness.stop().await;
}

pub(crate) async fn libraries_are_found_by_every_condition(ledger: &Arc<Ledger>) {
    let witness = Witness::start(ledger).await;
    for (name, kind) in [("staff", 2), ("guests", 2), ("wanted", 1)] {
        witness.device.handles.clock.advance(Duration::from_secs(1));
        witness.ok("add_lib", json!({"lib_name": name, "lib_type": kind})).await;
    }
    for (query, total, names) in [
        (json!({}), 4, json!(["wanted", "guests", "staff", "default_group"])),
        (json!({"lib_name": "guests"}), 1, json!(["guests"])),
        (json!({"lib_type": 1}), 1, json!(["wanted"])),
        (json!({"lib_type": "1", "lib_name": "staff"}), 0, json!([])),
        (json!({"start_no": 2, "qry_len": "2"}), 4, json!(["guests", "staff"])),
        (json!({"start_no": 5}), 4, json!([])),
    ] {
        let found = witness.ok("query_libs", query.clone()).await;
        assert_eq!(json!(column(&found["record"], "lib_name")), names, "{query}");
        assert_eq!(
            (&found["total_num"], &found["result_num"]),
            (&json!(total), &json!(names.as_array().unwrap().len()))
        );
    }
    for query in [json!({"start_no": 0}), json!({"qry_len": 0}), json!({"qry_len": 51}), json!({"lib_type": 3})] {
        witness.refused("query_libs", query, -3596).await;
    }
    witness.stop().await;
}

pub(crate) async fn a_library_that_is_missing_taken_or_watched_is_refused(ledger: &Arc<Ledger>) {
    let witness = Witness::start(ledger).await;
    let staff = witness.library("staff", &["alice"]).await;
    let guests = witness.library("guests", &[]).await;
    witness.device.watch(&staff.to_string(), &[]).await;
    let before = witness.everything().await;
    witness.refused("add_lib", json!({"lib_name": "staff", "lib_type": 1}), -119).await;
    witness.refused("update_lib", json!({"lib_id": guests, "lib_name": "staff", "lib_type": 1}), -119).await;
    witness.refused("update_lib", json!({"lib_id": 99, "lib_name": "x", "lib_type": 1}), -117).await;
    witness.refused("delete_lib", json!({"lib_id": 99}), -117).await;
    witness.refused("delete_lib", json!({"lib_id": staff}), -123).await;
    for fields in [
        json!({"lib_name": "x"}),
        json!({"lib_type": 1}),
        json!({"lib_name": "x", "lib_type": 3}),
        json!({"lib_name": "", "lib_type": 1}),
        json!({"lib_name": "x".repeat(65), "lib_type": 1}),
    ] {
        witness.refused("add_lib", fields.clone(), -3596).await;
        let mut update = fields;
        update["lib_id"] = json!(guests);
        witness.refused("update_lib", update, -3596).await;
    }
    witness.refused("delete_lib", json!({}), -3596).await;
    assert_eq!(witness.everything().await, before);
    witness.stop().await;
}

pub(crate) async fn the_number_of_libraries_is_limited(ledger: &Arc<Ledger>) {
    let witness = Witness::start_with(ledger, Limits { libraries: 2, ..Limits::default() }).await;
    witness.ok("add_lib", json!({"lib_name": "staff", "lib_type": 2})).await;
    witness.refused("add_lib", json!({"lib_name": "guests", "lib_type": 2}), -118).await;
    assert_eq!(witness.ok("list_libs", json!({})).await.as_array().unwrap().len(), 2);
    witness.stop().await;
}

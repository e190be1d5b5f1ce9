//! Captures and alarms (sections 3.13 and 3.16), and downloads.

use std::sync::Arc;

use serde_json::{Value, json};
use testkit::contract::Ledger;
use testkit::until;

use crate::witness::{Witness, column, photo};

/// A device before whose camera alice, who is enrolled, and mallory, who is not, have passed.
pub(crate) async fn after_a_visit(ledger: &Arc<Ledger>) -> (Witness, i64) {
    let witness = Witness::start(ledger).await;
    let library = witness.library("staff", &["alice"]).await;
    witness.device.watch(&library.to_string(), &["alice", "mallory"]).await;
    until("there are two captures", async || witness.ok("query_snaps", json!({})).await["total_num"] == 2).await;
    (witness, library)
}

/// What was captured goes, and new captures follow.
pub(crate) async fn all_records_are_removed_and_faces_stay(ledger: &Arc<Ledger>) {
    let (witness, library) = after_a_visit(ledger).await;
    let snaps = witness.ok("query_snaps", json!({})).await;
    witness.ok("delete_all_snaps", json!({})).await;
    for act in ["query_alarms", "query_snaps"] {
        let left = witness.ok(act, json!({})).await;
        assert_eq!((&left["total_num"], &left["record"]), (&json!(0), &json!([])), "{act}");
    }
    let path = snaps["record"][0]["snap_path"].as_str().unwrap();
    assert_eq!(witness.download(path, witness.device.session()).await.0, 404);
    witness.ok("get_face", json!({"lib_id": library, "img_id": "alice"})).await;
    witness.ok("delete_all_snaps", json!({})).await;
    witness.stop().await;
}

pub(crate) async fn captures_and_alarms_are_listed_with_their_pictures(ledger: &Arc<Ledger>) {
    let (witness, library) = after_a_visit(ledger).await;
    let alarms = witness.ok("query_alarms", json!({})).await;
    assert_eq!((&alarms["total_num"], &alarms["result_num"]), (&json!(1), &json!(1)));
    let alarm = &alarms["record"][0];
    assert_eq!((&alarm["img_id"], &alarm["lib_id"]), (&json!("alice"), &json!(library)));
    assert_eq!((&alarm["camera_name"], &alarm["channel"]), (&json!("gate"), &json!(1)));
    assert_eq!((&alarm["threshold"], &alarm["ranking"]), (&json!(80), &json!(1)));
    assert!(alarm["similarity"].as_i64() >= Some(80));
    let enrolled = witness.download(alarm["img_path"].as_str().unwrap(), witness.device.session()).await;
    assert_eq!(enrolled.0, 200);
    let snaps = witness.ok("query_snaps", json!({})).await;
    assert_eq!(snaps["record"][1]["snap_id"], alarm["snap_id"], "the newest comes first");
    assert!(snaps["record"][0]["similarity"].as_i64() < Some(80), "the nearest is told even below the threshold");
    for snap in snaps["record"].as_array().unwrap() {
        let path = snap["snap_path"].as_str().unwrap();
        assert_eq!(*path, format!("record/{}.jpg", snap["snap_id"].as_str().unwrap()));
        let (status, picture) = witness.download(path, witness.device.session()).await;
        assert_eq!(status, 200);
        assert!(picture.starts_with(&[0xff, 0xd8]), "a JPEG");
        assert_eq!(witness.download(path, "12345").await.0, 401);
    }
    assert_eq!(witness.ledger.answer("GET /ws/{path}", None, None), Ok(()));
    for path in ["record/9448f6e5-0d8b-4fd0-a13f-98b1a05500ec.jpg", "img/1_nobody.jpg", "record/..%2f..%2fetc/passwd"] {
        assert_eq!(witness.download(path, witness.device.session()).await.0, 404, "{path}");
    }
    witness.stop().await;
}

pub(crate) async fn records_are_found_by_every_condition(ledger: &Arc<Ledger>) {
    let (witness, library) = after_a_visit(ledger).await;
    let snaps = witness.ok("query_snaps", json!({})).await;
    let newest = &snaps["record"][0]["trigger"];
    let both: [(Value, u64); 15] = [
        (json!({"channel": 1}), 1),
        (json!({"channel": 2}), 0),
        (json!({"lib_name": "staff"}), 1),
        (json!({"lib_name": "guests"}), 0),
        (json!({"lib_name": "STAFF"}), 1),
        (json!({"lib_type": 2}), 1),
        (json!({"lib_type": 1}), 0),
        (json!({"start_time": "2026-03-02 00:00:00", "stop_time": newest}), 1),
        (json!({"start_time": "2026-03-03 00:00:00"}), 0),
        (json!({"start_time": newest, "stop_time": "2026-03-01 00:00:00"}), 0),
        (json!({"start_no": 1, "qry_len": 50}), 1),
        (json!({"start_time": "1970-01-01 00:00:00", "stop_time": "9999-12-31 23:59:59"}), 1),
        (json!({"start_time": "0000-00-00 00:00:00", "stop_time": "2026-03-02 24:00:00"}), 1),
        (json!({"start_time": "0001-01-01 00:00:00", "stop_time": "1900-01-01 00:00:00"}), 0),
        (json!({"start_time": "9999-12-31 23:59:59", "stop_time": "9999-12-31 23:59:59"}), 0),
    ];
    for (query, found) in both {
        assert_eq!(witness.ok("query_alarms", query.clone()).await["total_num"], found, "{query}");
        assert_eq!(witness.ok("query_snaps", query.clone()).await["total_num"], found * 2, "{query}");
    }
    for (query, found) in [
        (json!({"channel": 1, "lib_name": "staff", "lib_type": 2, "stop_time": newest}), 2),
        (json!({"channel": 1, "lib_name": "staff", "lib_type": 1}), 0),
        (json!({"channel": "", "lib_name": "", "lib_type": "", "start_time": "", "stop_time": ""}), 2),
        (json!({"start_time": newest, "stop_time": newest}), 1),
    ] {
        assert_eq!(witness.ok("query_snaps", query.clone()).await["total_num"], found, "{query}");
    }
    for act in ["query_alarms", "query_snaps"] {
        let beyond = witness.ok(act, json!({"start_no": 3, "qry_len": 50})).await;
        assert_eq!((&beyond["record"], &beyond["result_num"]), (&json!([]), &json!(0)));
        assert_ne!(beyond["total_num"], 0, "the total is that of all pages");
    }
    let second = witness.ok("query_snaps", json!({"start_no": 2, "qry_len": 1})).await;
    assert_eq!(column(&second["record"], "snap_id"), [snaps["record"][1]["snap_id"].clone()]);
    assert_eq!(witness.ok("query_alarms", json!({"lib_ids": format!("99,{library}")})).await["total_num"], 1);
    assert_eq!(witness.ok("query_alarms", json!({"lib_ids": "99"})).await["total_num"], 0);
    for act in ["query_alarms", "query_snaps"] {
        for wrong in [
            json!({"channel": 0}),
            json!({"channel": 17}),
            json!({"lib_type": 3}),
            json!({"start_time": "yesterday"}),
            json!({"stop_time": "2026-02-30 00:00:00"}),
            json!({"start_no": 0}),
            json!({"qry_len": 51}),
        ] {
            witness.refused(act, wrong, -3596).await;
        }
    }
    witness.ok("delete_face", json!({"lib_id": library, "img_id": "alice"})).await;
    let alarm = witness.ok("query_alarms", json!({})).await["record"][0].clone();
    assert_eq!(alarm["img_id"], "", "a record does not say who a removed person was");
    witness.ok_form("add_face", json!({"lib_id": library, "img_id": "bob"}), &[("img", photo("bob"))]).await;
    witness.stop().await;
}

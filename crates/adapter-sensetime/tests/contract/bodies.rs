//! Captures of bodies (sections 3.22 to 3.24): the people of behaviours, which are appended by the test.

use std::sync::Arc;

use domain::ports::{LogStore, Pictures};
use domain::{ObjectClass, PictureId, Timestamp, What};
use serde_json::{Value, json};
use testkit::contract::Ledger;
use testkit::store_suite::samples;

use crate::exports::fetch;
use crate::records::after_a_visit;
use crate::witness::{Witness, column};

const PICTURE: &[u8] = &[0xff, 0xd8, 0xff, 0xe0, 1, 2, 3];

/// Appends two bodies: in the cameras 1 and 2, a minute apart.
async fn append_bodies(witness: &Witness) -> Vec<String> {
    let store = &witness.device.handles.store;
    let mut ids = Vec::new();
    for number in [1, 2] {
        let mut entry = samples::line_crossed(&**store, number, 0);
        entry.at = Timestamp::from_millis(1_571_203_200_000 + i64::from(number) * 60_000);
        let What::Behaviour(seen) = &mut entry.what else { panic!("a behaviour") };
        (seen.camera_name, seen.crop, seen.scene) =
            ("gate".into(), store.put(PICTURE).unwrap(), store.put(PICTURE).unwrap());
        ids.push(seen.id.to_string());
        store.append(&entry).unwrap();
    }
    ids
}

/// Appends what is no capture of a body: what recovers, as it is recorded, and a vehicle.
fn append_others(witness: &Witness) -> [String; 2] {
    let store = &witness.device.handles.store;
    [(ObjectClass::Person, false), (ObjectClass::Vehicle, true)].map(|(object, fired)| {
        let mut entry = samples::line_crossed(&**store, 1, 0);
        let What::Behaviour(seen) = &mut entry.what else { panic!("a behaviour") };
        (seen.object, seen.fired) = (object, fired);
        if !fired {
            (seen.crop, seen.scene) = (PictureId::not_kept(), PictureId::not_kept());
        }
        let id = seen.id.to_string();
        store.append(&entry).unwrap();
        id
    })
}

/// Asked without the catalogue's check: no model detects what a body wears, and the document has no value for that.
async fn list(witness: &Witness, query: Value) -> Value {
    let answer = witness.call("query_body_snaps", &query).await;
    assert_eq!(answer.code, 0, "{}", answer.msg);
    answer.data
}

pub(crate) async fn bodies_are_listed_and_exported_apart_from_faces(ledger: &Arc<Ledger>) {
    let (witness, _) = after_a_visit(ledger).await;
    let faces = [witness.ok("query_snaps", json!({})).await, witness.ok("query_alarms", json!({})).await];
    let ids = append_bodies(&witness).await;
    let others = append_others(&witness);
    assert_eq!([witness.ok("query_snaps", json!({})).await, witness.ok("query_alarms", json!({})).await], faces);
    let all = list(&witness, json!({})).await;
    assert_eq!(column(&all["record"], "snap_id"), [ids[1].as_str(), &ids[0]], "the newest comes first");
    assert_eq!(all["total_num"], 2);
    let first = &all["record"][1];
    assert_eq!(first["snap_path"], format!("record/1/body/{}.jpg", ids[0]));
    assert_eq!((&first["trigger"], &first["camera_name"]), (&json!("2019-10-16 13:21:00"), &json!("gate")));
    let (status, picture) = witness.download(first["snap_path"].as_str().unwrap(), witness.device.session()).await;
    assert_eq!((status, &picture[..]), (200, PICTURE));
    let queries: [(Value, &[&str]); 6] = [
        (json!({"channel": 2}), &[&ids[1]]),
        (json!({"channel": 3}), &[]),
        (json!({"start_time": "2019-10-16 13:22:00"}), &[&ids[1]]),
        (json!({"stop_time": "2019-10-16 13:21:59"}), &[&ids[0]]),
        (json!({"start_no": 2, "qry_len": 50}), &[&ids[0]]),
        (json!({"start_no": 3}), &[]),
    ];
    for (query, expected) in queries {
        assert_eq!(column(&list(&witness, query.clone()).await["record"], "snap_id"), expected, "{query}");
    }
    exported(&witness, &ids, &faces[0]["record"][0]["snap_id"]).await;
    for other in others {
        witness.refused("export_body_snaps_selected", json!({"snap_ids": other}), -2100).await;
    }
    witness.ok("delete_all_snaps", json!({})).await;
    assert_eq!(witness.ok("query_body_snaps", json!({})).await["total_num"], 0);
    witness.stop().await;
}

async fn exported(witness: &Witness, ids: &[String], face: &Value) {
    let page = witness.ok("export_body_snaps_page", json!({"channel": 1})).await;
    assert_eq!(page["total_num"], 1);
    let export = fetch(witness, &page, "tmp/body_").await;
    let file = format!("{}.jpg", ids[0]);
    assert_eq!(export.pictures[&file], PICTURE);
    assert_eq!(export.table[&file]["trigger"], "2019-10-16 13:21:00");
    let face = face.as_str().unwrap();
    let chosen =
        witness.ok("export_body_snaps_selected", json!({"snap_ids": format!("{},{face},{}", ids[1], ids[0])})).await;
    assert_eq!((&chosen["failed_img_ids"], &chosen["total_num"]), (&json!(face), &json!(3)));
    assert_eq!(fetch(witness, &chosen, "tmp/body_").await.pictures.len(), 2);
    witness.refused("export_snaps_selected", json!({"snap_ids": ids[0]}), -2100).await;
    witness.refused("export_alarms_selected", json!({"snap_ids": ids[0]}), -2100).await;
    witness.refused("export_body_snaps_selected", json!({"snap_ids": face}), -2100).await;
}

pub(crate) async fn until_bodies_are_captured_there_is_nothing_to_list_or_export(ledger: &Arc<Ledger>) {
    let (witness, _) = after_a_visit(ledger).await;
    let none = witness.ok("query_body_snaps", json!({})).await;
    assert_eq!(none, json!({"record": [], "result_num": 0, "total_num": 0}));
    let many = (0..51).map(|n| format!("id-{n}")).collect::<Vec<_>>().join(",");
    for (act, fields, code) in [
        ("export_body_snaps_page", json!({}), -2100),
        ("export_body_snaps_page", json!({"qry_len": 501}), -3596),
        ("export_body_snaps_page", json!({"stop_time": "soon"}), -3596),
        ("export_body_snaps_selected", json!({"snap_ids": "9448f6e5-0d8b-4fd0-a13f-98b1a05500ec"}), -2100),
        ("export_body_snaps_selected", json!({"snap_ids": many}), -3596),
        ("export_body_snaps_selected", json!({}), -3596),
        ("query_body_snaps", json!({"channel": 17}), -3596),
        ("query_body_snaps", json!({"qry_len": 51}), -3596),
        ("query_body_snaps", json!({"start_no": 0}), -3596),
    ] {
        witness.refused(act, fields, code).await;
    }
    witness.stop().await;
}

//! Many faces in one call (sections 3.19, 3.20 and 3.28).

use std::sync::Arc;

use bytes::Bytes;
use domain::Limits;
use serde_json::{Value, json};
use testkit::contract::Ledger;
use testkit::{FakeFace, Picture};

use crate::witness::{Witness, base64, column, photo};

/// File names and pictures, with the code and the `img_id` that the table of results must have; `?` is any.
fn batch() -> Vec<(&'static str, Bytes, i64, &'static str)> {
    let long = "long_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx_#_#_#_#.jpg";
    let poor = Picture::of([FakeFace::of("poor").quality(10)]).png();
    vec![
        ("张三_zhang-1_32011111_0_23_北京, 东城.png", photo("zhang"), 0, "zhang-1"),
        ("wang_#_#_1_#_#.png", photo("wang"), 0, "?"),
        ("=haha.jpg", photo("haha"), 0, "?"),
        ("again_zhang-1_#_#_#_#.jpg", photo("again"), -1100, ""),
        ("there_alice_#_#_#_#.jpg", photo("there"), -1100, ""),
        ("nobody_nobody_#_#_#_#.jpg", Picture::empty().png(), -1101, ""),
        ("poor_poor_#_#_#_#.jpg", poor, -1102, ""),
        ("broken_broken_#_#_#_#.jpg", photo("x").slice(..200), -1104, ""),
        ("text_text_#_#_#_#.txt", Bytes::from_static(b"no picture"), -1104, ""),
        (long, photo("long"), -2754, ""),
        ("sex_sex_#_2_#_#.jpg", photo("sex"), -3596, ""),
        ("age_age_#_#_121_#.jpg", photo("age"), -3596, ""),
        ("id_a.b_#_#_#_#.jpg", photo("id"), -3596, ""),
    ]
}

pub(crate) async fn faces_are_enrolled_by_their_file_names(ledger: &Arc<Ledger>) {
    for act in ["add_faces_batch", "add_faces_batch_base64"] {
        let witness = Witness::start(ledger).await;
        let library = witness.library("staff", &["alice"]).await;
        let wanted = batch();
        let pictures: Vec<_> = wanted.iter().map(|(name, picture, ..)| (*name, picture.clone())).collect();
        let made = send(&witness, act, json!({"lib_id": library, "uuid": "批 1"}), &pictures).await;
        assert_eq!(made["err_count"], 10, "{act}");
        assert_eq!(made["url"], "tmp/image_%E6%89%B9%201.csv");
        let rows = witness.table(made["url"].as_str().unwrap()).await;
        assert_eq!(rows[0], ["filename", "img_id", "code", "msg"]);
        for (row, (name, _, code, img_id)) in rows[1..].iter().zip(&wanted) {
            let shown = if *name == "=haha.jpg" { "'=haha.jpg" } else { *name };
            assert_eq!((row[0].as_str(), row[2].as_str()), (shown, code.to_string().as_str()), "{act}");
            assert_eq!(row[3].is_empty(), *code == 0, "{row:?}");
            assert!(row[1] == *img_id || (*img_id == "?" && row[1].len() == 36), "{row:?}");
        }
        assert_eq!(rows.len(), wanted.len() + 1);
        enrolled_as_named(&witness, library).await;
        let stolen = witness.download(made["url"].as_str().unwrap(), "12345").await;
        assert_eq!(stolen.0, 401);
        witness.stop().await;
    }
}

async fn send(witness: &Witness, act: &str, mut fields: Value, pictures: &[(&str, Bytes)]) -> Value {
    if act == "add_faces_batch" {
        return witness.note_success(act, witness.send_batch(act, fields, pictures).await);
    }
    let picture = |(name, picture): &(&str, Bytes)| json!({"filename": name, "data": base64(picture)["data"]});
    fields["imgs"] = pictures.iter().map(picture).collect();
    witness.ok(act, fields).await
}

async fn enrolled_as_named(witness: &Witness, library: i64) {
    let zhang = witness.ok("get_face", json!({"lib_id": library, "img_id": "zhang-1"})).await;
    for (field, value) in [
        ("person_name", "张三"),
        ("person_idcard", "32011111"),
        ("person_gender", "0"),
        ("person_age", "23"),
        ("person_addr", "北京, 东城"),
    ] {
        assert_eq!(zhang[field], value, "{field}");
    }
    let wang = witness.ok("query_faces", json!({"lib_id": library, "person_name": "wang"})).await["record"][0].clone();
    assert_eq!((&wang["person_gender"], &wang["person_idcard"]), (&json!("1"), &json!("")));
    assert_eq!(witness.ok("query_faces", json!({"lib_id": library, "person_name": "=haha"})).await["total_num"], 1);
    assert_eq!(witness.ok("query_libs", json!({"lib_id": library})).await["record"][0]["picture_no"], 4);
    let query = json!({"lib_ids": library.to_string(), "threshold": 80});
    let found = witness.ok_form("compare_1_to_n", query, &[("img", photo("zhang"))]).await;
    assert_eq!(found["topn"][0]["img_id"], "zhang-1");
}

pub(crate) async fn a_batch_that_cannot_begin_changes_nothing(ledger: &Arc<Ledger>) {
    let witness = Witness::start_with(ledger, Limits { people: 2, ..Limits::default() }).await;
    let library = witness.library("staff", &["alice"]).await;
    let before = witness.everything().await;
    let (file, one) = ([("bob_bob_#_#_#_#.png", photo("bob"))], base64(&photo("bob")));
    for (fields, code) in [
        (json!({"lib_id": 99, "uuid": "a"}), -117),
        (json!({"uuid": "a"}), -3596),
        (json!({"lib_id": library}), -3596),
        (json!({"lib_id": library, "uuid": "x".repeat(256)}), -3596),
    ] {
        let answer = witness.send_batch("add_faces_batch", fields.clone(), &file).await;
        witness.note_refusal("add_faces_batch", &answer, code, &fields.to_string());
        let mut listed = fields;
        listed["imgs"] = json!([one]);
        witness.refused("add_faces_batch_base64", listed, code).await;
    }
    let none = witness.send_batch("add_faces_batch", json!({"lib_id": library, "uuid": "a"}), &[]).await;
    witness.note_refusal("add_faces_batch", &none, -3596, "no pictures");
    for imgs in [json!([]), json!(null), json!([1]), json!([{"data": "x"}]), json!([["a.jpg", "x"]]), json!("a.jpg")] {
        witness.refused("add_faces_batch_base64", json!({"lib_id": library, "uuid": "a", "imgs": imgs}), -3596).await;
    }
    let many = vec![json!({"filename": "a", "data": ""}); 1001];
    witness.refused("add_faces_batch_base64", json!({"lib_id": library, "uuid": "a", "imgs": many}), -3596).await;
    assert_eq!(witness.everything().await, before);
    // One object is a list of one; the second of two does not fit any more.
    let two = json!([{"filename": "bob", "data": one["data"]}, {"filename": "carol", "data": one["data"]}]);
    let made = witness.ok("add_faces_batch_base64", json!({"lib_id": library, "uuid": "", "imgs": two})).await;
    assert_eq!((&made["err_count"], &made["url"]), (&json!(1), &json!("tmp/image_.csv")));
    let codes: Vec<_> = witness.table("tmp/image_.csv").await.into_iter().map(|row| row[2].clone()).collect();
    assert!(codes.contains(&"-122".to_owned()) && codes.contains(&"0".to_owned()), "{codes:?}");
    witness.refused("add_faces_batch_base64", json!({"lib_id": library, "uuid": "a", "imgs": one}), -122).await;
    let full = witness.send_batch("add_faces_batch", json!({"lib_id": library, "uuid": "a"}), &file).await;
    witness.note_refusal("add_faces_batch", &full, -122, "a full device");
    witness.ok("delete_face", json!({"lib_id": library, "img_id": "alice"})).await;
    let made = witness.ok("add_faces_batch_base64", json!({"lib_id": library, "uuid": "a", "imgs": one})).await;
    assert_eq!(made["err_count"], 0, "one object is a list of one");
    witness.stop().await;
}

pub(crate) async fn many_faces_are_removed_at_once(ledger: &Arc<Ledger>) {
    let witness = Witness::start(ledger).await;
    let library = witness.library("staff", &["alice", "bob", "carol"]).await;
    let guests = witness.library("guests", &["dave"]).await;
    witness.ok("delete_faces_batch", json!({"lib_id": library, "img_ids": "alice, nobody ,carol,dave"})).await;
    let left = witness.ok("query_faces", json!({"lib_id": library})).await;
    assert_eq!(column(&left["record"], "img_id"), ["bob"]);
    assert_eq!(witness.ok("query_libs", json!({"lib_id": library})).await["record"][0]["picture_no"], 1);
    witness.ok("get_face", json!({"lib_id": guests, "img_id": "dave"})).await;
    let before = witness.everything().await;
    let many = (0..51).map(|n| format!("id-{n}")).collect::<Vec<_>>().join(",");
    for (fields, code) in [
        (json!({"lib_id": 99, "img_ids": "bob"}), -117),
        (json!({"lib_id": library, "img_ids": "alice,dave"}), -126),
        (json!({"lib_id": library, "img_ids": ""}), -3596),
        (json!({"lib_id": library, "img_ids": many}), -3596),
        (json!({"lib_id": library}), -3596),
        (json!({"img_ids": "bob"}), -3596),
    ] {
        witness.refused("delete_faces_batch", fields, code).await;
    }
    assert_eq!(witness.everything().await, before);
    witness.stop().await;
}
